use livestore::prelude::*;

#[derive(Serialize, Deserialize, Shape)]
#[serde(untagged)]
enum LockedTag {
    Home,
    Work,
}

fn main() {}
