//! Order keys: texts that put the rows of a list into an order that a user decides.
//!
//! A row that is dragged to another place gets a key between those of its new neighbours, so that no other
//! row has to change. Keys are compared as texts, byte by byte, as SQLite compares them:
//! `order_by(Card::ORDER)` sorts by them. They are those of [rocicorp's fractional-indexing][npm], digit for
//! digit, so that apps in other languages can share a list.
//!
//! ```
//! use livestore::fractional_index::{between, spread};
//!
//! let first = between(None, None)?;
//! let last = between(Some(&first), None)?;                    // behind `first`
//! let middle = between(Some(&first), Some(&last))?;
//! assert!(first < middle && middle < last);
//! assert_eq!([&*first, &*middle, &*last], ["a0", "a0V", "a1"]);
//!
//! let lanes = spread(None, None, 3)?;                         // for a list that begins with some rows
//! assert_eq!(lanes, ["a0", "a1", "a2"]);
//! # Ok::<(), livestore::fractional_index::FractionalIndexError>(())
//! ```
//!
//! Clients that insert at the same place at the same time, offline perhaps, get the same key from
//! [`between`]. Their rows then stand side by side in the order of their insertion, and no key fits between
//! them. [`between_jittered`] makes that improbable, with keys that are about six characters longer.
//!
//! A key is one character longer than its longer neighbour, at most. A list that grows at its ends has short
//! keys: 200,000 rows that are added one behind the other need four characters. Of rows that are inserted at
//! the same place, between the same two, every five or six make a key longer by one character.
//!
//! [npm]: https://github.com/rocicorp/fractional-indexing

use crate::ambient::{Impurity, is_impure};
use crate::edge;

/// The number of digits, `0` to `9`, `A` to `Z` and `a` to `z`.
const BASE: u8 = 62;

/// Two jittered keys for the same place are equal with a probability of 1 in 2 to the power of this.
const JITTER_BITS: u32 = 32;

/// The integer that has no smaller one: `A`, then 26 zeros. By itself it is not a key, as nothing could be
/// inserted before it.
const SMALLEST: &[u8; 27] = b"A00000000000000000000000000";

/// Why there is no order key between two others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FractionalIndexError {
    /// A neighbour's key is not one that this module makes.
    #[error("`{key}` is not an order key: {reason}; give its row a new one")]
    Invalid {
        /// The text.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The first key does not come before the second.
    #[error(
        "the order key `{before}` does not come before `{after}`; pass the keys of neighbours, in their \
         order, and give one of the two rows a new key if both have the same"
    )]
    NotInOrder {
        /// The key of the row before.
        before: String,
        /// The key of the row behind.
        after: String,
    },
}

/// Returns an order key between those of two neighbours; `None` is the start or the end of the list.
///
/// Equal arguments give equal keys, so that a materializer may call it, too.
///
/// # Errors
/// When a neighbour's key is not an order key, or they are not in order.
pub fn between(before: Option<&str>, after: Option<&str>) -> Result<String, FractionalIndexError> {
    let (before, after) = neighbours(before, after)?;
    Ok(text(middle(before, after)))
}

/// Returns a random order key between those of two neighbours, for lists into which several clients insert
/// at the same time: two such keys for the same place are equal with a probability of 1 in 4 billion.
///
/// Call it where an event is made: the key belongs in the event. In a materializer, it makes the event
/// [fail](crate::table::MaterializeError::Impure).
///
/// ```
/// use livestore::fractional_index::between_jittered;
///
/// let (one, other) = (between_jittered(None, None)?, between_jittered(None, None)?);
/// assert_ne!(one, other);
/// # Ok::<(), livestore::fractional_index::FractionalIndexError>(())
/// ```
///
/// # Errors
/// When a neighbour's key is not an order key, or they are not in order.
///
/// # Panics
/// Only if the operating system has no source of randomness.
pub fn between_jittered(
    before: Option<&str>,
    after: Option<&str>,
) -> Result<String, FractionalIndexError> {
    is_impure(Impurity::Randomness);
    let mut random = [0; 4];
    edge::fill_random(&mut random);
    jittered(before, after, u32::from_le_bytes(random))
}

