//! A page in Chromium, driven as the processes are.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;

/// What the client in a page is loaded from.
const MODULE: &str = "/livestore-interop-client.js";

/// What is needed for pages.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    tool: PathBuf,
    site: PathBuf,
}

impl Browser {
    /// The program `tool` serves the folder `site`.
    pub(crate) fn new(tool: &str, site: &str) -> Self {
        Self { tool: tool.into(), site: site.into() }
    }

    /// The program that starts Chromium with the client in a page. It answers as the client does; each new
    /// directory is a profile of the browser in which nothing is stored.
    pub(crate) fn client(&self) -> Result<Command> {
        let driver = std::env::current_exe()?.with_file_name("livestore-web-tests");
        let mut command = Command::new(driver);
        command.arg(&self.tool).arg(&self.site).args(["--drive", MODULE]);
        Ok(command)
    }
}
