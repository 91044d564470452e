//! LiveStore's export: one JSON document, `{version, storeId, exportedAt, eventCount, events}`.

use std::cell::RefCell;
use std::fmt;
use std::io::Read;
use std::path::Path;

use livestore::SeqNum;
use livestore::event::EncodedEvent;
use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::{Take, Texts};
use crate::exit::{Failure, Result};
use crate::line::present;

/// The version of the document that LiveStore writes.
const VERSION: u64 = 1;

/// Reads the document, and returns the id of its store.
pub(super) fn read(path: &Path, content: impl Read, take: Take<'_>) -> Result<String> {
    // What `take` has to say, serde would turn into text.
    let failed = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_reader(content);
    let document = Document { take, failed: &failed };
    let read =
        document.deserialize(&mut deserializer).and_then(|head| deserializer.end().map(|()| head));
    let in_file = |problem: &dyn fmt::Display| format!("{}: {problem}", path.display());
    match (failed.take(), read) {
        (Some(failure), _) => Err(Failure::new(failure.exit, in_file(&failure.message()))),
        (None, Err(error)) => Err(Failure::failed(in_file(&error))),
        (None, Ok(store_id)) => Ok(store_id),
    }
}

/// An event, as LiveStore's `LiveStoreEvent.Global.Encoded` has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Global {
    name: String,
    #[serde(default, deserialize_with = "present")]
    args: Option<Box<RawValue>>,
    seq_num: u64,
    parent_seq_num: u64,
    client_id: String,
    session_id: String,
}

struct Document<'a, 'f> {
    take: Take<'a>,
    failed: &'f RefCell<Option<Failure>>,
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an export of LiveStore's, an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
        let (mut version, mut store_id, mut count, mut read) = (None, None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "version" => version = Some(map.next_value::<u64>()?),
                "storeId" => store_id = Some(map.next_value()?),
                "eventCount" => count = Some(map.next_value::<u64>()?),
                "events" if read.is_some() => {
                    return Err(A::Error::custom("it has `events` twice"));
                }
                "events" => {
                    let events = Events { take: &mut *self.take, failed: self.failed };
                    read = Some(map.next_value_seed(events)?);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match (version, read, count) {
            (Some(VERSION), Some(read), Some(count)) if read != count => {
                let found = format!("it says that it has {count} events, and has {read}");
                Err(A::Error::custom(found))
            }
            (Some(VERSION), Some(_), _) => {
                store_id.ok_or_else(|| A::Error::missing_field("storeId"))
            }
            (Some(VERSION), None, _) => Err(A::Error::missing_field("events")),
            (Some(version), ..) => {
                Err(A::Error::custom(format!("it has version {version}, not {VERSION}")))
            }
            (None, ..) => Err(A::Error::missing_field("version")),
        }
    }
}

struct Events<'a, 'f> {
    take: Take<'a>,
    failed: &'f RefCell<Option<Failure>>,
}

impl<'de> DeserializeSeed<'de> for Events<'_, '_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Events<'_, '_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<u64, A::Error> {
        let mut texts = Texts::default();
        let mut count = 0;
        while let Some(global) = seq.next_element::<Global>()? {
            if let Err(failure) = (self.take)(event(global, &mut texts)) {
                *self.failed.borrow_mut() = Some(failure);
                return Err(A::Error::custom("an event is refused"));
            }
            count += 1;
        }
        Ok(count)
    }
}

fn event(global: Global, texts: &mut Texts) -> EncodedEvent {
    EncodedEvent::new(
        SeqNum::new(global.seq_num),
        SeqNum::new(global.parent_seq_num),
        global.name,
        global.args.map(|args| Box::<str>::from(args).into_string()).unwrap_or_default(),
        texts.client(&global.client_id),
        texts.session(&global.session_id),
    )
}
