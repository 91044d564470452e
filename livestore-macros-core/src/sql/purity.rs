//! Functions that an app's SQL may not call. `livestore` refuses the same ones at run time, in
//! `sqlite/access.rs`.

/// Functions whose result depends on more than the event and the state.
pub(super) const IMPURE: &[&str] = &[
    "random",
    "randomblob",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "time",
    "datetime",
    "julianday",
    "unixepoch",
    "strftime",
    "timediff",
    "changes",
    "total_changes",
    "last_insert_rowid",
    "sqlite_version",
    "sqlite_source_id",
];

/// Functions that reach outside the database.
pub(super) const FORBIDDEN: &[&str] = &["load_extension", "fts3_tokenizer"];

#[cfg(test)]
mod tests {
    /// The list of this name, as the file has it.
    fn list<'t>(file: &'t str, name: &str) -> &'t str {
        let start = file.find(&format!("const {name}: ")).unwrap();
        file[start..].split(';').next().unwrap()
    }

    #[test]
    fn the_lists_are_those_of_the_run_time() {
        let ours = include_str!("purity.rs");
        let theirs = include_str!("../../../livestore/src/sqlite/access.rs");
        for name in ["IMPURE", "FORBIDDEN"] {
            assert_eq!(list(ours, name), list(theirs, name));
        }
    }
}
