//! Builds with a `--cfg` for the workspace's own crates, which share all other crates.
//!
//! With `RUSTFLAGS` cargo would build every dependency once more for each `--cfg`. Cargo's
//! `RUSTC_WORKSPACE_WRAPPER` is a program that it calls in rustc's place for the workspace's own
//! crates only. Ours is this program under other names, one for each [`Variant`]: it adds the
//! variant's flags and calls rustc. Cargo keeps the results apart by the wrapper's path.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};

/// A way to compile the workspace's own crates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Variant {
    /// `--cfg simulation`: the simulator decides what disk, clock and network do.
    Simulation,
    /// The same with the deliberate bugs of `cargo xtask mutants`, which adds `--cfg mutants`.
    Mutants,
    /// `--cfg shuttle`: shuttle decides in which order threads run.
    Shuttle,
    /// `--cfg fuzzing`, and libFuzzer learns which code an input has reached.
    Fuzzing,
}

const VARIANTS: [Variant; 4] =
    [Variant::Simulation, Variant::Mutants, Variant::Shuttle, Variant::Fuzzing];

/// As cargo-fuzz has them. There is no sanitizer: no code of ours is unsafe, and inputs run twice
/// as often.
const FUZZING: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
];

impl Variant {
    /// The file name of the wrapper.
    pub(crate) fn wrapper_name(self) -> &'static str {
        match self {
            Self::Simulation => "rustc-simulation",
            Self::Mutants => "rustc-mutants",
            Self::Shuttle => "rustc-shuttle",
            Self::Fuzzing => "rustc-fuzzing",
        }
    }

    /// Puts the wrapper beside this program. Returns its path.
    pub(crate) fn install_wrapper(self) -> io::Result<PathBuf> {
        // Lines that run side by side need it at the same time.
        static INSTALLING: Mutex<()> = Mutex::new(());
        let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        let program = std::env::current_exe()?;
        let wrapper = program.with_file_name(self.wrapper_name());
        let wrapper = wrapper.with_extension(std::env::consts::EXE_EXTENSION);
        replace(&program, &wrapper)?;
        Ok(wrapper)
    }

    fn of_program(program: &OsStr) -> Option<Self> {
        let name = Path::new(program).file_stem()?;
        VARIANTS.into_iter().find(|variant| name == variant.wrapper_name())
    }

    /// The flags for rustc besides `args`. Code that runs while compiling (proc macros, build
    /// scripts) cannot be linked with libFuzzer; cargo compiles it without `--target`.
    fn flags(self, args: &[OsString]) -> &'static [&'static str] {
        match self {
            Self::Simulation => &["--cfg=simulation"],
            Self::Mutants => &["--cfg=simulation", "--cfg=mutants"],
            Self::Shuttle => &["--cfg=shuttle"],
            Self::Fuzzing if args.iter().any(|arg| arg == "--target") => FUZZING,
            Self::Fuzzing => &[],
        }
    }
}

/// If this program was called as a wrapper, calls rustc and returns how that ended.
pub(crate) fn wrap() -> Option<ExitCode> {
    let mut args = std::env::args_os();
    let variant = Variant::of_program(&args.next()?)?;
    let rustc = args.next()?;
    let args: Vec<_> = args.collect();
    let status = Command::new(&rustc).args(&args).args(variant.flags(&args)).status();
    Some(match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            ExitCode::from(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1))
        }
        Err(error) => {
            eprintln!("error: {} did not start: {error}", Path::new(&rustc).display());
            ExitCode::FAILURE
        }
    })
}

/// A build that runs at the same time may be using the file: it is replaced as a whole.
#[expect(clippy::disallowed_methods, reason = "xtask is an edge: it puts a file there")]
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    let new = to.with_extension(format!("new-{}", std::process::id()));
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::hard_link(from, &new).or_else(|_| fs::copy(from, &new).map(drop))?;
    let renamed = fs::rename(&new, to);
    // Two names of the same file stay as they are when one is renamed to the other.
    if new.exists() {
        fs::remove_file(&new)?;
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_which_variant() {
        for variant in VARIANTS {
            let path = Path::new("target/debug").join(variant.wrapper_name());
            assert_eq!(Variant::of_program(path.as_os_str()), Some(variant));
        }
        assert_eq!(Variant::of_program(OsStr::new("target/debug/xtask")), None);
    }

    #[test]
    fn only_what_is_built_for_a_target_is_fuzzed() {
        let flags = |args: &[&str]| {
            let args: Vec<_> = args.iter().map(OsString::from).collect();
            Variant::Fuzzing.flags(&args)
        };
        assert_eq!(flags(&["--crate-type", "lib", "--target", "x"]), FUZZING);
        assert!(flags(&["--crate-type", "proc-macro"]).is_empty());
    }

    #[test]
    fn a_wrapper_is_replaced() {
        let wrapper = Variant::Shuttle.install_wrapper().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Variant::Shuttle.install_wrapper().unwrap());
            }
        });
        assert_eq!(Variant::Shuttle.install_wrapper().unwrap(), wrapper);
        assert!(wrapper.is_file());
    }
}
