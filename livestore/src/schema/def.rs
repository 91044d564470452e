//! Schema definitions, which `schema!` makes.

use std::collections::HashMap;
use std::sync::OnceLock;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{Batch, CommandDef, DocumentDef, EncodeBatchError, Materialize, UndoDef};
use crate::event::{DecodeError, EventDef, Subject, decode};
use crate::table::{MaterializeError, TableDef, Writer};
use crate::value::ValueError;

/// Raise it when the same schema would make other state: it is part of every schema hash.
const STATE_FORMAT: u32 = 3;

/// A schema's tables, client documents, events and commands, and what undoes events.
#[derive(Debug)]
pub struct SchemaDef {
    name: &'static str,
    tables: &'static [fn() -> &'static TableDef],
    documents: &'static [fn() -> &'static DocumentDef],
    events: &'static [EventSet],
    commands: &'static [CommandDef],
    undo: &'static [UndoDef],
    resolved: OnceLock<Result<Resolved, SchemaError>>,
}

/// The parts that are computed once, at first use.
#[derive(Debug)]
struct Resolved {
    ddl: String,
    hash: i64,
    by_name: HashMap<&'static str, &'static EventSet>,
}

/// The events of one type.
#[derive(Debug, Clone, Copy)]
pub struct EventSet {
    defs: &'static [EventDef],
    version: u32,
    apply: fn(&str, &str, &mut Writer<'_>) -> Result<(), MaterializeError>,
    decode: fn(&str, &str) -> Result<(), DecodeError>,
}

/// A schema that cannot be turned into SQL.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("table `{table}`: a column's default cannot be stored")]
pub struct SchemaError {
    /// The table.
    pub table: &'static str,
    /// The reason.
    pub source: ValueError,
}

/// A type that `schema!` can list. For generated code: as one trait with its own items, a type that
/// is no event is one error, where it is listed.
#[diagnostic::on_unimplemented(
    message = "`{E}` is not an event with a materializer",
    label = "cannot be listed under `events`",
    note = "derive `Event` for `{E}` and write `impl Materialize for {E}`"
)]
pub trait Listed<E> {
    /// The events of the type.
    const EVENTS: EventSet;

    /// Adds an event to a batch.
    ///
    /// # Errors
    /// When it has no JSON form.
    fn push(event: &E, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError>;
}

#[diagnostic::do_not_recommend]
impl<E: Materialize> Listed<E> for Subject<E> {
    const EVENTS: EventSet = EventSet {
        defs: E::DEFS,
        version: E::VERSION,
        apply: apply::<E>,
        decode: |name, args| decode::<E>(name, args).map(drop),
    };

    fn push(event: &E, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError> {
        batch.push(event)
    }
}

impl EventSet {
    /// The event definitions.
    pub const fn defs(&self) -> &'static [EventDef] {
        self.defs
    }

    /// The definition of the event called `name`, or of an older one that is read as one of these.
    pub(crate) fn def(&self, name: &str) -> Option<&'static EventDef> {
        self.defs.iter().find_map(|def| def.called(name))
    }

    /// Applies an event by its name and args.
    pub(crate) fn apply(
        &self,
        name: &str,
        args: &str,
        state: &mut Writer<'_>,
    ) -> Result<(), MaterializeError> {
        (self.apply)(name, args, state)
    }

    /// Whether an event can be read, by its name and args.
    pub(crate) fn reads(&self, name: &str, args: &str) -> bool {
        self.decode(name, args).is_ok()
    }

    /// Reads an event, by its name and args, to see whether it can be.
    pub(crate) fn decode(&self, name: &str, args: &str) -> Result<(), DecodeError> {
        (self.decode)(name, args)
    }
}

fn apply<E: Materialize>(
    name: &str,
    args: &str,
    state: &mut Writer<'_>,
) -> Result<(), MaterializeError> {
    decode::<E>(name, args)?.materialize(state)
}

