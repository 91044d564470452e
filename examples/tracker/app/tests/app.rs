//! What the app shows of a store, without a browser.

use dioxus::core::VirtualDom;
use livestore::Store;
use tracker::{Sample, app};
use tracker_schema::{App, Layout, Screen, sample};

use livestore::schema::Document as _;

/// What a window shows when it opens.
fn shown(store: &Store<App>) -> String {
    let dom = VirtualDom::new(app).with_root_context(store.clone());
    let mut dom = dom.with_root_context(Sample(100));
    dom.rebuild_in_place();
    dioxus_ssr::render(&dom)
}

#[test]
fn an_empty_workspace_offers_a_sample() {
    let store = Store::<App>::builder("tracker").open().unwrap();
    let shown = shown(&store);
    assert!(shown.contains("No issues yet") && shown.contains("100 of them"), "{shown}");
}

#[test]
fn a_board_has_a_column_for_each_status() {
    let store = Store::<App>::builder("tracker").open().unwrap();
    sample::fill(&store, 100).unwrap();
    store.commit(Screen::set().layout(Layout::Board)).unwrap();
    let shown = shown(&store);
    assert_eq!(shown.matches("class=\"cards\"").count(), 6, "{shown}");
    assert!(shown.contains("Ada Lovelace"), "{shown}");
}

#[test]
fn what_nothing_passes_is_said() {
    let store = Store::<App>::builder("tracker").open().unwrap();
    sample::fill(&store, 100).unwrap();
    store.commit(Screen::set().search("no title has this")).unwrap();
    let shown = shown(&store);
    assert!(shown.contains("Nothing passes the filters."), "{shown}");
    store.commit(Screen::set().search("")).unwrap();
    assert!(!crate::shown(&store).contains("Nothing passes"));
}

#[test]
fn what_is_found_is_one_group_of_the_list() {
    let store = Store::<App>::builder("tracker").open().unwrap();
    sample::fill(&store, 100).unwrap();
    store.commit(Screen::set().search("search")).unwrap();
    let groups = |shown: &str| shown.matches("<section").count();
    assert_eq!(groups(&shown(&store)), 1);
    store.commit(Screen::set().search(" ")).unwrap();
    assert_eq!(groups(&shown(&store)), 6);
}