/// Returns `count` order keys between those of two neighbours, in order and as far apart as they can be:
/// for a list that begins with some rows, or whose rows get new keys.
///
/// # Errors
/// When a neighbour's key is not an order key, or they are not in order.
pub fn spread(
    before: Option<&str>,
    after: Option<&str>,
    count: usize,
) -> Result<Vec<String>, FractionalIndexError> {
    let (before, after) = neighbours(before, after)?;
    let mut keys = Vec::with_capacity(count);
    fill(before, after, count, &mut keys);
    Ok(keys.into_iter().map(text).collect())
}

/// The neighbours of a key, checked.
type Neighbours<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

fn neighbours<'a>(
    before: Option<&'a str>,
    after: Option<&'a str>,
) -> Result<Neighbours<'a>, FractionalIndexError> {
    for key in before.into_iter().chain(after) {
        if let Err(reason) = check(key.as_bytes()) {
            return Err(FractionalIndexError::Invalid { key: key.to_owned(), reason });
        }
    }
    match (before, after) {
        (Some(before), Some(after)) if before >= after => Err(FractionalIndexError::NotInOrder {
            before: before.to_owned(),
            after: after.to_owned(),
        }),
        _ => Ok((before.map(str::as_bytes), after.map(str::as_bytes))),
    }
}

/// A key is an integer, whose first letter says how many digits it has, and the digits of a fraction.
fn check(key: &[u8]) -> Result<(), &'static str> {
    let head = *key.first().ok_or("it is empty")?;
    let length = integer_length(head).ok_or("it does not begin with a letter")?;
    if !key.iter().all(u8::is_ascii_alphanumeric) {
        Err("it has characters that are neither digits nor letters from A to Z")
    } else if key.len() < length {
        Err("it ends too soon")
    } else if key.len() > length && key.ends_with(b"0") {
        Err("its fraction ends with a zero")
    } else if key == SMALLEST {
        Err("nothing can come before it")
    } else {
        Ok(())
    }
}

/// The number of characters of an integer that begins with `head`: `a0` to `az`, `b00` to `bzz`, and so on;
/// downward `Zz` to `Z0`, `Yzz` to `Y00`.
fn integer_length(head: u8) -> Option<usize> {
    match head {
        b'a'..=b'z' => Some(usize::from(head - b'a') + 2),
        b'A'..=b'Z' => Some(usize::from(b'Z' - head) + 2),
        _ => None,
    }
}

/// Splits a key into its integer and its fraction.
fn split(key: &[u8]) -> (&[u8], &[u8]) {
    let length = key.first().and_then(|head| integer_length(*head)).unwrap_or(0);
    key.split_at(length.min(key.len()))
}

fn middle(before: Option<&[u8]>, after: Option<&[u8]>) -> Vec<u8> {
    match (before.map(split), after.map(split)) {
        (None, None) => b"a0".to_vec(),
        (None, Some((integer, []))) => {
            next_integer(integer, false).unwrap_or_else(|| integer.to_vec())
        }
        (None, Some((integer, fraction))) if integer == SMALLEST => {
            with_fraction(integer, &[], Some(fraction))
        }
        (None, Some((integer, _))) => integer.to_vec(),
        (Some((integer, fraction)), Some((other, after))) if integer == other => {
            with_fraction(integer, fraction, Some(after))
        }
        (Some((integer, fraction)), _) => match next_integer(integer, true) {
            Some(next) if after.is_none_or(|after| next.as_slice() < after) => next,
            _ => with_fraction(integer, fraction, None),
        },
    }
}

