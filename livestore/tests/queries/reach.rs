//! What goes beyond a column compared with a value: columns beside columns, conditions that may be
//! missing, text, groups, distinct rows, many columns.

use livestore::prelude::*;

use crate::library::{Author, Book, Genre, Library, LibraryEvent, Loan, ids, library};

#[test]
fn a_column_is_compared_with_a_column() {
    let store = library();
    let query = |condition: Condition<Author>| {
        store.query(Author::filter(condition).order_by(Author::ID).select(Author::ID)).unwrap()
    };
    assert_eq!(query(Author::ID.eq(Author::NAME)), Vec::<String>::new());
    assert_eq!(query(Author::ID.gt(Author::NAME)), ["anon", "leguin", "lem"]);
    assert_eq!(query(Author::BORN.eq(Author::BORN)), ["anon", "leguin", "lem"], "NULL equals NULL");
    assert_eq!(query(Author::BORN.le(Author::BORN)), ["leguin", "lem"], "NULL is not ordered");
    assert_eq!(query(Author::ID.lt(Author::NAME).or(Author::ID.eq("lem"))), ["lem"]);
}

#[test]
fn a_column_is_compared_with_one_of_a_joined_table() {
    let store = library();
    let younger = Book::all()
        .join(Book::AUTHOR.on(Author::ID))
        .filter(Book::PAGES.lt(Author::BORN.joined()).and(Book::TITLE.ne(Author::NAME.joined())));
    assert_eq!(store.query(younger.order_by(Book::ID).select(Book::ID)).unwrap(), ["b1", "b3"]);
}

#[test]
fn conditions_on_several_tables_are_joined() {
    let store = library();
    let joined = || Book::all().left_join(Book::AUTHOR.on(Author::ID)).order_by(Book::ID);
    let ids = |query: livestore::table::Select<_, _>| store.query(query).unwrap();
    let either = any_of((Book::PAGES.eq(204), Author::BORN.is_null(), Author::ID.eq("leguin")));
    assert_eq!(ids(joined().filter(either).select(Book::ID)), ["b1", "b3", "b4", "b5"]);
    let both =
        all_of((Book::PAGES.eq(204), !any_of((Author::ID.eq("lem"), Book::LENDABLE.eq(true)))));
    assert_eq!(ids(joined().filter(both).select(Book::ID)), ["b4"]);
}

#[test]
fn lists_of_conditions_may_be_empty() {
    assert_eq!(ids(all_of(Vec::new())).len(), 5);
    assert_eq!(ids(any_of(Vec::new())), [""; 0]);
    assert_eq!(ids(!all_of([])), [""; 0]);
    assert_eq!(ids(any_of([Book::ID.eq("b1"), Book::ID.eq("b3")])), ["b1", "b3"]);
    assert_eq!(ids(all_of(Vec::new()).and(Book::ID.eq("b1"))), ["b1"]);
}

#[test]
fn a_condition_may_be_missing() {
    let store = library();
    let found = |search: Option<&str>, pages: Option<i64>| {
        let query = Book::filter(search.map(|text| Book::TITLE.contains_text(text)))
            .filter(pages.map(|pages| Book::PAGES.ge(pages)));
        store.query(query.order_by(Book::ID).select(Book::ID)).unwrap()
    };
    assert_eq!(found(None, None).len(), 5);
    assert_eq!(found(Some("SOLARIS"), None), ["b1", "b2"]);
    assert_eq!(found(Some("solaris"), Some(200)), ["b1"]);
    assert_eq!(found(None, Some(189)), ["b1", "b3", "b4"]);
}

#[test]
fn text_is_found_as_it_is_whatever_its_case() {
    assert_eq!(ids(Book::TITLE.contains_text("ärger;")), ["b4"]);
    assert_eq!(ids(Book::TITLE.contains_text("ÄRGER")), ["b4"]);
    assert_eq!(ids(Book::TITLE.contains_text("100%")), ["b2"]);
    assert_eq!(ids(Book::TITLE.contains_text("_")), [""; 0]);
    assert_eq!(ids(Book::TITLE.contains_text("")).len(), 5);
    assert_eq!(ids(!Book::TITLE.contains_text("s")), ["b4", "b5"]);
    assert_eq!(ids(Book::AUTHOR.contains_text("LE")), ["b1", "b2", "b3"]);
}

