//! Changes of other threads. There is one event loop in a process, so this is one test.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]
#![allow(clippy::disallowed_methods, reason = "a test has threads")]

use livestore::prelude::*;
use livestore_slint::{LiveModel, bind};
use livestore_testing::sample::items::{App, Item, added};
use slint::{Model as _, SharedString};

slint::slint! {
    export component Count inherits Window {
        in property <int> count;
    }
}

#[test]
fn what_another_thread_commits_arrives() {
    i_slint_backend_testing::init_integration_test_with_system_time();
    let store = Store::<App>::builder("items").open().unwrap();
    let ui = Count::new().unwrap();
    let items = store.live(Item::all().order_by(Item::PLACE.asc())).unwrap();
    let model = LiveModel::new(items, |item| SharedString::from(&item.title));
    let count = store.live(Item::all().count()).unwrap();
    let _binding = bind(&count, &ui, |ui, count| {
        ui.set_count(i32::try_from(**count.unwrap()).unwrap());
        if ui.get_count() == 100 {
            slint::quit_event_loop().unwrap();
        }
    });

    let other = std::thread::spawn(move || {
        for id in 1..=100 {
            store.commit(added(id)).unwrap();
        }
    });
    slint::run_event_loop_until_quit().unwrap();
    other.join().unwrap();
    assert_eq!(ui.get_count(), 100);
    // The count may have been updated before the list.
    model.update();
    assert_eq!(model.row_count(), 100);
    assert_eq!(model.row_data(99).unwrap(), "item 100");
}
