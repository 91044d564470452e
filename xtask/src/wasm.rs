//! Compiling for browsers, which have no threads, files and clock; `cargo xtask wasm` checks that the
//! libraries do.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::line::{self, Line};
use crate::step::{self, Step};
use crate::tool::Tool;

/// The libraries that an app in a browser depends on.
const LIBRARIES: &str = "--package livestore --package livestore-devtools --package livestore-sync --package livestore-web";

/// Where `.ci/wasm-toolchain` unpacks a compiler.
const UNPACKED: &str = "target/wasm-toolchain";

/// Builds them. `strict`: it may not be skipped.
pub(crate) fn run(strict: bool) -> ExitCode {
    step::run_all(&[plan(strict, Tool::is_here)], strict)
}

/// The step.
pub(crate) fn plan(strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    match Compiler::find(strict, is_here) {
        Ok(compiler) => Step::new("wasm", 6, compiler.build(LIBRARIES)),
        Err(tool) => Step::lacking("wasm", tool),
    }
}

/// A compiler for browsers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Compiler {
    /// rustup's, which has the target.
    Rustup,
    /// Debian's packages, where rustup cannot add the target: it builds the standard library, too.
    Debian,
}

impl Compiler {
    /// Returns the one to use, or what is missing. `strict`: the missing one is installed.
    pub(crate) fn find(strict: bool, is_here: impl Fn(Tool) -> bool) -> Result<Self, Tool> {
        let missing = [Tool::WasmTarget, Tool::Clang].into_iter().find(|tool| !is_here(*tool));
        match missing {
            None => Ok(Self::Rustup),
            Some(_) if strict || is_here(Tool::WasmToolchain) => Ok(Self::Debian),
            Some(tool) => Err(tool),
        }
    }

    /// The lines that build something: `what` follows `cargo build`.
    pub(crate) fn build(self, what: &str) -> Vec<Line> {
        let target = folder().display().to_string();
        let build = format!("build {what} --target wasm32-unknown-unknown --target-dir");
        match self {
            Self::Rustup => {
                let build = Line::cargo(&build).args([target]);
                vec![build.env("CC_wasm32_unknown_unknown", "clang")]
            }
            Self::Debian => {
                let install = Line::new("bash", &format!(".ci/wasm-toolchain {UNPACKED}"));
                vec![install, with_debians_cargo(&build, target)]
            }
        }
    }
}

/// SQLite for the compiler's own use is not optimised: building that takes longer than using it.
fn with_debians_cargo(build: &str, target: String) -> Line {
    let usr = line::root().join(UNPACKED).join("usr");
    let in_usr = |path: &str| usr.join(path).display().to_string();
    Line::new(in_usr("bin/cargo"), build)
        .args([target])
        .args(["-Zbuild-std=std,panic_abort", "--config"].map(str::to_owned))
        .args(["profile.dev.package.libsqlite3-sys.opt-level=0".to_owned()])
        .env("LD_LIBRARY_PATH", in_usr("lib/x86_64-linux-gnu"))
        .env("RUSTC", in_usr("bin/rustc"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CC_wasm32_unknown_unknown", "clang-22")
        .env("AR_wasm32_unknown_unknown", "llvm-ar-22")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-22")
}

/// The folder that is built into. It is not that of the rest: two compilers in one folder would
/// build what they share again each time.
pub(crate) fn folder() -> std::path::PathBuf {
    line::target().join("wasm")
}

/// Whether rustc has the standard library for browsers.
pub(crate) fn has_target() -> bool {
    has_std_for("wasm32-unknown-unknown")
}

/// Whether rustc has the standard library for this target.
pub(crate) fn has_std_for(target: &str) -> bool {
    let mut rustc = Command::new("rustc");
    let output = rustc.args(["--print", "target-libdir", "--target", target]).output();
    let folder = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    folder.is_some_and(|folder| Path::new(folder.trim()).is_dir())
}

/// Whether Debian's compiler is unpacked.
pub(crate) fn has_toolchain() -> bool {
    line::root().join(UNPACKED).join("complete").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_ordinary_build_where_the_target_is() {
        let step = plan(true, |_| true).to_string();
        let expected = format!("wasm: CC_wasm32_unknown_unknown=clang cargo build {LIBRARIES}");
        assert!(step.starts_with(&expected), "{step}");
    }

    #[test]
    fn without_the_target_only_ci_builds_the_standard_library() {
        let step = |strict| plan(strict, |tool| tool == Tool::Clang).to_string();
        assert_eq!(
            step(false),
            "wasm: the target wasm32-unknown-unknown is not installed \
             (rustup target add wasm32-unknown-unknown)"
        );
        assert!(step(true).contains("-Zbuild-std"));
    }

    #[test]
    fn a_compiler_that_was_unpacked_once_is_used_again() {
        let is_here = |tool| tool == Tool::WasmToolchain;
        assert_eq!(Compiler::find(false, is_here), Ok(Compiler::Debian));
    }
}