#[test]
fn a_prefix_is_exact() {
    assert_eq!(ids(Book::TITLE.starts_with("Sol")), ["b1"]);
    assert_eq!(ids(Book::TITLE.starts_with("")).len(), 5);
    assert_eq!(ids(Book::TITLE.starts_with("Ä")), ["b4"]);
    assert_eq!(ids(Book::TITLE.starts_with("\u{10ffff}")), [""; 0]);
    assert_eq!(ids(!Book::AUTHOR.starts_with("le")), ["b5"], "NULL neither begins so nor not");
}

#[test]
fn groups_meet_conditions() {
    let store = library();
    let genres = Book::all()
        .group_by(Book::GENRE)
        .having(count().gt(2).and(Book::PRICE.min().gt(0.0)))
        .select((Book::GENRE, count()));
    assert_eq!(store.query(genres.clone()).unwrap(), [(Genre::ScienceFiction, 3)]);
    assert_eq!(store.query(genres.count()).unwrap(), 1);
    let missing = Loan::all().group_by(Loan::BOOK).having(!Loan::DAYS.max().ge(10));
    assert_eq!(store.query(missing.select(Loan::BOOK)).unwrap(), ["b2"]);
    let some = Book::all().having(count().gt(100)).select(count()).optional();
    assert_eq!(store.query(some).unwrap(), None);
}

#[test]
fn distinct_rows_are_returned_once_and_in_order() {
    let store = library();
    let pages = Book::all().select(Book::PAGES).distinct();
    assert_eq!(store.query(pages.clone()).unwrap(), [None, Some(189), Some(204)]);
    assert_eq!(store.query(pages.clone().count()).unwrap(), 3);
    let down = pages.clone().order_by(Book::PAGES.desc()).limit(2);
    assert_eq!(store.query(down).unwrap(), [Some(204), Some(189)]);
    assert_eq!(
        store.query(pages.order_by(Book::ID)).unwrap_err().to_string(),
        "distinct rows are ordered by book.id, which is not selected; select it, too"
    );
}

#[test]
fn what_differs_within_a_group_is_not_returned() {
    let store = library();
    let error = |error: QueryError| error.to_string();
    let title = Book::all().group_by(Book::AUTHOR).select((Book::AUTHOR, Book::TITLE));
    assert_eq!(
        store.query(title.clone()).map_err(error).unwrap_err(),
        "the rows of a group may differ in book.title; group by it, too, or use an aggregate such as `max()`"
    );
    assert!(store.live(title).is_err());
    let ordered = Book::all().group_by(Book::AUTHOR).order_by(Book::ID).select(count());
    assert!(matches!(store.query(ordered), Err(QueryError::Ungrouped { .. })));
    let beside = Book::all().select((Book::TITLE, Book::PAGES.max()));
    assert!(matches!(store.query(beside), Err(QueryError::Ungrouped { .. })));
    let rows = Book::all().group_by(Book::AUTHOR);
    assert!(matches!(store.query(rows), Err(QueryError::Ungrouped { .. })));
}

#[test]
fn a_group_of_one_key_has_all_columns_of_its_row() {
    let store = library();
    let per_author = Author::all()
        .left_join(Author::ID.on(Book::AUTHOR))
        .group_by(Author::ID)
        .order_by(Author::NAME)
        .select((Author::NAME, Author::BORN, Book::ID.count()));
    let counts: Vec<_> = store.query(per_author).unwrap().into_iter().map(|row| row.2).collect();
    assert_eq!(counts, [1, 2, 1]);
    let loans = Loan::all().group_by(Loan::BOOK).group_by(Loan::READER);
    assert_eq!(store.query(loans).unwrap().len(), 3);
}

