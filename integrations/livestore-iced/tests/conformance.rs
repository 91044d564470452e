//! What every binding promises: the same tests, by the same names, in each of them.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, not an API"
)]
#![allow(clippy::disallowed_methods, reason = "a test has threads")]

#[path = "../../notified.rs"]
mod notified;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use iced::advanced::subscription::into_recipes;
use iced::futures::channel::mpsc;
use iced::futures::{FutureExt as _, StreamExt as _, stream};
use iced::widget::{column, text, text_input};
use iced::{Element, Size, Subscription};
use iced_test::emulator::{Emulator, Event, Mode};
use iced_test::program::Program;
use iced_test::simulator;
use livestore::prelude::*;
use livestore_iced::{Live, LiveDiffs, Scroll, diffs, live, rows};
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen, added};
use livestore_testing::wait_until;

use crate::notified::Turn;

fn open() -> Store<App> {
    Store::builder("items").open().unwrap()
}

fn filled(last: i64) -> Store<App> {
    let store = open();
    store.commit(ItemEvent::Filled { last }).unwrap();
    store
}

fn all(store: &Store<App>) -> LiveQuery<List<Item>> {
    store.live(Item::all().order_by(Item::PLACE.asc())).unwrap()
}

/// The app: a list, the steps of its last change, and a client document.
struct Items {
    store: Store<App>,
    items: Option<LiveQuery<List<Item>>>,
    screen: LiveQuery<Screen>,
    scroll: Scroll,
    changes: usize,
    steps: String,
    /// The length of the list in the last message of its value.
    len: usize,
    /// The draft that the last message brought.
    draft: String,
    error: Option<String>,
}

#[derive(Debug, Clone)]
enum Message {
    Items(LiveDiffs<Item>),
    Value(Live<List<Item>>),
    Screen(Live<Screen>),
    Scrolled(Scroll),
    Draft(String),
    Show(Option<LiveQuery<List<Item>>>),
    Add(i64),
    Panic,
}

impl Items {
    fn new(store: &Store<App>, items: LiveQuery<List<Item>>) -> Self {
        Self {
            store: store.clone(),
            items: Some(items),
            screen: store.live(Screen::get()).unwrap(),
            scroll: Scroll::default(),
            changes: 0,
            steps: String::new(),
            len: 0,
            draft: String::new(),
            error: None,
        }
    }

    fn update(&mut self, message: Message) {
        match message {
            Message::Items(Ok(steps)) => {
                self.changes += 1;
                self.steps = steps.iter().map(step_text).collect::<Vec<_>>().join(" ");
                self.error = None;
            }
            Message::Items(Err(error)) => self.error = Some(error.to_string()),
            Message::Value(items) => self.len = items.map_or(self.len, |items| items.len()),
            Message::Screen(screen) => self.draft = format!("drafts: {}", screen.unwrap().draft),
            Message::Scrolled(scroll) => self.scroll = scroll,
            Message::Draft(text) => drop(self.store.commit(Screen::set().draft(text)).unwrap()),
            Message::Show(items) => self.items = items,
            Message::Add(id) => drop(self.store.commit(added(id)).unwrap()),
            Message::Panic => panic!("the app's own mistake"),
        }
    }

    fn subscription(&self) -> Subscription<Message> {
        let mut all = vec![live(&self.screen).map(Message::Screen)];
        if let Some(items) = &self.items {
            all.extend([diffs(items).map(Message::Items), live(items).map(Message::Value)]);
        }
        Subscription::batch(all)
    }

    fn view(&self) -> Element<'_, Message> {
        let draft = text_input("", &self.screen.get().draft).id("draft").on_input(Message::Draft);
        let view = |item: &livestore::live::SharedRow<Item>| text(item.title.clone()).into();
        let list = self.items.as_ref().map(|items| {
            rows(&items.get(), self.scroll, 20.0, Message::Scrolled, |item| item.id, view)
        });
        column![
            draft,
            text(self.draft.clone()),
            text(format!("{} changes, last {}", self.changes, self.steps)),
            text(format!("{} rows", self.len))
        ]
        .extend(self.error.as_deref().map(|error| text(error).into()))
        .extend(list)
        .into()
    }
}

