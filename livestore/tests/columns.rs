//! Columns of every type, through an event, the log and the state; and what may not be stored.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use std::collections::BTreeMap;

use livestore::SqliteErrorKind;
use livestore::prelude::*;
use livestore::store::Committed;
use livestore::table::RowError;
use livestore::value::{Storage, Value, ValueError};

#[table]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Everything {
    #[column(primary_key)]
    id: Id,
    i8: i8,
    i16: i16,
    i32: i32,
    i64: i64,
    u8: u8,
    u16: u16,
    u32: u32,
    u64: u64,
    f32: f32,
    f64: f64,
    bool: bool,
    string: String,
    bytes: Vec<u8>,
    array: [u8; 3],
    timestamp: Timestamp,
    json: Json<BTreeMap<String, Vec<Option<f64>>>>,
    status: Status,
    color: Color,
    none: Option<String>,
    maybe_number: Option<u32>,
    maybe_bytes: Option<Vec<u8>>,
    maybe_status: Option<Status>,
    maybe_id: Option<Id>,
    maybe_json: Option<Json<Vec<u8>>>,
}

/// A newtype over a newtype.
#[derive(ColumnType, Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Id(Inner);

#[derive(ColumnType, Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Inner(String);

#[derive(ColumnType, Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Status {
    InProgress,
    #[serde(rename = "it's \"done\"")]
    Done,
}

/// A type with a `ColumnType` of its own.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Color(u32);

impl ColumnType for Color {
    type Base = Self;
    const STORAGE: Storage = Storage::Text;

    fn encode(&self) -> Result<Value<'_>, ValueError> {
        Ok(Value::text(format!("#{:06x}", self.0)))
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        let number = value.as_text()?.strip_prefix('#');
        let number = number.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        number.map(Self).ok_or_else(|| ValueError::custom("not a colour"))
    }
}

#[table]
#[derive(Debug, PartialEq)]
struct Narrow {
    #[column(primary_key)]
    id: i64,
    byte: u8,
    real: f64,
    status: Option<Status>,
    flag: bool,
}

#[derive(Event, Debug, Clone)]
enum ColumnEvent {
    #[event(name = "v1.EverythingPut")]
    Put(Box<Everything>),
    #[event(name = "v1.NarrowPut")]
    Narrow { byte: u8, bits: u64 },
    #[event(name = "v1.Added")]
    Added { by: u8 },
    #[event(name = "v1.Sql")]
    Sql { sql: String },
}

impl Materialize for ColumnEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Put(everything) => state.upsert(everything.as_ref()),
            Self::Narrow { byte, bits } => {
                let real = f64::from_bits(*bits);
                state.upsert(&Narrow { id: 1, byte: *byte, real, status: None, flag: false })
            }
            Self::Added { by } => state.run(Narrow::update().add(Narrow::BYTE, *by)),
            Self::Sql { sql } => state.sql(sql, ()).map(|_| ()),
        }
    }
}

livestore::schema! { App { tables: [Everything, Narrow], events: [ColumnEvent] } }

fn open() -> Store<App> {
    Store::builder("columns").open().unwrap()
}

fn id(id: &str) -> Id {
    Id(Inner(id.into()))
}

fn largest() -> Everything {
    Everything {
        id: id("largest"),
        i8: i8::MAX,
        i16: i16::MAX,
        i32: i32::MAX,
        i64: i64::MAX,
        u8: u8::MAX,
        u16: u16::MAX,
        u32: u32::MAX,
        u64: i64::MAX.cast_unsigned(),
        f32: f32::MAX,
        f64: f64::MAX,
        bool: true,
        string: "quotes ' \" `, \0, \u{1f980}, e\u{301}, \u{10ffff}".into(),
        bytes: (0..=255).collect(),
        array: [0, 127, 255],
        timestamp: Timestamp::MAX,
        json: Json(BTreeMap::from([("ключ".into(), vec![None, Some(0.1), Some(-1e300)])])),
        status: Status::Done,
        color: Color(0x00ff_00ff),
        none: None,
        maybe_number: Some(u32::MAX),
        maybe_bytes: Some(Vec::new()),
        maybe_status: Some(Status::InProgress),
        maybe_id: Some(id("")),
        maybe_json: Some(Json(vec![1])),
    }
}

