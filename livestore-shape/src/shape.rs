//! The shape of one item: a line for itself, and one for each of its parts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::quoting::{self, MARK_CHARS, NAME_CHARS, Quoted};

/// The recorded shape of an event, a nested type, a table or a schema.
///
/// As text it is one line about the item itself and one for each part, sorted:
///
/// ```text
/// = TodoEvent::Created (client-only)
/// id: String
/// note: Option<String> (optional)
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// The line about the item itself: the Rust type of an event or a table, `struct` or `enum` for a
    /// nested type.
    pub head: MarkedText,
    /// The fields, columns or variants, by their name in the JSON or in SQL.
    pub parts: BTreeMap<String, MarkedText>,
}

/// The part of a line after the name: a text, and marks in parentheses.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MarkedText {
    /// A type, as it is written in Rust.
    pub text: String,
    /// The marks, such as `default` or `client-only`.
    pub marks: BTreeSet<String>,
}

impl Shape {
    /// Returns the shape of an item without parts.
    pub fn of(head: MarkedText) -> Self {
        Self { head, parts: BTreeMap::new() }
    }

    /// Parses what [`Display`](fmt::Display) writes; returns `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut shape = Self::default();
        text.lines().try_for_each(|line| shape.read(line))?;
        Some(shape)
    }

    /// Reads one line into the shape.
    pub(crate) fn read(&mut self, line: &str) -> Option<()> {
        if let Some(head) = line.strip_prefix("= ") {
            self.head = MarkedText::parse(head)?;
            return Some(());
        }
        let (name, rest) = quoting::read(line, NAME_CHARS)?;
        self.parts.insert(name, MarkedText::parse(rest.strip_prefix(": ")?)?);
        Some(())
    }

    /// Returns the lines, sorted.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let head = (!self.head.text.is_empty()).then(|| format!("= {}", self.head));
        let parts =
            self.parts.iter().map(|(name, text)| format!("{}: {text}", Quoted(name, NAME_CHARS)));
        head.into_iter().chain(parts)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().collect::<Vec<_>>().join("\n"))
    }
}

impl MarkedText {
    /// Returns a text without marks.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), marks: BTreeSet::new() }
    }

    /// Adds the mark if `is_so`.
    #[must_use]
    pub fn marked(mut self, mark: impl Into<String>, is_so: bool) -> Self {
        if is_so {
            self.marks.insert(mark.into());
        }
        self
    }

    /// Whether it has this mark.
    pub fn is(&self, mark: &str) -> bool {
        self.marks.contains(mark)
    }

    /// The marks begin at a space before a parenthesis, which a Rust type never has. Nor does it have a
    /// carriage return, which would be read as part of the line's end.
    fn parse(line: &str) -> Option<Self> {
        if line.contains('\r') {
            return None;
        }
        let Some((text, marks)) = line.split_once(" (") else { return Some(Self::new(line)) };
        if text.is_empty() {
            // Marks without a text.
            return None;
        }
        let (mut parsed, mut rest) = (Self::new(text), marks);
        loop {
            let (mark, behind) = quoting::read(rest, MARK_CHARS)?;
            parsed.marks.insert(mark);
            match behind.strip_prefix(", ") {
                Some(more) => rest = more,
                None => return (behind == ")").then_some(parsed),
            }
        }
    }
}

impl fmt::Display for MarkedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.marks.is_empty() {
            return Ok(());
        }
        let marks: Vec<_> =
            self.marks.iter().map(|mark| Quoted(mark, MARK_CHARS).to_string()).collect();
        write!(f, " ({})", marks.join(", "))
    }
}
