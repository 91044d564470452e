use livestore::prelude::*;

#[table(primary_key(team, user))]
struct Member {
    team: String,
    user: String,
}

fn main() {
    let _ = Member::get("team");
}
