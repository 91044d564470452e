//! Names that every file system takes.

use unicode_normalization::UnicodeNormalization;

use crate::hash::Hash;

/// The most bytes of a name. File systems take 255; something may be added to it.
const MAX_NAME: usize = 200;

/// The most folders within each other.
const MAX_DEPTH: usize = 16;

/// The names that Windows takes for devices, whatever follows behind a dot.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// Between the name of a file and the hash of a text that is kept beside it.
const CONFLICT: &str = ".conflict-";

/// Returns the path of a file relative to the folder, with `/` between names: what `wanted` says, as far as every
/// file system takes it. No name in it leads out of the folder or is hidden.
pub(crate) fn portable(wanted: &str, extension: &str) -> String {
    let mut names: Vec<_> =
        wanted.split('/').map(str::trim).filter(|name| !matches!(*name, "" | ".")).collect();
    let file = names.pop().unwrap_or("untitled");
    let suffix = format!(".{extension}");
    let mut path = String::new();
    for folder in names.into_iter().take(MAX_DEPTH) {
        let mut folder = name(folder);
        // It could be the name of a file.
        if has_suffix(&folder, &suffix) {
            folder.push('_');
        }
        path.push_str(&folder);
        path.push('/');
    }
    path.push_str(&name(file));
    path.push_str(&suffix);
    path
}

/// Returns one name, without what some file system does not take.
fn name(wanted: &str) -> String {
    let taken = |it: char| {
        !it.is_control() && !matches!(it, '<' | '>' | ':' | '"' | '\\' | '|' | '?' | '*')
    };
    let mut name: String = wanted.nfc().map(|it| if taken(it) { it } else { '_' }).collect();
    let end = name.char_indices().map(|(at, it)| at + it.len_utf8());
    let end = end.take_while(|end| *end <= MAX_NAME).last().unwrap_or(0);
    name.truncate(end);
    // Windows removes them.
    name.truncate(name.trim_end_matches(['.', ' ']).len());
    if name.is_empty() || name.starts_with('.') || name.starts_with("~$") {
        name.insert(0, '_');
    }
    let stem = name.find('.').unwrap_or(name.len());
    if is_device(name.get(..stem).unwrap_or_default().trim_end()) {
        name.insert(stem, '_');
    }
    name
}

