//! Session ids: in which window an event was committed, and at which opening of the store.
//!
//! `{window id}~{an id new at every open}`. The first half stays, and client documents are keyed by
//! it; it is part of the event, so a materializer that reads a document finds the same one at every
//! replay. The second half makes equal events of two copies of a directory two events.

use crate::ambient::new_id;

/// Neither an id made by [`new_id`] nor one of LiveStore's has this character.
const SEPARATOR: char = '~';

/// A session id that no other opening of the window has.
pub(crate) fn new_session_id(window_id: &str) -> String {
    format!("{window_id}{SEPARATOR}{}", new_id())
}

/// Whether [`new_session_id`] may have made the text.
pub(crate) fn is_session_id(text: &str) -> bool {
    text.rsplit_once(SEPARATOR).is_some_and(|(_, opening)| is_id(opening))
}

/// The window of a session. Sessions of other implementations, and of earlier versions of this one,
/// are a window themselves.
pub(crate) fn window_of(session_id: &str) -> &str {
    match session_id.rsplit_once(SEPARATOR) {
        Some((window_id, opening)) if is_id(opening) => window_id,
        _ => session_id,
    }
}

/// Whether [`new_id`] may have made the text.
fn is_id(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    text.len() == 21 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_new_each_time_and_says_its_window() {
        for window in ["static", "", "tab 1", "a~b", "ä~V1StGXR8_Z5jdHi6B-myT"] {
            let session = new_session_id(window);
            assert_ne!(session, new_session_id(window));
            assert_eq!(window_of(&session), window);
        }
    }

    #[test]
    fn a_session_of_another_implementation_is_its_own_window() {
        for session in ["", "static", "tab~1", "~", "a~V1StGXR8_Z5jdHi6B-my.", "a~V1StGXR8_Z5"] {
            assert_eq!(window_of(session), session);
        }
    }
}
