//! JSON whose text follows from the value alone.
//!
//! serde_json writes a `HashMap` and a `HashSet` in the order in which they happen to be, a NaN as `null`,
//! and `Some(None)` as it writes `None`. Here maps and hash sets are sorted, and [`Losses`] records what
//! the text does not show.

mod entries;
mod order;
mod scalars;

use serde::ser::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};
use serde_json::{Error, Result};

use self::entries::{Entries, Order};
use self::order::is_hash_ordered;

/// The form of floating-point numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// As JavaScript writes them: `2.0` is `2`.
    JavaScript,
    /// As Rust does: `2.0` is `2.0`.
    Rust,
}

/// A fact about a value that its JSON does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// A NaN or an infinity, which is written as `null`.
    NotFinite,
    /// `Some` of a value that is written as `null`, as `None` is.
    SomeNull,
    /// A floating-point number that is written as an integer.
    WholeNumber,
}

/// The facts about a value that its JSON does not show, each with the field that it is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    found: Vec<(Loss, &'static str)>,
    /// Whether whole numbers are recorded, too.
    records_whole_numbers: bool,
    /// The field that is being written.
    pub(crate) field: &'static str,
}

impl Losses {
    pub(crate) fn with_whole_numbers(records_whole_numbers: bool) -> Self {
        Self { records_whole_numbers, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the first one that a reader cannot make up for.
    pub(crate) fn first(&self) -> Option<(Loss, &'static str)> {
        self.found.iter().copied().find(|(loss, _)| *loss != Loss::WholeNumber)
    }

    /// Returns the first one that is not among `others`, whose order may differ: hash sets are
    /// written in any.
    pub(crate) fn first_beyond(&self, others: &Self) -> Option<(Loss, &'static str)> {
        let sorted = |losses: &Self| {
            let mut found = losses.found.clone();
            found.sort_unstable();
            found.into_iter()
        };
        let mut others = sorted(others).peekable();
        sorted(self).find(|loss| {
            while others.next_if(|other| other < loss).is_some() {}
            others.next_if_eq(loss).is_none()
        })
    }

    fn add(&mut self, loss: Loss) {
        if loss != Loss::WholeNumber || self.records_whole_numbers {
            self.found.push((loss, self.field));
        }
    }
}

impl Loss {
    /// Returns the reason for which the value cannot be written.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NotFinite => "JSON has no NaN and no infinity",
            Self::SomeNull => {
                "JSON has one `null` for `None` and for `Some` of nothing; use an enum with a variant for each"
            }
            Self::WholeNumber => "it would be read as an integer",
        }
    }
}

/// A serde `Serializer` that appends to a text.
#[derive(Debug)]
pub struct JsonWriter<'o> {
    out: &'o mut Vec<u8>,
    numbers: Numbers,
    losses: &'o mut Losses,
}

impl<'o> JsonWriter<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>, numbers: Numbers, losses: &'o mut Losses) -> Self {
        Self { out, numbers, losses }
    }

    /// serde_json's own serializer, for what it writes as we do.
    fn plain(&mut self) -> serde_json::Serializer<&mut Vec<u8>> {
        serde_json::Serializer::new(&mut *self.out)
    }

    fn write_float(&mut self, is_finite: bool, whole: Option<f64>) -> Option<Result<()>> {
        if !is_finite {
            self.losses.add(Loss::NotFinite);
        }
        let whole = whole.filter(|_| self.numbers == Numbers::JavaScript)?;
        self.losses.add(Loss::WholeNumber);
        // Up to here JavaScript writes all digits, and i128 holds them.
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        let digits = whole as i128;
        Some(CompactFormatter.write_i128(&mut *self.out, digits).map_err(Error::io))
    }

    /// Writes the start of `{"variant":…}`.
    fn open_variant(&mut self, variant: &str) -> Result<()> {
        self.out.push(b'{');
        self.plain().serialize_str(variant)?;
        self.out.push(b':');
        Ok(())
    }

    fn entries(&mut self, open: &[u8], close: &'static [u8], order: Order) -> Entries<'_, 'o> {
        self.out.extend_from_slice(open);
        Entries::new(self, close, order)
    }
}

