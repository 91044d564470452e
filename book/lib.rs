//! The guide in `src/`, whose snippets run as this crate's doc tests: each chapter is the documentation
//! of an item.
//!
//! `cargo test --doc -p livestore-book` runs them, and `mdbook serve book` shows the guide.

macro_rules! chapters {
    ($($name:ident: $file:literal,)*) => {$(
        #[cfg(doctest)]
        #[doc = include_str!(concat!("src/", $file))]
        struct $name;
    )*

        /// The files above, with their texts, for the tests that none is missing.
        #[cfg(test)]
        const CHAPTERS: &[(&str, &str)] = &[$(($file, include_str!(concat!("src/", $file)))),*];
    };
}

chapters! {
    Introduction: "introduction.md",
    Terminal: "start-terminal.md",
    Desktop: "start-desktop.md",
    Web: "start-web.md",
    Model: "model.md",
    Events: "events.md",
    Tables: "tables.md",
    Queries: "queries.md",
    Live: "live.md",
    Lists: "lists.md",
    Documents: "documents.md",
    Sync: "sync.md",
    Conflicts: "conflicts.md",
    Files: "files.md",
    Testing: "testing.md",
    Deploying: "deploying.md",
    Server: "server.md",
    Patterns: "patterns.md",
    Performance: "performance.md",
    ComingFrom: "coming-from.md",
    Attributes: "attributes.md",
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::CHAPTERS;

    const SUMMARY: &str = include_str!("src/SUMMARY.md");

    fn links(text: &str) -> impl Iterator<Item = &str> {
        text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
    }

    #[test]
    fn the_snippets_of_every_chapter_in_the_summary_are_tested() {
        let tested: Vec<_> = CHAPTERS.iter().map(|(file, _)| *file).collect();
        assert_eq!(links(SUMMARY).collect::<Vec<_>>(), tested);
    }

    /// Programs of the bindings' workspace, which compiles and tests them.
    #[test]
    fn included_programs_are_there() {
        let includes = |text: &'static str| text.split("{{#include ").skip(1);
        let mut count = 0;
        for (file, text) in CHAPTERS {
            for path in includes(text).filter_map(|rest| Some(rest.split_once("}}")?.0)) {
                let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path);
                assert!(program.is_file(), "{file}: {path}");
                count += 1;
            }
        }
        assert_ne!(count, 0);
    }

    #[test]
    fn links_between_chapters_lead_to_one() {
        for (file, text) in CHAPTERS {
            for link in links(text).filter(|link| !link.starts_with("https://")) {
                let page = link.split('#').next();
                assert!(CHAPTERS.iter().any(|(other, _)| Some(*other) == page), "{file}: {link}");
            }
        }
    }
}
