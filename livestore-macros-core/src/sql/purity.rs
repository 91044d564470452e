//! Functions that an app's SQL may not call. `livestore` refuses the same ones at run time, in
//! `sqlite/functions.rs`.

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
];

/// Functions that reach outside the database.
pub(super) const FORBIDDEN: &[&str] = &["load_extension", "fts3_tokenizer"];

#[cfg(test)]
mod tests {
    use super::super::infer::functions::FUNCTIONS;
    use super::IMPURE;

    /// The texts in the lists of these names, as the run time has them.
    fn lists(names: &[&str]) -> Vec<&'static str> {
        let file = include_str!("../../../livestore/src/sqlite/functions.rs");
        let list = |name: &&str| {
            let start = file.find(&format!("const {name}: ")).unwrap();
            file[start..].split(';').next().unwrap().split('"').skip(1).step_by(2)
        };
        names.iter().flat_map(list).collect()
    }

    #[test]
    fn the_lists_are_those_of_the_run_time() {
        assert_eq!(IMPURE, lists(&["CHANGING", "OF_THE_BUILD"]));
        let mut ours: Vec<_> = FUNCTIONS.iter().map(|function| function.name).collect();
        ours.dedup();
        assert_eq!(ours, lists(&["KNOWN"]));
    }
}