/// A step without its rows.
fn step_text(step: &Diff<Item>) -> String {
    match step {
        Diff::Insert { index, .. } => format!("+{index}"),
        Diff::Remove { index } => format!("-{index}"),
        Diff::Update { index, .. } => format!("~{index}"),
        Diff::Move { from, to } => format!("{from}>{to}"),
        Diff::Reset { rows } => format!("={}", rows.len()),
    }
}

/// The app as iced runs it, with its subscriptions, but without a window.
struct Running<P: Program + 'static> {
    program: P,
    emulator: Emulator<P>,
    events: mpsc::Receiver<Event<P>>,
}

/// What `iced::application` makes of the app.
trait ItemsProgram: Program<State = Items, Message = Message, Theme = iced::Theme> + 'static {}

impl<P: Program<State = Items, Message = Message, Theme = iced::Theme> + 'static> ItemsProgram
    for P
{
}

fn run(items: Items) -> Running<impl ItemsProgram> {
    let items = Mutex::new(Some(items));
    let boot = move || items.lock().unwrap().take().unwrap();
    let program =
        iced::application(boot, Items::update, Items::view).subscription(Items::subscription);
    let (sender, events) = mpsc::channel(1);
    let emulator = Emulator::new(sender, &program, Mode::Immediate, Size::new(400.0, 300.0));
    Running { program, emulator, events }
}

impl<P: ItemsProgram> Running<P> {
    /// Has iced do what is due, until the view shows all of these texts.
    fn wait_for(&mut self, labels: &[&str]) {
        wait_until(|| {
            while let Some(Some(event)) = self.events.next().now_or_never() {
                if let Event::Action(action) = event {
                    self.emulator.perform(&self.program, action);
                }
            }
            labels.iter().all(|label| self.shows(label))
        });
    }

    fn shows(&self, label: &str) -> bool {
        simulator(self.emulator.view(&self.program)).find(label).is_ok()
    }

    fn update(&mut self, message: Message) {
        self.emulator.update(&self.program, message);
    }
}

/// A running app that has had its first message: the whole list.
fn screen(store: &Store<App>) -> Running<impl ItemsProgram> {
    let items = all(store);
    let first = format!("1 changes, last ={}", items.get().len());
    let mut app = run(Items::new(store, items));
    app.wait_for(&[&first]);
    app
}

#[test]
fn rows_are_inserted_updated_moved_and_removed() {
    let store = filled(2);
    let mut app = screen(&store);
    store.commit(ItemEvent::Added { id: 9, title: "new".into(), place: 0 }).unwrap();
    app.wait_for(&["2 changes, last +0", "3 rows", "new", "item 1", "item 2"]);
    store.commit(ItemEvent::Renamed { id: 2, title: "second".into() }).unwrap();
    app.wait_for(&["3 changes, last ~2", "second"]);
    assert!(!app.shows("item 2"));
    // The row moves, and one of its columns changes.
    store.commit(ItemEvent::Moved { id: 9, place: 7 }).unwrap();
    app.wait_for(&["4 changes, last 0>2 ~2"]);
    store.commit(ItemEvent::Removed { id: 2 }).unwrap();
    app.wait_for(&["5 changes, last -1", "2 rows", "item 1", "new"]);
    assert!(!app.shows("second"));
}

#[test]
fn a_value_is_updated() {
    let store = filled(1);
    let mut app = screen(&store);
    store.commit(Screen::set().draft("milk")).unwrap();
    app.wait_for(&["milk", "drafts: milk"]);
}

/// One message with one step; and of the list, only what is in sight is drawn.
#[test]
fn of_100_000_rows_only_the_changed_one_is_drawn() {
    let store = filled(100_000);
    let mut app = screen(&store);
    store.commit(ItemEvent::Renamed { id: 50_000, title: "far away".into() }).unwrap();
    app.wait_for(&["2 changes, last ~49999", "item 1"]);
    assert!(!app.shows("far away") && !app.shows("item 1000"));
}

#[test]
#[ignore = "a bench: cargo xtask screens --bench"]
fn notified_as_fast_as_a_plain_subscriber() {
    let store = notified::store();
    let recipe = into_recipes(diffs(&all(&store))).pop().unwrap();
    let mut messages = recipe.stream(stream::pending().boxed());
    let measured = notified::measure("iced", async |turn| {
        if let Turn::Commit(event) = turn {
            store.commit(event).unwrap();
            while messages.next().await.unwrap().unwrap().len() > 1 {}
        }
    });
    iced::futures::executor::block_on(measured);
}

