use livestore::prelude::*;

#[derive(ColumnType)]
enum Priority {
    Low,
    High(u8),
}

fn main() {}
