//! One table, every operator.

use livestore::prelude::*;

use crate::library::{Author, Book, Genre, Loan, ids, library};

const NONE: [&str; 0] = [];

#[test]
fn equal_and_unequal_know_null() {
    assert_eq!(ids(Book::PAGES.eq(204)), ["b1", "b4"]);
    assert_eq!(ids(Book::PAGES.eq(Some(204))), ["b1", "b4"]);
    assert_eq!(ids(Book::PAGES.eq(None::<i64>)), ["b2", "b5"]);
    assert_eq!(ids(Book::PAGES.ne(204)), ["b2", "b3", "b5"]);
    assert_eq!(ids(Book::PAGES.ne(None::<i64>)), ["b1", "b3", "b4"]);
    assert_eq!(ids(Book::PAGES.is_null()), ["b2", "b5"]);
    assert_eq!(ids(Book::PAGES.is_not_null()), ["b1", "b3", "b4"]);
    assert_eq!(ids(Book::PAGES.eq(204).not()), ["b2", "b3", "b5"]);
}

#[test]
fn null_is_neither_less_nor_greater() {
    assert_eq!(ids(Book::PAGES.lt(204)), ["b3"]);
    assert_eq!(ids(Book::PAGES.le(204)), ["b1", "b3", "b4"]);
    assert_eq!(ids(Book::PAGES.gt(189)), ["b1", "b4"]);
    assert_eq!(ids(Book::PAGES.ge(189)), ["b1", "b3", "b4"]);
    assert_eq!(ids(Book::PAGES.lt(None::<i64>)), NONE);
    // SQL's third truth value: what is not known to be less is not known not to be.
    assert_eq!(ids(!Book::PAGES.lt(204)), ["b1", "b4"]);
    assert_eq!(ids(Book::PAGES.between(189, 203)), ["b3"]);
    assert_eq!(ids(Book::PAGES.between(203, 189)), NONE);
    assert_eq!(ids(!Book::PAGES.between(189, 203)), ["b1", "b4"]);
}

#[test]
fn reals_booleans_and_enums() {
    assert_eq!(ids(Book::PRICE.eq(9.5)), ["b1", "b2"]);
    assert_eq!(ids(Book::PRICE.lt(0.0)), ["b5"]);
    assert_eq!(ids(Book::PRICE.eq(-0.0)), ["b4"]);
    assert_eq!(ids(Book::LENDABLE.eq(false)), ["b4"]);
    assert_eq!(ids(Book::LENDABLE.ne(false)), ["b1", "b2", "b3", "b5"]);
    assert_eq!(ids(Book::GENRE.eq(Genre::Poetry)), ["b4", "b5"]);
    assert_eq!(ids(Book::GENRE.in_([Genre::ScienceFiction])), ["b1", "b2", "b3"]);
}

#[test]
fn a_list_may_be_empty_or_have_null() {
    assert_eq!(ids(Book::ID.in_(["b5", "b1", "b1", "x"])), ["b1", "b5"]);
    assert_eq!(ids(Book::ID.in_(Vec::<String>::new())), NONE);
    assert_eq!(ids(!Book::PAGES.in_(Vec::<i64>::new())), ["b1", "b2", "b3", "b4", "b5"]);
    assert_eq!(ids(Book::PAGES.in_([204])), ["b1", "b4"]);
    assert_eq!(ids(Book::PAGES.in_([Some(204), None])), ["b1", "b2", "b4", "b5"]);
    assert_eq!(ids(Book::PAGES.in_([None::<i64>])), ["b2", "b5"]);
}

#[test]
fn like_ignores_the_case_of_ascii_only() {
    assert_eq!(ids(Book::TITLE.like("SOLARIS%")), ["b1", "b2"]);
    assert_eq!(ids(Book::TITLE.like("s_laris")), ["b1"]);
    assert_eq!(ids(Book::TITLE.like("%\"world\"%")), ["b3"]);
    assert_eq!(ids(Book::TITLE.like("Ä%")), ["b4"]);
    assert_eq!(ids(Book::TITLE.like("ä%")), NONE);
    assert_eq!(ids(Book::TITLE.like("_rger%")), ["b4"]);
    assert_eq!(ids(Book::TITLE.like("")), ["b5"]);
    assert_eq!(ids(Book::AUTHOR.like("l%")), ["b1", "b2", "b3"]);
    assert_eq!(ids(!Book::AUTHOR.like("l%")), ["b5"]);
}

