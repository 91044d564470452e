//! The conversation between the page and a store's host, as JSON. It is the same through every door:
//! a WebSocket, or a BroadcastChannel between two tabs.
//!
//! The page asks, and gets one [`Answer`] for each [`Call`], in any order:
//!
//! ```json
//! { "id": 7, "method": "rows", "params": { "table": "todo", "offset": 0, "limit": 100 } }
//! { "id": 7, "result": { "columns": ["id"], "rows": [["a"]], "total": 1, "seq": "e1" } }
//! { "id": 7, "error": { "code": "notFound", "message": "there is no table `todoo`" } }
//! ```
//!
//! The first call is [`hello`](Request::Hello); a page of another version gets the error
//! `otherVersion`, and nothing else is answered. What happens by itself arrives as a [`Notification`],
//! once the page has [subscribed](Request::Subscribe) to its topic:
//!
//! ```json
//! { "topic": "status", "data": { "localHead": "e12", "pending": 0 } }
//! ```
//!
//! Field names are in camel case, and a field that has no value is absent or `null`.

mod answer;
mod notification;
mod request;
mod value;

pub use answer::*;
pub use notification::*;
pub use request::*;
pub use value::*;

/// The version of this protocol. Page and host speak the same one, or do not speak at all.
pub const VERSION: u32 = 2;
