use livestore::prelude::*;

#[derive(Serialize, Deserialize, Shape)]
struct LockedFile {
    path: String,
    size: u64,
}

fn main() {}
