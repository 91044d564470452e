//! One app in several versions, which open the same log one after the other.

use livestore::prelude::*;

/// The event that every version knows, and what this version makes of it.
macro_rules! written {
    (VERSION $version:literal, |$event:ident, $state:ident| $materialize:expr) => {
        #[derive(Event, Debug)]
        #[event(name = "v1.NoteWritten")]
        pub struct Written {
            pub id: String,
            pub text: String,
        }

        impl Materialize for Written {
            const VERSION: u32 = $version;

            fn materialize(&self, $state: &mut Writer<'_>) -> Result<(), MaterializeError> {
                let $event = self;
                $materialize
            }
        }

        #[allow(dead_code, reason = "some versions only read")]
        pub fn written(id: impl ToString, text: &str) -> Written {
            Written { id: id.to_string(), text: text.into() }
        }
    };
}

/// The first version.
pub mod first {
    use super::*;
    pub use livestore_testing::sample::notes::Note;

    written!(VERSION 0, |event, state| {
        state.insert(&Note { id: event.id.clone(), text: event.text.clone() })
    });

    livestore::schema! { pub Notes { tables: [Note], events: [Written] } }
}

/// The table has one more column.
pub mod wider {
    use super::*;

    #[table]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Note {
        #[column(primary_key)]
        pub id: String,
        pub text: String,
        #[column(index)]
        pub length: u32,
    }

    written!(VERSION 0, |event, state| {
        let length = event.text.len() as u32;
        state.insert(&Note { id: event.id.clone(), text: event.text.clone(), length })
    });

    livestore::schema! { pub Notes { tables: [Note], events: [Written] } }
}

/// The tables are the same, the materializer is not.
pub mod louder {
    use super::*;
    pub use first::Note;

    written!(VERSION 1, |event, state| {
        state.insert(&Note { id: event.id.clone(), text: event.text.to_uppercase() })
    });

    livestore::schema! { pub Notes { tables: [Note], events: [Written] } }
}

/// Refuses some events that the first version took: after writing something, and by a panic.
pub mod stricter {
    use super::*;
    pub use first::Note;

    written!(VERSION 2, |event, state| {
        state.insert(&Note { id: event.id.clone(), text: event.text.clone() })?;
        match event.text.as_str() {
            "bad" => Err(MaterializeError::custom("bad text")),
            "worse" => panic!("worse text"),
            _ => Ok(()),
        }
    });

    livestore::schema! { pub Notes { tables: [Note], events: [Written] } }
}

/// Knows one more event.
pub mod newer {
    use super::*;
    pub use first::Note;

    written!(VERSION 0, |event, state| {
        state.insert(&Note { id: event.id.clone(), text: event.text.clone() })
    });

    #[derive(Event, Debug)]
    #[event(name = "v2.NoteAmended")]
    pub struct Amended {
        pub id: String,
        pub text: String,
    }

    impl Materialize for Amended {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            let amend = Note::update().set(Note::TEXT, &self.text);
            state.run(amend.filter(Note::ID.eq(&self.id)))
        }
    }

    pub fn amended(id: impl ToString, text: &str) -> Amended {
        Amended { id: id.to_string(), text: text.into() }
    }

    livestore::schema! { pub Notes { tables: [Note], events: [Written, Amended] } }
}

/// Wants other args of the event than were written.
pub mod incompatible {
    use super::*;
    pub use first::Note;

    #[derive(Event, Debug)]
    #[event(name = "v1.NoteWritten")]
    pub struct Written {
        pub id: u64,
        pub body: String,
    }

    impl Materialize for Written {
        fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
            state.insert(&Note { id: self.id.to_string(), text: self.body.clone() })
        }
    }

    livestore::schema! { pub Notes { tables: [Note], events: [Written] } }
}
