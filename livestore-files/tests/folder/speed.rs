//! How long it takes, beside what the disk alone takes.
//!
//! `cargo test --release -p livestore-files --test folder -- --ignored --nocapture speed`

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use livestore_files::Folder;
use tempfile::TempDir;

use crate::kit::{Kit, PATIENCE, commit, written};

const NOTES: usize = 10_000;

fn text(n: usize) -> String {
    format!("# Note {n}\n\n{}", "Some words of a note. ".repeat(40))
}

/// What any program has to do: a file under another name, which is then renamed.
fn write_alone(folder: &Path, is_synced: bool) -> Duration {
    let watch = Instant::now();
    for n in 0..NOTES {
        let mut file = tempfile::NamedTempFile::new_in(folder).unwrap();
        file.write_all(text(n).as_bytes()).unwrap();
        if is_synced {
            file.as_file().sync_all().unwrap();
        }
        file.persist(folder.join(format!("{n}.md"))).unwrap();
    }
    watch.elapsed()
}

#[test]
#[ignore = "it measures, and needs a quiet machine and a release build"]
fn notes_are_written_as_fast_as_the_disk_takes_them() {
    for is_synced in [false, true] {
        let floor = TempDir::new().unwrap();
        let floor = write_alone(floor.path(), is_synced);
        let mut kit = Kit::closed();
        let notes: Vec<_> =
            (0..NOTES).map(|n| written(&n.to_string(), &n.to_string(), &text(n))).collect();
        for events in notes.chunks(100) {
            kit.store.commit(events).unwrap();
        }
        let watch = Instant::now();
        let builder = Folder::builder(kit.root()).synced(is_synced);
        let folder = builder.open(&kit.store, kit.notes(commit)).unwrap();
        folder.sync(PATIENCE * 10).unwrap();
        let all = watch.elapsed();
        let times = all.as_secs_f64() / floor.as_secs_f64();
        println!(
            "{NOTES} notes, synced: {is_synced}: {all:.2?}, the files alone {floor:.2?}: × {times:.2}"
        );
        assert_eq!(fs::read_dir(kit.root()).unwrap().count(), NOTES + 1);

        // A changed row, until the file has it.
        kit.folder = Some(folder);
        let mut took: Vec<_> = (0..200)
            .map(|n| {
                let changed = format!("changed {n}");
                let watch = Instant::now();
                kit.commit(written(&n.to_string(), &n.to_string(), &changed));
                let file = kit.at(&format!("{n}.md"));
                while fs::read(&file).is_ok_and(|text| text != changed.as_bytes()) {
                    std::thread::yield_now();
                }
                watch.elapsed()
            })
            .collect();
        took.sort_unstable();
        println!(
            "a changed row is in its file after {:.2?}; 99 of 100 within {:.2?}",
            took[100], took[198]
        );
    }
}
