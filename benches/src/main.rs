//! livestore-benches

fn main() {}
