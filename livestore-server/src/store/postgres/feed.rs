//! What other servers have appended, by NOTIFY.
//!
//! It happens outside the append: a NOTIFY takes a lock that all transactions of Postgres share until it
//! is committed. It has nothing but heads.

use std::fmt::Write;
use std::future::poll_fn;
use std::pin::pin;

use tokio_postgres::AsyncMessage;

use super::database::Database;
use super::error::{Failure, chain};
use crate::store::remote::{FIRST_PAGE, Feed};
use crate::store::{StoreError, StoredEvent};

impl Feed for Database {
    type Key = i64;

    async fn next(&self, key: &i64, after: u64) -> Result<Vec<StoredEvent>, StoreError> {
        self.page(*key, after, FIRST_PAGE).await?.into_iter().collect()
    }

    async fn heads(&self, keys: Vec<i64>) -> Result<Vec<(i64, u64)>, StoreError> {
        self.heads_of(keys).await.map_err(Failure::unavailable)
    }

    /// The commit of a notification need not be on the disk, unlike everything else.
    async fn announce(&self, texts: Vec<String>) -> Result<(), StoreError> {
        let mut statements = "BEGIN; SET LOCAL synchronous_commit = off;".to_owned();
        for text in texts {
            // Writing to a `String` cannot fail.
            let _ = write!(statements, "NOTIFY livestore, '{text}';");
        }
        self.run(statements + "COMMIT").await.map_err(Failure::unavailable)
    }

    async fn listen(
        &self,
        ready: impl Fn() + Send + Sync,
        receive: impl Fn(&str) + Send + Sync,
    ) -> String {
        let (client, mut connection) = match self.settings.config.connect(self.tls.clone()).await {
            Ok(connected) => connected,
            Err(error) => return chain(&error),
        };
        let mut listening = pin!(client.batch_execute("LISTEN livestore"));
        let mut listens = false;
        loop {
            tokio::select! {
                message = poll_fn(|context| connection.poll_message(context)) => match message {
                    Some(Ok(AsyncMessage::Notification(news))) => receive(news.payload()),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return chain(&error),
                    None => return "it was closed".to_owned(),
                },
                listened = &mut listening, if !listens => {
                    if let Err(error) = listened {
                        return chain(&error);
                    }
                    listens = true;
                    ready();
                }
            }
        }
    }
}
