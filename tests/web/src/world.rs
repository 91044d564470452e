//! What a scenario happens in: a backend, the server of the pages, a browser, and the terminal's app.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::Result;
use crate::devtools::Browser;
use crate::page::{Page, Profile};

/// The programs and folders that were built.
pub(crate) struct Programs {
    /// `livestore-web-tool`.
    pub(crate) tool: PathBuf,
    pub(crate) site: PathBuf,
    pub(crate) pictures: PathBuf,
}

/// A world of its own for each scenario.
pub(crate) struct World<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) browser: Browser,
    site: Server,
    backend: Option<Server>,
    backend_address: String,
    dir: TempDir,
}

impl<'a> World<'a> {
    pub(crate) fn new(programs: &'a Programs) -> Result<Self> {
        Self::with_flags(programs, &[])
    }

    /// One whose browser has these flags.
    pub(crate) fn with_flags(programs: &'a Programs, flags: &[&str]) -> Result<Self> {
        let dir = TempDir::new()?;
        let backend = start_backend(dir.path(), "127.0.0.1:0")?;
        Ok(Self {
            programs,
            browser: Browser::start(&dir.path().join("profile"), flags)?,
            site: serve(&programs.tool, &programs.site)?,
            backend_address: backend.address.clone(),
            backend: Some(backend),
            dir,
        })
    }

    /// Opens the example in a profile of its own; it syncs over `transport`: `ws` or `http`.
    pub(crate) fn open_page(&self, transport: &str) -> Result<Page> {
        Page::open(&self.browser, &Profile::new(&self.browser)?, &self.url(transport))
    }

    /// The address of the example.
    pub(crate) fn url(&self, transport: &str) -> String {
        format!("{}/?sync={transport}://{}", self.site.address, self.backend_address)
    }

    /// Opens the issue tracker in a profile of its own. It makes up `sample` issues if it is asked to.
    pub(crate) fn open_tracker(&self, sample: usize) -> Result<Page> {
        let profile = Profile::new(&self.browser)?;
        Page::open(&self.browser, &profile, &self.tracker_url(sample))
    }

    /// The address of the issue tracker.
    pub(crate) fn tracker_url(&self, sample: usize) -> String {
        let (site, backend) = (&self.site.address, &self.backend_address);
        format!("{site}/tracker.html?sync=ws://{backend}&sample={sample}")
    }

    /// The address of a page of the same origin that has no script.
    pub(crate) fn plain_url(&self) -> String {
        self.address_of("style.css")
    }

    /// The address of a file of the site.
    pub(crate) fn address_of(&self, file: &str) -> String {
        format!("{}/{file}", self.site.address)
    }

    /// The address of the backend.
    pub(crate) fn backend_url(&self) -> String {
        format!("ws://{}", self.backend_address)
    }

    /// The directory of the terminal's app.
    pub(crate) fn native_dir(&self) -> PathBuf {
        self.dir.path().join("native")
    }

    pub(crate) fn stop_backend(&mut self) {
        self.backend = None;
    }

    /// Starts the backend again, with its data and where it was.
    pub(crate) fn start_backend(&mut self) -> Result {
        self.backend = Some(start_backend(self.dir.path(), &self.backend_address)?);
        Ok(())
    }

    /// Runs the terminal's app, and returns the lines that it prints.
    pub(crate) fn todo(&self, args: &[&str]) -> Result<Vec<String>> {
        let mut todo = Command::new(beside_this_program("todo")?);
        todo.args(args).args(["--sync", &self.backend_url(), "--dir"]);
        let output = todo.arg(self.native_dir()).output()?;
        if !output.status.success() || !output.stderr.is_empty() {
            return Err(format!("todo {args:?}: {output:?}").into());
        }
        Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
    }
}

/// Serves a folder to browsers on this machine.
pub(crate) fn serve(tool: &Path, site: &Path) -> Result<Server> {
    let mut serve = Command::new(tool);
    serve.arg("serve").arg(site).arg("0");
    Server::start(serve)
}

fn start_backend(dir: &Path, listen: &str) -> Result<Server> {
    let mut command = Command::new(beside_this_program("livestore-server")?);
    command.args(["--listen", listen, "--data"]).arg(dir.join("backend"));
    let mut server = Server::start(command)?;
    server.address = server.address.trim_start_matches("ws://").to_owned();
    Ok(server)
}

/// The path of a program that was built with this one.
pub(crate) fn beside_this_program(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// A process whose first line ends with the address where it listens. It is killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        let address = line.trim_end().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { child, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
