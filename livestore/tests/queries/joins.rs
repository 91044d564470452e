//! Several tables.

use livestore::prelude::*;

use crate::library::{Author, Book, Genre, Library, LibraryEvent, Loan, library};

#[test]
fn an_inner_join_leaves_out_what_has_no_match() {
    let store = library();
    let joined = Book::all().join(Book::AUTHOR.on(Author::ID)).order_by(Book::ID.asc());
    let pairs = joined.clone().select((Book::ID, Author::NAME, Author::BORN));
    let pair = |id: &str, name: &str, born| (id.to_owned(), name.to_owned(), born);
    assert_eq!(
        store.query(pairs).unwrap(),
        [
            pair("b1", "Stanisław Lem", Some(1921)),
            pair("b2", "Stanisław Lem", Some(1921)),
            pair("b3", "Ursula K. Le Guin", Some(1929)),
            pair("b5", "O'Anonymous", None),
        ]
    );
    let rows: Vec<(Book, Author)> = store.query(joined.clone().limit(1)).unwrap();
    assert_eq!((rows[0].0.id.as_str(), rows[0].1.id.as_str()), ("b1", "lem"));
    assert_eq!(store.query(joined.count()).unwrap(), 4);
}

#[test]
fn a_left_join_has_none_where_there_is_no_match() {
    let store = library();
    let joined = Book::all().left_join(Book::AUTHOR.on(Author::ID)).order_by(Book::ID.asc());
    let rows: Vec<(Book, Option<Author>)> = store.query(joined.clone()).unwrap();
    let authors: Vec<_> = rows.iter().map(|(_, author)| author.as_ref().map(|a| &*a.id)).collect();
    assert_eq!(authors, [Some("lem"), Some("lem"), Some("leguin"), None, Some("anon")]);

    // A column that is never null is an `Option` here, one that may be null still is.
    let columns = joined.clone().select((Book::ID, Author::NAME, Author::BORN));
    let columns: Vec<(String, Option<String>, Option<i64>)> = store.query(columns).unwrap();
    assert_eq!(columns[3], ("b4".into(), None, None));
    assert_eq!(columns[4], ("b5".into(), Some("O'Anonymous".into()), None));
}

#[test]
fn conditions_on_a_missing_row_see_null() {
    let store = library();
    let joined = || Book::all().left_join(Book::AUTHOR.on(Author::ID)).order_by(Book::ID.asc());
    let ids = |condition: Condition<Author>| {
        store.query(joined().filter(condition).select(Book::ID)).unwrap()
    };
    assert_eq!(ids(Author::ID.eq("lem")), ["b1", "b2"]);
    assert_eq!(ids(Author::ID.ne("lem")), ["b3", "b4", "b5"]);
    assert_eq!(ids(Author::BORN.is_null()), ["b4", "b5"]);
    assert_eq!(ids(Author::BORN.lt(1925)), ["b1", "b2"]);
    assert_eq!(ids(Author::ID.in_(["anon"])), ["b5"]);
}

#[test]
fn three_tables() {
    let store = library();
    let loans = Loan::all()
        .join(Loan::BOOK.on(Book::ID))
        .left_join(Book::AUTHOR.on(Author::ID))
        .filter(Loan::READER.eq("ada"))
        .order_by(Loan::DAYS.desc());
    let rows: Vec<(Loan, Book, Option<Author>)> = store.query(loans.clone()).unwrap();
    assert_eq!(rows.iter().map(|(loan, ..)| loan.days).collect::<Vec<_>>(), [7, 3]);
    assert_eq!(rows[0].2.as_ref().map(|author| author.id.as_str()), Some("lem"));
    let names = loans.select((Book::TITLE, Loan::DAYS, Author::NAME)).first();
    assert_eq!(
        store.query(names).unwrap(),
        Some(("Solaris".into(), 7, Some("Stanisław Lem".into())))
    );
}

#[test]
fn a_table_joined_from_the_middle() {
    let store = library();
    let lent = Author::all()
        .left_join(Author::ID.on(Book::AUTHOR))
        .left_join(Book::ID.on(Loan::BOOK))
        .group_by(Author::ID)
        .order_by(Loan::DAYS.sum().desc())
        .order_by(Author::ID.asc())
        .select((Author::ID, Loan::DAYS.sum(), Loan::DAYS.count(), Loan::DAYS.max()));
    assert_eq!(
        store.query(lent).unwrap(),
        [
            ("lem".into(), 24, 3, Some(14)),
            ("anon".into(), 0, 0, None),
            ("leguin".into(), 0, 0, None),
        ]
    );
}

#[test]
fn a_join_on_two_columns() {
    let store = library();
    let pairs = Loan::all().join(Loan::BOOK.on(Book::ID).and(Loan::READER.on(Book::AUTHOR)));
    assert_eq!(store.query(pairs.count()).unwrap(), 0);
}

