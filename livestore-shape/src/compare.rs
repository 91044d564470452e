//! Finds what changed between two shapes, and what that breaks.

use std::fmt;

use crate::lock::ItemKind;
use crate::readable::is_readable_as;
use crate::shape::{MarkedText, Shape};

/// A difference between the recorded shape of an item and its current one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field, variant or column that differs; `None` for a difference in the item itself.
    pub part: Option<String>,
    /// The change.
    pub change: ShapeChange,
    /// The consequence for stored events.
    pub consequence: Consequence,
}

/// A change of a part, or of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeChange {
    /// The part is new.
    Added {
        /// The current type.
        is: MarkedText,
    },
    /// The part is gone.
    Removed {
        /// The recorded type.
        was: MarkedText,
    },
    /// The part has a new name. This is a guess, made if one part is gone and one of the same type is new.
    Renamed {
        /// The old name.
        from: String,
    },
    /// The part or the item has a different type or different marks.
    Retyped {
        /// The recorded type.
        was: MarkedText,
        /// The current type.
        is: MarkedText,
    },
    /// The part could be absent, and is now required.
    Required {
        /// The current type.
        is: MarkedText,
    },
    /// The event has become client-only, or no longer is.
    ClientOnly {
        /// Whether it is client-only now.
        is: bool,
    },
}

/// The consequence of a change for events that were stored before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consequence {
    /// None: they are read as before.
    Additive,
    /// They can be read, but a promise is broken: something that they hold is no longer seen.
    Breaking,
    /// They cannot be read.
    Unreadable,
}

/// Returns all differences between the recorded shape and the current one, in a stable order.
pub fn compare(kind: ItemKind, was: &Shape, is: &Shape) -> Vec<Difference> {
    let rules = Rules { kind, was };
    let removed = was.parts.iter().filter(|(name, _)| !is.parts.contains_key(*name));
    let removed = removed.map(|(name, was)| rules.removed(name, was));
    let others = is.parts.iter().filter_map(|(name, now)| match was.parts.get(name) {
        Some(was) => rules.changed(name, was, now),
        None => Some(rules.added(name, now)),
    });
    let mut parts: Vec<_> = removed.chain(others).collect();
    join_renamed(&mut parts);
    let mut differences = rules.head(&is.head);
    differences.append(&mut parts);
    if !kind.is_forever() {
        differences
            .iter_mut()
            .for_each(|difference| difference.consequence = Consequence::Additive);
    }
    differences
}

/// If one part is gone, one of the same type is new, and nothing else is harmful, then that is one
/// mistake, not two.
fn join_renamed(differences: &mut Vec<Difference>) {
    let is_harmful = |found: &&mut Difference| found.consequence > Consequence::Additive;
    let mut harmful: Vec<_> = differences.iter_mut().filter(is_harmful).collect();
    if let [removed, added] = &mut harmful[..]
        && let (ShapeChange::Removed { was }, ShapeChange::Added { is }) =
            (&removed.change, &added.change)
        && was == is
        && let Some(from) = removed.part.take()
    {
        added.change = ShapeChange::Renamed { from };
        differences.retain(|found| {
            !matches!(found.change, ShapeChange::Removed { .. }) || found.part.is_some()
        });
    }
}

impl ItemKind {
    /// Whether data of this shape is stored forever; tables are rebuilt from the log.
    fn is_forever(self) -> bool {
        matches!(self, Self::Event | Self::Type)
    }
}

/// The rules for changes, which depend on the recorded shape.
struct Rules<'a> {
    kind: ItemKind,
    was: &'a Shape,
}

