//! Checks, before a log is replayed, whether the schema can read its events.
//!
//! The log has a record of every shape that its events may have been written in. They are compared
//! with the schema's as the macros compare it with `livestore.lock`; a field that is new, or no
//! longer read, does not matter here. Where a shape seems unreadable, the events themselves are
//! tried: a `u8` may have become a `u16`, and every event can still be read.

use std::fmt;
use std::ops::ControlFlow;

use livestore_shape::{Consequence, Difference, ItemKind, Shape, ShapeChange, compare};

use super::OpenError;
use crate::event::EventDef;
use crate::eventlog::{Eventlog, EventlogError, RecordedShape};
use crate::schema::SchemaDef;

/// A policy for opening a store whose log has events that the schema cannot read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IncompatibleEvents {
    /// Do not open the store: [`OpenError::Incompatible`].
    #[default]
    Fail,
    /// Open the store. Events that do not decode are [quarantined](crate::Store::quarantined).
    Quarantine,
}

/// Events of one name that the schema cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncompatibleEvent {
    /// Its wire name.
    pub name: String,
    /// The number of events of this name that cannot be read.
    pub count: u64,
    /// The fields that the schema reads in a different way than they were written. Empty if that is
    /// not known, because a newer version of LiveStore has recorded the shape.
    pub fields: Vec<IncompatibleField>,
}

/// A field that the schema cannot read as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncompatibleField {
    /// Its name in the JSON.
    pub name: String,
    /// A description of the difference.
    pub change: String,
}

/// Whether events may not be readable after a change. A type that is only spelt differently may be another
/// one all the same, so the events decide.
fn is_doubtful(found: &Difference) -> bool {
    let is_respelt =
        matches!(&found.change, ShapeChange::Retyped { was, is } if was.text != is.text);
    found.consequence == Consequence::Unreadable || (found.part.is_some() && is_respelt)
}

/// The shapes that a log has on record, and the schema that is to read its events.
pub(super) struct Shapes {
    schema: &'static SchemaDef,
    recorded: Vec<RecordedShape>,
    defs: Vec<&'static EventDef>,
    /// Names whose recorded shapes are outdated: the schema reads all their events.
    outdated: Vec<&'static str>,
}

impl Shapes {
    pub(super) fn read(log: &Eventlog, schema: &'static SchemaDef) -> Result<Self, EventlogError> {
        let defs = schema.events().flat_map(EventDef::with_upcasts);
        // A hand-written definition may have none.
        let defs = defs.filter(|def| !def.shape().is_empty()).collect();
        Ok(Self { schema, recorded: log.shapes()?, defs, outdated: Vec::new() })
    }

    /// Refuses a log with events that the schema cannot read.
    pub(super) fn check(&mut self, log: &Eventlog) -> Result<(), OpenError> {
        let mut events = Vec::new();
        for def in self.defs.clone() {
            let Some(fields) = self.doubts(def) else { continue };
            match self.unreadable(def, log)? {
                0 => self.outdated.push(def.name()),
                count => {
                    events.push(IncompatibleEvent { name: def.name().to_owned(), count, fields });
                }
            }
        }
        if events.is_empty() { Ok(()) } else { Err(OpenError::Incompatible { events }) }
    }

    /// The fields that make it doubtful whether all events read; `None` if there is no doubt.
    fn doubts(&self, def: &EventDef) -> Option<Vec<IncompatibleField>> {
        let recorded = self.recorded.iter().filter(|(name, _)| name == def.name());
        let (mut fields, mut unknown) = (Vec::new(), false);
        for (_, text) in recorded.filter(|(_, text)| text != def.shape()) {
            let (Some(was), Some(is)) = (Shape::parse(text), Shape::parse(def.shape())) else {
                unknown = true;
                continue;
            };
            let differences = compare(ItemKind::Event, &was, &is).into_iter();
            for found in differences.filter(is_doubtful) {
                let change = found.to_string();
                let field = IncompatibleField { change, name: found.part.unwrap_or_default() };
                // Two recorded shapes may differ from the schema's in the same way.
                if !fields.contains(&field) {
                    fields.push(field);
                }
            }
        }
        (unknown || !fields.is_empty()).then_some(fields)
    }

    /// Returns the number of events that cannot be read. Tries each one.
    fn unreadable(&self, def: &EventDef, log: &Eventlog) -> Result<u64, EventlogError> {
        let Some(set) = self.schema.event_set(def.name()) else { return Ok(0) };
        let mut count = 0;
        log.visit_named(def.name(), &mut |args| {
            count += u64::from(!set.reads(def.name(), args));
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }

    /// Adds the schema's own shapes to the record: from now on, events are written in them.
    pub(super) fn record(&self, log: &Eventlog) -> Result<(), EventlogError> {
        let own = self.defs.iter().map(|def| (def.name().to_owned(), def.shape().to_owned()));
        let (known, new): (Vec<_>, Vec<_>) = own.partition(|shape| self.recorded.contains(shape));
        let mut outdated = self.outdated.clone();
        for (name, _) in &new {
            // A shape that no event was ever written in need not be recorded.
            if self.recorded.iter().any(|(recorded, _)| recorded == name) && is_unused(name, log)? {
                outdated.push(name);
            }
        }
        if new.is_empty() && outdated.is_empty() {
            return Ok(());
        }
        let kept = known.into_iter().filter(|(name, _)| outdated.contains(&name.as_str()));
        log.record_shapes(&new.iter().cloned().chain(kept).collect::<Vec<_>>(), &outdated)
    }
}

fn is_unused(name: &str, log: &Eventlog) -> Result<bool, EventlogError> {
    let mut unused = true;
    log.visit_named(name, &mut |_| {
        unused = false;
        ControlFlow::Break(())
    })?;
    Ok(unused)
}

/// `"v1.Noted" (12 cannot be read): ...`
impl fmt::Display for IncompatibleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes: Vec<_> = self.fields.iter().map(|field| field.change.as_str()).collect();
        write!(f, "\"{}\" ({} cannot be read)", self.name, self.count)?;
        if changes.is_empty() { Ok(()) } else { write!(f, ": {}", changes.join(", ")) }
    }
}
