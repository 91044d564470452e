//! The request for an image, by the browser's `fetch`.

use livestore_protocol::{SCHEMA_HASH_HEADER, Secret, Transport};

use super::fetch::{Post, Posted};
use crate::net::{Address, End, Options};

/// The backend's answer to the request for an image.
pub(crate) struct ImageAnswer(Posted);

impl ImageAnswer {
    /// Sends the request; `target` is the path and the query.
    pub(crate) async fn request(
        options: &Options,
        address: &Address,
        target: &str,
        schema_hash: i64,
    ) -> Result<Self, End> {
        let url = Secret::from(format!("{}{target}", address.origin(Transport::Http)));
        let mut post = Post::new(&options.headers)?;
        post.header(SCHEMA_HASH_HEADER, &schema_hash.to_string())?;
        post.send(&url, None).await.map(Self)
    }

    pub(crate) fn status(&self) -> u16 {
        self.0.status()
    }

    /// Reads the next bytes of the body.
    pub(crate) async fn read(&mut self) -> Result<Option<Vec<u8>>, End> {
        self.0.read().await
    }
}