impl Rules<'_> {
    fn head(&self, is: &MarkedText) -> Vec<Difference> {
        let was = &self.was.head;
        let mut differences = Vec::new();
        let mut push =
            |change, consequence| differences.push(Difference { part: None, change, consequence });
        let client_only = is.is("client-only");
        if self.kind == ItemKind::Event && was.is("client-only") != client_only {
            push(ShapeChange::ClientOnly { is: client_only }, Consequence::Breaking);
        } else if was != is {
            // The Rust type of an event is a mere label, but a nested type's kind decides its JSON.
            let is_label = self.kind == ItemKind::Event;
            let consequence =
                if is_label { Consequence::Additive } else { Consequence::Unreadable };
            push(ShapeChange::Retyped { was: was.clone(), is: is.clone() }, consequence);
        }
        differences
    }

    fn added(&self, name: &str, is: &MarkedText) -> Difference {
        let is_fine = is.may_be_absent() || self.has_variants();
        let consequence = if is_fine { Consequence::Additive } else { Consequence::Unreadable };
        difference(name, ShapeChange::Added { is: is.clone() }, consequence)
    }

    fn removed(&self, name: &str, was: &MarkedText) -> Difference {
        let consequence = if self.has_variants() {
            Consequence::Unreadable
        } else if self.was.head.is("document") {
            // Setting a field that is gone sets nothing.
            Consequence::Additive
        } else {
            Consequence::Breaking
        };
        difference(name, ShapeChange::Removed { was: was.clone() }, consequence)
    }

    fn changed(&self, name: &str, was: &MarkedText, is: &MarkedText) -> Option<Difference> {
        if was == is {
            return None;
        }
        let retyped = ShapeChange::Retyped { was: was.clone(), is: is.clone() };
        let is_readable = was.text == is.text || is_readable_as(&was.text, &is.text);
        Some(if was.form() != is.form() || !is_readable {
            difference(name, retyped, Consequence::Unreadable)
        } else if was.may_be_absent() && !is.may_be_absent() {
            difference(name, ShapeChange::Required { is: is.clone() }, Consequence::Unreadable)
        } else {
            difference(name, retyped, Consequence::Additive)
        })
    }

    fn has_variants(&self) -> bool {
        self.kind == ItemKind::Type && self.was.head.text == "enum"
    }
}

fn difference(part: &str, change: ShapeChange, consequence: Consequence) -> Difference {
    Difference { part: Some(part.to_owned()), change, consequence }
}

impl MarkedText {
    /// Whether stored values that lack it can be read.
    fn may_be_absent(&self) -> bool {
        self.is("default") || self.is("optional")
    }

    /// Returns the marks that decide how a value is written, such as `with base64`.
    fn form(&self) -> Vec<&String> {
        self.marks.iter().filter(|mark| !matches!(mark.as_str(), "default" | "optional")).collect()
    }
}