fn smallest() -> Everything {
    Everything {
        id: id("smallest"),
        i8: i8::MIN,
        i16: i16::MIN,
        i32: i32::MIN,
        i64: i64::MIN,
        u8: 0,
        u16: 0,
        u32: 0,
        u64: 0,
        f32: f32::MIN_POSITIVE,
        f64: f64::MIN,
        bool: false,
        string: String::new(),
        bytes: Vec::new(),
        timestamp: Timestamp::MIN,
        json: Json(BTreeMap::new()),
        status: Status::InProgress,
        none: Some(String::new()),
        maybe_number: None,
        maybe_bytes: None,
        maybe_status: None,
        maybe_id: None,
        maybe_json: None,
        ..largest()
    }
}

#[test]
fn every_value_comes_back_also_from_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Store::<App>::builder("columns").directory(directory.path()).open().unwrap();
    let rows = [largest(), smallest()];
    let store = open();
    store.commit(rows.clone().map(Box::new).map(ColumnEvent::Put)).unwrap();
    let all = || Everything::all().order_by(Everything::ID.asc());
    assert_eq!(store.query(all()).unwrap(), rows);
    let hash = store.state_hash().unwrap();
    store.reset_state().unwrap();
    assert_eq!(store.state_hash().unwrap(), hash);
    store.close().unwrap();
    assert_eq!(open().query(all()).unwrap(), rows);
}

#[test]
fn every_column_can_be_asked_for_by_value() {
    let store = open();
    store.commit(ColumnEvent::Put(Box::new(largest()))).unwrap();
    let row = largest();
    let conditions = [
        Everything::ID.eq(&row.id),
        Everything::I8.eq(row.i8),
        Everything::U64.eq(row.u64),
        Everything::F32.eq(row.f32),
        Everything::STRING.eq(&row.string),
        Everything::BYTES.eq(&row.bytes),
        Everything::ARRAY.eq(row.array),
        Everything::TIMESTAMP.eq(row.timestamp),
        Everything::JSON.eq(&row.json),
        Everything::STATUS.eq(row.status),
        Everything::COLOR.eq(&row.color),
        Everything::NONE.is_null(),
        Everything::MAYBE_BYTES.eq(row.maybe_bytes),
        Everything::MAYBE_STATUS.eq(Status::InProgress),
        Everything::MAYBE_ID.eq(id("")),
    ];
    for condition in conditions {
        let count = store.query(Everything::filter(condition.clone()).count()).unwrap();
        assert_eq!(count, 1, "{condition:?}");
    }
}

#[test]
fn the_database_holds_what_the_documentation_says() {
    let store = open();
    store.commit(ColumnEvent::Put(Box::new(largest()))).unwrap();
    let sql = "SELECT typeof(bool), typeof(u64), typeof(f32), typeof(array), typeof(timestamp), \
               status, color, json FROM everything";
    let row = raw::<(String, String, String, String, String, String, String, String)>(sql, ());
    let row = store.query(row.one()).unwrap();
    assert_eq!((&*row.0, &*row.1, &*row.2), ("integer", "integer", "real"));
    assert_eq!((&*row.3, &*row.4), ("blob", "integer"));
    assert_eq!((&*row.5, &*row.6), ("it's \"done\"", "#ff00ff"));
    assert_eq!(row.7, r#"{"ключ":[null,0.1,-1e+300]}"#);
}

/// The commit fails with a typed error, nothing is logged, and the store works on.
#[track_caller]
fn refused(store: &Store<App>, event: ColumnEvent) -> MaterializeError {
    let before = (store.head().unwrap(), store.state_hash().unwrap());
    let Err(CommitError::Materialize { index: 0, source, .. }) = store.commit(event) else {
        panic!("the commit went through");
    };
    assert_eq!((store.head().unwrap(), store.state_hash().unwrap()), before);
    assert_eq!(store.events().into_iter().count(), before.0.global as usize);
    source
}

#[test]
fn a_number_beyond_its_column_is_refused() {
    let store = open();
    let huge = Everything { u64: i64::MAX.cast_unsigned() + 1, ..largest() };
    let error = refused(&store, ColumnEvent::Put(Box::new(huge)));
    let MaterializeError::Row { table: "everything", source } = error else { panic!("{error}") };
    let RowError { column, source } = source;
    assert_eq!(column, "everything.u64");
    assert_eq!(source.to_string(), "9223372036854775808 is out of range for an SQL integer");
    store.commit(ColumnEvent::Put(Box::new(largest()))).unwrap();
}

#[test]
fn not_a_number_is_refused_and_infinity_is_stored() {
    let store = open();
    let put = |real: f64| ColumnEvent::Narrow { byte: 0, bits: real.to_bits() };
    let error = refused(&store, put(f64::NAN));
    let chain = livestore::ErrorChain::new(&error).to_string();
    assert!(chain.contains("NaN cannot be stored"), "{chain}");
    for real in [f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::EPSILON] {
        store.commit(put(real)).unwrap();
        assert_eq!(store.query(Narrow::all().select(Narrow::REAL).one()).unwrap(), real);
    }
}

#[test]
fn an_overflowing_addition_is_refused() {
    let store = open();
    let row = Everything { i64: i64::MAX, ..largest() };
    store.commit(ColumnEvent::Put(Box::new(row))).unwrap();
    let sql = "UPDATE everything SET i64 = i64 + 1".to_owned();
    let error = refused(&store, ColumnEvent::Sql { sql });
    let MaterializeError::Sql { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), SqliteErrorKind::Constraint, "{error}");
}

