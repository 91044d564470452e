use livestore_macros_core::summarize_sql;

/// As the macros write them.
const TABLES: &str = r#"
    { "todo"
      [("id" not_null: i64) ("text" not_null: String) ("done" not_null default: bool)
       ("owner": Option<UserId>) ("score": Option<f64>)]
      [0] [] }
    { "user" [("id" not_null: UserId) ("name" not_null: String)] [0] [("by_name" unique [1])] }
"#;

/// SQL: where SQLite takes it and so does `sql!`, they count the same columns and binds.
pub fn sql(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if text.contains('\0') {
        // SQLite reads no further, and so `sql!` refuses it.
        return;
    }
    let (ours, sqlites) = summarize_sql(TABLES, text);
    if let (Some(ours), Some(mut sqlites)) = (ours, sqlites) {
        if sqlites.is_write {
            // Those of `RETURNING`, which is refused later.
            sqlites.columns = 0;
        }
        assert_eq!(ours, sqlites);
    }
}
