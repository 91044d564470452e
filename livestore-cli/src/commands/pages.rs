//! `livestore completions` and `livestore man`

use std::fs;

use crate::args::{Completions, Man};
use crate::exit::Result;
use crate::output::Output;

pub(super) fn completions(out: &mut Output, args: &Completions) -> Result {
    // It ends the program if it cannot write: so it writes to memory.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "livestore", &mut text);
    Ok(std::io::Write::write_all(out, &text)?)
}

pub(super) fn man(args: &Man) -> Result {
    fs::create_dir_all(&args.directory)?;
    Ok(clap_mangen::generate_to(crate::command(), &args.directory)?)
}
