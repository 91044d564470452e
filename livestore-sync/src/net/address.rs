//! Addresses: what a URL of a backend says, and what is wrong with it.

use http::Uri;
use livestore::sync::{ConnectRequest, Secret};

use livestore_protocol::{ConnectQuery, Transport};

use super::platform::is_host as can_be_host;

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
        let (tls, rest) = split_scheme(url, transport)?;
        check_text(url, rest)?;
        let uri: Uri = format!("{}://{rest}", if tls { "https" } else { "http" })
            .parse()
            .map_err(|error| format!("`{url}` is not a URL: {error}"))?;
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| format!("`{url}` names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !can_be_host(&host) {
            return Err(format!("`{url}` names a host that cannot exist: `{host}`"));
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str()).to_owned();
        let port = port(&authority).map_err(|port| format!("`{url}` names no port: `{port}`"))?;
        Ok(Self {
            host,
            port: port.unwrap_or(if tls { 443 } else { 80 }),
            tls,
            authority,
            target: Secret::from(target(&uri, connect_request, transport)),
        })
    }

    /// Returns the URL for a browser, which resolves and dials it itself.
    #[cfg(target_family = "wasm")]
    pub(crate) fn url(&self, transport: Transport) -> String {
        format!("{}{}", self.origin(transport), self.target.as_str())
    }

    /// The part of the URL before the path.
    #[cfg(target_family = "wasm")]
    pub(crate) fn origin(&self, transport: Transport) -> String {
        let scheme = match (transport, self.tls) {
            (Transport::WebSocket, false) => "ws",
            (Transport::WebSocket, true) => "wss",
            (Transport::Http, false) => "http",
            (Transport::Http, true) => "https",
        };
        format!("{scheme}://{}", self.authority)
    }

    /// Returns the problem with the URL, if there is one.
    pub(crate) fn check(url: &str, transport: Transport) -> Result<(), String> {
        Self::new(url, &ConnectRequest::new("", None), transport).map(|_| ())
    }
}

/// Returns whether the URL wants encryption, and what follows its scheme.
fn split_scheme(url: &str, transport: Transport) -> Result<(bool, &str), String> {
    let (plain, encrypted) = match transport {
        Transport::WebSocket => ("ws", "wss"),
        Transport::Http => ("http", "https"),
    };
    let Some((scheme, rest)) = url.split_once("://") else {
        let hint =
            if is_host(url) { format!(", such as `{plain}://{url}`") } else { String::new() };
        return Err(format!(
            "`{url}` has no scheme: a URL begins with `{plain}://` or `{encrypted}://`{hint}"
        ));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "ws" | "http" => Ok((false, rest)),
        "wss" | "https" => Ok((true, rest)),
        _ => Err(format!("`{url}` does not begin with `{plain}://` or `{encrypted}://`")),
    }
}

/// Whether a text without a scheme looks like a host, or a host and a port.
fn is_host(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b".:-".contains(&byte))
}

/// Refuses what no request would carry, and nobody would miss before it was too late.
fn check_text(url: &str, rest: &str) -> Result<(), String> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        // Neither is shown: a status may be logged.
        return Err("the URL holds a user name or a password, which is not sent: use the sync \
                    payload, or a header"
            .to_owned());
    }
    if rest.contains('#') {
        return Err(format!("`{url}` has a fragment (`#`), which is never sent"));
    }
    match url.chars().find(|char| char.is_whitespace() || char.is_control() || *char == '\\') {
        Some(odd) => Err(format!("{url:?} contains {odd:?}, which a URL cannot")),
        None => Ok(()),
    }
}

/// Returns the port of `host:port`, or the text that is not a port.
fn port(authority: &str) -> Result<Option<u16>, &str> {
    let after_host = authority.rsplit(']').next().unwrap_or_default();
    match after_host.rsplit_once(':') {
        None => Ok(None),
        Some((_, port)) => match port.parse() {
            Ok(0) | Err(_) => Err(port),
            Ok(number) => Ok(Some(number)),
        },
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
        let address = address("WSS://[::1]/sync/?region=eu").unwrap();
        assert_eq!((&*address.host, address.port, address.tls), ("::1", 443, true));
        assert_eq!(address.authority, "[::1]");
        assert_eq!(address.target.as_str(), "/sync/?region=eu&storeId=st%201&transport=ws");
        for (url, host, port) in [
            ("ws://127.0.0.1:8787", "127.0.0.1", 8787),
            ("Http://Example.com", "Example.com", 80),
            ("wss://[fe80::1]:99/a", "fe80::1", 99),
            ("ws://a_b.example.", "a_b.example.", 80),
        ] {
            let address = super::tests::address(url).unwrap();
            assert_eq!((&*address.host, address.port), (host, port), "{url}");
        }
    }

    #[test]
    fn a_bad_url_is_named() {
        for url in [
            "",
            "localhost:8787",
            "127.0.0.1:8787",
            "ftp://a",
            "file:///tmp/a",
            "/run/sync.sock",
            "unix:/run/sync.sock",
            "ws:/a",
            "ws//a",
            "ws://",
            "ws:///path",
            "ws://:80",
            "ws://host:99999",
            "ws://host:0",
            "ws://host:",
            "ws://host:port",
            "ws://host:80:80",
            "ws://a#b",
            "ws://a/#",
            "ws://[::1",
            "ws://-/",
            "ws://a..b",
            "wss://bücher.example",
        ] {
            let error = address(url).unwrap_err();
            assert!(error.contains(url), "{url}: {error}");
        }
        for url in ["ws://a b", " ws://a", "ws://a\n", "ws://a/b c", "ws:\\\\a", "ws://a\u{1b}"] {
            let error = address(url).unwrap_err();
            assert!(!error.contains(|char: char| char.is_control()), "{error:?}");
        }
        assert!(address("localhost:8787").unwrap_err().contains("such as `ws://localhost:8787`"));
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_shown() {
        let error = address("wss://user:s3cret@sync.example.com/").unwrap_err();
        assert!(error.contains("header") && !error.contains("s3cret"), "{error}");
        assert!(address("ws://host/a@b").is_ok());
    }
}