/// As it stands in an error: "`text: String` is gone".
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self.part.as_deref().unwrap_or_default();
        match (&self.change, self.part.is_some()) {
            (ShapeChange::Added { is }, _) if self.consequence == Consequence::Additive => {
                write!(f, "`{part}: {is}` is new")
            }
            (ShapeChange::Added { is }, _) => write!(f, "`{part}: {is}` is new and required"),
            (ShapeChange::Renamed { from }, _) => write!(f, "`{from}` is now named `{part}`"),
            (ShapeChange::Removed { was }, _) => write!(f, "`{part}: {was}` is gone"),
            (ShapeChange::Retyped { was, is }, true) => {
                write!(f, "`{part}` was `{was}` and is now `{is}`")
            }
            (ShapeChange::Retyped { was, is }, false) => write!(f, "was `{was}` and is now `{is}`"),
            (ShapeChange::Required { is }, _) => {
                write!(f, "`{part}: {is}` could be absent and is now required")
            }
            (ShapeChange::ClientOnly { is: true }, _) => {
                f.write_str("was synced and is now client-only")
            }
            (ShapeChange::ClientOnly { is: false }, _) => {
                f.write_str("was client-only and is now synced")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Consequence::{Additive, Breaking, Unreadable};

    #[track_caller]
    fn check(kind: ItemKind, was: &str, is: &str, expected: &[(Consequence, &str)]) {
        let [was_shape, is_shape] = [was, is].map(|text| Shape::parse(text).unwrap());
        let found = compare(kind, &was_shape, &is_shape);
        let found: Vec<_> = found.iter().map(|d| (d.consequence, d.to_string())).collect();
        let expected: Vec<_> = expected.iter().map(|(e, text)| (*e, (*text).to_owned())).collect();
        assert_eq!(found, expected, "{was} → {is}");
    }

    #[test]
    fn what_an_event_may_and_may_not_become() {
        type Row = (&'static str, &'static str, &'static [(Consequence, &'static str)]);
        let table: &[Row] = &[
            ("= A\nid: String", "= A\nid: String", &[]),
            ("id: String", "", &[(Breaking, "`id: String` is gone")]),
            ("", "id: String", &[(Unreadable, "`id: String` is new and required")]),
            ("", "id: String (default)", &[(Additive, "`id: String (default)` is new")]),
            ("", "n: Option<u8> (optional)", &[(Additive, "`n: Option<u8> (optional)` is new")]),
            ("id: u16", "id: u8", &[(Unreadable, "`id` was `u16` and is now `u8`")]),
            ("id: u8", "id: u16", &[(Additive, "`id` was `u8` and is now `u16`")]),
            (
                "m: HashMap<u8,u8>",
                "m: std::collections::HashMap<u8,u8>",
                &[(
                    Additive,
                    "`m` was `HashMap<u8,u8>` and is now `std::collections::HashMap<u8,u8>`",
                )],
            ),
            (
                "id: u8",
                "id: Option<u8> (optional)",
                &[(Additive, "`id` was `u8` and is now `Option<u8> (optional)`")],
            ),
            (
                "id: Option<u8> (optional)",
                "id: u8",
                &[(Unreadable, "`id` was `Option<u8> (optional)` and is now `u8`")],
            ),
            (
                "id: u8",
                "id: u8 (default)",
                &[(Additive, "`id` was `u8` and is now `u8 (default)`")],
            ),
            (
                "id: u8 (default)",
                "id: u8",
                &[(Unreadable, "`id: u8` could be absent and is now required")],
            ),
            (
                "d: Vec<u8>",
                "d: Vec<u8> (with base64)",
                &[(Unreadable, "`d` was `Vec<u8>` and is now `Vec<u8> (with base64)`")],
            ),
            ("a: u8\nb: u8", "a: u8\nc: u8", &[(Unreadable, "`b` is now named `c`")]),
            (
                "b: u8",
                "c: u16",
                &[(Breaking, "`b: u8` is gone"), (Unreadable, "`c: u16` is new and required")],
            ),
            ("= A", "= A (client-only)", &[(Breaking, "was synced and is now client-only")]),
            ("= A (client-only)", "= A", &[(Breaking, "was client-only and is now synced")]),
            ("= A", "= B::C", &[(Additive, "was `A` and is now `B::C`")]),
            ("= A", "= A (deprecated)", &[(Additive, "was `A` and is now `A (deprecated)`")]),
            (
                "= Ui (client-only, document)\na: u8 (optional)",
                "= Ui (client-only, document)",
                &[(Additive, "`a: u8 (optional)` is gone")],
            ),
        ];
        for (was, is, expected) in table {
            check(ItemKind::Event, was, is, expected);
        }
    }

    #[test]
    fn all_differences_are_listed() {
        check(
            ItemKind::Event,
            "= A\na: u8\nb: u8",
            "= A (client-only)\nb: i8\nc: u8",
            &[
                (Breaking, "was synced and is now client-only"),
                (Breaking, "`a: u8` is gone"),
                (Unreadable, "`b` was `u8` and is now `i8`"),
                (Unreadable, "`c: u8` is new and required"),
            ],
        );
    }

    #[test]
    fn an_enum_may_grow() {
        check(
            ItemKind::Type,
            "= enum\na: unit",
            "= enum\na: unit\nb: unit",
            &[(Additive, "`b: unit` is new")],
        );
        check(ItemKind::Type, "= enum\na: unit", "= enum", &[(Unreadable, "`a: unit` is gone")]);
        check(
            ItemKind::Type,
            "= enum",
            "= enum (untagged)",
            &[(Unreadable, "was `enum` and is now `enum (untagged)`")],
        );
    }

    #[test]
    fn a_table_may_change_at_will() {
        check(
            ItemKind::Table,
            "= Todo\na: u8",
            "= Todos\nb: u16",
            &[
                (Additive, "was `Todo` and is now `Todos`"),
                (Additive, "`a: u8` is gone"),
                (Additive, "`b: u16` is new"),
            ],
        );
    }
}
