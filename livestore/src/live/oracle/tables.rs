//! Random schemas.
//!
//! A schema names its tables by function, so each position has a function of its own, which looks
//! up the table that this thread's case has there.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::cells::{bytes, integer, json, real, text};
use super::dice::Dice;
use crate::schema::SchemaDef;
use crate::table::{ColumnDef, ForeignKeyDef, IndexDef, OnDelete, Reference, TableDef};
use crate::value::{ColumnKind, Storage, Value};

/// Tables a schema has at most.
pub(super) const MOST: usize = 4;

const NAMES: [&str; MOST] = ["t", "order", "T 2", "q\"3"];
const COLUMNS: [&str; 5] = ["a", "group", "C c", "d\"", "e"];

/// More columns than are captured row by row.
static WIDE: LazyLock<Vec<String>> = LazyLock::new(|| (0..62).map(|n| format!("w{n}")).collect());

/// The kind of values in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Holds {
    Integers,
    MaybeIntegers,
    MaybeReals,
    Texts,
    MaybeTexts,
    MaybeBytes,
    /// JSON arrays.
    Arrays,
}

/// A table, before it is one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shape {
    position: usize,
    keys: usize,
    columns: Vec<(&'static str, Holds)>,
    index: Option<bool>,
    /// Refers to the key of the table there; and what it does when that row is deleted.
    parent: Option<(usize, u8)>,
}

/// A table of a random schema.
#[derive(Debug, Clone)]
pub(super) struct RandomTable {
    pub(super) def: &'static TableDef,
    /// Column by column.
    pub(super) holds: Vec<Holds>,
}

thread_local! {
    static TABLES: RefCell<Vec<&'static TableDef>> = const { RefCell::new(Vec::new()) };
    /// The definitions that were leaked, each of them once.
    static LEAKED: RefCell<HashMap<Shape, &'static TableDef>> = RefCell::new(HashMap::new());
    static SCHEMAS: RefCell<HashMap<Vec<Shape>, &'static SchemaDef>> = RefCell::new(HashMap::new());
}

/// The table at a position of this thread's schema.
pub(super) fn table<const N: usize>() -> &'static TableDef {
    TABLES.with_borrow(|tables| tables[N])
}

