//! Notes in a window.

use dioxus::prelude::*;
use livestore::prelude::*;
use livestore_dioxus::{use_rows, use_store};

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

fn main() -> Result<(), livestore::store::OpenError> {
    let store = livestore::Store::<App>::builder("notes").directory("./data").open()?;
    LaunchBuilder::desktop().with_context(store).launch(app);
    Ok(())
}

fn app() -> Element {
    rsx! {
        ErrorBoundary {
            handle_error: |errors: ErrorContext| rsx! { pre { "{errors:?}" } },
            h1 { "Notes" }
            Notes {}
        }
    }
}

#[component]
fn Notes() -> Element {
    let store = use_store::<App>();
    let newest_first = Note::all().order_by(Note::WRITTEN_AT.desc());
    let notes = use_rows(store, newest_first, |note| note.id.clone());
    let mut written = use_signal(|| 0);
    let write = move |event: FormEvent| {
        event.prevent_default();
        let Some(FormValue::Text(text)) = event.get_first("text") else { return Ok(()) };
        store().commit(NoteWritten { id: new_id(), text, written_at: now() })?;
        written += 1;
        Ok(())
    };
    rsx! {
        form { onsubmit: write,
            // The page has what is typed until it is sent: a value that is set here comes too late for
            // who types quickly. With a new key, it is a new field, which is empty.
            for note in [written()] {
                input {
                    key: "{note}",
                    name: "text",
                    onmounted: move |field| async move { drop(field.set_focus(true).await) },
                }
            }
        }
        ul {
            for (id, note) in notes()?.iter().cloned() {
                li { key: "{id}", "{note.get().text}" }
            }
        }
    }
}
