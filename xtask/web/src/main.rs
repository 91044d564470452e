//! Makes what a browser loads, and serves it: `cargo xtask web` calls it.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

mod serve;

const USAGE: &str = "\
Usage: livestore-web-tool bindgen WASM FOLDER FILE…
       livestore-web-tool serve FOLDER PORT

Writes WASM, the JavaScript that it needs, and copies of the files to FOLDER; or serves FOLDER to this
machine.
";

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bindgen", wasm, folder, files @ ..] => bindgen(wasm.as_ref(), folder.as_ref(), files),
        ["serve", folder, port] => serve(folder.as_ref(), port),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bindgen(wasm: &Path, folder: &Path, files: &[&str]) -> Result {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).web(true)?.typescript(false).omit_default_module_path(false);
    bindgen.generate(folder)?;
    for file in files.iter().map(Path::new) {
        fs::copy(file, folder.join(file.file_name().ok_or("a file has a name")?))?;
    }
    Ok(())
}

fn serve(folder: &Path, port: &str) -> Result {
    serve::run(folder, port.parse()?)
}