fn is_device(stem: &str) -> bool {
    let upper = stem.to_uppercase();
    let numbered = ["COM", "LPT"].iter().find_map(|kind| upper.strip_prefix(kind));
    let is_number = |rest: &str| {
        let mut rest = rest.chars();
        matches!((rest.next(), rest.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    };
    DEVICES.contains(&&*upper) || numbered.is_some_and(is_number)
}

fn has_suffix(name: &str, suffix: &str) -> bool {
    name.to_lowercase().ends_with(&suffix.to_lowercase())
}

/// Returns a form that is equal for paths which a file system may take for the same.
pub(crate) fn folded(path: &str) -> String {
    path.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// Returns the path of another row that wants the same path: with a hash of its key. It is the same on every
/// machine.
pub(crate) fn with_key(path: &str, key: &str, attempt: u32) -> String {
    let (stem, extension) = split(path);
    let hash = Hash::of(key.as_bytes()).short();
    match attempt {
        0 => format!("{stem}~{hash}{extension}"),
        _ => format!("{stem}~{hash}-{attempt}{extension}"),
    }
}

/// Returns the path of a text that is kept beside the file.
pub(crate) fn conflict(path: &str, text: Hash) -> String {
    let (stem, extension) = split(path);
    format!("{stem}{CONFLICT}{}{extension}", text.short())
}

/// Returns whether the file is a conflict's, which stands beside the file of a row.
pub(crate) fn is_conflict(path: &str) -> bool {
    let (stem, _) = split(path);
    let hash = stem.rsplit_once(CONFLICT).map(|(_, hash)| hash);
    hash.is_some_and(|hash| hash.len() == 8 && hash.bytes().all(|it| it.is_ascii_hexdigit()))
}

/// Splits off the extension, with its dot.
fn split(path: &str) -> (&str, &str) {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    match path.rfind('.') {
        Some(dot) if dot > name => path.split_at(dot),
        _ => (path, ""),
    }
}

/// Returns whether a file or folder of this name can be one of ours: those of editors and of this crate are
/// hidden, or have another extension.
pub(crate) fn is_visible(name: &str) -> bool {
    !name.starts_with('.') && !name.starts_with("~$")
}

/// Returns whether the path is that of a file with this extension which somebody may have written.
pub(crate) fn is_ours(path: &str, extension: &str) -> bool {
    path.split('/').all(is_visible) && split(path).1.strip_prefix('.') == Some(extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_file_system_takes_become_ones_that_all_take() {
        let long = "x".repeat(300);
        for (wanted, expected) in [
            ("Milk", "Milk.md"),
            ("Projects/Milk", "Projects/Milk.md"),
            ("../../etc/passwd", "_/_/etc/passwd.md"),
            ("/etc/passwd", "etc/passwd.md"),
            ("..", "_.md"),
            ("", "untitled.md"),
            (" / . /", "untitled.md"),
            ("a\0b", "a_b.md"),
            ("C:\\Users\\x", "C__Users_x.md"),
            ("what? <now>", "what_ _now_.md"),
            ("CON", "CON_.md"),
            ("nul.txt/aux", "nul_.txt/aux_.md"),
            ("com1", "com1_.md"),
            ("com10", "com10.md"),
            ("end. .", "end.md"),
            (".hidden", "_.hidden.md"),
            ("folder.md/x", "folder.md_/x.md"),
            ("line\nbreak", "line_break.md"),
            (&long, &format!("{}.md", "x".repeat(200))),
            (&"ü".repeat(300), &format!("{}.md", "ü".repeat(100))),
        ] {
            assert_eq!(portable(wanted, "md"), expected, "{wanted:?}");
        }
        let deep = portable(&"d/".repeat(100), "md");
        assert_eq!(deep.matches('/').count(), MAX_DEPTH);
    }

    #[test]
    fn no_text_makes_a_path_that_leads_out_of_the_folder() {
        for wanted in
            ["..", ". .", ".. ", "\u{200b}", "...", "a/../../b", "\\..\\", "a/ .. /b", "..\0"]
        {
            let path = portable(wanted, "md");
            for name in path.split('/') {
                assert!(is_visible(name) && !name.is_empty() && name.len() <= 255, "{path:?}");
            }
            assert_eq!(portable(path.strip_suffix(".md").unwrap(), "md"), path, "it is stable");
        }
    }

    #[test]
    fn paths_that_some_file_systems_take_for_the_same_are_folded_alike() {
        assert_eq!(folded("Straße/Äpfel.md"), folded("straße/a\u{308}pfel.MD"));
        assert_ne!(folded("a.md"), folded("b.md"));
    }

    #[test]
    fn a_text_that_is_kept_beside_has_a_name_of_its_own() {
        let path = conflict("a/b.c.md", Hash::of(b"x"));
        assert!(path.starts_with("a/b.c.conflict-") && path.ends_with(".md"), "{path}");
        assert!(is_conflict(&path) && is_ours(&path, "md"));
        assert!(!is_conflict("a/b.conflict-note.md") && !is_conflict("b.md"));
        assert_ne!(with_key("a.md", "1", 0), with_key("a.md", "2", 0));
    }

    #[test]
    fn files_of_editors_are_not_ours() {
        for path in [
            ".note.md.swp",
            "note.md~",
            "#note.md#",
            ".#note.md",
            "4913",
            "~$note.md",
            "note.md.tmp",
            ".livestore/x.md",
            "note.md___jb_tmp___",
            "note",
            ".md",
            "note.MD.swx",
        ] {
            assert!(!is_ours(path, "md"), "{path}");
        }
        assert!(is_ours("a/note.md", "md"));
    }
}