#[test]
fn a_column_alone_is_an_ascending_order() {
    let store = library();
    let order = Book::all().order_by(Book::PRICE).order_by(Book::ID.desc()).select(Book::ID);
    assert_eq!(store.query(order).unwrap(), ["b5", "b4", "b2", "b1", "b3"]);
    let counts = Book::all().group_by(Book::GENRE).order_by(count()).select(count());
    assert_eq!(store.query(counts).unwrap(), [2, 3]);
}

#[test]
fn sixteen_columns_are_selected() {
    let store = library();
    use Loan as L;
    let (b, r, d) = (L::BOOK, L::READER, L::DAYS);
    let wide = L::filter(L::DAYS.eq(3)).select((b, r, d, b, r, d, b, r, d, b, r, d, b, r, d, d));
    let wide = store.query(wide.one()).unwrap();
    assert_eq!((&*wide.0, wide.15), ("b2", 3));
    let sql = "SELECT 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16";
    type I = i64;
    let raw = raw::<(I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I)>(sql, ()).one();
    assert_eq!(store.query(raw).unwrap().15, 16);
}

#[test]
fn each_is_kept_live() {
    let store: Store<Library> = library();
    let open =
        store.live(Book::filter(Book::TITLE.contains_text("SOL")).order_by(Book::ID)).unwrap();
    let same = store.live(Author::filter(Author::ID.eq(Author::NAME)).count()).unwrap();
    let pages = store.live(Book::all().select(Book::PAGES).distinct()).unwrap();
    let popular = store
        .live(Loan::all().group_by(Loan::BOOK).having(count().gt(2)).select(Loan::BOOK))
        .unwrap();
    assert_eq!(
        (open.get().len(), **same.get(), pages.get().len(), popular.get().len()),
        (2, 0, 3, 0)
    );
    let book = Book {
        id: "b6".into(),
        title: "Consolation".into(),
        author: None,
        pages: Some(1),
        price: 1.0,
        lendable: true,
        genre: Genre::Poetry,
        tags: Json(Vec::new()),
    };
    let author = Author { id: "x".into(), name: "x".into(), born: None };
    let loan = Loan { reader: "eve".into(), book: "b1".into(), days: 1 };
    store
        .commit((
            LibraryEvent::BookAdded(book),
            LibraryEvent::AuthorAdded(author),
            LibraryEvent::Lent(loan),
        ))
        .unwrap();
    assert_eq!(
        (open.get().len(), **same.get(), pages.get().len(), popular.get().len()),
        (3, 1, 4, 1)
    );
}

/// A materializer does not know in which schema its event is listed.
#[test]
fn a_table_that_is_not_listed_is_named() {
    #[table]
    struct Unlisted {
        #[column(primary_key)]
        id: i64,
    }

    #[derive(Event)]
    enum Tried {
        #[event(name = "v1.Read")]
        Read,
        #[event(name = "v1.Inserted")]
        Inserted,
        #[event(name = "v1.Updated")]
        Updated,
        #[event(name = "v1.Deleted")]
        Deleted,
    }

    impl Materialize for Tried {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            match self {
                Self::Read => state.query(Unlisted::all().count()).map(drop).map_err(Into::into),
                Self::Inserted => state.insert(&Unlisted { id: 1 }),
                Self::Updated => state.run(Unlisted::update().set(Unlisted::ID, 2)),
                Self::Deleted => state.run(Unlisted::delete()),
            }
        }
    }

    livestore::schema! { Trials { events: [Tried] } }

    let store = Store::<Trials>::builder("trials").open().unwrap();
    for tried in [Tried::Read, Tried::Inserted, Tried::Updated, Tried::Deleted] {
        let error = livestore::ErrorChain::new(&store.commit(tried).unwrap_err()).to_string();
        let end =
            "table unlisted is not in the store's schema; list it in `schema!` under `tables`";
        assert!(error.ends_with(end), "{error}");
    }
}
