//! The result of a query: the number of rows, their order, and their type.

use livestore::SqliteErrorKind;
use livestore::prelude::*;
use livestore::table::Select;

use crate::library::{Author, Book, Genre, LibraryEvent, Loan, library};

#[test]
fn ordered_by_several_things_with_nulls_first() {
    let store = library();
    let ids = |query: Select<Book>| store.query(query.select(Book::ID)).unwrap();
    let all = Book::all;
    assert_eq!(
        ids(all().order_by(Book::PAGES.asc()).order_by(Book::ID.desc())),
        ["b5", "b2", "b3", "b4", "b1"]
    );
    assert_eq!(
        ids(all().order_by(Book::PAGES.desc()).order_by(Book::ID.asc())),
        ["b1", "b4", "b3", "b2", "b5"]
    );
    // By code point: upper case before lower, umlauts last.
    assert_eq!(ids(all().order_by(Book::TITLE.asc())), ["b5", "b1", "b3", "b2", "b4"]);
}

#[test]
fn limit_and_offset() {
    let store = library();
    let page = |limit: Option<u64>, offset: Option<u64>| {
        let mut query = Book::all().order_by(Book::ID.asc());
        if let Some(rows) = limit {
            query = query.limit(rows);
        }
        if let Some(rows) = offset {
            query = query.offset(rows);
        }
        let count = store.query(query.clone().count()).unwrap();
        let ids = store.query(query.select(Book::ID)).unwrap();
        assert_eq!(count, ids.len() as u64);
        ids
    };
    assert_eq!(page(Some(2), None), ["b1", "b2"]);
    assert_eq!(page(Some(2), Some(4)), ["b5"]);
    assert_eq!(page(None, Some(3)), ["b4", "b5"]);
    assert_eq!(page(Some(0), None).len(), 0);
    assert_eq!(page(Some(u64::MAX), Some(u64::MAX)).len(), 0);
    assert_eq!(page(Some(u64::MAX), None).len(), 5);
}

#[test]
fn first_one_and_optional() {
    let store = library();
    let poetry = || Book::filter(Book::GENRE.eq(Genre::Poetry)).order_by(Book::ID.asc());
    let nothing = || Book::filter(Book::ID.eq("x"));
    let solaris = || Book::filter(Book::ID.eq("b1")).select(Book::PAGES);

    assert_eq!(store.query(poetry().first()).unwrap().unwrap().id, "b4");
    assert_eq!(store.query(nothing().first()).unwrap(), None);

    assert_eq!(store.query(solaris().one()).unwrap(), Some(204));
    assert_eq!(store.query(nothing().one()).unwrap_err(), QueryError::NoRow);
    assert_eq!(store.query(poetry().one()).unwrap_err(), QueryError::SeveralRows);

    assert_eq!(store.query(solaris().optional()).unwrap(), Some(Some(204)));
    assert_eq!(store.query(nothing().optional()).unwrap(), None);
    assert_eq!(store.query(poetry().optional()).unwrap_err(), QueryError::SeveralRows);
    // Of several rows, a limit may leave one.
    assert_eq!(store.query(poetry().limit(1).one()).unwrap().id, "b4");
    assert_eq!(store.query(poetry().offset(1).one()).unwrap().id, "b5");
}

#[test]
fn counts() {
    let store = library();
    assert_eq!(store.query(Book::all().count()).unwrap(), 5);
    assert_eq!(store.query(Book::filter(Book::PAGES.is_null()).count()).unwrap(), 2);
    // One row per group.
    let authors = Book::all().group_by(Book::AUTHOR);
    assert_eq!(store.query(authors.clone().count()).unwrap(), 4);
    assert_eq!(store.query(authors.limit(3).count()).unwrap(), 3);
}

#[test]
fn aggregates() {
    let store = library();
    let all =
        Book::all().select((count(), Book::PAGES.count(), Book::PAGES.sum(), Book::PAGES.avg()));
    assert_eq!(store.query(all.one()).unwrap(), (5, 3, 597, Some(199.0)));
    let ends = Book::all().select((
        Book::PAGES.min(),
        Book::PAGES.max(),
        Book::PRICE.sum(),
        Book::TITLE.min(),
        Book::GENRE.max(),
    ));
    let expected =
        (Some(189), Some(204), Some(29.75), Some(String::new()), Some(Genre::ScienceFiction));
    assert_eq!(store.query(ends.one()).unwrap(), expected);
}

