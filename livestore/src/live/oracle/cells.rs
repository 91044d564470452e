//! Rows and values of no type in particular.

use std::fmt::Debug;

use super::dice::Dice;
use super::tables::table;
use crate::live::{List, Parent, SharedRow, Window};
use crate::table::{IntoKey, Row, RowError, RowReader, RowWriter, SealedKey, Table, TableDef};
use crate::value::{Value, ValueError};

/// A row of any query. Unlike SQL's values, these are equal only if they are the same to the bit.
#[derive(Debug, Clone)]
pub(super) struct Cells(pub(super) Vec<Value<'static>>);

/// A row that refuses the integer 3 in any of its columns, as a type of few values does.
#[derive(Debug, Clone)]
pub(super) struct Picky(Cells);

/// A type of rows that are read as cells.
pub(super) trait FromCells: Debug + Clone + Send + Sync + 'static {
    fn from_cells(cells: Cells) -> Result<Self, RowError>;
}

impl FromCells for Cells {
    fn from_cells(cells: Cells) -> Result<Self, RowError> {
        Ok(cells)
    }
}

impl FromCells for Picky {
    fn from_cells(cells: Cells) -> Result<Self, RowError> {
        match cells.0.iter().position(|value| *value == Value::Integer(3)) {
            Some(index) => {
                Err(RowError { column: index.to_string(), source: ValueError::custom("3") })
            }
            None => Ok(Self(cells)),
        }
    }
}

/// Reads a row that is `N` wide.
pub(super) fn cells<const N: usize, O: FromCells>(row: &RowReader<'_>) -> Result<O, RowError> {
    let cells = (0..N).map(|index| row.get_value(index)).collect::<Result<_, _>>().map(Cells)?;
    O::from_cells(cells)
}

/// Reads a row of any width, with nothing behind its own columns.
pub(super) fn any_width<O: FromCells>(row: &RowReader<'_>) -> Result<O, RowError> {
    O::from_cells(Cells::decode(row)?)
}

impl PartialEq for Cells {
    fn eq(&self, other: &Self) -> bool {
        let same = |(left, right): (&Value<'_>, &Value<'_>)| match (left, right) {
            (Value::Real(left), Value::Real(right)) => left.to_bits() == right.to_bits(),
            (left, right) => left == right,
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

/// For raw SQL: a row as wide as it is.
impl Row for Cells {
    const COLUMNS: &'static [&'static str] = &[];

    fn decode(row: &RowReader<'_>) -> Result<Self, RowError> {
        let mut index = 0;
        let next = std::iter::from_fn(|| {
            index += 1;
            row.get_value(index - 1).ok()
        });
        Ok(Self(next.collect()))
    }
}

/// The row type of the table at position `N`.
#[derive(Debug, Clone)]
pub(super) struct At<const N: usize>(pub(super) Cells);

/// A key with as many values as it has.
pub(super) struct AnyKey;

impl SealedKey<AnyKey> for Vec<Value<'static>> {}

impl IntoKey<AnyKey> for Vec<Value<'static>> {
    fn into_key(self) -> Result<Vec<Value<'static>>, ValueError> {
        Ok(self)
    }
}

impl<const N: usize> Row for At<N> {
    const COLUMNS: &'static [&'static str] = &[];

    fn decode(row: &RowReader<'_>) -> Result<Self, RowError> {
        let width = table::<N>().columns.len();
        (0..width).map(|index| row.get_value(index)).collect::<Result<_, _>>().map(Cells).map(At)
    }
}

impl<const N: usize> Table for At<N> {
    type Key = AnyKey;
    const NAME: &'static str = "at";

    fn def() -> &'static TableDef {
        table::<N>()
    }

    fn encode(&self, row: &mut RowWriter<'_>) -> Result<(), RowError> {
        self.0.0.iter().try_for_each(|value| row.push(Ok(value.clone())))
    }
}

/// The result of a query, or the value of a live query, as rows.
pub(super) trait Flat {
    fn flat(&self) -> Vec<Cells>;

    /// The rows that diffs are about.
    fn listed(&self) -> Vec<Cells> {
        self.flat()
    }
}

