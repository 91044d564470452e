//! Values as bytes: lengths and numbers as LEB128, everything else as it is.

use std::borrow::Cow;
use std::sync::Arc;

use crate::event::{Conflict, EncodedEvent, PendingCommand, SeqNum, WithdrawnEvent};
use crate::sync::merge::{Confirmed, Decision, Decisions, Heads, Merge, Rebase};
use crate::sync::{NetworkStatus, StopReason};
use crate::value::Timestamp;

/// A value that has a form in bytes.
pub(super) trait Code: Sized {
    /// Appends the value.
    fn put(&self, bytes: &mut Vec<u8>);

    /// Reads it from the beginning of the bytes, and removes it there. `None` if it is not one.
    fn get(bytes: &mut &[u8]) -> Option<Self>;
}

impl Code for u64 {
    fn put(&self, bytes: &mut Vec<u8>) {
        let mut rest = *self;
        loop {
            let [low, ..] = rest.to_le_bytes();
            rest >>= 7;
            if rest == 0 {
                return bytes.push(low & 0x7f);
            }
            bytes.push(low | 0x80);
        }
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = u8::get(bytes)?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

impl Code for u8 {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.push(*self);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        Some(*first)
    }
}

impl Code for usize {
    fn put(&self, bytes: &mut Vec<u8>) {
        (*self as u64).put(bytes);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        u64::get(bytes)?.try_into().ok()
    }
}

impl Code for bool {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.push((*self).into());
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        match u8::get(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Code for i64 {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let (number, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(Self::from_le_bytes(*number))
    }
}

fn put_text(text: &str, bytes: &mut Vec<u8>) {
    (text.len() as u64).put(bytes);
    bytes.extend(text.as_bytes());
}

fn get_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(u64::get(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

macro_rules! texts {
    ($($text:ty)*) => {$(
        impl Code for $text {
            fn put(&self, bytes: &mut Vec<u8>) {
                put_text(self, bytes);
            }

            fn get(bytes: &mut &[u8]) -> Option<Self> {
                Some(get_text(bytes)?.to_owned().into())
            }
        }
    )*};
}

texts!(String Arc<str> Cow<'static, str>);

impl<T: Code> Code for Option<T> {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.is_some().put(bytes);
        if let Some(value) = self {
            value.put(bytes);
        }
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        Some(if bool::get(bytes)? { Some(T::get(bytes)?) } else { None })
    }
}

impl<T: Code> Code for Arc<T> {
    fn put(&self, bytes: &mut Vec<u8>) {
        T::put(self, bytes);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        T::get(bytes).map(Arc::new)
    }
}

impl<T: Code> Code for Vec<T> {
    fn put(&self, bytes: &mut Vec<u8>) {
        (self.len() as u64).put(bytes);
        self.iter().for_each(|item| item.put(bytes));
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        // What it claims may not be there: no memory is reserved for it.
        let length = u64::get(bytes)?;
        (0..length).map(|_| T::get(bytes)).collect()
    }
}

/// Bytes as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Code for Bytes {
    fn put(&self, bytes: &mut Vec<u8>) {
        (self.0.len() as u64).put(bytes);
        bytes.extend(&self.0);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let length = usize::try_from(u64::get(bytes)?).ok()?;
        let (found, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        Some(Self(found.to_vec()))
    }
}

/// Structs whose fields are put one after the other.
macro_rules! structs {
    ($($struct:ident { $($field:ident),+ $(,)? })*) => {$(
        impl $crate::session::codec::Code for $struct {
            fn put(&self, bytes: &mut Vec<u8>) {
                $($crate::session::codec::Code::put(&self.$field, bytes);)+
            }

            fn get(bytes: &mut &[u8]) -> Option<Self> {
                $(let $field = $crate::session::codec::Code::get(bytes)?;)+
                Some(Self { $($field),+ })
            }
        }
    )*};
}

/// Enums, each variant behind its number; a variant's fields are put one after the other.
macro_rules! enums {
    ($($enum:ident { $($number:literal => $variant:ident $({ $($field:ident),+ })? $(($($item:ident),+))?),+ $(,)? })*) => {$(
        impl $crate::session::codec::Code for $enum {
            fn put(&self, bytes: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(($($item),+))? => {
                        bytes.push($number);
                        $($($crate::session::codec::Code::put($field, bytes);)+)?
                        $($($crate::session::codec::Code::put($item, bytes);)+)?
                    })+
                }
            }

            fn get(bytes: &mut &[u8]) -> Option<Self> {
                match <u8 as $crate::session::codec::Code>::get(bytes)? {
                    $($number => {
                        $($(let $field = $crate::session::codec::Code::get(bytes)?;)+)?
                        $($(let $item = $crate::session::codec::Code::get(bytes)?;)+)?
                        Some(Self::$variant $({ $($field),+ })? $(($($item),+))?)
                    })+
                    _ => None,
                }
            }
        }
    )*};
}

pub(super) use {enums, structs};

structs! {
    SeqNum { global, client, generation }
    EncodedEvent {
        seq, parent, name, args, client_id, session_id, schema_hash, sync_metadata, continues,
        command,
    }
    PendingCommand { id, name, args }
    Conflict { id, command, args, events, error, decided_behind, failed_behind }
    WithdrawnEvent { name, args }
    Decision { session_id, behind, was, now, failure }
    Decisions { commits, idle, are_unseen }
    Confirmed { seq, sync_metadata }
    Rebase { from, pending }
    Heads { upstream, confirmed, local }
    Merge { confirmed, new, rebase, rewritten, heads, decisions }
}

enums! {
    NetworkStatus {
        0 => None,
        1 => Paused,
        2 => Connecting,
        3 => Pulling,
        4 => Online,
        5 => ReadOnly { reason },
        6 => Offline { reason },
        7 => Stopped(reason),
        8 => LoginRequired { reason },
        9 => PayloadFailed { reason },
    }
    StopReason {
        0 => OtherBackend { known, found },
        1 => StateFull { reason },
        2 => BackendLostEvents { head, known },
    }
}

impl Code for Timestamp {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.as_millis().put(bytes);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self::from_millis(i64::get(bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn there_and_back<T: Code + PartialEq + std::fmt::Debug>(value: &T) {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        for end in 0..bytes.len() {
            assert_eq!(T::get(&mut &bytes[..end]), None, "cut off at {end}");
        }
        let mut rest = &*bytes;
        assert_eq!((T::get(&mut rest).as_ref(), rest), (Some(value), &[][..]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn numbers_and_texts_come_back(number: u64, signed: i64, text in ".{0,99}", texts in prop::collection::vec(".{0,9}", 0..9)) {
            there_and_back(&number);
            there_and_back(&signed);
            there_and_back(&text);
            there_and_back(&texts);
            there_and_back(&Some(texts));
        }

        #[test]
        fn garbage_is_no_value(bytes: Vec<u8>) {
            let _ = Vec::<EncodedEvent>::get(&mut &*bytes);
            let _ = Merge::get(&mut &*bytes);
            let _ = NetworkStatus::get(&mut &*bytes);
        }
    }

    #[test]
    fn a_merge_comes_back() {
        let event = EncodedEvent {
            seq: SeqNum { global: 300, client: 1, generation: 2 },
            parent: SeqNum::new(300),
            name: "v1.Ä".into(),
            args: "{}".into(),
            client_id: "c".into(),
            session_id: "s".into(),
            schema_hash: -1,
            sync_metadata: Some("null".into()),
            continues: true,
            command: Some(Arc::new(PendingCommand {
                id: "i".into(),
                name: "Say".into(),
                args: "{}".into(),
            })),
        };
        let heads = Heads { upstream: SeqNum::new(1), confirmed: SeqNum::new(2), local: event.seq };
        let confirmed = vec![Confirmed { seq: SeqNum::new(1), sync_metadata: None }];
        let rebase = Some(Rebase { from: SeqNum::new(2), pending: vec![event.clone()] });
        there_and_back(&Merge {
            confirmed,
            new: vec![event],
            rebase,
            rewritten: vec![SeqNum::new(2)],
            heads,
            decisions: Decisions {
                commits: vec![Decision {
                    session_id: "s".into(),
                    behind: 1,
                    was: 2,
                    now: 0,
                    failure: Some("taken".into()),
                }],
                idle: 1,
                are_unseen: false,
            },
        });
        there_and_back(&NetworkStatus::Stopped(StopReason::BackendLostEvents {
            head: 1,
            known: 2,
        }));
    }

    #[test]
    fn a_number_that_is_too_long_is_none() {
        assert_eq!(u64::get(&mut &[0x80; 12][..]), None);
        // It claims to have more items than there is memory.
        assert_eq!(Vec::<u64>::get(&mut &[0xff, 0xff, 0xff, 0xff, 0x7f, 1][..]), None);
    }
}
