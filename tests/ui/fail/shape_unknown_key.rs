use livestore::prelude::*;

#[derive(Serialize, Deserialize, Shape)]
#[shape(nmae = "Tag")]
enum Kind {
    Work,
}

fn main() {}
