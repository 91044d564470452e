//! What all components share: the store, what this window shows, and what is on top of it.

use std::rc::Rc;

use dioxus::html::ScrollBehavior;
use dioxus::html::geometry::PixelsVector2D;
use dioxus::prelude::*;
use livestore::schema::{Commit, Document};
use livestore::table::Table as _;
use livestore::{ErrorChain, now};
use livestore_dioxus::{LiveDocument, use_document, use_store};
use tracker_schema::screen::found;
use tracker_schema::{App, Issue, IssueEvent, Screen, Settings, Status};

use crate::app::Sample;
use crate::names::{Names, use_names};

/// A dialog over the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Overlay {
    Palette,
    NewIssue,
}

/// All of it can be copied into an event handler.
#[derive(Clone, Copy)]
pub(crate) struct Ui {
    pub(crate) store: ReadSignal<livestore::Store<App>>,
    pub(crate) screen: LiveDocument<App, Screen>,
    pub(crate) settings: LiveDocument<App, Settings>,
    /// What the screen shows, without the issues that are selected and open: it changes with the filters only.
    pub(crate) filters: Memo<Screen>,
    pub(crate) selected: Memo<Option<String>>,
    pub(crate) open: Memo<Option<String>>,
    pub(crate) names: Memo<Names>,
    pub(crate) overlay: Signal<Option<Overlay>>,
    /// Whether a narrow window shows the sidebar.
    pub(crate) has_menu: Signal<bool>,
    /// The list or the board, the field to search in, and that of an open issue's title.
    list: Signal<Option<Rc<MountedData>>>,
    pub(crate) search: Signal<Option<Rc<MountedData>>>,
    /// The number of the field to search in. A value that the app sets while somebody types comes too late on the
    /// desktop, and takes letters away: so fields have what is typed, and one that is emptied is a new one.
    pub(crate) searches: Signal<u32>,
    pub(crate) title: Signal<Option<Rc<MountedData>>>,
    /// Whether the issue that opens next is opened to be edited.
    pub(crate) is_editing: Signal<bool>,
    pub(crate) sample: Sample,
    /// What went wrong last.
    pub(crate) problem: Signal<Option<String>>,
}

/// Makes it, for the components below.
pub(crate) fn use_ui_provider() -> Ui {
    let store = use_store::<App>();
    let screen = use_document::<App, Screen>(store);
    let settings = use_document::<App, Settings>(store);
    let shown = move || screen.get().ok();
    let filters = use_memo(move || match shown() {
        Some(screen) => Screen { selected: None, open: None, ..(*screen).clone() },
        None => Screen::default(),
    });
    let selected = use_memo(move || shown().and_then(|screen| screen.selected.clone()));
    let open = use_memo(move || shown().and_then(|screen| screen.open.clone()));
    let names = use_names(store);
    use_context_provider(|| Ui {
        store,
        screen,
        settings,
        filters,
        selected,
        open,
        names,
        overlay: Signal::new(None),
        has_menu: Signal::new(false),
        list: Signal::new(None),
        search: Signal::new(None),
        searches: Signal::new(0),
        title: Signal::new(None),
        is_editing: Signal::new(false),
        sample: consume_context(),
        problem: Signal::new(None),
    })
}

pub(crate) fn use_ui() -> Ui {
    use_context()
}

impl Ui {
    /// Commits events. If that fails, the window shows why.
    pub(crate) fn commit(self, events: impl Commit<App>) {
        let store = self.store.peek().clone();
        self.report(store.commit(events));
    }

    /// Sets fields of what this window shows.
    pub(crate) fn show(
        self,
        change: impl FnOnce(<Screen as Document>::Set) -> <Screen as Document>::Set,
    ) {
        self.report(self.screen.set(change));
    }

    /// Searches for anything: the first search makes an index, and the first letter should not wait for it.
    pub(crate) fn prepare_search(self) {
        self.report(self.store.peek().query(found("any", 1)));
    }

    /// Shows an error, unless it is none.
    pub(crate) fn report<T, E: std::error::Error + 'static>(
        mut self,
        result: Result<T, E>,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem.set(Some(ErrorChain::new(&error).to_string()));
                None
            }
        }
    }

    /// The id of the person who works here.
    pub(crate) fn me(self) -> String {
        self.report(self.settings.get()).map(|settings| settings.me.clone()).unwrap_or_default()
    }

    /// The issue with this id, as it is now.
    pub(crate) fn issue(self, id: &str) -> Option<Issue> {
        let store = self.store.peek().clone();
        self.report(store.query(Issue::get(id))).flatten().filter(|it| it.deleted_at.is_none())
    }

    /// The issue that the keyboard acts on: the one that is open, or else selected.
    pub(crate) fn current(self) -> Option<Issue> {
        let id = self.open.peek().clone().or_else(|| self.selected.peek().clone())?;
        self.issue(&id)
    }

    /// Puts an issue into a status, before all others there.
    pub(crate) fn set_status(self, issue: &Issue, status: Status) {
        if issue.status == status {
            return;
        }
        let store = self.store.peek().clone();
        let first = tracker_schema::Group::Status(status).after(&Screen::default(), None).first();
        let Some(first) = self.report(store.query(first)) else { return };
        let Some(rank) = self.report(Issue::rank_between(None, first.as_ref())) else { return };
        let (id, by, at) = (issue.id.clone(), self.me(), now());
        self.commit(IssueEvent::Moved { id, status, rank, by, at });
    }

    pub(crate) fn open(self, id: Option<String>) {
        let selected = id.clone().or_else(|| self.selected.peek().clone());
        self.show(|screen| screen.open(id.clone()).selected(selected));
        if id.is_none() {
            self.focus_list();
        }
    }

    pub(crate) fn close_overlay(mut self) {
        self.overlay.set(None);
        self.focus_list();
    }

    /// The list or the board is there, and gets what is typed unless a dialog does.
    pub(crate) fn set_list(mut self, element: Rc<MountedData>) {
        self.list.set(Some(element));
        if self.overlay.peek().is_none() {
            self.focus_list();
        }
    }

    /// Shows the first rows of the list.
    pub(crate) fn scroll_to_top(self) {
        let element = self.list.peek().clone();
        if let Some(element) = element {
            // A list that is gone meanwhile need not be scrolled.
            spawn(async move {
                _ = element.scroll(PixelsVector2D::zero(), ScrollBehavior::Instant).await;
            });
        }
    }

    /// Has the keyboard act on the list or the board.
    pub(crate) fn focus_list(self) {
        focus(self.list);
    }
}

/// Has an element get what is typed.
pub(crate) fn focus(element: Signal<Option<Rc<MountedData>>>) {
    let element = element.peek().clone();
    if let Some(element) = element {
        // Not a task of the component that asks for it, such as a dialog that closes. An element that is gone
        // meanwhile gets nothing.
        dioxus::core::spawn_forever(async move { _ = element.set_focus(true).await });
    }
}
