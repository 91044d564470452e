//! The tools a step may need beyond cargo itself.

use crate::line::Line;

/// A tool that a machine may lack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tool {
    /// `cargo fmt`.
    Rustfmt,
    /// `cargo clippy`.
    Clippy,
    /// `cargo nextest`: the tests, faster. There is a way without it.
    Nextest,
    /// `cargo deny`: licences, sources and duplicates of dependencies.
    Deny,
    /// A nightly compiler, which has what `cargo fuzz` needs.
    Nightly,
    /// `cargo fuzz`.
    Fuzz,
    /// `npm`, and node with it: LiveStore itself, to sync with.
    Npm,
}

impl Tool {
    /// Its name, as one would look for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustfmt",
            Self::Clippy => "clippy",
            Self::Nextest => "cargo-nextest",
            Self::Deny => "cargo-deny",
            Self::Nightly => "a nightly compiler",
            Self::Fuzz => "cargo-fuzz",
            Self::Npm => "npm",
        }
    }

    /// How to get it.
    pub(crate) fn install(self) -> Line {
        match self {
            Self::Rustfmt => Line::new("rustup", "component add rustfmt"),
            Self::Clippy => Line::new("rustup", "component add clippy"),
            Self::Nextest => Line::cargo("install cargo-nextest --locked"),
            Self::Deny => Line::cargo("install cargo-deny --locked"),
            Self::Nightly => Line::new("rustup", "toolchain install nightly --profile minimal"),
            Self::Fuzz => Line::cargo("install cargo-fuzz --locked"),
            Self::Npm => Line::new("nvm", "install 22"),
        }
    }

    /// Whether this machine has it.
    pub(crate) fn is_here(self) -> bool {
        let probe = match self {
            Self::Rustfmt => "fmt --version",
            Self::Clippy => "clippy --version",
            Self::Nextest => "nextest --version",
            Self::Deny => "deny --version",
            Self::Nightly => "+nightly --version",
            Self::Fuzz => "fuzz --version",
            Self::Npm => return Line::new("npm", "--version").succeeds(),
        };
        Line::cargo(probe).succeeds()
    }
}
