//! `cargo xtask wasm`: `livestore` builds for browsers, which have no threads, files and clock.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::line::{self, Line};
use crate::step::{self, Step};
use crate::tool::Tool;

const BUILD: &str = "build --package livestore --target wasm32-unknown-unknown";

/// Where `.ci/wasm-toolchain` unpacks a compiler.
const UNPACKED: &str = "target/wasm-toolchain";

/// Builds it. `strict`: it may not be skipped.
pub(crate) fn run(strict: bool) -> ExitCode {
    step::run_all(&[plan(strict, Tool::is_here)], strict)
}

/// The step. Where rustup has the target, it is cargo's ordinary build. CI's machine may have
/// nothing but Debian's packages: there the standard library is built, too.
pub(crate) fn plan(strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    let missing = [Tool::WasmTarget, Tool::Clang].into_iter().find(|tool| !is_here(*tool));
    match missing {
        None => {
            Step::new("wasm", 2, [Line::cargo(BUILD).env("CC_wasm32_unknown_unknown", "clang")])
        }
        Some(_) if strict => Step::new("wasm", 6, with_debians_compiler()),
        Some(tool) => Step::lacking("wasm", tool),
    }
}

/// SQLite for the compiler's own use is not optimised: building that takes longer than using it.
fn with_debians_compiler() -> [Line; 2] {
    let install = Line::new("bash", &format!(".ci/wasm-toolchain {UNPACKED}"));
    let build = format!(
        "{BUILD} -Zbuild-std=std,panic_abort --target-dir target/wasm \
         --config profile.dev.package.libsqlite3-sys.opt-level=0"
    );
    let (root, usr) = (line::root(), format!("{UNPACKED}/usr"));
    let in_usr = |path: &str| root.join(&usr).join(path).display().to_string();
    let build = Line::new(in_usr("bin/cargo"), &build)
        .env("LD_LIBRARY_PATH", in_usr("lib/x86_64-linux-gnu"))
        .env("RUSTC", in_usr("bin/rustc"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CC_wasm32_unknown_unknown", "clang-22")
        .env("AR_wasm32_unknown_unknown", "llvm-ar-22");
    [install, build]
}

/// Whether rustc has the standard library for this target.
pub(crate) fn has_target() -> bool {
    let mut rustc = Command::new("rustc");
    let output =
        rustc.args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]).output();
    let folder = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    folder.is_some_and(|folder| Path::new(folder.trim()).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_ordinary_build_where_the_target_is() {
        let step = plan(true, |_| true).to_string();
        assert_eq!(step, format!("wasm: CC_wasm32_unknown_unknown=clang cargo {BUILD}"));
    }

    #[test]
    fn without_the_target_only_ci_builds_the_standard_library() {
        let step = |strict| plan(strict, |tool| tool != Tool::WasmTarget).to_string();
        assert_eq!(
            step(false),
            "wasm: the target wasm32-unknown-unknown is not installed \
             (rustup target add wasm32-unknown-unknown)"
        );
        assert!(step(true).contains("-Zbuild-std"));
    }
}
