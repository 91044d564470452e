//! The live values that pages show, and when they end.
//!
//! A channel to a page lives for as long as Rust holds it, and has a handle of its web view: nothing ends it by
//! itself. So each live value is on record here, and ends with what shows it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use livestore::live::Subscription;

use crate::error::Error;

/// All live values that pages show.
#[derive(Default)]
pub(crate) struct Shown(Mutex<Table>);

#[derive(Default)]
struct Table {
    last: u32,
    entries: HashMap<u32, Entry>,
    /// By the label of the web view.
    pages: HashMap<String, PageIds>,
}

struct Entry {
    place: Place,
    /// `None` until the query has run.
    subscription: Option<Subscription>,
}

/// Where something is shown: the labels of the window and of the web view in it.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) window: String,
    pub(crate) webview: String,
}

/// The pages of a web view.
struct PageIds {
    window: String,
    current: Option<String>,
    /// The one before, whose last commands may still be on their way.
    before: Option<String>,
}

impl Shown {
    /// A page is there: what the page before it has shown ends.
    pub(crate) fn begin_page(&self, place: &Place, page: &str) -> Result<(), Error> {
        let ended = self.lock().begin_page(place, page)?;
        drop(ended);
        Ok(())
    }

    /// Returns the number of a live value that is about to be shown. A page within a frame has no id.
    pub(crate) fn begin(&self, place: Place, page: Option<&str>) -> Result<u32, Error> {
        let mut table = self.lock();
        let ended = page.map(|page| table.begin_page(&place, page)).transpose()?;
        table.last = table.last.wrapping_add(1);
        let id = table.last;
        table.entries.insert(id, Entry { place, subscription: None });
        drop(table);
        drop(ended);
        Ok(id)
    }

    /// The value is shown, unless it has ended before.
    pub(crate) fn started(&self, id: u32, subscription: Subscription) {
        let mut table = self.lock();
        let late = match table.entries.get_mut(&id) {
            Some(entry) => entry.subscription.replace(subscription),
            None => Some(subscription),
        };
        drop(table);
        drop(late);
    }

    pub(crate) fn end(&self, id: u32, webview: &str) {
        self.end_all_if(|its, place| its == id && place.webview == webview);
    }

    pub(crate) fn end_window(&self, label: &str) {
        self.end_all_if(|_, place| place.window == label);
        self.lock().pages.retain(|_, pages| pages.window != label);
    }

    pub(crate) fn end_all(&self) {
        self.end_all_if(|_, _| true);
    }

    fn end_all_if(&self, ends: impl Fn(u32, &Place) -> bool) {
        // Dropped without the lock: the store has one of its own.
        let ended = self.lock().take_if(ends);
        drop(ended);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Returns what ends.
    fn begin_page(&mut self, place: &Place, page: &str) -> Result<Vec<Entry>, Error> {
        let pages = self.pages.entry(place.webview.clone()).or_insert_with(|| PageIds {
            window: place.window.clone(),
            current: None,
            before: None,
        });
        if pages.current.as_deref() == Some(page) {
            return Ok(Vec::new());
        }
        if pages.before.as_deref() == Some(page) {
            return Err(Error::PageGone);
        }
        pages.before = pages.current.replace(page.to_owned());
        Ok(self.take_if(|_, its| its.webview == place.webview))
    }

    fn take_if(&mut self, takes: impl Fn(u32, &Place) -> bool) -> Vec<Entry> {
        let taken = self.entries.extract_if(|id, entry| takes(*id, &entry.place));
        taken.map(|(_, entry)| entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use livestore::live::{Reactive as _, signal};

    use super::*;

    fn place(window: &str, webview: &str) -> Place {
        Place { window: window.to_owned(), webview: webview.to_owned() }
    }

    /// A subscription, which is counted by `alive` until it ends.
    fn subscription(alive: &Arc<()>) -> Subscription {
        let alive = Arc::clone(alive);
        signal(0).subscribe(move |_| drop(Arc::clone(&alive)))
    }

    #[test]
    fn what_a_window_shows_ends_with_it() {
        let (shown, alive) = (Shown::default(), Arc::new(()));
        for (window, webview) in [("main", "main"), ("main", "sidebar"), ("other", "other")] {
            let id = shown.begin(place(window, webview), Some("page")).unwrap();
            shown.started(id, subscription(&alive));
        }
        assert_eq!(Arc::strong_count(&alive), 1 + 3);
        shown.end_window("main");
        assert_eq!(Arc::strong_count(&alive), 1 + 1);
        // A new window of the same name may have a page of any id.
        assert!(shown.begin(place("main", "main"), Some("page")).is_ok());
    }

    #[test]
    fn what_has_ended_does_not_start() {
        let (shown, alive) = (Shown::default(), Arc::new(()));
        let id = shown.begin(place("main", "main"), None).unwrap();
        shown.end(id, "main");
        shown.started(id, subscription(&alive));
        assert_eq!(Arc::strong_count(&alive), 1);
    }

    #[test]
    fn the_page_before_the_last_one_is_not_remembered() {
        let shown = Shown::default();
        for page in ["a", "b", "c"] {
            shown.begin_page(&place("main", "main"), page).unwrap();
        }
        let late = shown.begin(place("main", "main"), Some("b"));
        assert!(matches!(late, Err(Error::PageGone)));
        assert!(shown.begin_page(&place("main", "main"), "a").is_ok());
    }
}
