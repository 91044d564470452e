//! When two events are the same.

use self::exact::is_same_value;
use self::js_value::JsValue;
use crate::wire::str_size;

mod exact;
mod js_value;

/// The parts of an event that tell it from all others. Two events are the same if their identities
/// are equal.
///
/// The question arises wherever an answer can get lost: a client asks whether an event that it
/// pulled is the one that it pushed, and a backend whether a push repeats one that it has accepted.
/// Both must come to the same answer, or an event would be stored twice, or not at all.
///
/// # The rule
///
/// Sequence number, name, client id and session id are equal byte for byte, and the args are equal
/// as JavaScript reads them:
///
/// - Neither whitespace, the order of keys, nor the way a character is escaped matters. Of a key that
///   occurs twice, the last one counts.
/// - Numbers are equal if they are the same 64-bit floating-point number: `1`, `1.0` and `1e0` are,
///   and so are `12345678901234567890` and `12345678901234567000`. A backend may be written in
///   JavaScript, and writes the args anew, so it cannot return a difference that its language does
///   not have. It writes a number that is too large for it, such as `1e400`, as `null`.
/// - Missing args, which are an empty text here, are `null`: LiveStore's backend sends an event
///   without args as such to those who are connected, and later as one with `null`.
/// - Args that are not JSON, or nest deeper than 128 levels, are equal only byte for byte.
///
/// The parent is not part of it, because the parent of an event follows from its sequence number;
/// neither is the metadata, which the backend adds.
///
/// ```
/// use livestore_protocol::Identity;
///
/// let pushed = Identity {
///     seq: 7,
///     name: "v1.Moved",
///     args: r#"{"x":1.0,"y":2}"#,
///     client_id: "c",
///     session_id: "s",
/// };
/// assert_eq!(pushed, Identity { args: r#"{ "y": 2, "x": 1 }"#, ..pushed });
/// assert_ne!(pushed, Identity { session_id: "t", ..pushed });
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// The sequence number, without client part and generation.
    pub seq: u64,
    /// The wire name.
    pub name: &'a str,
    /// The args as JSON, or an empty text if there are none.
    pub args: &'a str,
    /// The client that committed it.
    pub client_id: &'a str,
    /// The session of that client.
    pub session_id: &'a str,
}

impl PartialEq for Identity<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.seq == other.seq
            && self.client_id == other.client_id
            && self.session_id == other.session_id
            && self.name == other.name
            && is_same_json(self.args, other.args)
    }
}

impl Eq for Identity<'_> {}

impl Identity<'_> {
    /// Returns whether the args are not only equal, but decode to the same values everywhere: numbers
    /// have the same digits, and are whole in both or in neither.
    ///
    /// If they are not, the backend has rewritten the event. All other clients have its version, so the
    /// client that committed it has to adopt it, too.
    ///
    /// ```
    /// use livestore_protocol::Identity;
    ///
    /// let (client_id, session_id) = ("c", "s");
    /// let args = r#"{"id":9007199254740993}"#;
    /// let pushed = Identity { seq: 1, name: "v1.Added", args, client_id, session_id };
    /// let pulled = Identity { args: r#"{"id":9007199254740992}"#, ..pushed };
    /// assert!(pushed == pulled && !pushed.has_same_args(&pulled));
    /// ```
    pub fn has_same_args(&self, other: &Identity<'_>) -> bool {
        let parse =
            |args: &str| serde_json::from_str(if args.is_empty() { "null" } else { args }).ok();
        self.args == other.args
            || matches!(
                (parse(self.args), parse(other.args)),
                (Some(left), Some(right)) if is_same_value(&left, &right)
            )
    }

    /// Returns the number of bytes that the event takes on the wire, at most, with its comma.
    ///
    /// That is its size as it is pulled, which is larger than as it is pushed, with room for the
    /// metadata that backends usually add. [`MAX_BATCH_BYTES`](crate::MAX_BATCH_BYTES) counts these
    /// bytes.
    pub fn wire_size(&self) -> usize {
        self.wire_size_with(None)
    }

    pub(crate) fn wire_size_with(&self, metadata: Option<&str>) -> usize {
        let texts = [self.name, self.client_id, self.session_id];
        let metadata = metadata.map_or(USUAL_METADATA, str::len);
        PUNCTUATION + self.args.len() + metadata + texts.map(str_size).iter().sum::<usize>()
    }
}

/// Everything that is neither text nor args, with numbers of twenty digits.
const PUNCTUATION: usize = 200;

/// The metadata of backends, which a client does not know yet.
const USUAL_METADATA: usize = 128;

fn is_same_json(left: &str, right: &str) -> bool {
    let read = |args: &str| if args.is_empty() { Some(JsValue::Null) } else { JsValue::read(args) };
    left == right || matches!((read(left), read(right)), (Some(left), Some(right)) if left == right)
}

#[cfg(test)]
mod tests;
