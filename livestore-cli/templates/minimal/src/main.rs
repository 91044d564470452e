use livestore::prelude::*;
use livestore_sync::WebSocket;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    #[column(primary_key)]
    pub id: String,
    pub text: String,
}

#[derive(Event, Debug, Clone)]
#[event(name = "v1.NoteSaved")]
pub struct NoteSaved {
    pub id: String,
    pub text: String,
}

impl Materialize for NoteSaved {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        state.upsert(&Note { id: self.id.clone(), text: self.text.clone() })
    }
}

livestore::schema! { pub App { tables: [Note], events: [NoteSaved] } }

fn main() -> livestore::Result<()> {
    let store = Store::<App>::builder("notes")
        .directory("./data")
        .sync(WebSocket::new("ws://127.0.0.1:8787")) // leave it out, and the app is local
        .open()?;
    store.commit(NoteSaved { id: new_id(), text: "Hello".into() })?;
    println!("{:#?}", store.query(Note::all())?);
    Ok(store.close()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use livestore_sync::InProcess;
    use std::time::Duration;

    #[test]
    fn bob_gets_the_note_of_alice() -> livestore::Result<()> {
        let backend = InProcess::new();
        let alice = Store::<App>::builder("notes").sync(backend.clone()).open()?;
        alice.commit(NoteSaved { id: "a".into(), text: "Hello".into() })?;
        assert!(alice.wait_synced(Duration::from_secs(10))?);
        let bob = Store::<App>::builder("notes").sync(backend).open()?;
        assert!(bob.wait_synced(Duration::from_secs(10))?);
        assert_eq!(bob.query(Note::all())?, alice.query(Note::all())?);
        Ok(())
    }
}
