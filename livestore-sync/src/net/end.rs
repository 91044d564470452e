//! How a connection ends, and what an unexpected answer over HTTP means.

use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use http::response::Parts;
use livestore::sync::{BackendMessage, SyncError};
#[cfg(not(target_family = "wasm"))]
use livestore_protocol::ErrorChain;

use super::retry_after::retry_after;

/// The end of a connection: the messages before `Disconnected`, if any, and the reason.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) last: Option<BackendMessage>,
    pub(crate) retry_after: Option<Duration>,
    /// The request had more bytes than the backend accepts.
    pub(crate) is_too_large: bool,
    pub(crate) reason: String,
}

impl End {
    /// The reason may come from outside: nothing in it controls a terminal.
    pub(crate) fn disconnected(reason: impl ToString) -> Self {
        let reason = printable(&reason.to_string());
        Self { last: None, retry_after: None, is_too_large: false, reason }
    }

    pub(crate) fn pull_failed(failure: SyncError) -> Self {
        let reason = failure.to_string();
        Self { last: Some(BackendMessage::PullFailed(failure)), ..Self::disconnected(reason) }
    }

    pub(crate) fn push_failed(failure: SyncError) -> Self {
        let reason = failure.to_string();
        Self { last: Some(BackendMessage::PushFailed(failure)), ..Self::disconnected(reason) }
    }

    /// hyper says what it was doing; the cause says why that failed.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn broken(error: hyper::Error) -> Self {
        Self::disconnected(ErrorChain::new(&error))
    }

    /// The answer is not what was asked for, and ends the connection. `schemes` are those that this
    /// backend's URL may have.
    pub(crate) fn answer(parts: &Parts, body: &[u8], schemes: [&str; 2]) -> Self {
        let status = parts.status.as_u16();
        let (text, is_page) = match text_of(&parts.headers, body) {
            Some(text) => (text, false),
            None => (WEB_PAGE.to_owned(), true),
        };
        let end = match status {
            300..=399 => Self::disconnected(redirect(status, &parts.headers, schemes)),
            // It is not the backend that refuses the payload.
            400 | 401 | 403 if is_page => Self::pull_failed(SyncError::Invalid(text)),
            400 | 401 | 403 => Self::pull_failed(SyncError::Refused(text)),
            414 | 431 => Self::pull_failed(SyncError::Invalid(HEAD_TOO_LONG.to_owned())),
            200..=299 | 404 | 426 => Self::pull_failed(SyncError::Invalid(text)),
            _ => Self::disconnected(format!("the backend answers {status}: {text}")),
        };
        Self { retry_after: retry_after(&parts.headers), is_too_large: status == 413, ..end }
    }
}

/// Servers that say so give no reason.
const HEAD_TOO_LONG: &str = "the request has a longer URL or longer headers than the backend reads: the \
                             sync payload is part of the URL, so make it shorter";

/// Returns the text with its control characters escaped, except line breaks.
fn printable(text: &str) -> String {
    text.lines().map(livestore_protocol::printable).collect::<Vec<_>>().join("\n")
}

/// Where the backend has moved to, without the query, which holds the payload.
fn redirect(status: u16, headers: &HeaderMap, [plain, encrypted]: [&str; 2]) -> String {
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let Some(location) = location.and_then(|location| location.split(['?', '#']).next()) else {
        return format!("the backend answers {status}, and does not say where it is");
    };
    let place = match location.split_once("://") {
        Some(("http" | "ws", rest)) => format!("{plain}://{rest}"),
        Some(("https" | "wss", rest)) => format!("{encrypted}://{rest}"),
        _ => location.to_owned(),
    };
    format!("the backend has moved ({status}): use `{place}` as the URL")
}

/// What is known of a web page.
const WEB_PAGE: &str = "a web page instead of a sync backend: the sign-in page of this network, a \
                        proxy, or a wrong URL";

/// Returns the text of an answer, unless it is a web page.
fn text_of(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("text/html") || text.starts_with("<!") || text.starts_with("<html") {
        return None;
    }
    Some(if text.is_empty() { "no reason given".to_owned() } else { printable(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each status of a backend, or of a proxy before it, means for the connection.
    #[test]
    fn each_status_has_its_meaning() {
        let refused =
            |text: &str| Some(BackendMessage::PullFailed(SyncError::Refused(text.into())));
        let invalid =
            |text: &str| Some(BackendMessage::PullFailed(SyncError::Invalid(text.into())));
        for (status, body, last) in [
            (200_u16, "hello", invalid("hello")),
            (302, "", None),
            (400, "the token has expired", refused("the token has expired")),
            (400, "", refused("no reason given")),
            (401, "who are you?", refused("who are you?")),
            (403, "no", refused("no")),
            (403, "<html>blocked</html>", invalid(WEB_PAGE)),
            (404, "", invalid("no reason given")),
            (408, "too slow", None),
            (413, "too large", None),
            (414, "", invalid(HEAD_TOO_LONG)),
            (426, "upgrade", invalid("upgrade")),
            (429, "not so fast", None),
            (431, "", invalid(HEAD_TOO_LONG)),
            (500, "", None),
            (502, "<html>bad gateway</html>", None),
            (503, "too many connections", None),
        ] {
            let response = http::Response::builder().status(status).body(()).unwrap();
            let end = End::answer(&response.into_parts().0, body.as_bytes(), ["ws", "wss"]);
            assert_eq!(end.last, last, "{status} {body}");
            assert_eq!(end.is_too_large, status == 413);
            assert!(!end.reason.is_empty(), "{status}");
        }
    }
}
