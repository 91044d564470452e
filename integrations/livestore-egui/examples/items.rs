//! A list of 100,000 items in a window: `cargo run --example items`.

use eframe::egui;
use livestore::prelude::*;
use livestore_egui::{Live, LiveBy, LiveDocument, LiveList};
use livestore_testing::sample::items::{App, Item, ItemEvent, Screen};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::<App>::builder("items").open()?;
    store.commit(ItemEvent::Filled { last: 100_000 })?;
    let items = Items::new(store)?;
    eframe::run_native(
        "Items",
        eframe::NativeOptions::default(),
        Box::new(|_| Ok(Box::new(items))),
    )?;
    Ok(())
}

struct Items {
    store: Store<App>,
    screen: LiveDocument<App, Screen>,
    open: Live<LiveQuery<livestore::live::SharedRow<u64>>>,
    items: LiveBy<bool, LiveList<Item>>,
    /// The reason why the last pass could not do what it should.
    error: Option<String>,
}

impl Items {
    fn new(store: Store<App>) -> livestore::Result<Self> {
        Ok(Self {
            screen: LiveDocument::new(&store)?,
            open: Live::new(store.live(Item::filter(Item::DONE.eq(false)).count())?),
            items: LiveBy::new(),
            error: None,
            store,
        })
    }

    fn show(&mut self, ui: &mut egui::Ui) -> livestore::Result<()> {
        self.open.show(ui, |ui, open| ui.heading(format!("{} to do", **open)));
        self.show_form(ui)?;
        ui.separator();
        self.show_items(ui)
    }

    /// The draft and the filter are a client document: they are there again after a restart.
    fn show_form(&self, ui: &mut egui::Ui) -> livestore::Result<()> {
        let add = self.screen.edit(ui, |ui, screen| {
            ui.horizontal(|ui| {
                let field = ui.text_edit_singleline(&mut screen.draft);
                let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
                ui.checkbox(&mut screen.only_open, "only what is to do");
                let title = screen.draft.trim().to_owned();
                (entered && !title.is_empty()).then(|| {
                    screen.draft.clear();
                    title
                })
            })
            .inner
        })?;
        if let Some(title) = add {
            let id = now().as_millis();
            self.store.commit(ItemEvent::Added { id, title, place: -id })?;
        }
        Ok(())
    }

    fn show_items(&mut self, ui: &mut egui::Ui) -> livestore::Result<()> {
        let only_open = self.screen.get(ui).only_open;
        let items = self.items.get(only_open, |&only_open| {
            let wanted: Vec<_> = only_open.then(|| Item::DONE.eq(false)).into_iter().collect();
            self.store
                .live(Item::filter(all_of(wanted)).order_by(Item::PLACE.asc()))
                .map(LiveList::new)
        })?;
        let mut done = Vec::new();
        items.show(ui, ui.spacing().interact_size.y, |ui, _, item| {
            ui.push_id(item.id, |ui| {
                let mut checked = item.done;
                ui.add_enabled_ui(!checked, |ui| {
                    if ui.checkbox(&mut checked, &item.title).clicked() {
                        done.push(ItemEvent::Done { id: item.id });
                    }
                });
            });
        });
        if !done.is_empty() {
            self.store.commit(done)?;
        }
        Ok(())
    }
}

impl eframe::App for Items {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        egui::CentralPanel::default().show(ui, |ui| {
            if let Err(error) = self.show(ui) {
                self.error = Some(error.to_string());
            }
            if let Some(error) = &self.error {
                ui.colored_label(ui.visuals().error_fg_color, error);
            }
        });
    }
}
