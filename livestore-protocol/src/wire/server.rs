use crate::{More, Page, SyncError, SyncEvent, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{Ids, PulledFields, write_accepted_event, write_pulled_event};
use super::failure::{decode_cause, write_cause};
use super::json::{self, Text, Whole};
use super::{RequestId, WireError};

/// A message from a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerMessage {
    /// The answer to [`Ping`](super::ClientMessage::Ping).
    Pong,
    /// Pages of a pull.
    Chunk {
        /// The id of the pull.
        request_id: RequestId,
        /// The pages. Backends send one per chunk.
        pages: Vec<Page>,
    },
    /// A request has ended.
    Exit {
        /// The id of the request.
        request_id: RequestId,
        /// How it ended.
        exit: Exit,
    },
    /// The backend could not read a message, or does not know its kind.
    Defect(String),
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// A pull that was not live has sent all events.
    PullDone,
    /// The events of a push were accepted.
    PushDone,
    /// The answer to a ping over HTTP.
    Pong,
    /// The request failed.
    Failure(SyncError),
    /// The client, or the end of the connection, interrupted the request.
    Interrupted,
}

impl ServerMessage {
    /// Reads a message.
    ///
    /// # Errors
    /// If the text is not a message of a backend.
    pub fn decode(text: &str) -> Result<Self, WireError> {
        let frame: Frame<'_> = serde_json::from_str(text)?;
        match &*frame.tag {
            "Pong" => Ok(Self::Pong),
            "Chunk" => decode_chunk(frame),
            "Exit" => decode_exit(frame),
            "Defect" => Ok(Self::Defect(json::plain(frame.defect))),
            tag => Err(WireError::UnknownTag { tag: tag.to_owned(), request_id: frame.request_id }),
        }
    }

    /// Reads the answer to a request over HTTP: an array of messages, or a single one.
    ///
    /// # Errors
    /// If one of them is not a message of a backend.
    pub fn decode_all(text: &str) -> Result<Vec<Self>, WireError> {
        if !text.trim_start().starts_with('[') {
            return Ok(vec![Self::decode(text)?]);
        }
        let elements: Vec<&RawValue> = serde_json::from_str(text)?;
        elements.into_iter().map(|element| Self::decode(element.get())).collect()
    }

    /// Appends the message as JSON, in the dialect of the request that it answers.
    pub fn encode(&self, out: &mut String) {
        match self {
            Self::Pong => out.push_str(r#"{"_tag":"Pong"}"#),
            Self::Chunk { request_id, pages } => write_pages(request_id, pages, out),
            Self::Exit { request_id, exit } => write_exit(request_id, exit, out),
            Self::Defect(text) => {
                out.push_str(r#"{"_tag":"Defect","defect":"#);
                json::write_str(text, out);
                out.push('}');
            }
        }
    }

    /// Appends the answer to a request over HTTP.
    pub fn encode_all(messages: &[Self], out: &mut String) {
        out.push('[');
        for (index, message) in messages.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            message.encode(out);
        }
        out.push(']');
    }
}

/// Appends a chunk of one page that is JSON already, so that a page is encoded once for all who
/// receive it.
pub fn write_chunk(request_id: &RequestId, page: &str, out: &mut String) {
    start_chunk(request_id, out);
    out.push_str(page);
    out.push_str("]}");
}

fn write_pages(request_id: &RequestId, pages: &[Page], out: &mut String) {
    start_chunk(request_id, out);
    for (index, page) in pages.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_page(page, out);
    }
    out.push_str("]}");
}