#[test]
fn aggregates_of_nothing() {
    let store = library();
    let nothing = Book::filter(Book::ID.eq("x"));
    let row = nothing.select((
        count(),
        Book::PAGES.sum(),
        Book::PRICE.sum(),
        Book::PRICE.avg(),
        Book::TITLE.max(),
    ));
    assert_eq!(store.query(row.one()).unwrap(), (0, 0, Some(0.0), None, None));
    let groups = Book::filter(Book::ID.eq("x")).group_by(Book::GENRE).select(count());
    assert_eq!(store.query(groups).unwrap().len(), 0);
}

#[test]
fn a_sum_that_overflows_64_bits_is_an_error() {
    let store = library();
    let huge = |id: &str| {
        let author = Author { id: id.into(), name: String::new(), born: Some(i64::MAX) };
        LibraryEvent::AuthorAdded(author)
    };
    store.commit([huge("x"), huge("y")]).unwrap();
    let error = store.query(Author::all().select(Author::BORN.sum()).one()).unwrap_err();
    let QueryError::Sql { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.kind(), SqliteErrorKind::Overflow);
    // The mean is a float and has room.
    assert!(store.query(Author::all().select(Author::BORN.avg()).one()).unwrap().is_some());
}

#[test]
fn groups_with_nulls_and_ordered_by_their_size() {
    let store = library();
    let per_author = Book::all()
        .group_by(Book::AUTHOR)
        .order_by(count().desc())
        .order_by(Book::AUTHOR.asc())
        .select((Book::AUTHOR, count(), Book::PAGES.sum()));
    let author = |id: &str| Some(id.to_owned());
    assert_eq!(
        store.query(per_author).unwrap(),
        [
            (author("lem"), 2, 204),
            (None, 1, 204),
            (author("anon"), 1, 0),
            (author("leguin"), 1, 189)
        ]
    );
    let per_genre_and_page = Book::all().group_by(Book::GENRE).group_by(Book::PAGES).count();
    assert_eq!(store.query(per_genre_and_page).unwrap(), 5);
}

#[test]
fn a_column_or_a_tuple_instead_of_rows() {
    let store = library();
    let query = Book::filter(Book::PAGES.eq(204)).order_by(Book::ID.asc());
    assert_eq!(store.query(query.clone().select(Book::PRICE)).unwrap(), [9.5, 0.0]);
    assert_eq!(store.query(query.clone().select((Book::PRICE,))).unwrap(), [(9.5,), (0.0,)]);
    let rows = query.select((Book::ID, Book::AUTHOR, Book::GENRE, Book::ID));
    assert_eq!(
        store.query(rows.first()).unwrap(),
        Some(("b1".into(), Some("lem".into()), Genre::ScienceFiction, "b1".into()))
    );
}

#[derive(Row, Debug, PartialEq)]
#[row(from = Book)]
struct Listed {
    price: f64,
    id: String,
    #[row(expr = Book::TITLE)]
    name: String,
}

#[derive(Row, Debug, PartialEq)]
#[row(from = Book)]
struct PerAuthor {
    author: Option<String>,
    #[row(expr = count())]
    books: u64,
    #[row(expr = Book::PAGES.max())]
    longest: Option<i64>,
}

#[test]
fn structs_instead_of_rows() {
    let store = library();
    let solaris = store.query(Book::filter(Book::ID.eq("b1")).select_as::<Listed>().one()).unwrap();
    assert_eq!(solaris, Listed { price: 9.5, id: "b1".into(), name: "Solaris".into() });
    let lem = Book::all().filter(Book::AUTHOR.eq("lem")).group_by(Book::AUTHOR).select_as();
    let lem: PerAuthor = store.query(lem.one()).unwrap();
    assert_eq!(lem, PerAuthor { author: Some("lem".into()), books: 2, longest: Some(204) });
}

#[test]
fn a_query_is_a_value_that_can_be_run_again() {
    let store = library();
    let query = Loan::filter(Loan::DAYS.gt(3)).order_by(Loan::DAYS.asc());
    let once = store.query(&query).unwrap();
    assert_eq!(once.iter().map(|loan| loan.days).collect::<Vec<_>>(), [7, 14]);
    assert_eq!(store.query(query.clone()).unwrap(), once);
    assert_eq!(store.query(query.first()).unwrap(), once.into_iter().next());
}
