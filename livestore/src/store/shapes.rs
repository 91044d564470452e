//! Before a log is replayed: can this schema read what is in it?
//!
//! The log has a record of every shape that its events may have been written in. They are compared
//! with the schema's as the macros compare it with `livestore.lock`; what is only new, or no longer
//! looked at, does not matter here.

use std::fmt;

use livestore_shape::{Effect, Kind, Shape, compare};

use super::OpenError;
use crate::event::EventDef;
use crate::eventlog::{Eventlog, EventlogError, RecordedShape};
use crate::schema::SchemaDef;

/// What to do about events that were written in a shape which the schema cannot read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IncompatibleEvents {
    /// Do not open the store: [`OpenError::Incompatible`].
    #[default]
    Fail,
    /// Open it. Those that do not decode are [quarantined](crate::Store::quarantined).
    Quarantine,
}

/// An event of which the log may hold some that the schema cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncompatibleEvent {
    /// Its wire name.
    pub name: String,
    /// How many events of this name the log holds.
    pub count: u64,
    /// What they were written with, and the schema reads otherwise.
    pub fields: Vec<IncompatibleField>,
}

/// A field that the schema cannot read as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncompatibleField {
    /// Its name in the JSON.
    pub name: String,
    /// What has changed.
    pub change: String,
}

/// What is known of a log's shapes, before anything of it is touched.
pub(super) struct Shapes {
    recorded: Vec<RecordedShape>,
    defs: Vec<&'static EventDef>,
}

impl Shapes {
    pub(super) fn read(log: &Eventlog, schema: &SchemaDef) -> Result<Self, EventlogError> {
        let defs = schema.events().flat_map(EventDef::with_upcasts);
        // A hand-written definition may have none.
        let defs = defs.filter(|def| !def.shape().is_empty()).collect();
        Ok(Self { recorded: log.shapes()?, defs })
    }

    /// Refuses a log with events that the schema cannot read.
    pub(super) fn check(&self, log: &Eventlog) -> Result<(), OpenError> {
        let mut events = Vec::new();
        for def in &self.defs {
            let fields = self.unreadable(def)?;
            let count = if fields.is_empty() { 0 } else { log.count_named(def.name())? };
            // Declared once, and changed before any was committed.
            if count > 0 {
                events.push(IncompatibleEvent { name: def.name().to_owned(), count, fields });
            }
        }
        if events.is_empty() { Ok(()) } else { Err(OpenError::Incompatible { events }) }
    }

    fn unreadable(&self, def: &EventDef) -> Result<Vec<IncompatibleField>, EventlogError> {
        let recorded = self.recorded.iter().filter(|(name, _)| name == def.name());
        let mut fields = Vec::new();
        for (name, text) in recorded.filter(|(_, text)| text != def.shape()) {
            let (was, is) = (parse(name, text)?, parse(name, def.shape())?);
            let differences = compare(Kind::Event, &was, &is).into_iter();
            let unreadable = differences.filter(|found| found.effect == Effect::Unreadable);
            for found in unreadable {
                let change = found.to_string();
                let field = IncompatibleField { change, name: found.part.unwrap_or_default() };
                // Two recorded shapes may differ from the schema's in the same way.
                if !fields.contains(&field) {
                    fields.push(field);
                }
            }
        }
        Ok(fields)
    }

    /// Adds the schema's own shapes to the record: from now on, events are written in them.
    pub(super) fn record(&self, log: &Eventlog) -> Result<(), EventlogError> {
        let own = self.defs.iter().map(|def| (def.name().to_owned(), def.shape().to_owned()));
        let new: Vec<_> = own.filter(|shape| !self.recorded.contains(shape)).collect();
        let mut unused = Vec::new();
        for (name, _) in &new {
            // Of a shape that no event was ever written in, nothing needs to be known.
            if self.recorded.iter().any(|(recorded, _)| recorded == name)
                && log.count_named(name)? == 0
            {
                unused.push(name.as_str());
            }
        }
        if new.is_empty() { Ok(()) } else { log.record_shapes(&new, &unused) }
    }
}

fn parse(name: &str, text: &str) -> Result<Shape, EventlogError> {
    Shape::parse(text).ok_or_else(|| EventlogError::Corrupt {
        at: None,
        detail: format!("the recorded shape of \"{name}\" is not one: {text}"),
    })
}

/// `"v1.Noted" (12 in the log): ...`
impl fmt::Display for IncompatibleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes: Vec<_> = self.fields.iter().map(|field| field.change.as_str()).collect();
        write!(f, "\"{}\" ({} in the log): {}", self.name, self.count, changes.join(", "))
    }
}