#[test]
fn parameters_of_a_query_change() {
    let store = filled(3);
    store.commit(ItemEvent::Done { id: 2 }).unwrap();
    let mut app = screen(&store);
    let done = Item::filter(Item::DONE.eq(true)).order_by(Item::PLACE.asc());
    app.update(Message::Show(Some(store.live(done).unwrap())));
    app.wait_for(&["2 changes, last =1", "item 2"]);
    assert!(!app.shows("item 1"));
    store.commit(ItemEvent::Done { id: 3 }).unwrap();
    app.wait_for(&["3 changes, last +1", "item 2", "item 3"]);
    // The query before is no longer kept up to date; the document's is.
    wait_until(|| store.inspect().unwrap().queries.len() == 2);
}

/// A handle of an equal query is the same subscription.
#[test]
fn an_equal_query_is_the_same_subscription() {
    let store = filled(3);
    let mut app = screen(&store);
    app.update(Message::Show(Some(all(&store))));
    store.commit(added(4)).unwrap();
    app.wait_for(&["2 changes, last +3"]);
}

#[test]
fn unmounting_frees_the_query() {
    let store = filled(3);
    let mut app = screen(&store);
    assert_eq!(store.inspect().unwrap().queries.len(), 2);
    app.update(Message::Show(None));
    wait_until(|| store.inspect().unwrap().queries.len() == 1);
    drop(app);
    wait_until(|| store.inspect().unwrap().queries.is_empty());
}

#[test]
fn the_error_of_a_query_is_shown() {
    let store = filled(1);
    // A place of 7 is read as NULL, which is not a number.
    let broken = raw::<Item>("SELECT id, title, nullif(place, 7) AS place, done FROM item", ());
    let items = store.live(broken).unwrap();
    let mut app = run(Items::new(&store, items.clone()));
    app.wait_for(&["1 changes, last =1"]);
    store.commit(ItemEvent::Moved { id: 1, place: 7 }).unwrap();
    let error = items.error().unwrap().to_string();
    app.wait_for(&[&error, "item 1"]);
    store.commit(ItemEvent::Moved { id: 1, place: 8 }).unwrap();
    app.wait_for(&["2 changes, last =1"]);
    assert!(!app.shows(&error));
}

#[test]
fn a_panic_in_a_component_harms_nothing() {
    let store = filled(2);
    let mut app = screen(&store);
    assert!(catch_unwind(AssertUnwindSafe(|| app.update(Message::Panic))).is_err());
    store.commit(added(3)).unwrap();
    app.wait_for(&["2 changes, last +2", "item 3"]);
}

#[test]
fn a_client_document_is_read_and_written() {
    let store = filled(1);
    store.commit(Screen::set().only_open(true)).unwrap();
    let mut items = Items::new(&store, all(&store));
    let mut ui = simulator(items.view());
    ui.click(iced::widget::Id::new("draft")).unwrap();
    ui.typewrite("m");
    let typed: Vec<_> = ui.into_messages().collect();
    typed.into_iter().for_each(|message| items.update(message));
    let set = Screen { draft: "m".into(), only_open: true };
    assert_eq!(store.query(Screen::get()).unwrap(), set);
    assert!(simulator(items.view()).find("m").is_ok(), "what is typed is shown at once");

    let mut app = run(items);
    std::thread::spawn(move || store.commit(Screen::set().draft("milk")).unwrap()).join().unwrap();
    app.wait_for(&["milk"]);
}

#[test]
fn what_another_thread_commits_arrives() {
    let store = filled(1);
    let mut app = screen(&store);
    let other = store.clone();
    std::thread::spawn(move || other.commit(added(2)).unwrap()).join().unwrap();
    app.wait_for(&["2 changes, last +1", "item 2"]);
}

#[test]
fn a_component_commits_while_it_is_drawn() {
    let store = filled(1);
    let mut app = screen(&store);
    app.update(Message::Add(2));
    assert!(app.shows("item 2"), "the view reads the handle");
    app.wait_for(&["2 changes, last +1"]);
}
