//! `cargo xtask book`: the guide, as pages to read. Its snippets run with the doc tests.

use std::process::ExitCode;

use crate::line::Line;
use crate::step::{self, Step};
use crate::tool::Tool;

/// Builds it into `target/book`. `strict`: install what is missing, skip nothing.
pub(crate) fn run(strict: bool) -> ExitCode {
    step::run_all(&[plan(strict, Tool::is_here)], strict)
}

/// The step, which needs mdBook.
pub(crate) fn plan(strict: bool, is_here: impl Fn(Tool) -> bool) -> Step {
    let build = Line::new("mdbook", "build book --dest-dir target/book");
    Tool::Mdbook.step("book", 2, build, strict, is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_mdbook_it_is_skipped_by_a_person_and_installed_by_ci() {
        let step = |strict| plan(strict, |_| false).to_string();
        assert!(step(false).starts_with("book: mdbook is not installed ("), "{}", step(false));
        assert!(step(true).starts_with("book: cargo install mdbook "), "{}", step(true));
    }
}
