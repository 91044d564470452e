//! The request for an image, over a connection of its own.

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use livestore_protocol::SCHEMA_HASH_HEADER;

use super::{dial, timeout};
use crate::net::{Address, End, Options};

/// The backend's answer to the request for an image.
pub(crate) struct ImageAnswer(Response<Incoming>);

impl ImageAnswer {
    /// Sends the request; `target` is the path and the query.
    pub(crate) async fn request(
        options: &Options,
        address: &Address,
        target: &str,
        schema_hash: i64,
    ) -> Result<Self, End> {
        let post = post(options, address, target, schema_hash)?;
        let connecting = timeout(options.connect_timeout, dial(address)).await;
        let socket = connecting.ok_or_else(|| End::disconnected("connecting takes too long"))?;
        let socket = TokioIo::new(socket.map_err(End::disconnected)?);
        let (mut sender, connection) = http1::handshake(socket).await.map_err(End::broken)?;
        // It ends with the sender; its errors are those of the request.
        tokio::spawn(connection);
        sender.send_request(post).await.map(Self).map_err(End::broken)
    }

    pub(crate) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// Reads the next bytes of the body.
    pub(crate) async fn read(&mut self) -> Result<Option<Bytes>, End> {
        let frame = self.0.body_mut().frame().await.transpose().map_err(End::broken)?;
        Ok(frame.map(|frame| frame.into_data().unwrap_or_default()))
    }
}

fn post(
    options: &Options,
    address: &Address,
    target: &str,
    schema_hash: i64,
) -> Result<Request<Empty<Bytes>>, End> {
    let mut post = Request::post(target)
        .header("host", address.authority.as_str())
        .header("accept-encoding", "identity")
        .header(SCHEMA_HASH_HEADER, schema_hash);
    for (name, value) in &options.headers {
        post = post.header(name, value.as_str());
    }
    post.body(Empty::new()).map_err(End::disconnected)
}