impl<T: Flat> Flat for Window<T> {
    fn flat(&self) -> Vec<Cells> {
        let place = [self.start(), self.total()].map(|n| Value::Integer(n as i64));
        std::iter::once(Cells(place.to_vec())).chain(self.listed()).collect()
    }

    fn listed(&self) -> Vec<Cells> {
        self.rows().flat()
    }
}

impl<P: Flat, C: Flat> Flat for (P, Vec<C>) {
    fn flat(&self) -> Vec<Cells> {
        family(self.0.flat(), self.1.flat())
    }
}

impl<P: Flat, C: Flat> Flat for Parent<P, C> {
    fn flat(&self) -> Vec<Cells> {
        family((**self).flat(), self.children().flat())
    }
}

/// A parent, the number of its children, and these.
fn family(parent: Vec<Cells>, children: Vec<Cells>) -> Vec<Cells> {
    let count = Cells(vec![Value::Integer(children.len() as i64)]);
    parent.into_iter().chain([count]).chain(children).collect()
}

impl Flat for Picky {
    fn flat(&self) -> Vec<Cells> {
        vec![self.0.clone()]
    }
}

impl Flat for Cells {
    fn flat(&self) -> Vec<Cells> {
        vec![self.clone()]
    }
}

impl<const N: usize> Flat for At<N> {
    fn flat(&self) -> Vec<Cells> {
        vec![self.0.clone()]
    }
}

impl<T: Flat> Flat for Vec<T> {
    fn flat(&self) -> Vec<Cells> {
        self.iter().flat_map(Flat::flat).collect()
    }
}

impl<T: Flat> Flat for Option<T> {
    fn flat(&self) -> Vec<Cells> {
        self.iter().flat_map(Flat::flat).collect()
    }
}

impl<T: Flat> Flat for SharedRow<T> {
    fn flat(&self) -> Vec<Cells> {
        (**self).flat()
    }
}

impl<T: Flat> Flat for List<T> {
    fn flat(&self) -> Vec<Cells> {
        self.iter().flat_map(Flat::flat).collect()
    }
}

pub(super) fn integer(dice: &mut Dice<'_>) -> Value<'static> {
    let large = [i64::MAX, i64::MIN, i64::MAX - 1, (1 << 53) + 1];
    Value::Integer(if dice.percent(5) { dice.pick(&large) } else { dice.pick(&[0, 1, 2, 3, -1]) })
}

pub(super) fn real(dice: &mut Dice<'_>) -> Value<'static> {
    const INF: f64 = f64::INFINITY;
    let odd = [1e300, INF, -INF, 5e-324, 9_007_199_254_740_992.0, 9.3e18, -9.3e18, f64::NAN];
    Value::Real(if dice.percent(20) {
        dice.pick(&odd)
    } else {
        dice.pick(&[0.0, 1.0, -0.0, 0.5, -1.5])
    })
}

pub(super) fn text(dice: &mut Dice<'_>) -> Value<'static> {
    const ODD: [&str; 14] = [
        "ä", "Ä", "a\0", "a\0b", "\0", "e\u{301}", "é", "😀", "a%", "_", "1", " a", "\u{fffd}", "ß",
    ];
    Value::text(if dice.percent(30) {
        dice.pick(&ODD)
    } else {
        dice.pick(&["a", "", "A", "ab", "b"])
    })
}

pub(super) fn bytes(dice: &mut Dice<'_>) -> Value<'static> {
    Value::blob(dice.pick::<&[u8]>(&[b"", b"a", b"\0", b"a\0", b"\xff"]).to_vec())
}

pub(super) fn json(dice: &mut Dice<'_>) -> Value<'static> {
    Value::text(dice.pick(&[
        "[]",
        "[1]",
        "[0,1,1]",
        "[\"a\"]",
        "[\"a\\u0000\",\"ä\"]",
        "[null]",
        "[true,1.0]",
        "[[1],{\"a\":1}]",
        "[9223372036854775807,-9223372036854775808]",
        "[\"1\"]",
        "{\"a\":1}",
    ]))
}
