//! A library of awkward books: no author, no pages, the same price, quotes and umlauts.

use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Author {
    #[column(primary_key)]
    pub id: String,
    pub name: String,
    pub born: Option<i64>,
}

#[table]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Book {
    #[column(primary_key)]
    pub id: String,
    pub title: String,
    pub author: Option<String>,
    pub pages: Option<i64>,
    pub price: f64,
    pub lendable: bool,
    pub genre: Genre,
    pub tags: Json<Vec<String>>,
}

#[derive(ColumnType, Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Genre {
    ScienceFiction,
    Poetry,
}

#[table(primary_key(book, reader))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loan {
    pub reader: String,
    pub book: String,
    pub days: i32,
}

#[derive(Event)]
pub enum LibraryEvent {
    #[event(name = "v1.AuthorAdded")]
    AuthorAdded(Author),
    #[event(name = "v1.BookAdded")]
    BookAdded(Book),
    #[event(name = "v1.BookLent")]
    Lent(Loan),
}

impl Materialize for LibraryEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::AuthorAdded(author) => state.insert(author),
            Self::BookAdded(book) => state.insert(book),
            Self::Lent(loan) => state.insert(loan),
        }
    }
}

livestore::schema! { pub Library { tables: [Author, Book, Loan], events: [LibraryEvent] } }

pub fn library() -> Store<Library> {
    let store = Store::<Library>::builder("library").open().unwrap();
    let author = |id: &str, name: &str, born| Author { id: id.into(), name: name.into(), born };
    let authors = [
        author("lem", "Stanisław Lem", Some(1921)),
        author("leguin", "Ursula K. Le Guin", Some(1929)),
        author("anon", "O'Anonymous", None),
    ];
    store.commit(authors.map(LibraryEvent::AuthorAdded)).unwrap();
    store.commit(books().map(LibraryEvent::BookAdded)).unwrap();
    let loan = |book: &str, reader: &str, days| {
        LibraryEvent::Lent(Loan { book: book.into(), reader: reader.into(), days })
    };
    store.commit([loan("b1", "ada", 7), loan("b1", "bob", 14), loan("b2", "ada", 3)]).unwrap();
    store
}

fn books() -> [Book; 5] {
    let book = |id: &str, title: &str, author: Option<&str>, pages, price| Book {
        id: id.into(),
        title: title.into(),
        author: author.map(str::to_owned),
        pages,
        price,
        lendable: true,
        genre: Genre::ScienceFiction,
        tags: Json(Vec::new()),
    };
    [
        Book {
            tags: Json(vec!["space".into(), "o'cean".into()]),
            ..book("b1", "Solaris", Some("lem"), Some(204), 9.5)
        },
        book("b2", "solaris 100%", Some("lem"), None, 9.5),
        Book {
            tags: Json(vec!["space".into()]),
            ..book("b3", "The Word for \"World\" Is Forest", Some("leguin"), Some(189), 12.0)
        },
        Book {
            genre: Genre::Poetry,
            lendable: false,
            ..book("b4", "Ärger; --'", None, Some(204), 0.0)
        },
        Book { genre: Genre::Poetry, ..book("b5", "", Some("anon"), None, -1.25) },
    ]
}

/// The ids of the books that meet the condition, in order.
#[track_caller]
pub fn ids(condition: Condition<Book>) -> Vec<String> {
    library().query(Book::filter(condition).order_by(Book::ID.asc()).select(Book::ID)).unwrap()
}
