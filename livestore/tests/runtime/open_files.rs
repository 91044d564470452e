//! The files and threads of open stores, and a process that may have no more files open.

use std::fs;
use std::path::Path;

use livestore::eventlog::EventlogError;
use livestore::prelude::*;

use crate::app::{App, created};
use crate::child::{Role, Running, command_with_few_files, last_of, rest_of};
use crate::kit::{Home, STORE};

fn open(directory: &Path, n: u64) -> Result<Store<App>, OpenError> {
    Store::<App>::builder(format!("{STORE}{n}")).directory(directory).open()
}

/// The number of files that this process has open.
fn open_files() -> usize {
    fs::read_dir("/dev/fd").unwrap().count()
}

/// What the child does.
pub fn open_many(directory: &Path) {
    let mut stores = Vec::new();
    let error = loop {
        match open(directory, stores.len() as u64) {
            Ok(store) => {
                store.commit(created("a")).unwrap();
                stores.push(store);
            }
            Err(error) => break error,
        }
    };
    println!("opened {}", stores.len());
    println!("refused {}", livestore::ErrorChain::new(&error));
    println!(
        "is typed {}",
        matches!(error, OpenError::Eventlog(EventlogError::TooManyOpenFiles { .. }))
    );
    let failed = directory.join(format!("{STORE}{}", stores.len()));
    println!("left behind {}", failed.exists());
    // Those that are open work on, and what the failed one had open is free again.
    let files = stores.pop().map(|last| last.close().map(|()| open_files()));
    let files = files.unwrap().unwrap();
    for _ in 0..5 {
        let builder = Store::<App>::builder(format!("{STORE}0")).directory(directory);
        drop(builder.single_process().open().unwrap_err());
    }
    // The thread that has waited for other sessions may take a moment to end.
    livestore_testing::wait_until(|| open_files() <= files);
    // For a moment, a store with events needs more files to open than it had when it was new.
    stores.pop().unwrap().close().unwrap();
    open(directory, stores.len() as u64).unwrap().close().unwrap();
    for store in &stores {
        store.commit(created("b")).unwrap();
        assert_eq!(store.events().into_iter().count(), 2);
    }
    println!("done {}", stores.into_iter().map(Store::close).filter(Result::is_ok).count());
}

#[test]
fn too_many_open_files_are_named_with_their_limit() {
    for files in 64..76 {
        let home = Home::new();
        let child = command_with_few_files(Role::OpenMany, home.path(), files);
        let said = Running::start(child).finish();
        let line = |word: &str| said.iter().find_map(|line| rest_of(line, word)).unwrap();
        assert_eq!(line("is typed"), "true", "{said:?}");
        assert_eq!(line("left behind"), "false", "with {files} files: {said:?}");
        let refused = line("refused");
        assert!(refused.starts_with("too many open files"), "{refused}");
        assert!(refused.contains(&files.to_string()), "{refused}");
        let opened = last_of(&said, "opened").unwrap();
        assert!(opened >= 6, "{opened} stores with {files} files");
        assert_eq!(last_of(&said, "done"), Some(opened - 2));
    }
}

#[test]
fn a_hundred_stores_are_open_at_once() {
    let home = Home::new();
    let stores: Vec<_> = (0..100).map(|n| open(home.path(), n).unwrap()).collect();
    for (n, store) in stores.iter().enumerate() {
        store.commit(created(n as u64)).unwrap();
    }
    for store in stores {
        assert_eq!(store.events().into_iter().count(), 1);
        store.close().unwrap();
    }
    for n in 0..100 {
        let store = open(home.path(), n).unwrap();
        assert_eq!(store.head().unwrap(), SeqNum::new(1));
    }
}
