//! Store ids. They name directories, and databases of a backend.

use super::OpenError;

const MAX_LENGTH: usize = 100;

pub(super) fn check(id: &str) -> Result<(), OpenError> {
    let wrong = |reason| Err(OpenError::StoreId { id: id.to_owned(), reason });
    if id.is_empty() {
        return wrong("it is empty");
    }
    if id.len() > MAX_LENGTH {
        return wrong("it is longer than 100 characters");
    }
    if id.starts_with('.') {
        return wrong("it starts with a dot");
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !id.chars().all(allowed) {
        return wrong("it has characters other than letters, digits, `-`, `_` and `.`");
    }
    Ok(())
}

/// The longest id of a client or window, in bytes. Each event carries both.
const MAX_SESSION_LENGTH: usize = 512;

/// Checks the ids that an app chooses for this client and this window.
pub(super) fn check_session(client_id: Option<&str>, window_id: &str) -> Result<(), OpenError> {
    if client_id == Some("") {
        let (kind, reason) = ("client id", "it is empty");
        return Err(OpenError::SessionId { kind, id: String::new(), reason });
    }
    let ids = client_id.map(|id| ("client id", id)).into_iter().chain([("window id", window_id)]);
    for (kind, id) in ids {
        let reason = if id.len() > MAX_SESSION_LENGTH {
            "it is longer than 512 bytes"
        } else if id.chars().any(char::is_control) {
            "it has control characters"
        } else {
            continue;
        };
        return Err(OpenError::SessionId { kind, id: id.to_owned(), reason });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_no_backend_accepts_are_refused() {
        let long = "x".repeat(513);
        for id in ["", "a\0b", "a\nb", "\u{1b}[2J", "\u{85}", &long] {
            assert!(check_session(Some(id), "static").is_err(), "{id:?}");
        }
        assert!(check_session(None, &long).is_err());
        assert!(check_session(None, "a\nb").is_err());
        for id in ["a", "tab 1", "ä~字", &long[..512]] {
            assert_eq!(check_session(Some(id), id), Ok(()));
        }
        assert_eq!(check_session(None, ""), Ok(()));
    }

    #[test]
    fn ids_that_could_be_paths_are_refused() {
        for id in ["", ".", "..", "a/b", "../a", "a\\b", "a:b", "a\0b", ".hidden", "ä", "a b"] {
            assert!(matches!(check(id), Err(OpenError::StoreId { .. })), "{id:?}");
        }
        assert!(check(&"a".repeat(101)).is_err());
        for id in ["todos", "a", "team-1_b.2", "V1"] {
            assert_eq!(check(id), Ok(()), "{id:?}");
        }
    }
}