#[test]
fn an_addition_beyond_a_small_column_is_refused() {
    let store = open();
    store.commit(ColumnEvent::Narrow { byte: 255, bits: 0 }).unwrap();
    refused(&store, ColumnEvent::Added { by: 1 });
}

#[test]
fn raw_sql_cannot_store_another_type() {
    let store = open();
    store.commit(ColumnEvent::Narrow { byte: 1, bits: 0 }).unwrap();
    for sql in [
        "UPDATE narrow SET byte = 'one'",
        "UPDATE narrow SET byte = 1.5",
        "UPDATE narrow SET byte = NULL",
        "UPDATE narrow SET status = 'Done'",
        "INSERT INTO narrow (id) VALUES (2)",
    ] {
        let error = refused(&store, ColumnEvent::Sql { sql: sql.into() });
        let MaterializeError::Sql { source, .. } = &error else { panic!("{error}") };
        assert_eq!(source.kind(), SqliteErrorKind::Constraint, "{sql}: {error}");
    }
    let done: Committed = store
        .commit(ColumnEvent::Sql { sql: "UPDATE narrow SET status = 'in-progress'".into() })
        .unwrap()
        .into();
    assert_eq!(done.last(), store.head().ok());
}

/// A table with the types of one feature, and the texts they are stored as.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "uuid"))]
macro_rules! stored {
    ($Row:ident { $($field:ident: $ty:ty = $value:expr => $text:literal),* $(,)? }) => {
        #[table]
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        struct $Row {
            #[column(primary_key)]
            id: i64,
            $($field: $ty,)*
        }

        #[derive(Event)]
        #[event(name = "v1.Put")]
        struct Put($Row);

        impl Materialize for Put {
            fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
                state.upsert(&self.0)
            }
        }

        livestore::schema! { Rows { tables: [$Row], events: [Put] } }

        let row = $Row { id: 1, $($field: $value),* };
        let store = Store::<Rows>::builder("rows").open().unwrap();
        store.commit(Put(row.clone())).unwrap();
        assert_eq!(store.query($Row::get(1)).unwrap(), Some(row));
        $(
            let sql = concat!("SELECT ", stringify!($field), " FROM row");
            assert_eq!(store.query(raw::<(String,)>(sql, ()).one()).unwrap().0, $text);
        )*
    };
}

#[test]
#[cfg(feature = "chrono")]
fn chrono_is_sortable_text() {
    use chrono::{DateTime, NaiveDate, Utc};
    let day = NaiveDate::from_ymd_opt(2026, 1, 9).unwrap();
    stored!(Row {
        time: DateTime<Utc> = DateTime::from_timestamp_nanos(1) => "1970-01-01T00:00:00.000000001Z",
        date: NaiveDate = day => "2026-01-09",
        maybe: Option<NaiveDate> = Some(day) => "2026-01-09",
    });
}

#[test]
#[cfg(feature = "jiff")]
fn jiff_is_sortable_text() {
    use jiff::civil::{Date, date};
    let time = jiff::Timestamp::from_nanosecond(1).unwrap();
    stored!(Row {
        time: jiff::Timestamp = time => "1970-01-01T00:00:00.000000001Z",
        date: Date = date(2026, 1, 9) => "2026-01-09",
        maybe: Option<Date> = Some(date(9999, 12, 31)) => "9999-12-31",
    });
}