fn start_chunk(request_id: &RequestId, out: &mut String) {
    out.push_str(r#"{"_tag":"Chunk","requestId":"#);
    request_id.write(out);
    out.push_str(r#","values":["#);
}

/// Appends a page as JSON.
pub fn write_page(page: &Page, out: &mut String) {
    let mut writer = PageWriter::new(out);
    page.events.iter().for_each(|event| writer.event(event));
    writer.end(page.more, &page.backend_id);
}

/// Writes a page event by event.
#[derive(Debug)]
pub struct PageWriter<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> PageWriter<'a> {
    /// Starts a page at the end of `out`.
    pub fn new(out: &'a mut String) -> Self {
        out.push_str(r#"{"batch":["#);
        Self { out, first: true }
    }

    /// Adds an event.
    pub fn event(&mut self, event: &SyncEvent) {
        self.comma();
        write_pulled_event(event, self.out);
    }

    /// Adds an event that the backend accepted at this time, which becomes its metadata.
    pub fn accepted_event(&mut self, event: &SyncEvent, created_at: Timestamp) {
        self.comma();
        write_accepted_event(event, created_at, self.out);
    }

    /// Adds an event that [`write_pulled_event`] has encoded.
    pub fn encoded(&mut self, event: &str) {
        self.comma();
        self.out.push_str(event);
    }

    /// Ends the page.
    pub fn end(self, more: More, backend_id: &str) {
        self.out.push_str(r#"],"pageInfo":{"_tag":""#);
        match more {
            More::No => self.out.push_str(r#"NoMore"}"#),
            More::Unknown => self.out.push_str(r#"MoreUnknown"}"#),
            More::Known(remaining) => {
                self.out.push_str(r#"MoreKnown","remaining":"#);
                json::write_plain(remaining, self.out);
                self.out.push('}');
            }
        }
        self.out.push_str(r#","backendId":"#);
        json::write_str(backend_id, self.out);
        self.out.push('}');
    }

    fn comma(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
    }
}

fn write_exit(request_id: &RequestId, exit: &Exit, out: &mut String) {
    out.push_str(r#"{"_tag":"Exit","requestId":"#);
    request_id.write(out);
    out.push_str(r#","exit":{"_tag":""#);
    match exit {
        Exit::PullDone => out.push_str(r#"Success""#),
        Exit::PushDone => out.push_str(r#"Success","value":{}"#),
        Exit::Pong => out.push_str(r#"Success","value":{"_tag":"SyncMessage.Pong"}"#),
        Exit::Failure(failure) => write_failure(Some(failure), request_id, out),
        Exit::Interrupted => write_failure(None, request_id, out),
    }
    out.push_str("}}");
}

fn write_failure(failure: Option<&SyncError>, request_id: &RequestId, out: &mut String) {
    out.push_str(r#"Failure","cause":"#);
    write_cause(failure, request_id.dialect(), out);
}

/// The fields of any message of a backend.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "_tag", borrow)]
    tag: Text<'a>,
    #[serde(rename = "requestId")]
    request_id: Option<RequestId>,
    #[serde(borrow)]
    values: Option<&'a RawValue>,
    #[serde(borrow)]
    exit: Option<&'a RawValue>,
    #[serde(borrow)]
    defect: Option<&'a RawValue>,
}

impl Frame<'_> {
    fn request_id(&mut self) -> Result<RequestId, WireError> {
        let missing = || WireError::Malformed("missing field `requestId`".to_owned());
        self.request_id.take().ok_or_else(missing)
    }
}

fn decode_chunk(mut frame: Frame<'_>) -> Result<ServerMessage, WireError> {
    let request_id = frame.request_id()?;
    let values = frame.values.map_or("null", RawValue::get);
    match serde_json::from_str::<Vec<PageFields<'_>>>(values) {
        Ok(pages) => {
            let pages = pages.into_iter().map(PageFields::into_page).collect();
            Ok(ServerMessage::Chunk { request_id, pages })
        }
        Err(error) => Err(unfit(request_id, "Chunk", &error)),
    }
}

fn decode_exit(mut frame: Frame<'_>) -> Result<ServerMessage, WireError> {
    let request_id = frame.request_id()?;
    let fields = frame.exit.map_or("null", RawValue::get);
    let decoded = serde_json::from_str::<ExitFields<'_>>(fields).and_then(decode_outcome);
    match decoded {
        Ok(exit) => Ok(ServerMessage::Exit { request_id, exit }),
        Err(error) => Err(unfit(request_id, "Exit", &error)),
    }
}

fn unfit(request_id: RequestId, tag: &str, error: &serde_json::Error) -> WireError {
    WireError::Unfit { request_id, tag: tag.to_owned(), problem: error.to_string() }
}

#[derive(Deserialize)]
struct ExitFields<'a> {
    #[serde(rename = "_tag")]
    tag: ExitTag,
    value: Option<Value<'a>>,
    #[serde(borrow)]
    cause: Option<&'a RawValue>,
}

#[derive(Deserialize)]
enum ExitTag {
    Success,
    Failure,
}

#[derive(Deserialize)]
struct Value<'a> {
    #[serde(rename = "_tag", borrow)]
    tag: Option<Text<'a>>,
}

fn decode_outcome(fields: ExitFields<'_>) -> Result<Exit, serde_json::Error> {
    match (fields.tag, fields.value) {
        (ExitTag::Failure, _) => {
            let failure = decode_cause(fields.cause.map_or("null", RawValue::get))?;
            Ok(failure.map_or(Exit::Interrupted, Exit::Failure))
        }
        (ExitTag::Success, None) => Ok(Exit::PullDone),
        (ExitTag::Success, Some(Value { tag: Some(tag) })) if tag == "SyncMessage.Pong" => {
            Ok(Exit::Pong)
        }
        (ExitTag::Success, Some(_)) => Ok(Exit::PushDone),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageFields<'a> {
    #[serde(borrow)]
    batch: Vec<PulledFields<'a>>,
    page_info: PageInfo,
    backend_id: String,
}

#[derive(Deserialize)]
#[serde(tag = "_tag")]
enum PageInfo {
    NoMore,
    MoreKnown { remaining: Whole },
    MoreUnknown,
}

impl PageFields<'_> {
    fn into_page(self) -> Page {
        let mut ids = Ids::default();
        Page {
            events: self.batch.into_iter().map(|event| event.into_event(&mut ids)).collect(),
            more: match self.page_info {
                PageInfo::NoMore => More::No,
                PageInfo::MoreKnown { remaining: Whole(remaining) } => More::Known(remaining),
                PageInfo::MoreUnknown => More::Unknown,
            },
            backend_id: self.backend_id,
        }
    }
}
