//! `livestore devtools`

use livestore_devtools::{Options, serve_folder};
use serde_json::json;

use crate::args;
use crate::exit::{Failure, Result};
use crate::output::Output;

pub(super) fn run(out: &mut Output, args: &args::Devtools) -> Result {
    let folder = args.place.open()?;
    let options = Options::default().port(args.port.unwrap_or_default());
    let devtools = serve_folder(folder.path(), options).map_err(Failure::failed)?;
    if out.json {
        out.json(&json!({ "url": devtools.url() }))?;
    } else {
        out.line(format!("devtools: {}", devtools.url()))?;
    }
    out.flush()?;
    // Until Ctrl-C.
    loop {
        std::thread::park();
    }
}
