//! todo

fn main() {}
