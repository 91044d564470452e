use livestore_macros_core::sql_readings;

/// As the macros write it.
const DDL: [&str; 2] = [
    "CREATE TABLE \"todo\" (\"id\" \"i64\" NOT NULL, \"text\" \"String\" NOT NULL, \
     \"done\" \"bool\" NOT NULL DEFAULT 0, \"owner\" \"Option<UserId>\", \"score\" \"Option<f64>\", \
     PRIMARY KEY (\"id\"));\n",
    "CREATE TABLE \"user\" (\"id\" \"UserId\" NOT NULL, \"name\" \"String\" NOT NULL, \
     PRIMARY KEY (\"id\"));\nCREATE UNIQUE INDEX \"by_name\" ON \"user\" (\"name\");\n",
];

/// SQL: where SQLite takes it and so does `sql!`, they count the same columns and binds.
pub fn sql(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if text.contains('\0') {
        // SQLite reads no further, and so `sql!` refuses it.
        return;
    }
    let (ours, sqlites) = sql_readings(&DDL, text);
    if let (Some(ours), Some(mut sqlites)) = (ours, sqlites) {
        if sqlites.is_write {
            // Those of `RETURNING`, which is refused later.
            sqlites.columns = 0;
        }
        assert_eq!(ours, sqlites);
    }
}
