//! A list of 100,000 items in a window: `cargo run --example slint-items --features slint/default`.

#![expect(missing_docs, reason = "the code that `slint!` generates")]

use std::rc::Rc;

use livestore::prelude::*;
use livestore_slint::{LiveModel, bind};
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen};
use slint::{ComponentHandle as _, ModelRc, SharedString};

slint::slint! {
    import { CheckBox, LineEdit, ListView } from "std-widgets.slint";

    export struct Row { id: string, title: string, done: bool }

    export component Items inherits Window {
        title: "Items";
        preferred-width: 400px;
        preferred-height: 600px;
        in property <int> open;
        in property <string> error;
        in property <[Row]> items;
        in-out property <string> draft;
        in-out property <bool> only-open;
        callback edited(string);
        callback add(string);
        callback filter(bool);

        VerticalLayout {
            padding: 12px;
            spacing: 12px;
            Text { text: root.open + " to do"; font-size: 24px; }
            HorizontalLayout {
                spacing: 12px;
                LineEdit {
                    placeholder-text: "What is to do?";
                    text <=> root.draft;
                    edited(text) => { root.edited(text); }
                    accepted(text) => { root.add(text); }
                }
                CheckBox {
                    text: "only what is to do";
                    checked <=> root.only-open;
                    toggled => { root.filter(self.checked); }
                }
            }
            Text { text: root.error; color: #c00; }
            ListView {
                for item in root.items: CheckBox {
                    text: item.title;
                    checked: item.done;
                    enabled: !item.done;
                    toggled => { item.done = self.checked; }
                }
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::<App>::builder("items").open()?;
    store.commit(ItemEvent::Filled { last: 100_000 })?;
    let ui = Items::new()?;
    show_items(&ui, &store, false)?;

    let open = store.live(Item::filter(Item::DONE.eq(false)).count())?;
    let _open = bind(&open, &ui, |ui, open| match open {
        Ok(open) => ui.set_open(i32::try_from(**open).unwrap_or(i32::MAX)),
        Err(error) => ui.set_error(error.to_string().into()),
    });
    let _screen = bind(&store.live(Screen::get())?, &ui, {
        let store = store.clone();
        move |ui, screen| {
            let shown = screen.map_err(|error| error.to_string()).and_then(|screen| {
                ui.set_draft((&screen.draft).into());
                ui.set_only_open(screen.only_open);
                show_items(&ui, &store, screen.only_open).map_err(|error| error.to_string())
            });
            ui.set_error(shown.err().unwrap_or_default().into());
        }
    });

    ui.on_edited(commits(&ui, &store, |text| Screen::set().draft(text)));
    ui.on_filter(commits(&ui, &store, |only_open| Screen::set().only_open(only_open)));
    ui.on_add(commits(&ui, &store, |title: SharedString| {
        let id = now().as_millis();
        (ItemEvent::Added { id, title: title.into(), place: -id }, Screen::set().draft(""))
    }));
    ui.run()?;
    Ok(())
}

/// Shows the list as the user filters it.
fn show_items(ui: &Items, store: &Store<App>, only_open: bool) -> livestore::Result<()> {
    let wanted: Vec<_> = only_open.then(|| Item::DONE.eq(false)).into_iter().collect();
    let items = store.live(Item::filter(all_of(wanted)).order_by(Item::PLACE.asc()))?;
    let row = |item: &Item| Row {
        id: item.id.to_string().into(),
        title: (&item.title).into(),
        done: item.done,
    };
    let done = commits(ui, store, |id| ItemEvent::Done { id });
    let model = LiveModel::editable(items, row, move |item, _| done(item.id));
    ui.set_items(ModelRc::from(model as Rc<_>));
    Ok(())
}

/// Returns a callback that commits, and shows why if it cannot.
fn commits<T, E: livestore::schema::Commit<App>>(
    ui: &Items,
    store: &Store<App>,
    event: impl Fn(T) -> E + 'static,
) -> impl Fn(T) + 'static {
    let (ui, store) = (ui.as_weak(), store.clone());
    move |value| {
        if let (Err(error), Some(ui)) = (store.commit(event(value)), ui.upgrade()) {
            ui.set_error(error.to_string().into());
        }
    }
}
