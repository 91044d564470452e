//! repo-history

fn main() {}