impl SchemaDef {
    /// A schema of these tables, client documents and events.
    pub const fn new(
        name: &'static str,
        tables: &'static [fn() -> &'static TableDef],
        documents: &'static [fn() -> &'static DocumentDef],
        events: &'static [EventSet],
    ) -> Self {
        let resolved = OnceLock::new();
        Self { name, tables, documents, events, commands: &[], undo: &[], resolved }
    }

    /// The same schema, with these commands.
    #[must_use]
    pub const fn with_commands(mut self, commands: &'static [CommandDef]) -> Self {
        self.commands = commands;
        self
    }

    /// The command called `name`; `None` if the schema does not know it.
    pub(crate) fn command(&self, name: &str) -> Option<&'static CommandDef> {
        self.commands.iter().find(|command| command.name() == name)
    }

    /// The same schema, whose events of these types can be undone.
    #[must_use]
    pub const fn with_undo(mut self, undo: &'static [UndoDef]) -> Self {
        self.undo = undo;
        self
    }

    /// Whether any event can be undone.
    pub(crate) fn has_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// What undoes the event called `name`, and its definition; `None` if nothing does.
    pub(crate) fn undo(&self, name: &str) -> Option<(&'static UndoDef, &'static EventDef)> {
        self.undo.iter().find_map(|undo| Some((undo, undo.event(name)?)))
    }

    /// The schema of a store whose types are not known: of its events, no state is made.
    pub(crate) fn untyped() -> &'static Self {
        static UNTYPED: SchemaDef = SchemaDef::new("Untyped", &[], &[], &[]);
        &UNTYPED
    }

    /// Whether it is [the one](Self::untyped) without types.
    pub(crate) fn is_untyped(&self) -> bool {
        std::ptr::eq(self, Self::untyped())
    }

    /// The schema's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The tables, those of the client documents included.
    pub fn tables(&self) -> impl Iterator<Item = &'static TableDef> {
        self.tables.iter().map(|table| table()).chain(self.document_tables())
    }

    /// The tables of the client documents.
    pub fn document_tables(&self) -> impl Iterator<Item = &'static TableDef> {
        self.documents.iter().map(|document| document().table())
    }

    /// The event definitions.
    pub fn events(&self) -> impl Iterator<Item = &'static EventDef> {
        self.events.iter().flat_map(|set| set.defs)
    }

    /// The schema hash: it differs when the same events may make other state.
    ///
    /// # Errors
    /// When a column's default has no SQL form.
    pub fn hash(&self) -> Result<i64, SchemaError> {
        Ok(self.resolved()?.hash)
    }

    /// The parts that make up the schema hash, each with a name for people and a hash.
    pub(crate) fn parts(&self) -> Vec<(String, u64)> {
        let tables = self.tables().map(|table| {
            let ddl = table.ddl().unwrap_or_default();
            (format!("table `{}`", table.name()), xxh3_64(ddl.as_bytes()))
        });
        let documents = self.documents.iter().map(|document| {
            let document = document();
            let name = format!("client document `{}`", document.table().name());
            (name, xxh3_64(document.shape().as_bytes()))
        });
        let events = self.events.iter().flat_map(|set| {
            set.defs.iter().flat_map(EventDef::with_upcasts).map(|def| {
                let mut hash = Xxh3::new();
                hash.update(&set.version.to_le_bytes());
                hash.update(def.shape().as_bytes());
                def.fields().iter().for_each(|field| hash.update(field.as_bytes()));
                (format!("event `{}`", def.name()), hash.digest())
            })
        });
        tables.chain(documents).chain(events).collect()
    }

    /// The SQL that makes the tables.
    ///
    /// # Errors
    /// When a column's default has no SQL form.
    pub fn ddl(&self) -> Result<&str, SchemaError> {
        Ok(&self.resolved()?.ddl)
    }

    /// The event set that materializes the event called `name`; `None` if the schema does not know it.
    pub(crate) fn event_set(&self, name: &str) -> Option<&'static EventSet> {
        self.resolved().ok()?.by_name.get(name).copied()
    }

    fn resolved(&self) -> Result<&Resolved, SchemaError> {
        self.resolved.get_or_init(|| self.resolve()).as_ref().map_err(Clone::clone)
    }

    fn resolve(&self) -> Result<Resolved, SchemaError> {
        let mut ddl = String::new();
        for table in self.tables() {
            ddl += &table.ddl().map_err(|source| SchemaError { table: table.name(), source })?;
        }
        let mut by_name = HashMap::new();
        for set in self.events {
            let defs = set.defs.iter().flat_map(EventDef::with_upcasts);
            by_name.extend(defs.map(|def| (def.name(), set)));
        }
        Ok(Resolved { hash: self.hash_with(&ddl), ddl, by_name })
    }

    fn hash_with(&self, ddl: &str) -> i64 {
        let mut hash = Xxh3::new();
        let mut add = |part: &str| {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        };
        add(&STATE_FORMAT.to_string());
        add(ddl);
        for document in self.documents {
            add(document().shape());
        }
        for set in self.events {
            add(&set.version.to_string());
            for def in set.defs.iter().flat_map(EventDef::with_upcasts) {
                add(def.name());
                add(def.shape());
                def.fields().iter().for_each(|field| add(field));
            }
        }
        hash.digest().cast_signed()
    }
}
