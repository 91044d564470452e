//! Notes in a window.

use eframe::egui;
use livestore::prelude::*;
use livestore_egui::LiveList;

#[table]
#[derive(Debug, Clone, PartialEq)]
struct Note {
    #[column(primary_key)]
    id: String,
    text: String,
    #[column(index)]
    written_at: Timestamp,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.NoteWritten")]
struct NoteWritten {
    id: String,
    text: String,
    written_at: Timestamp,
}

impl Materialize for NoteWritten {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.insert(&Note {
            id: self.id.clone(),
            text: self.text.clone(),
            written_at: self.written_at,
        })
    }
}

livestore::schema! { App { tables: [Note], events: [NoteWritten] } }

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::<App>::builder("notes").directory("./data").open()?;
    let notes = store.live(Note::all().order_by(Note::WRITTEN_AT.desc()))?;
    let window = Window { store, notes: LiveList::new(notes), text: String::new(), error: None };
    let options = eframe::NativeOptions::default();
    eframe::run_native("Notes", options, Box::new(|_| Ok(Box::new(window))))?;
    Ok(())
}

struct Window {
    store: Store<App>,
    notes: LiveList<Note>,
    text: String,
    error: Option<String>,
}

impl Window {
    fn write(&mut self) {
        let text = std::mem::take(&mut self.text);
        let written = NoteWritten { id: new_id(), text, written_at: now() };
        self.error = self.store.commit(written).err().map(|error| error.to_string());
    }
}

impl eframe::App for Window {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        egui::CentralPanel::default().show(ui, |ui| {
            let field = ui.text_edit_singleline(&mut self.text);
            if field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) {
                self.write();
                field.request_focus();
            }
            if let Some(error) = &self.error {
                ui.colored_label(ui.visuals().error_fg_color, error);
            }
            let height = ui.text_style_height(&egui::TextStyle::Body);
            self.notes.show(ui, height, |ui, _, note| {
                ui.label(&note.text);
            });
        });
    }
}
