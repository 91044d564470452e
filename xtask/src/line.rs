//! A command line: one value to run, and to show so that it can be run again by hand.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

/// A program, its arguments, and what it needs in its environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    program: &'static str,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
}

impl Line {
    /// `program` with `args`, which are split at spaces.
    pub(crate) fn new(program: &'static str, args: &str) -> Self {
        let args = args.split_whitespace().map(str::to_owned).collect();
        Self { program, args, env: Vec::new() }
    }

    /// `cargo` with `args`, which are split at spaces.
    pub(crate) fn cargo(args: &str) -> Self {
        Self::new("cargo", args)
    }

    /// More arguments, each as it is.
    pub(crate) fn args(mut self, args: impl IntoIterator<Item = String>) -> Self {
        self.args.extend(args);
        self
    }

    /// One variable more in its environment.
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Runs it where the user is.
    pub(crate) fn run(&self) -> std::io::Result<ExitStatus> {
        self.command().status()
    }

    /// Runs it at the workspace's root.
    pub(crate) fn run_at_root(&self) -> std::io::Result<ExitStatus> {
        self.command().current_dir(root()).status()
    }

    /// Whether it succeeds; what it prints is not shown.
    pub(crate) fn succeeds(&self) -> bool {
        let quiet = self.command().stdout(Stdio::null()).stderr(Stdio::null()).status();
        quiet.is_ok_and(|status| status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }
}

/// As one would type it.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        write!(f, "{}", self.program)?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains([' ', '"', '$', '*', ';', '&', '|']) {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
}

/// The folder of the workspace. `cargo run`, which is what `cargo xtask` is, says where.
fn root() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    xtask.and_then(|dir| dir.parent().map(PathBuf::from)).unwrap_or_else(|| PathBuf::from("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_as_one_would_type_it() {
        let line = Line::cargo("doc --workspace")
            .args(["two words".to_owned()])
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            line.to_string(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --workspace 'two words'"
        );
    }

    #[test]
    fn a_program_that_is_not_there_does_not_succeed() {
        assert!(!Line::new("livestore-has-no-such-program", "").succeeds());
    }
}
