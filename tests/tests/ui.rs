//! Programs that must not compile, and the messages of the compiler.
//!
//! Each file of `ui/fail` has one mistake. `TRYBUILD=overwrite cargo test -p livestore-tests --test ui`
//! rewrites the messages.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test has files, and may panic"
)]

use std::path::Path;

/// The length of a message that people still read.
const MAX_LINES: usize = 10;

/// Messages that are longer, because of lines that the compiler adds.
#[rustfmt::skip]
const LONGER: [(&str, usize, &[&str]); 10] = [
    // A bound of an inherent method, of `Store`, `Writer`, `Table` or `raw`: the compiler shows the call
    // and the bound, which it does not for a trait's own method. These are what an app looks up first,
    // and should be found in the docs of the type.
    ("a method's bound", 19, &[
        "add_to_text", "commit_a_row", "commit_unlisted_document", "commit_unlisted_event",
        "commit_unlisted_event_in_a_batch", "column_equal_by_operator", "condition_by_and_operator",
        "filter_by_a_bool", "filter_by_an_aggregate", "filter_other_table", "get_half_a_key", "get_wrong_key", "join_five_tables",
        "joined_column_without_a_join", "live_query_of_another_schema", "materialize_insert_of_no_row", "materialize_run_of_a_query", "nest_rows_of_another_table", "raw_into_no_row",
        "raw_param_of_no_value", "raw_params_without_tuple", "search_without_columns", "set_of_a_query", "sql_of_another_schema", "sql_query_to_run", "sql_write_to_query",
        "sum_of_text",
    ]),
    // The same, where the compiler shows the method over several lines.
    ("a method's long bound", 22, &["execute_an_event", "execute_unlisted_command", "execute_without_derive"]),
    // The same, of functions and traits that generated code calls.
    ("a bound in generated code", 23, &[
        "alias_of_another_table", "alias_of_nothing", "column_search_of_a_number", "column_type_of_unsupported_type",
        "command_of_an_event_that_is_not_listed", "command_of_no_events", "command_only_serialized",
        "command_that_is_none", "command_without_derive", "command_without_execute", "command_without_serde",
        "document_set_wrong_type", "document_without_default",
        "document_field_not_clone", "event_upcast_of_no_event", "event_upcast_to_something_else",
        "materialize_not_an_event", "row_field_of_another_type", "row_maybe_without_option",
        "select_as_other_source", "store_of_no_schema", "undo_of_an_event_that_is_not_listed", "undo_without_an_impl",
    ]),
    // Mismatched types: the compiler shows the method, too.
    ("a mismatch", 15, &["having_a_column", "set_other_table"]),
    // A panic of a const: the compiler shows its caller, too.
    ("a const's panic", 17, &["event_upcast_of_another_name", "event_upcast_of_client_only"]),
    // The compiler's own errors, with a correction.
    ("the compiler's", 20, &[
        "column_default_not_constant", "column_default_of_json_not_constant", "command_error_of_a_text", "event_upcast_missing_function", "materialize_forgotten_event", "sql_unknown_schema",
    ]),
    // A warning, which the test makes an error: the compiler shows where.
    ("a warning", 11, &["event_deprecated"]),
    // A tuple that is too long is shown over several lines.
    ("a tuple", 11, &["select_seventeen_columns"]),
    // Five lines of ours, of what would break and the ways out.
    ("the lock", 11, &["lock_event_gone", "lock_event_type_gone"]),
    // The SQL is shown as it is written, over several lines.
    ("a raw string", 12, &["sql_unknown_column_in_a_raw_string"]),
];

#[test]
fn mistakes_do_not_compile() {
    write_lock();
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

/// Writes the lock that the `lock_*` mistakes differ from to where trybuild makes its package.
fn write_lock() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let package = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME"));
    std::fs::create_dir_all(&package).unwrap();
    std::fs::write(package.join("livestore.lock"), include_str!("../ui/livestore.lock")).unwrap();
}

#[test]
fn every_mistake_is_one_short_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/fail");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let messages = files.filter(|path| path.extension().is_some_and(|end| end == "stderr"));
    for path in messages {
        let text = std::fs::read_to_string(&path).unwrap();
        let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        let (errors, warnings, lines) = (count("error"), count("warning"), count(""));
        let name = path.file_stem().unwrap().to_str().unwrap();
        let mistakes = mistakes(&path.with_extension("rs"));
        assert!(
            errors == mistakes && warnings == 0 && lines <= mistakes * max_lines(name),
            "{name}: {errors} errors, {warnings} warnings, {lines} lines"
        );
        let is_excused = max_lines(name) > MAX_LINES;
        assert!(!is_excused || lines > MAX_LINES, "{name} is short: take it off the list");
    }
}

fn max_lines(name: &str) -> usize {
    let longer = LONGER.iter().find(|(_, _, names)| names.contains(&name));
    longer.map_or(MAX_LINES, |(_, most, _)| *most)
}

/// Returns the number of mistakes in the file: one, unless its first line says `// 3 mistakes`.
fn mistakes(file: &Path) -> usize {
    let text = std::fs::read_to_string(file).unwrap();
    let stated = text.strip_prefix("// ").and_then(|text| text.split_once(" mistakes"));
    stated.map_or(1, |(count, _)| count.parse().unwrap())
}