/// Returns the JSON of a value that is to be read back as it is, such as a column's.
///
/// # Errors
/// When it has no JSON form, or one that would be read as something else.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> std::result::Result<String, String> {
    let (mut out, mut losses) = (Vec::new(), Losses::default());
    let written = value.serialize(&mut JsonWriter::new(&mut out, Numbers::Rust, &mut losses));
    written.map_err(|error| error.to_string())?;
    match losses.first() {
        Some((loss, _)) => Err(loss.reason().to_owned()),
        None => String::from_utf8(out).map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap, HashSet};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[derive(serde::Serialize)]
    struct Everything<'a> {
        unit: (),
        tuple: (u8, f64, char),
        list: &'a [Option<i128>],
        map: BTreeMap<u8, &'a str>,
        shape: Vec<Shape>,
        #[serde(flatten)]
        more: BTreeMap<String, bool>,
    }

    #[derive(serde::Serialize)]
    enum Shape {
        Empty,
        One(u8),
        Pair(u8, u8),
        Named { x: f32 },
    }

    #[test]
    fn the_text_is_the_one_of_serde_json() {
        let value = Everything {
            unit: (),
            tuple: (1, 2.5, '"'),
            list: &[None, Some(i128::MIN)],
            map: [(1, "a\n"), (2, "")].into(),
            shape: vec![Shape::Empty, Shape::One(1), Shape::Pair(1, 2), Shape::Named { x: 0.5 }],
            more: [("z".to_owned(), true)].into(),
        };
        // `flatten` makes a map of the struct, and maps are sorted.
        let sorted = serde_json::to_value(&value).unwrap_err();
        assert!(sorted.to_string().contains("number out of range"), "{sorted}");
        assert_eq!(
            to_json(&value).unwrap(),
            r#"{"list":[null,-170141183460469231731687303715884105728],"map":{"1":"a\n","2":""},"shape":["Empty",{"One":1},{"Pair":[1,2]},{"Named":{"x":0.5}}],"tuple":[1,2.5,"\""],"unit":null,"z":true}"#
        );
        let raw = serde_json::value::RawValue::from_string("[ 1 ]".to_owned()).unwrap();
        assert_eq!(to_json(&(raw, Vec::<u8>::new(), json!({}))).unwrap(), "[[ 1 ],[],{}]");
    }

    #[test]
    fn a_hash_map_and_a_hash_set_are_sorted() {
        let map: HashMap<_, _> = (0..9).map(|n| (format!("k{n}"), n)).collect();
        let sorted: BTreeMap<_, _> = map.clone().into_iter().collect();
        assert_eq!(to_json(&map).unwrap(), serde_json::to_string(&sorted).unwrap());
        let set: HashSet<_> = (1..9).collect();
        assert_eq!(to_json(&set).unwrap(), "[1,2,3,4,5,6,7,8]");
        assert_eq!(to_json(&vec![vec![2, 1]]).unwrap(), "[[2,1]]");
        let nested = vec![[3, 1, 2].into_iter().collect::<HashSet<_>>()];
        assert_eq!(to_json(&nested).unwrap(), "[[1,2,3]]");
    }

    #[test]
    fn a_value_that_would_be_read_as_another_one_is_refused() {
        assert_eq!(to_json(&[f64::NAN]).unwrap_err(), Loss::NotFinite.reason());
        assert_eq!(to_json(&(1, f32::INFINITY)).unwrap_err(), Loss::NotFinite.reason());
        assert_eq!(to_json(&Some(None::<u8>)).unwrap_err(), Loss::SomeNull.reason());
        assert_eq!(to_json(&Some(())).unwrap_err(), Loss::SomeNull.reason());
        assert_eq!(to_json(&None::<Option<u8>>).unwrap(), "null");
        assert_eq!(to_json(&2.0).unwrap(), "2.0");
    }

    proptest! {
        #[test]
        fn any_json_is_read_back(value in arbitrary_json()) {
            let text = to_json(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        }
    }

    fn arbitrary_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|b| json!(b)),
            any::<i64>().prop_map(|n| json!(n)),
            proptest::num::f64::NORMAL.prop_map(|n| json!(n)),
            ".{0,6}".prop_map(|s| json!(s)),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|list| json!(list)),
                prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }
}