#[test]
fn a_condition_over_two_tables() {
    let store = library();
    let joined = || Book::all().join(Book::AUTHOR.on(Author::ID)).order_by(Book::ID.asc());
    let either: Condition<(Book, Author)> =
        Book::GENRE.eq(Genre::Poetry).widen().or(Author::BORN.gt(1925).widen());
    assert_eq!(store.query(joined().filter(either).select(Book::ID)).unwrap(), ["b3", "b5"]);

    let either: Condition<(Book, Maybe<Author>)> =
        Book::PRICE.gt(10.0).widen().or(Author::ID.eq("lem").not().widen());
    let left = Book::all().left_join(Book::AUTHOR.on(Author::ID)).order_by(Book::ID.asc());
    assert_eq!(store.query(left.filter(either).select(Book::ID)).unwrap(), ["b3", "b4", "b5"]);
}

#[derive(Row, Debug, PartialEq)]
#[row(from = (Book, Maybe<Author>))]
struct Card {
    title: String,
    author: Option<String>,
    #[row(expr = Author::NAME)]
    by: Option<String>,
    #[row(expr = Author::BORN)]
    born: Option<i64>,
}

#[derive(Row, Debug, PartialEq)]
#[row(from = (Loan, Book, Author))]
struct Reading {
    reader: String,
    #[row(expr = count())]
    books: u64,
    #[row(expr = Author::NAME)]
    author: String,
}

#[test]
fn structs_from_joins() {
    let store = library();
    let cards = Book::all().left_join(Book::AUTHOR.on(Author::ID)).order_by(Book::ID.asc());
    let cards: Vec<Card> = store.query(cards.select_as()).unwrap();
    let lem = Card {
        title: "Solaris".into(),
        author: Some("lem".into()),
        by: Some("Stanisław Lem".into()),
        born: Some(1921),
    };
    let nobody = Card { title: "Ärger; --'".into(), author: None, by: None, born: None };
    assert_eq!((&cards[0], &cards[3]), (&lem, &nobody));

    let readings = Loan::all()
        .join(Loan::BOOK.on(Book::ID))
        .join(Book::AUTHOR.on(Author::ID))
        .group_by(Loan::READER)
        .group_by(Author::ID)
        .order_by(Loan::READER.asc());
    let readings: Vec<Reading> = store.query(readings.select_as()).unwrap();
    let reading = |reader: &str, books| Reading {
        reader: reader.into(),
        books,
        author: "Stanisław Lem".into(),
    };
    assert_eq!(readings, [reading("ada", 2), reading("bob", 1)]);
}

alias! {
    /// A book of the same price.
    Other = Book,
    Writer2 = Author
}

#[test]
fn a_table_stands_twice_under_an_alias() {
    let store: Store<Library> = library();
    let same_price = Book::all()
        .join(Book::PRICE.on(Book::PRICE.of(Other)))
        .filter(Book::ID.lt(Book::ID.of(Other).joined()))
        .order_by(Book::ID.of(Other));
    let pairs: Vec<(Book, Book)> = store.query(same_price.clone()).unwrap();
    let pairs: Vec<_> = pairs.iter().map(|(a, b)| (&*a.id, &*b.id)).collect();
    assert_eq!(pairs, [("b1", "b2")]);
    let titles = same_price.clone().select((Book::TITLE, Book::TITLE.of(Other)));
    assert_eq!(store.query(titles.one()).unwrap(), ("Solaris".into(), "solaris 100%".into()));
    assert_eq!(store.query(same_price.count()).unwrap(), 1);
}

#[test]
fn aliases_go_through_every_clause_and_stay_live() {
    let store = library();
    let with_both = Loan::all()
        .join(Loan::BOOK.on(Book::ID))
        .left_join(Book::AUTHOR.on(Author::ID))
        .left_join(Book::AUTHOR.on(Author::ID.of(Writer2)))
        .filter(Author::NAME.of(Writer2).contains_text("stanisław"))
        .filter(any_of((Author::BORN.of(Writer2).gt(1900), Loan::DAYS.gt(100))))
        .group_by(Author::ID.of(Writer2))
        .having(Loan::DAYS.sum().gt(0))
        .select((Author::NAME.of(Writer2), Author::ID.of(Writer2), Loan::DAYS.sum()));
    let live = store.live(with_both.clone()).unwrap();
    let lem = |days| vec![(Some("Stanisław Lem".to_owned()), Some("lem".to_owned()), days)];
    assert_eq!(store.query(with_both.clone()).unwrap(), lem(24));
    store
        .commit(LibraryEvent::Lent(Loan { reader: "eve".into(), book: "b2".into(), days: 6 }))
        .unwrap();
    assert_eq!(live.get().iter().map(|row| (**row).clone()).collect::<Vec<_>>(), lem(30));
    assert_eq!(store.query(with_both).unwrap(), lem(30));
}
