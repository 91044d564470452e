//! A deliberate bug as a file: what it is, a blank line, and the lines that it changes.
//!
//! ```text
//! Pushes again at once, though a push was rejected.
//!
//! livestore/src/sync/engine.rs
//! -                if head <= upstream {
//! +                if head <= upstream || MUTANT {
//! ```
//!
//! `MUTANT` stands for whether the bug is switched on. A blank line parts changes of one file from
//! each other; another path begins changes of another file. The lines with `-` must be in the file
//! exactly once. A line `found by: crash tests` before the first blank one says that the worlds do
//! not find it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// A deliberate bug.
#[derive(Debug, PartialEq)]
pub(super) struct Mutant {
    pub(super) name: String,
    /// The tests that have to find it.
    pub(super) found_by: String,
    changes: Vec<Change>,
}

/// Lines of a file, and what stands in their place.
#[derive(Debug, Default, PartialEq)]
struct Change {
    path: String,
    from: String,
    to: String,
}

/// Why a mutant cannot be made.
#[derive(Debug, PartialEq)]
pub(super) enum PatchError {
    /// Its file is not what it should be.
    Odd { mutant: String, line: String },
    /// It changes a file that is not there.
    NoFile { mutant: String, path: String },
    /// The lines that it changes are not in the file exactly once.
    NoMatch { mutant: String, path: String, from: String, found: usize },
    /// It changes lines that another one changes.
    Overlap { mutants: [String; 2], path: String },
}

impl Mutant {
    pub(super) fn parse(name: String, text: &str) -> Result<Self, PatchError> {
        let mut lines = text.lines();
        let header: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let found_by = header.iter().find_map(|line| line.strip_prefix("found by: "));
        let (mut changes, mut path, mut is_new) = (Vec::<Change>::new(), String::new(), true);
        for line in lines {
            let (sign, rest) = line.split_at_checked(1).unwrap_or((line, ""));
            match sign {
                "" => is_new = true,
                "+" | "-" if !path.is_empty() => {
                    if std::mem::take(&mut is_new) {
                        changes.push(Change { path: path.clone(), ..Change::default() });
                    }
                    if let Some(Change { from, to, .. }) = changes.last_mut() {
                        let side = if sign == "-" { from } else { to };
                        side.push_str(rest);
                        side.push('\n');
                    }
                }
                "+" | "-" | " " => {
                    return Err(PatchError::Odd { mutant: name, line: line.to_owned() });
                }
                _ => (path, is_new) = (line.to_owned(), true),
            }
        }
        if changes.is_empty() || changes.iter().any(|change| change.from.is_empty()) {
            return Err(PatchError::Odd { mutant: name, line: text.to_owned() });
        }
        Ok(Self { name, found_by: found_by.unwrap_or("worlds").to_owned(), changes })
    }
}

/// A change of a file, at its place.
struct Placed<'a> {
    place: Range<usize>,
    mutant: &'a str,
    to: &'a str,
}

/// Makes all changes in the texts that `read` returns. Returns those that changed, by their path.
pub(super) fn apply(
    mutants: &[Mutant],
    read: impl Fn(&str) -> Option<String>,
) -> Result<BTreeMap<&str, String>, PatchError> {
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    let mut placed: BTreeMap<&str, Vec<Placed<'_>>> = BTreeMap::new();
    for Mutant { name, changes, .. } in mutants {
        for Change { path, from, to } in changes {
            let missing = || PatchError::NoFile { mutant: name.clone(), path: path.clone() };
            if !texts.contains_key(path.as_str()) {
                texts.insert(path, read(path).ok_or_else(missing)?);
            }
            let text = texts.get(path.as_str()).ok_or_else(missing)?;
            let places = lines_in(text, from);
            let [start] = places.as_slice() else {
                let (mutant, path, from) = (name.clone(), path.clone(), from.clone());
                return Err(PatchError::NoMatch { mutant, path, from, found: places.len() });
            };
            let place = *start..*start + from.len();
            placed.entry(path).or_default().push(Placed { place, mutant: name, to });
        }
    }
    for (path, mut changes) in placed {
        changes.sort_by_key(|change| change.place.start);
        let overlap = changes.iter().zip(changes.iter().skip(1));
        if let Some((one, other)) =
            { overlap }.find(|(one, other)| one.place.end > other.place.start)
        {
            let mutants = [one.mutant, other.mutant].map(str::to_owned);
            return Err(PatchError::Overlap { mutants, path: path.to_owned() });
        }
        if let Some(text) = texts.get_mut(path) {
            for Placed { place, mutant, to } in changes.into_iter().rev() {
                let switch = format!("livestore::simulation::is_mutated({mutant:?})");
                text.replace_range(place, &to.replace("MUTANT", &switch));
            }
        }
    }
    Ok(texts)
}

