//! `livestore.lock` as text.

use std::collections::BTreeMap;
use std::fmt;

use crate::quoting::{self, NAME_CHARS, Quoted};
use crate::shape::Shape;

const HEADER: &str = "\
# What this package's eventlogs hold, and its tables. Events are forever: commit this file.
# Written by `LIVESTORE_SCHEMA=accept cargo check`. After a merge conflict keep the lines of both sides.
";

/// The content of `livestore.lock`: the shape of every item, with one self-contained line per part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The items, in the order of the file.
    pub items: BTreeMap<(ItemKind, String), Shape>,
}

/// The kind of an item in the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// An event, by the name it has in the eventlog.
    Event,
    /// A type inside an event's field, by its name.
    Type,
    /// A table, by its name in SQL.
    Table,
    /// A schema, and the types it lists.
    Schema,
}

const KINDS: [(ItemKind, &str); 4] = [
    (ItemKind::Event, "event"),
    (ItemKind::Type, "type"),
    (ItemKind::Table, "table"),
    (ItemKind::Schema, "schema"),
];

/// A line of `livestore.lock` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockParseError {
    /// The line's number, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
}

impl Lock {
    /// Parses the file's text. The order of the lines does not matter.
    ///
    /// # Errors
    /// Returns the first line that cannot be read, such as a marker of a merge conflict.
    pub fn parse(text: &str) -> Result<Self, LockParseError> {
        let mut lock = Self::default();
        for (n, line) in text.lines().enumerate() {
            let is_content = !line.trim().is_empty() && !line.starts_with('#');
            if is_content && lock.read(line).is_none() {
                return Err(LockParseError { line: n + 1, text: line.to_owned() });
            }
        }
        Ok(lock)
    }

    /// Returns the recorded shape of an item.
    pub fn get(&self, kind: ItemKind, name: &str) -> Option<&Shape> {
        self.items.get(&(kind, name.to_owned()))
    }

    /// Returns the items of a kind, sorted by name.
    pub fn of(&self, kind: ItemKind) -> impl Iterator<Item = (&str, &Shape)> {
        self.items
            .iter()
            .filter(move |((its, _), _)| *its == kind)
            .map(|((_, name), shape)| (name.as_str(), shape))
    }

    fn read(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.trim_end().split_once(' ')?;
        let (kind, _) = KINDS.iter().find(|(_, known)| *known == word)?;
        let (name, rest) = quoting::read(rest, NAME_CHARS)?;
        self.items.entry((*kind, name)).or_default().read(rest.strip_prefix(' ')?)
    }
}

impl ItemKind {
    /// Returns the word that its lines begin with.
    pub fn word(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        let mut previous = None;
        for ((kind, name), shape) in &self.items {
            if previous.replace(kind) != Some(kind) {
                writeln!(f)?;
            }
            for line in shape.lines() {
                writeln!(f, "{} {} {line}", kind.word(), Quoted(name, NAME_CHARS))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for LockParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of livestore.lock cannot be read: {}", self.line, self.text)
    }
}

impl std::error::Error for LockParseError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::MarkedText;
    use proptest::collection::{btree_map, btree_set};
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = MarkedText> {
        let ty = "[A-Za-z]{1,8}(<[A-Z][a-z]{0,4},\\(u8,\\[u8;4\\]\\)>)?";
        (ty, btree_set("[a-z-]{1,8}|.{1,5}", 0..3))
            .prop_map(|(text, marks)| MarkedText { text, marks })
    }

    fn shape() -> impl Strategy<Value = Shape> {
        (text(), btree_map("[a-zA-Z0-9_]{1,6}|.{1,6}|\\PC{0,4}\n", text(), 0..4))
            .prop_map(|(head, parts)| Shape { head, parts })
    }

    fn lock() -> impl Strategy<Value = Lock> {
        let kind = proptest::sample::select(KINDS.map(|(kind, _)| kind).to_vec());
        let item = (kind, "v[0-9].[A-Za-z]{1,6}|.{0,6}");
        btree_map(item, shape(), 0..5).prop_map(|items| Lock { items })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(lock in lock()) {
            let text = lock.to_string();
            prop_assert_eq!(Lock::parse(&text), Ok(lock), "{}", text);
        }

        #[test]
        fn a_shape_alone_is_read_back(shape in shape()) {
            prop_assert_eq!(Shape::parse(&shape.to_string()), Some(shape));
        }

        #[test]
        fn the_order_of_lines_does_not_matter(lock in lock()) {
            let text = lock.to_string();
            let mut lines: Vec<_> = text.lines().collect();
            lines.reverse();
            prop_assert_eq!(Lock::parse(&lines.join("\n")), Ok(lock));
        }
    }

    #[test]
    fn a_line_is_read_as_it_looks() {
        let text =
            "event v1.Noted = Noted (client-only)\nevent v1.Noted tags: Vec<(u8,u8)> (default)\n";
        let lock = Lock::parse(text).unwrap();
        let shape = lock.get(ItemKind::Event, "v1.Noted").unwrap();
        assert!(shape.head.is("client-only"));
        assert_eq!(shape.parts["tags"], MarkedText::new("Vec<(u8,u8)>").marked("default", true));
        assert!(lock.to_string().ends_with(text));
    }

    #[test]
    fn odd_texts_are_read_back_or_refused() {
        let lock = Lock::parse("event a = \u{a0}X").unwrap();
        assert_eq!(Lock::parse(&lock.to_string()), Ok(lock));
        assert!(Lock::parse("event a =  (x)").is_err());
        assert!(Lock::parse("event a id:  (x)").is_err());
        assert_eq!(Shape::parse("id: u8\n= a\r"), None);
        assert!(Lock::parse("event a = b\rc").is_err());
        assert!(Lock::parse("event a = b\r\nevent a id: c\r\n").is_ok());
    }

    #[test]
    fn a_conflict_is_named_by_its_line() {
        let text = "# a comment\n\nevent v1.A = A\n<<<<<<< ours\nevent v1.A id: String\n";
        let error = Lock::parse(text).unwrap_err();
        assert_eq!(error.to_string(), "line 4 of livestore.lock cannot be read: <<<<<<< ours");
        for line in ["event", "event v1.A", "event v1.A id", "table \"a = B", "evnet v1.A = A"] {
            assert!(Lock::parse(line).is_err(), "{line}");
        }
    }
}
