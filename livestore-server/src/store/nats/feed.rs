//! What other servers have appended, by messages that are not stored.

use futures_util::stream::{self, StreamExt};

use super::Streams;
use super::error::{Failure, STREAM_NOT_FOUND};
use crate::store::remote::{FIRST_PAGE, Feed};
use crate::store::{StoreError, StoredEvent};

/// The subject of announcements. It is not among those of stores, which streams store.
const SUBJECT: &str = "livestore.news";

/// The most requests for heads at a time.
const REQUESTS: usize = 32;

impl Feed for Streams {
    /// The name of a stream.
    type Key = String;

    async fn next(&self, stream: &String, after: u64) -> Result<Vec<StoredEvent>, StoreError> {
        let page = self.page(stream, after, FIRST_PAGE).await?;
        page.into_iter().collect()
    }

    async fn heads(&self, streams: Vec<String>) -> Result<Vec<(String, u64)>, StoreError> {
        let heads = stream::iter(streams).map(|stream| async move {
            match self.api.info(&stream).await {
                Ok(info) => Ok(Some((stream, info.state.last_seq))),
                Err(failure) if failure.has_code(STREAM_NOT_FOUND) => Ok(None),
                Err(failure) => Err(failure.unavailable()),
            }
        });
        let heads: Vec<_> = heads.buffer_unordered(REQUESTS).collect().await;
        heads.into_iter().filter_map(Result::transpose).collect()
    }

    async fn announce(&self, texts: Vec<String>) -> Result<(), StoreError> {
        self.api.is_connected().map_err(Failure::unavailable)?;
        for text in texts {
            let sent = self.api.client.publish(SUBJECT, text.into()).await;
            sent.map_err(|_| Failure::Unreached.unavailable())?;
        }
        Ok(())
    }

    async fn listen(
        &self,
        ready: impl Fn() + Send + Sync,
        receive: impl Fn(&str) + Send + Sync,
    ) -> String {
        let mut news = match self.api.client.subscribe(SUBJECT).await {
            Ok(news) => news,
            Err(error) => return error.to_string(),
        };
        ready();
        while let Some(message) = news.next().await {
            receive(&String::from_utf8_lossy(&message.payload));
        }
        "it was closed".to_owned()
    }
}
