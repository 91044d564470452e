//! A command line: one value to run, and to show so that it can be run again by hand.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use crate::rustc::Variant;

/// A program, its arguments, and what it needs in its environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    program: String,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
    variant: Option<Variant>,
}

impl Line {
    /// `program` with `args`, which are split at spaces.
    pub(crate) fn new(program: impl Into<String>, args: &str) -> Self {
        let args = args.split_whitespace().map(str::to_owned).collect();
        Self { program: program.into(), args, env: Vec::new(), variant: None }
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

    /// Has cargo compile the workspace's own crates this way.
    pub(crate) fn variant(mut self, variant: Variant) -> Self {
        self.variant = Some(variant);
        self
    }

    /// Runs it where the user is.
    pub(crate) fn run(&self) -> io::Result<ExitStatus> {
        self.command()?.status()
    }

    /// Runs it at the workspace's root.
    pub(crate) fn run_at_root(&self) -> io::Result<ExitStatus> {
        self.command()?.current_dir(root()).status()
    }

    /// Runs it at the workspace's root. Returns what it prints, too.
    pub(crate) fn output_at_root(&self) -> io::Result<Output> {
        self.command()?.current_dir(root()).output()
    }

    /// Whether it succeeds; what it prints is not shown.
    pub(crate) fn succeeds(&self) -> bool {
        let command = self.command();
        let quiet =
            command.and_then(|mut it| it.stdout(Stdio::null()).stderr(Stdio::null()).status());
        quiet.is_ok_and(|status| status.success())
    }

    fn command(&self) -> io::Result<Command> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        if let Some(variant) = self.variant {
            command.env("RUSTC_WORKSPACE_WRAPPER", variant.install_wrapper()?);
        }
        Ok(command)
    }
}

/// As one would type it.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(variant) = self.variant {
            write!(f, "RUSTC_WORKSPACE_WRAPPER=$PWD/target/debug/{} ", variant.wrapper_name())?;
        }
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        write!(f, "{}", quoted(&self.program))?;
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
pub(crate) fn root() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    xtask.and_then(|dir| dir.parent().map(PathBuf::from)).unwrap_or_else(|| PathBuf::from("."))
}

/// The folder that cargo builds into: this program is in `target/debug`.
pub(crate) fn target() -> PathBuf {
    let program = std::env::current_exe().ok();
    let target = program.as_deref().and_then(Path::parent).and_then(Path::parent);
    target.map_or_else(|| root().join("target"), PathBuf::from)
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
        assert_eq!(
            Line::cargo("test").variant(Variant::Shuttle).to_string(),
            "RUSTC_WORKSPACE_WRAPPER=$PWD/target/debug/rustc-shuttle cargo test"
        );
    }

    #[test]
    fn a_program_that_is_not_there_does_not_succeed() {
        assert!(!Line::new("livestore-has-no-such-program", "").succeeds());
    }
}