#[test]
fn values_are_never_sql() {
    assert_eq!(ids(Book::TITLE.eq("Ärger; --'")), ["b4"]);
    assert_eq!(ids(Book::TITLE.eq("' OR 1 = 1 --")), NONE);
    assert_eq!(ids(Book::TITLE.in_(["x') OR (1 = 1"])), NONE);
    let found = library().query(Author::filter(Author::NAME.eq("O'Anonymous")).one()).unwrap();
    assert_eq!((found.id.as_str(), found.born), ("anon", None));
}

#[test]
fn a_json_list_contains_an_item() {
    assert_eq!(ids(Book::TAGS.contains("space")), ["b1", "b3"]);
    assert_eq!(ids(Book::TAGS.contains("o'cean".to_owned())), ["b1"]);
    assert_eq!(ids(Book::TAGS.contains("spac")), NONE);
    assert_eq!(ids(!Book::TAGS.contains("space")), ["b2", "b4", "b5"]);
    assert_eq!(ids(Book::TAGS.eq(Json(vec!["space".to_owned()]))), ["b3"]);
}

#[test]
fn conditions_nest() {
    let poetry = || Book::GENRE.eq(Genre::Poetry);
    let long = || Book::PAGES.gt(200);
    assert_eq!(ids(poetry().and(long())), ["b4"]);
    assert_eq!(ids(poetry().or(long())), ["b1", "b4", "b5"]);
    assert_eq!(ids(poetry() & !long()), NONE);
    assert_eq!(ids(!(poetry() | Book::PAGES.is_null())), ["b1", "b3"]);
    assert_eq!(ids(!!poetry()), ["b4", "b5"]);
    // `and` binds what it is called on: (a or b) and c.
    assert_eq!(ids(poetry().or(long()).and(Book::LENDABLE.eq(true))), ["b1", "b5"]);
    assert_eq!(ids(poetry().or(long().and(Book::LENDABLE.eq(true)))), ["b1", "b4", "b5"]);
}

#[test]
fn filters_add_up() {
    let query = Book::filter(Book::GENRE.eq(Genre::Poetry).or(Book::PAGES.gt(200)))
        .filter(Book::LENDABLE.eq(true))
        .filter(Book::PAGES.is_not_null());
    assert_eq!(library().query(query.select(Book::ID)).unwrap(), ["b1"]);
}

#[test]
fn a_value_without_sql_form_fails_the_query() {
    let error = library().query(Book::filter(Book::PRICE.lt(f64::NAN))).unwrap_err();
    assert!(
        matches!(&error, QueryError::Value { column, .. } if column == "book.price"),
        "{error}"
    );
    let nested = Book::LENDABLE.eq(true).and(!Book::PRICE.between(0.0, f64::NAN));
    assert!(library().query(Book::filter(nested).count()).is_err());
}

#[test]
fn a_row_by_its_key() {
    let store = library();
    let title = |book: Option<Book>| book.map(|book| book.title);
    assert_eq!(title(store.query(Book::get("b1")).unwrap()).as_deref(), Some("Solaris"));
    assert_eq!(
        title(store.query(Book::get(String::from("b1"))).unwrap()).as_deref(),
        Some("Solaris")
    );
    let missing = String::from("x");
    assert_eq!(title(store.query(Book::get(&missing)).unwrap()), None);
    // In the order of the key, not of the fields.
    let loan = store.query(Loan::get(("b1", "bob"))).unwrap();
    assert_eq!(loan.map(|loan| loan.days), Some(14));
    assert_eq!(store.query(Loan::get(("bob", "b1"))).unwrap(), None);
}

#[test]
fn a_long_list_is_one_query() {
    let many = (0..30_000).map(|n| format!("b{n}"));
    assert_eq!(ids(Book::ID.in_(many)), ["b1", "b2", "b3", "b4", "b5"]);
}

#[test]
fn a_very_long_list_is_one_query() {
    let many = (0..40_000).map(|n| format!("b{n}"));
    assert_eq!(ids(Book::ID.in_(many)), ["b1", "b2", "b3", "b4", "b5"]);
}