#[test]
#[cfg(feature = "uuid")]
fn uuid_is_text() {
    use uuid::Uuid;
    let id = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
    stored!(Row {
        uuid: Uuid = id => "67e55044-10b1-426f-9247-bb680e5fe0c8",
        maybe: Option<Uuid> = Some(Uuid::nil()) => "00000000-0000-0000-0000-000000000000",
    });
}

/// By text, `Closed` would come first.
#[test]
fn an_enum_that_is_stored_as_integers_sorts_in_its_order() {
    #[derive(ColumnType, Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
    #[column_type(integer)]
    #[repr(i8)]
    enum Priority {
        Low = -1,
        Normal,
        Urgent = 10,
        Closed,
    }

    #[derive(ColumnType, Serialize, Deserialize, Debug, Clone, PartialEq)]
    struct Wrapped(Priority);

    #[table]
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Issue {
        #[column(primary_key)]
        id: i64,
        #[column(default = Priority::Normal)]
        priority: Priority,
        maybe: Option<Wrapped>,
    }

    #[derive(Event)]
    #[event(name = "v1.IssueAdded")]
    struct IssueAdded(Issue);

    #[derive(Event)]
    #[event(name = "v1.IssueSet")]
    struct IssueSet {
        to: i64,
    }

    impl Materialize for IssueAdded {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.insert(&self.0)
        }
    }

    impl Materialize for IssueSet {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.sql("INSERT INTO issue (id, maybe) VALUES (100, ?)", (self.to,)).map(drop)
        }
    }

    livestore::schema! { Issues { tables: [Issue], events: [IssueAdded, IssueSet] } }

    let store = Store::<Issues>::builder("issues").open().unwrap();
    let all = [Priority::Closed, Priority::Urgent, Priority::Low, Priority::Normal];
    let issues = all
        .iter()
        .zip(1..)
        .map(|(&priority, id)| IssueAdded(Issue { id, priority, maybe: Some(Wrapped(priority)) }));
    let live = store.live(Issue::all().order_by(Issue::PRIORITY).select(Issue::PRIORITY)).unwrap();
    store.commit(issues.collect::<Vec<_>>()).unwrap();
    let sorted = [Priority::Low, Priority::Normal, Priority::Urgent, Priority::Closed];
    assert_eq!(live.get().iter().map(|priority| **priority).collect::<Vec<_>>(), sorted);
    let open = Issue::filter(
        Issue::PRIORITY.lt(Priority::Closed).and(Issue::MAYBE.gt(Wrapped(Priority::Low))),
    );
    assert_eq!(store.query(open.count()).unwrap(), 2);
    let stored = store.query(raw::<(i64,)>("SELECT priority FROM issue ORDER BY 1", ())).unwrap();
    assert_eq!(stored, [(-1,), (0,), (10,), (11,)]);
    assert!(store.commit(IssueSet { to: 5 }).is_err(), "no variant is 5");
    store.commit(IssueSet { to: 11 }).unwrap();
    assert_eq!(store.query(Issue::get(100)).unwrap().unwrap().priority, Priority::Normal);
}

/// Otherwise a state that was stored before would be read as something else.
#[test]
fn numbers_that_stand_for_other_variants_are_another_schema() {
    mod before {
        use livestore::prelude::*;
        #[derive(ColumnType)]
        #[column_type(integer)]
        pub(super) enum Status {
            Open,
            Done,
        }
        #[table]
        pub(super) struct Task {
            #[column(primary_key)]
            status: Status,
        }
        livestore::schema! { pub(super) App { tables: [Task] } }
    }
    mod after {
        use livestore::prelude::*;
        #[derive(ColumnType)]
        #[column_type(integer)]
        pub(super) enum Status {
            Done,
            Open,
        }
        #[table]
        pub(super) struct Task {
            #[column(primary_key)]
            status: Status,
        }
        livestore::schema! { pub(super) App { tables: [Task] } }
    }
    let _ = (before::Status::Open, before::Status::Done, after::Status::Open, after::Status::Done);
    let hash = |def: &livestore::schema::SchemaDef| def.hash().unwrap();
    assert_ne!(hash(before::App::def()), hash(after::App::def()));
}
