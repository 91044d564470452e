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
}

impl Tool {
    /// Its name, as one would look for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustfmt",
            Self::Clippy => "clippy",
            Self::Nextest => "cargo-nextest",
            Self::Deny => "cargo-deny",
        }
    }

    /// How to get it.
    pub(crate) fn install(self) -> Line {
        match self {
            Self::Rustfmt => Line::new("rustup", "component add rustfmt"),
            Self::Clippy => Line::new("rustup", "component add clippy"),
            Self::Nextest => Line::cargo("install cargo-nextest --locked"),
            Self::Deny => Line::cargo("install cargo-deny --locked"),
        }
    }

    /// Whether this machine has it.
    pub(crate) fn is_here(self) -> bool {
        let probe = match self {
            Self::Rustfmt => "fmt --version",
            Self::Clippy => "clippy --version",
            Self::Nextest => "nextest --version",
            Self::Deny => "deny --version",
        };
        Line::cargo(probe).succeeds()
    }
}
