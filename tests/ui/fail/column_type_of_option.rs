use livestore::prelude::*;

#[derive(ColumnType)]
struct Due(Option<Timestamp>);

fn main() {}
