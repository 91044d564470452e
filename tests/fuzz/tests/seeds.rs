//! Every seed, and whatever the fuzzer has found since, without libFuzzer.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use livestore_fuzz::TARGETS;

#[test]
fn every_seed_passes_its_target() {
    for (name, target) in TARGETS {
        let files = files(&seeds().join(name));
        assert!(!files.is_empty(), "{name} has no seeds");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            // What fails is the last one that was named.
            println!("{}", file.display());
            target(&bytes);
        }
    }
}

#[test]
fn every_target_has_its_folder_and_every_folder_its_target() {
    let names: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stems = |folder: &Path| -> BTreeSet<String> {
        let stem = |file: PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
        files(folder).into_iter().map(stem).collect()
    };
    assert_eq!(stems(&seeds()), names);
}

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
