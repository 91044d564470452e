use livestore::prelude::*;

#[derive(Serialize, Deserialize, Shape)]
enum LockedTag {
    Work,
}

fn main() {}