/// The integer with a fraction between two others; `None` is 1.
fn with_fraction(integer: &[u8], mut low: &[u8], mut high: Option<&[u8]>) -> Vec<u8> {
    let mut key = integer.to_vec();
    loop {
        if let Some(digits) = high {
            let padded = low.iter().chain(std::iter::repeat(&b'0'));
            let common = digits.iter().zip(padded).take_while(|(high, low)| high == low).count();
            let (same, rest) = digits.split_at(common);
            key.extend(same);
            low = low.get(common..).unwrap_or_default();
            high = Some(rest).filter(|rest| !rest.is_empty());
        }
        let from = low.first().map_or(0, |digit| value(*digit));
        let to = high.and_then(<[u8]>::first).map_or(BASE, |digit| value(*digit));
        if to.saturating_sub(from) > 1 {
            key.push(digit((from + to).div_ceil(2)));
            return key;
        }
        // Between 1 and 23 there is 2.
        if high.is_some_and(|digits| digits.len() > 1) {
            key.push(digit(to));
            return key;
        }
        key.push(digit(from));
        low = low.get(1..).unwrap_or_default();
        high = None;
    }
}

/// The integer after this one, or before it; `None` if there is none.
fn next_integer(integer: &[u8], up: bool) -> Option<Vec<u8>> {
    let (carried, first, last) = if up { (b'z', b'0', b'z') } else { (b'0', b'z', b'A') };
    let mut next = integer.to_vec();
    let (head, digits) = next.split_first_mut()?;
    for place in digits.iter_mut().rev() {
        if *place != carried {
            let number = value(*place);
            *place = digit(if up { number + 1 } else { number.wrapping_sub(1) });
            return Some(next);
        }
        *place = first;
    }
    // All digits are carried: the integer gets another head, and with it another length.
    if *head == last {
        return None;
    }
    *head = match (up, *head) {
        (true, b'Z') => b'a',
        (true, letter) => letter + 1,
        (false, b'a') => b'Z',
        (false, letter) => letter - 1,
    };
    let length = integer_length(*head)?;
    next.resize(length, first);
    Some(next)
}

/// Each bit chooses a half of what is left between the neighbours.
fn jittered(
    before: Option<&str>,
    after: Option<&str>,
    random: u32,
) -> Result<String, FractionalIndexError> {
    let (before, after) = neighbours(before, after)?;
    // At an end of the list there is room for a whole integer.
    let (mut low, mut high) = match (before, after) {
        (Some(before), Some(after)) => (before.to_vec(), after.to_vec()),
        (None, Some(after)) => {
            let high = middle(None, Some(after));
            (middle(None, Some(&high)), high)
        }
        (before, None) => {
            let low = middle(before, None);
            let high = middle(Some(&low), None);
            (low, high)
        }
    };
    for bit in 0..JITTER_BITS {
        let middle = middle(Some(&low), Some(&high));
        let end = if random >> bit & 1 == 0 { &mut low } else { &mut high };
        *end = middle;
    }
    Ok(text(middle(Some(&low), Some(&high))))
}

fn fill(before: Option<&[u8]>, after: Option<&[u8]>, count: usize, keys: &mut Vec<Vec<u8>>) {
    let start = keys.len();
    match (before, after) {
        _ if count == 0 => {}
        (_, None) => {
            for _ in 0..count {
                let last = keys.get(start..).and_then(<[_]>::last).map(Vec::as_slice);
                keys.push(middle(last.or(before), None));
            }
        }
        (None, Some(_)) => {
            for _ in 0..count {
                let last = keys.get(start..).and_then(<[_]>::last).map(Vec::as_slice);
                keys.push(middle(None, last.or(after)));
            }
            if let Some(added) = keys.get_mut(start..) {
                added.reverse();
            }
        }
        (Some(_), Some(_)) => {
            let between = middle(before, after);
            fill(before, Some(&between), count / 2, keys);
            keys.push(between.clone());
            fill(Some(&between), after, count - count / 2 - 1, keys);
        }
    }
}

/// The number that a digit stands for.
fn value(digit: u8) -> u8 {
    match digit {
        b'a'..=b'z' => digit - b'a' + 36,
        b'A'..=b'Z' => digit - b'A' + 10,
        _ => digit.saturating_sub(b'0'),
    }
}

fn digit(value: u8) -> u8 {
    match value {
        0..10 => b'0' + value,
        10..36 => b'A' + value - 10,
        _ => b'a' + value.min(BASE - 1) - 36,
    }
}

fn text(key: Vec<u8>) -> String {
    key.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests;
