use livestore::prelude::*;


fn main() {
    let _ = raw::<(String,)>("SELECT id FROM todo WHERE done = ?", true);
}