/// Where these whole lines begin.
fn lines_in(text: &str, lines: &str) -> Vec<usize> {
    let places = text.match_indices(lines).map(|(at, _)| at);
    places
        .filter(|at| text.get(..*at).is_some_and(|it| it.is_empty() || it.ends_with('\n')))
        .collect()
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Odd { mutant, line } => write!(f, "the mutant {mutant} has odd lines: {line}"),
            Self::NoFile { mutant, path } => {
                write!(f, "the mutant {mutant} is for {path}, which is not there")
            }
            Self::NoMatch { mutant, path, from, found } => write!(
                f,
                "the mutant {mutant} changes lines that are {found} times in {path} and not once:\n{from}"
            ),
            Self::Overlap { mutants: [one, other], path } => {
                write!(f, "the mutants {one} and {other} change the same lines of {path}")
            }
        }
    }
}

impl std::error::Error for PatchError {}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "one\ntwo\n  two\nthree\n";

    fn mutant(name: &str, text: &str) -> Mutant {
        Mutant::parse(name.to_owned(), text).unwrap()
    }

    fn applied(mutants: &[Mutant]) -> Result<String, PatchError> {
        let texts = apply(mutants, |path| (path == "file").then(|| FILE.to_owned()))?;
        Ok(texts.into_values().collect())
    }

    #[test]
    fn lines_are_replaced_by_others_behind_a_switch() {
        let one = mutant("a", "What it is.\n\nfile\n-one\n+if MUTANT { 1 }\n+one\n\n-three\n");
        let other = mutant("b", "Of two lines,\nall told.\n\nfile\n-two\n-  two\n+MUTANT\n");
        let expected = "if livestore::simulation::is_mutated(\"a\") { 1 }\none\n\
                        livestore::simulation::is_mutated(\"b\")\n";
        assert_eq!(applied(&[one, other]).unwrap(), expected);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |text: &str| applied(&[mutant("a", text)]).unwrap_err().to_string();
        let stale = error("It.\n\nfile\n-four\n+five\n");
        assert!(stale.contains("mutant a") && stale.contains("0 times"), "{stale}");
        assert!(error("It.\n\nother\n-one\n").contains("for other"));
        let twice = [mutant("a", "It.\n\nfile\n-one\n"), mutant("b", "It.\n\nfile\n-one\n+1\n")];
        assert!(applied(&twice).unwrap_err().to_string().contains("a and b"));
    }

    #[test]
    fn a_mutant_says_who_finds_it() {
        assert_eq!(mutant("a", "It.\n\nfile\n-one\n").found_by, "worlds");
        let crash = mutant("a", "It.\nfound by: crash tests\n\nfile\n-one\n");
        assert_eq!(crash.found_by, "crash tests");
        for odd in ["", "It.\n\n", "It.\n\n-one\n", "It.\n\nfile\n+one\n", "It.\n\nfile\n one\n"] {
            assert!(Mutant::parse("a".to_owned(), odd).is_err(), "{odd:?}");
        }
    }
}
