//! All fuzz targets in one program; the variable `FUZZ_TARGET` says which one runs.
//!
//! `cargo xtask fuzz` builds it with libFuzzer. Any other build gives the files that it is called
//! with to the target, one after the other:
//!
//! ```sh
//! FUZZ_TARGET=sql cargo run -p livestore-fuzz-targets -- fuzz/artifacts/sql/crash-…
//! ```
#![cfg_attr(fuzzing, no_main)]
#![cfg_attr(fuzzing, allow(unsafe_code, reason = "libFuzzer calls a function by its name"))]

use std::sync::LazyLock;

use livestore_fuzz::{TARGETS, Target};

static CHOSEN: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let chosen = TARGETS.iter().find(|(target, _)| *target == name);
    let Some((_, target)) = chosen else {
        let names = TARGETS.map(|(target, _)| target).join(", ");
        eprintln!("error: FUZZ_TARGET is `{name}`: it can be {names}");
        std::process::exit(2);
    };
    *target
});

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| CHOSEN(bytes));

#[cfg(not(fuzzing))]
#[expect(clippy::disallowed_methods, reason = "a program that reads files")]
fn main() -> std::io::Result<()> {
    for file in std::env::args_os().skip(1) {
        println!("{}", file.display());
        CHOSEN(&std::fs::read(file)?);
    }
    Ok(())
}
