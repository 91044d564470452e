use hyper::Uri;
use livestore::sync::{ConnectRequest, Secret};

use livestore_protocol::{ConnectQuery, Transport};

/// The address of a backend.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    /// Host and port as they are in the URL.
    pub(crate) authority: String,
    /// Path and query, including the app's payload.
    pub(crate) target: Secret,
}

impl Address {
    /// Returns the address of the store, or the problem with the URL.
    pub(crate) fn new(
        url: &str,
        connect_request: &ConnectRequest,
        transport: Transport,
    ) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("`{url}` is not a URL: {error}"))?;
        let tls = match uri.scheme_str() {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            _ => return Err(format!("`{url}` does not start with ws, wss, http or https")),
        };
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| format!("`{url}` names no host"))?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        Ok(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            authority: authority.rsplit('@').next().unwrap_or_default().to_owned(),
            target: Secret::from(target(&uri, connect_request, transport)),
        })
    }
}

/// The URL's own path and query, with the protocol's fields at the end.
fn target(uri: &Uri, connect_request: &ConnectRequest, transport: Transport) -> String {
    let query = ConnectQuery {
        store_id: connect_request.store_id.clone(),
        transport,
        payload: connect_request.payload.clone(),
    };
    match uri.query() {
        Some(own) => format!("{}?{own}&{}", uri.path(), query.encode()),
        None => format!("{}?{}", uri.path(), query.encode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<Address, String> {
        Address::new(url, &ConnectRequest::new("st 1", None), Transport::WebSocket)
    }

    #[test]
    fn a_url_says_host_port_and_path() {
        let address = address("wss://u:p@[::1]/sync?region=eu").unwrap();
        assert_eq!((&*address.host, address.port, address.tls), ("::1", 443, true));
        assert_eq!(address.authority, "[::1]");
        assert_eq!(address.target.as_str(), "/sync?region=eu&storeId=st%201&transport=ws");
    }

    #[test]
    fn a_bad_url_is_named() {
        for url in ["", "localhost:8787", "ftp://a", "ws://", "ws://a b"] {
            assert!(address(url).unwrap_err().contains(url), "{url}");
        }
    }
}
