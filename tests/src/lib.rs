//! Tests that span crates.

/// Tables that a schema of another crate lists.
pub mod shared {
    use livestore::prelude::*;

    /// How a person is called.
    #[derive(ColumnType, Debug, Clone, PartialEq)]
    pub struct Name(pub String);

    /// A table of this crate.
    #[table]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Person {
        /// The key.
        #[column(primary_key)]
        pub id: i64,
        /// Of a type that the other crate need not name.
        pub name: Name,
        /// Maybe missing.
        pub seen: Option<Timestamp>,
    }
}
