//! The parts that the errors of all layers share. The errors stand beside the operations that fail;
//! [`Error`](crate::Error), into which all of them widen, stands above the store.

use std::any::Any;

pub use livestore_protocol::ErrorChain;

/// Why a store cannot be used at all: the faults that every operation of a store has. Each operation's
/// error has variants for them, which this becomes with `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error("the store is closed; open it again")]
    Closed,
    #[error("a materializer used a store; use `state`, the argument of `materialize`, instead")]
    InMaterializer,
    #[error(
        "the store was used by code that it calls while it works, such as the `decode` of a column \
         type or a `tracing` subscriber; use it afterwards, or from another thread"
    )]
    Reentrant,
}

/// Gives errors with the variants of [`Unavailable`] the conversion from it.
macro_rules! unavailable_becomes {
    ($($error:ident)*) => {$(
        impl From<crate::error::Unavailable> for $error {
            fn from(error: crate::error::Unavailable) -> Self {
                match error {
                    crate::error::Unavailable::Closed => Self::Closed,
                    crate::error::Unavailable::InMaterializer => Self::InMaterializer,
                    crate::error::Unavailable::Reentrant => Self::Reentrant,
                }
            }
        }
    )*};
}

pub(crate) use unavailable_becomes;

/// Returns the message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "it did not say why".to_owned()
    }
}
