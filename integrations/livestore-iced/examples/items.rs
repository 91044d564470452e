//! A list of 100,000 items in a window: `cargo run --example iced-items`.

use iced::widget::{checkbox, column, row, text, text_input};
use iced::{Center, Element, Subscription};
use livestore::live::SharedRow;
use livestore::prelude::*;
use livestore_iced::{Live, Scroll, live, rows};
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::<App>::builder("items").open()?;
    store.commit(ItemEvent::Filled { last: 100_000 })?;
    let boot = move || Items::new(store.clone()).expect("the queries are of this schema");
    iced::application(boot, Items::update, Items::view)
        .subscription(Items::subscription)
        .title("Items")
        .run()?;
    Ok(())
}

struct Items {
    store: Store<App>,
    screen: LiveQuery<Screen>,
    items: LiveQuery<List<Item>>,
    open: LiveQuery<SharedRow<u64>>,
    scroll: Scroll,
    error: Option<String>,
}

#[derive(Debug, Clone)]
enum Message {
    Items(Live<List<Item>>),
    Open(Live<SharedRow<u64>>),
    Screen(Live<Screen>),
    Scrolled(Scroll),
    Draft(String),
    OnlyOpen(bool),
    Add,
    Done(i64),
}

/// The list as the user filters it.
fn items(store: &Store<App>, only_open: bool) -> livestore::Result<LiveQuery<List<Item>>> {
    let wanted: Vec<_> = only_open.then(|| Item::DONE.eq(false)).into_iter().collect();
    Ok(store.live(Item::filter(all_of(wanted)).order_by(Item::PLACE.asc()))?)
}

impl Items {
    fn new(store: Store<App>) -> livestore::Result<Self> {
        let screen = store.live(Screen::get())?;
        Ok(Self {
            items: items(&store, screen.get().only_open)?,
            open: store.live(Item::filter(Item::DONE.eq(false)).count())?,
            screen,
            scroll: Scroll::default(),
            error: None,
            store,
        })
    }

    fn update(&mut self, message: Message) {
        let result = self.apply(message);
        self.error = result.err().map(|error| error.to_string());
    }

    fn apply(&mut self, message: Message) -> Result<(), Box<dyn std::error::Error>> {
        match message {
            Message::Items(items) => drop(items?),
            Message::Open(open) => drop(open?),
            Message::Screen(screen) => self.items = items(&self.store, screen?.only_open)?,
            Message::Scrolled(scroll) => self.scroll = scroll,
            Message::Draft(text) => drop(self.store.commit(Screen::set().draft(text))?),
            Message::OnlyOpen(only) => drop(self.store.commit(Screen::set().only_open(only))?),
            Message::Done(id) => drop(self.store.commit(ItemEvent::Done { id })?),
            Message::Add => {
                let (id, title) = (now().as_millis(), self.screen.get().draft.clone());
                let added = ItemEvent::Added { id, title, place: -id };
                self.store.commit((added, Screen::set().draft("")))?;
            }
        }
        Ok(())
    }

    fn subscription(&self) -> Subscription<Message> {
        Subscription::batch([
            live(&self.items).map(Message::Items),
            live(&self.open).map(Message::Open),
            live(&self.screen).map(Message::Screen),
        ])
    }

    fn view(&self) -> Element<'_, Message> {
        let screen = self.screen.get();
        let draft = text_input("What is to do?", &screen.draft)
            .on_input(Message::Draft)
            .on_submit_maybe((!screen.draft.trim().is_empty()).then_some(Message::Add));
        let only_open =
            checkbox(screen.only_open).label("only what is to do").on_toggle(Message::OnlyOpen);
        let list =
            rows(&self.items.get(), self.scroll, 28.0, Message::Scrolled, |item| item.id, view);
        column![text(format!("{} to do", **self.open.get())).size(24)]
            .push(row![draft, only_open].spacing(12).align_y(Center))
            .extend(self.error.as_deref().map(|error| text(error).style(text::danger).into()))
            .push(list)
            .spacing(12)
            .padding(12)
            .into()
    }
}

fn view<'a>(item: &SharedRow<Item>) -> Element<'a, Message> {
    let id = item.id;
    checkbox(item.done)
        .label(item.title.clone())
        .on_toggle_maybe((!item.done).then_some(move |_| Message::Done(id)))
        .into()
}
