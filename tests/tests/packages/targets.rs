//! The schema of a package is that of its library and its binaries, not of its tests.

use crate::scratch::Scratch;

fn app(event: &str) -> String {
    format!(
        "
        #[derive(Event)]
        #[event(name = \"{event}\")]
        pub struct Noted {{ pub id: String }}
        impl Materialize for Noted {{
            fn materialize(&self, _: &mut Writer<'_>) -> Result<(), MaterializeError> {{ Ok(()) }}
        }}
        livestore::schema! {{ pub App {{ events: [Noted] }} }}"
    )
}

fn with_prelude(source: &str) -> String {
    format!("use livestore::prelude::*;\n{source}\npub fn main() {{}}")
}

#[test]
fn tests_benches_and_examples_have_no_lock() {
    let source =
        format!("{}\n#[cfg(test)] mod tests {{ use super::*; {} }}", app("v1.Lib"), app("v1.Unit"));
    let scratch = Scratch::library("targets", &source);
    for folder in ["tests", "benches", "examples"] {
        let source = with_prelude(&app(&format!("v1.In{folder}")));
        scratch.write(&format!("{folder}/other.rs"), &format!("#![allow(dead_code)]\n{source}"));
    }
    scratch.check_with("accept", &["--all-targets"]).passes_with("");
    assert_eq!(
        scratch.lock(),
        ["event v1.Lib = Noted", "event v1.Lib id: String", "schema App Noted: event"]
    );
    scratch.check_with("frozen", &["--all-targets"]).passes_with("");
}

#[test]
fn doc_tests_have_no_lock() {
    let example = app("v1.Doc").replace('\n', "\n//! ");
    let doc = format!("//! ```{{}}\n//! use livestore::prelude::*;{example}\n//! ```\n");
    // Rustdoc compiles the first together with its like.
    let docs = doc.replace("{}", "") + &doc.replace("{}", "standalone_crate");
    let scratch = Scratch::new("documented");
    scratch.write("src/lib.rs", &format!("{docs}use livestore::prelude::*;{}", app("v1.Lib")));
    scratch.cargo("test", "accept", &["--doc"]).passes_with("");
    scratch.cargo("test", "frozen", &["--doc"]).passes_with("");
    assert_eq!(scratch.lock().len(), 3);
}

#[test]
fn a_binary_beside_the_library_keeps_its_items() {
    let scratch = Scratch::library("beside", &app("v1.Lib"));
    let binary = app("v1.Bin").replace("Noted", "Counted").replace("App", "Admin");
    scratch.write("src/main.rs", &format!("#![allow(dead_code)]\n{}", with_prelude(&binary)));
    scratch.accept();
    let both = scratch.lock();
    assert_eq!(
        both,
        [
            "event v1.Bin = Counted (bin/beside)",
            "event v1.Bin id: String",
            "event v1.Lib = Noted",
            "event v1.Lib id: String",
            "schema Admin Counted: event",
            "schema App Noted: event",
        ]
    );
    // Compiled alone, the binary leaves the library's items alone.
    scratch.edit(
        "src/main.rs",
        "pub id: String",
        "pub id: String, #[serde(default)] pub by: String",
    );
    scratch.accept();
    assert_eq!(scratch.lock().len(), both.len() + 1);
    scratch.check("frozen").passes_with("");
    scratch.edit("src/lib.rs", "pub id: String", "pub id: u64");
    scratch.check("").fails_with(&["event \"v1.Lib\": `id` was `String` and is now `u64`"]);
}
