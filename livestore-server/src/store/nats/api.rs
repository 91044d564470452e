//! The requests to JetStream, which are JSON.

use async_nats::connection::State;
use async_nats::{Client, HeaderMap, RequestErrorKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::error::Failure;
use super::message;
use super::stream::{ALL_SUBJECTS, Config, Info, subject_of};
use crate::store::remote::in_time;
use crate::store::{StoreError, StoredEvent};

/// A page has at most this many bytes, or one event.
const PAGE_BYTES: u64 = 1 << 20;

/// An atomic batch has at most this many messages.
pub(super) const MAX_BATCH: usize = 1_000;

/// An answer, or a refusal.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Refused { error: Refusal },
    Done(T),
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

/// Something is stored.
#[derive(Deserialize)]
struct Stored {
    seq: u64,
}

#[derive(Deserialize)]
struct Found {
    message: FoundMessage,
}

#[derive(Deserialize)]
struct FoundMessage {
    #[serde(default)]
    data: String,
}

#[derive(Deserialize)]
struct Counted {
    total: u64,
}

#[derive(Deserialize)]
struct Listed {
    total: usize,
    #[serde(default)]
    streams: Option<Vec<Info>>,
}

/// JetStream.
pub(super) struct Api {
    pub(super) client: Client,
}

impl Api {
    /// Fails if there is no JetStream.
    pub(super) async fn account(&self) -> Result<(), Failure> {
        self.ask::<serde_json::Value>("$JS.API.INFO", Vec::new()).await.map(drop)
    }

    pub(super) async fn create(&self, config: &Config) -> Result<Info, Failure> {
        let body = serde_json::to_vec(config).map_err(malformed)?;
        self.ask(&format!("$JS.API.STREAM.CREATE.{}", config.name), body).await
    }

    pub(super) async fn info(&self, stream: &str) -> Result<Info, Failure> {
        self.ask(&format!("$JS.API.STREAM.INFO.{stream}"), Vec::new()).await
    }

    /// Returns the streams of all stores.
    pub(super) async fn list(&self) -> Result<Vec<Info>, Failure> {
        let mut streams = Vec::new();
        loop {
            let body = json!({"offset": streams.len(), "subject": ALL_SUBJECTS});
            let listed: Listed =
                self.ask("$JS.API.STREAM.LIST", body.to_string().into_bytes()).await?;
            let more = listed.streams.unwrap_or_default();
            let is_last = more.is_empty() || streams.len() + more.len() >= listed.total;
            streams.extend(more);
            if is_last {
                return Ok(streams);
            }
        }
    }

    /// Returns the number of stores.
    pub(super) async fn count(&self) -> Result<u64, Failure> {
        let body = json!({"offset": 0, "subject": ALL_SUBJECTS}).to_string().into_bytes();
        let counted: Counted = self.ask("$JS.API.STREAM.NAMES", body).await?;
        Ok(counted.total)
    }

    /// Returns a message, from the leader of the stream.
    pub(super) async fn message(&self, stream: &str, seq: u64) -> Result<Vec<u8>, Failure> {
        let subject = format!("$JS.API.STREAM.MSG.GET.{stream}");
        let body = json!({"seq": seq}).to_string().into_bytes();
        let found: Found = self.ask(&subject, body).await?;
        STANDARD.decode(found.message.data).map_err(malformed)
    }

    /// Stores messages, if the stream ends with `last`: all of them, or none.
    pub(super) async fn publish(
        &self,
        stream: &str,
        last: u64,
        batch_id: &str,
        mut messages: Vec<Bytes>,
    ) -> Result<u64, Failure> {
        self.is_connected()?;
        let subject = subject_of(stream);
        let Some(commit) = messages.pop() else { return Ok(last) };
        let count = messages.len() + 1;
        let headers = |index: usize| {
            let mut headers = HeaderMap::new();
            if index == 1 {
                headers.insert("Nats-Expected-Last-Sequence", last.to_string());
            }
            if count > 1 {
                headers.insert("Nats-Batch-Id", batch_id);
                headers.insert("Nats-Batch-Sequence", index.to_string());
            }
            headers
        };
        for (index, message) in (1..).zip(messages) {
            let published =
                self.client.publish_with_headers(subject.clone(), headers(index), message);
            match in_time(published).await {
                Some(Ok(())) => {}
                Some(Err(_)) | None => return Err(Failure::Unreached),
            }
        }
        let mut last_headers = headers(count);
        if count > 1 {
            last_headers.insert("Nats-Batch-Commit", "1");
        }
        let answer = in_time(self.client.request_with_headers(subject, last_headers, commit)).await;
        let answer = answer.ok_or(Failure::Silent)?.map_err(|error| request_failure(&error))?;
        decode::<Stored>(&answer.payload).map(|stored| stored.seq)
    }

    /// Returns the events after `after`: at most `size`, or fewer if they are large. They may come from
    /// a replica that does not have the last ones yet.
    pub(super) async fn page(
        &self,
        stream: &str,
        after: u64,
        size: u64,
    ) -> Result<Vec<Result<StoredEvent, StoreError>>, Failure> {
        self.is_connected()?;
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        let inbox = self.client.new_inbox();
        let subscribed = in_time(self.client.subscribe(inbox.clone())).await;
        let Some(Ok(mut answers)) = subscribed else { return Err(Failure::Unreached) };
        let body = json!({"seq": first, "batch": size, "max_bytes": PAGE_BYTES}).to_string();
        let subject = format!("$JS.API.DIRECT.GET.{stream}");
        let asked = in_time(self.client.publish_with_reply(subject, inbox, body.into())).await;
        let Some(Ok(())) = asked else { return Err(Failure::Unreached) };
        let mut events = Vec::new();
        loop {
            let answer = in_time(answers.next()).await.flatten().ok_or(Failure::Silent)?;
            match answer.status.map(|status| status.as_u16()) {
                None => {}
                Some(204 | 404) => return Ok(events),
                Some(503) => return Err(Failure::NoResponders),
                Some(other) => return Err(Failure::Malformed(format!("status {other}"))),
            }
            let seq = answer.headers.as_ref().and_then(|headers| headers.get("Nats-Sequence"));
            let seq = seq.and_then(|seq| seq.as_str().parse().ok());
            let seq = seq.ok_or_else(|| Failure::Malformed("no sequence".to_owned()))?;
            events.push(message::decode(seq, &answer.payload));
        }
    }

    async fn ask<T: DeserializeOwned>(&self, subject: &str, body: Vec<u8>) -> Result<T, Failure> {
        self.is_connected()?;
        let answer = in_time(self.client.request(subject.to_owned(), body.into())).await;
        let answer = answer.ok_or(Failure::Silent)?.map_err(|error| request_failure(&error))?;
        decode(&answer.payload)
    }

    /// What is sent without a connection would wait for one, and be sent late.
    pub(super) fn is_connected(&self) -> Result<(), Failure> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err(Failure::Unreached),
        }
    }
}

fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Failure> {
    match serde_json::from_slice(payload).map_err(malformed)? {
        Answer::Done(answer) => Ok(answer),
        Answer::Refused { error } => {
            Err(Failure::Refused { code: error.err_code, description: error.description })
        }
    }
}

fn request_failure(error: &async_nats::RequestError) -> Failure {
    match error.kind() {
        RequestErrorKind::NoResponders => Failure::NoResponders,
        _ => Failure::Silent,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn malformed(error: impl ToString) -> Failure {
    Failure::Malformed(error.to_string())
}