const GETTERS: [fn() -> &'static TableDef; MOST] = [table::<0>, table::<1>, table::<2>, table::<3>];
const REFERENCES: [fn() -> Reference; MOST] =
    [reference::<0>, reference::<1>, reference::<2>, reference::<3>];

fn reference<const N: usize>() -> Reference {
    Reference { table: NAMES[N], column: "key" }
}

/// Makes a schema, which is this thread's from now on.
pub(super) fn schema(dice: &mut Dice<'_>) -> (&'static SchemaDef, Vec<RandomTable>) {
    let mut shapes: Vec<Shape> = Vec::new();
    for position in 0..1 + dice.below(MOST) {
        let shape = shape(dice, position, &shapes);
        shapes.push(shape);
    }
    let tables: Vec<_> = shapes.iter().map(random_table).collect();
    TABLES.set(tables.iter().map(|table| table.def).collect());
    let schema = SCHEMAS.with_borrow_mut(|schemas| {
        *schemas.entry(shapes).or_insert_with_key(|shapes| {
            let schema = SchemaDef::new("Random", &GETTERS[..shapes.len()], &[], &[]);
            Box::leak(Box::new(schema))
        })
    });
    (schema, tables)
}

fn shape(dice: &mut Dice<'_>, position: usize, before: &[Shape]) -> Shape {
    let key = dice.pick(&[Holds::Integers, Holds::Texts]);
    let keys = 1 + usize::from(dice.percent(20));
    let mut columns = vec![("key", key)];
    if keys == 2 {
        columns.push(("second key", Holds::Integers));
    }
    for name in &COLUMNS[..1 + dice.below(3)] {
        columns.push((name, holds(dice)));
    }
    if dice.percent(5) {
        columns.extend(WIDE.iter().map(|name| (name.as_str(), Holds::MaybeIntegers)));
    }
    let index = dice.percent(40).then(|| dice.percent(30));
    let parents: Vec<_> = before.iter().filter(|shape| shape.keys == 1).collect();
    let mut parent = None;
    if !parents.is_empty() && dice.percent(50) {
        let of = dice.pick(&parents);
        let key = if of.columns[0].1 == Holds::Integers {
            Holds::MaybeIntegers
        } else {
            Holds::MaybeTexts
        };
        columns.push(("parent", key));
        parent = Some((of.position, dice.below(3) as u8));
    }
    Shape { position, keys, columns, index, parent }
}

fn holds(dice: &mut Dice<'_>) -> Holds {
    dice.pick(&[
        Holds::Integers,
        Holds::MaybeIntegers,
        Holds::MaybeTexts,
        Holds::Texts,
        Holds::MaybeReals,
        Holds::MaybeBytes,
        Holds::Arrays,
    ])
}

fn random_table(shape: &Shape) -> RandomTable {
    let holds = shape.columns.iter().map(|(_, holds)| *holds).collect();
    let def = LEAKED.with_borrow_mut(|leaked| {
        *leaked.entry(shape.clone()).or_insert_with_key(|shape| Box::leak(Box::new(def(shape))))
    });
    RandomTable { def, holds }
}

fn def(shape: &Shape) -> TableDef {
    let column = |(name, holds): &(&'static str, Holds)| ColumnDef::new(name, holds.kind());
    let columns: Vec<_> = shape.columns.iter().map(column).collect();
    let (name, keys) = (NAMES[shape.position], &[0, 1][..shape.keys]);
    let mut def = TableDef::new(name, columns.leak(), keys);
    if let Some(unique) = shape.index {
        let name: &'static str = format!("{name} index").leak();
        def = def.indexes(vec![IndexDef::new(name, vec![shape.keys].leak(), unique)].leak());
    }
    let texts = shape.columns.iter().enumerate().filter(|(_, (_, holds))| holds.is_text());
    let texts: Vec<_> = texts.map(|(position, _)| position).collect();
    def = def.searched(texts.leak());
    if let Some((parent, on_delete)) = shape.parent {
        let on_delete =
            [OnDelete::Cascade, OnDelete::SetNull, OnDelete::Restrict][usize::from(on_delete)];
        let key = ForeignKeyDef::new(shape.columns.len() - 1, REFERENCES[parent]);
        def = def.foreign_keys(vec![key.on_delete(on_delete)].leak());
    }
    def
}

impl Holds {
    fn kind(self) -> ColumnKind {
        let (storage, nullable) = match self {
            Self::Integers => (Storage::Integer, false),
            Self::MaybeIntegers => (Storage::Integer, true),
            Self::MaybeReals => (Storage::Real, true),
            Self::Texts | Self::Arrays => (Storage::Text, false),
            Self::MaybeTexts => (Storage::Text, true),
            Self::MaybeBytes => (Storage::Blob, true),
        };
        ColumnKind { storage, nullable, variants: &[], numbers: &[], range: None }
    }

    pub(super) fn is_integer(self) -> bool {
        matches!(self, Self::Integers | Self::MaybeIntegers)
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Texts | Self::MaybeTexts)
    }

    fn is_nullable(self) -> bool {
        self.kind().nullable
    }

    /// Whether a typed join takes them.
    pub(super) fn joins(self, other: Self) -> bool {
        self.kind().storage == other.kind().storage
            && (self == Self::Arrays) == (other == Self::Arrays)
    }

    /// A value of the column.
    pub(super) fn value(self, dice: &mut Dice<'_>) -> Value<'static> {
        if self.is_nullable() && dice.percent(20) {
            return Value::Null;
        }
        match self {
            Self::Integers | Self::MaybeIntegers => integer(dice),
            Self::MaybeReals => real(dice),
            Self::Texts | Self::MaybeTexts => text(dice),
            Self::MaybeBytes => bytes(dice),
            Self::Arrays => json(dice),
        }
    }
}
