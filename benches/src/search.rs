//! Full-text search. The floor is a table of FTS5 beside the rows, as somebody who knows SQLite writes it.

use std::hint::black_box;

use livestore::prelude::*;
use livestore::table::Select;
use rusqlite::Connection;

use crate::Result;
use crate::app;
use crate::harness::{Measured, ROUNDS, compare, time};

const ROWS: u64 = 100_000;
const WORDS: [&str; 8] =
    ["crash", "login", "report", "slow", "window", "sync", "invoice", "export"];

livestore::schema! {
    Tracker { tables: [Issue], events: [Reported] }
}

#[table]
#[derive(Debug, Clone)]
struct Issue {
    #[column(primary_key)]
    id: String,
    #[column(search)]
    title: String,
    #[column(index)]
    at: i64,
}

#[derive(Event, Debug)]
#[event(name = "v1.Reported")]
struct Reported {
    id: String,
    title: String,
    at: i64,
}

impl Reported {
    /// The `n`th. Every title has two of eight words, and a number that it shares with nobody.
    fn nth(n: u64) -> Self {
        let word = |at: u64| WORDS.iter().cycle().nth((at % 8) as usize).unwrap_or(&"");
        let title = format!("The {} of a {}, reported as number {n}", word(n), word(n / 8));
        Self { id: app::id(n), title, at: n.cast_signed() }
    }
}

impl Materialize for Reported {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let Self { id, title, at } = self;
        state.insert(&Issue { id: id.clone(), title: title.clone(), at: *at })
    }
}

/// Eleven rows of 100,000, by the beginnings of two words.
pub(crate) fn few() -> Result<Measured> {
    newest(&["4711", "4712", "4713", "4714", "4715"].map(|number| format!("numb {number}")), 20)
}

/// The newest 50 of a quarter of 100,000 rows, by the beginning of a word.
pub(crate) fn many() -> Result<Measured> {
    newest(&["inv", "exp", "cra", "log", "win"].map(str::to_owned), 1)
}

/// The newest 50 of 100,000 rows, all of which have the word.
pub(crate) fn all() -> Result<Measured> {
    newest(&["a", "num", "numb", "numbe", "number"].map(str::to_owned), 1)
}

/// Searches for one text after the other: more than are remembered.
fn newest(texts: &[String; 5], times: u32) -> Result<Measured> {
    let (store, state) = (ours()?, floor()?);
    let searches: Vec<_> = texts
        .iter()
        .map(|text| Issue::filter(Issue::search(text)).order_by(Issue::AT.desc()).limit(50))
        .collect();
    let quoted = |text: &String| {
        text.split(' ').map(|word| format!("\"{word}\"*")).collect::<Vec<_>>().join(" ")
    };
    let matches: Vec<_> = texts.iter().map(quoted).collect();
    let by_hand = "SELECT id, title, at FROM issue
        WHERE rowid IN (SELECT rowid FROM words WHERE words MATCH ?) ORDER BY at DESC LIMIT 50";
    // The first one makes the index.
    for search in &searches {
        store.query(search)?;
    }
    compare(
        ROUNDS,
        times * 5,
        || {
            time(|| {
                for search in (0..times).flat_map(|_| &searches) {
                    black_box(store.query(search)?);
                }
                Ok(())
            })
        },
        || {
            time(|| {
                for as_match in (0..times).flat_map(|_| &matches) {
                    let mut statement = state.prepare_cached(by_hand)?;
                    let rows = statement.query_map([as_match], |row| {
                        Ok(Issue { id: row.get(0)?, title: row.get(1)?, at: row.get(2)? })
                    })?;
                    black_box(rows.collect::<rusqlite::Result<Vec<_>>>()?);
                }
                Ok(())
            })
        },
    )
}

/// The first search of 100,000 rows, which makes the index. The floor fills its own.
pub(crate) fn first() -> Result<Measured> {
    let state = floor()?;
    compare(
        5,
        1,
        || {
            let store = ours()?;
            time(|| Ok((store.query(Issue::filter(Issue::search("4711")).count())?, store)))
        },
        || {
            state.execute_batch("DROP TABLE words")?;
            time(|| Ok(state.execute_batch(FILL)?))
        },
    )
}

/// A commit of a row, while a search is live that does not find it: it runs again. The floor is the same commit, and
/// then the search.
pub(crate) fn live() -> Result<Measured> {
    const COMMITS: u32 = 100;
    let (searched, plain) = (ours()?, ours()?);
    let search = Issue::filter(Issue::search("numb 4711"));
    let found = searched.live(search.clone())?;
    let _subscribed = found.subscribe(|rows| _ = black_box(rows.len()));
    let mut next = [ROWS; 2];
    let [ours, floor] = &mut next;
    let commit = |store: &Store<Tracker>, next: &mut u64, search: Option<&Select<Issue>>| {
        let events: Vec<_> = (0..u64::from(COMMITS)).map(|n| Reported::nth(*next + n)).collect();
        *next += u64::from(COMMITS);
        time(|| {
            events.into_iter().try_for_each(|event| {
                store.commit(event)?;
                search.map(|search| store.query(search)).transpose()?;
                Ok(())
            })
        })
    };
    compare(
        ROUNDS,
        COMMITS,
        || commit(&searched, ours, None),
        || commit(&plain, floor, Some(&search)),
    )
}

const FILL: &str =
    "CREATE VIRTUAL TABLE words USING fts5(title, content = '', contentless_delete = 1);
    INSERT INTO words (rowid, title) SELECT rowid, title FROM issue;";

fn ours() -> Result<Store<Tracker>> {
    let store = Store::<Tracker>::builder("bench").open()?;
    store.commit((0..ROWS).map(Reported::nth).collect::<Vec<_>>())?;
    Ok(store)
}

fn floor() -> Result<Connection> {
    let state = Connection::open_in_memory()?;
    state.execute_batch(Tracker::def().ddl()?)?;
    let mut insert = state.prepare("INSERT INTO issue VALUES (?, ?, ?)")?;
    state.execute_batch("BEGIN")?;
    for n in 0..ROWS {
        let Reported { id, title, at } = Reported::nth(n);
        insert.execute((id, title, at))?;
    }
    drop(insert);
    state.execute_batch("COMMIT")?;
    state.execute_batch(FILL)?;
    Ok(state)
}
