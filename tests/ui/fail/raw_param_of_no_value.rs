use livestore::prelude::*;


fn main() {
    let _ = raw::<(String,)>("SELECT id FROM todo WHERE due > ?", (std::time::Duration::ZERO,));
}
