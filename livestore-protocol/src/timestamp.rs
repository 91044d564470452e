//! A point in time, as JavaScript's `Date` has it: backends say in this form when they accepted an
//! event.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// A point in time, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Range and precision are those of JavaScript's `Date`, so a timestamp means the same on every
/// client. In JSON it is the text that `Date.toISOString` writes; a column stores the number. Every
/// other RFC 3339 text of the same time is read, too: with an offset from UTC, in lower case, with more
/// digits, which are dropped. The second 60 is the first one of the next minute.
///
/// ```
/// use livestore_protocol::Timestamp;
///
/// let then: Timestamp = "2026-11-22T13:05:09.210Z".parse()?;
/// assert_eq!(then.as_millis(), 1_795_352_709_210);
/// assert_eq!(then.to_string(), "2026-11-22T13:05:09.210Z");
/// assert_eq!("2026-11-22T15:05:09.21+02:00".parse(), Ok(then));
/// # Ok::<(), livestore_protocol::ParseTimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is not a time of RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an RFC 3339 time such as 2026-11-22T13:05:09.210Z")]
pub struct ParseTimestampError(String);

impl Timestamp {
    /// The earliest time, as in JavaScript.
    pub const MIN: Self = Self(-8_640_000_000_000_000);
    /// The latest time, as in JavaScript.
    pub const MAX: Self = Self(8_640_000_000_000_000);

    /// The time `millis` milliseconds after 1970 began; outside [`MIN`](Self::MIN) to
    /// [`MAX`](Self::MAX) it is the nearer of the two.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < Self::MIN.0 {
            Self::MIN
        } else if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since 1970 began.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
}

/// Days since 1970 to (year, month, day): Howard Hinnant's `civil_from_days`.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse: Howard Hinnant's `days_from_civil`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(MILLIS_PER_DAY));
        let of_day = self.0.rem_euclid(MILLIS_PER_DAY);
        let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
        let (second, milli) = (of_day / 1_000 % 60, of_day % 1_000);
        // Most events have one, and `write!` is slow.
        let mut text = *b"-00-00T00:00:00.000Z";
        for (end, number) in
            [(3, month), (6, day), (9, hour), (12, minute), (15, second), (19, milli)]
        {
            put_digits(&mut text, end, number);
        }
        match year {
            0..=9999 => {
                let mut digits = *b"0000";
                put_digits(&mut digits, 4, year);
                f.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)?;
            }
            _ => write!(f, "{year:+07}")?,
        }
        f.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// Adds the digits of a number to the zeros that end there.
fn put_digits(text: &mut [u8], end: usize, mut number: i64) {
    for digit in text.iter_mut().take(end).rev() {
        if number == 0 {
            break;
        }
        let last = (number % 10) as u8;
        *digit += last;
        number /= 10;
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseTimestampError(text.to_owned()))
    }
}

/// `[±YY]YYYY-MM-DDTHH:MM:SS[.f…](Z|±HH:MM)`; digits beyond the millisecond are dropped.
fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let (time, offset) = split_offset(time)?;
    let (year, month, day) = parse_date(date)?;
    let of_day = parse_time(time)?;
    let millis = days_from_civil(year, month, day) * MILLIS_PER_DAY + of_day - offset;
    (Timestamp::MIN.0..=Timestamp::MAX.0).contains(&millis).then_some(Timestamp(millis))
}

/// Returns the time without its offset from UTC, and the offset in milliseconds.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let at = time.rfind(['+', '-'])?;
    let (time, offset) = time.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let in_range = hours <= 23 && minutes <= 59;
    in_range.then_some((time, sign * (hours * 3_600_000 + minutes * 60_000)))
}

/// Returns the milliseconds since midnight.
fn parse_time(time: &str) -> Option<i64> {
    let mut parts = time.splitn(3, ':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let seconds = parts.next()?;
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let second = digits(second, 2)?;
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A leap second has no number of its own: it is the first second of the next minute.
    let milli = match second {
        60 => 0,
        _ => fraction
            .bytes()
            .chain([b'0'; 2])
            .take(3)
            .fold(0, |n, digit| n * 10 + i64::from(digit - b'0')),
    };
    let exists = hour <= 23 && minute <= 59 && second <= 60;
    exists.then_some(hour * 3_600_000 + minute * 60_000 + second * 1_000 + milli)
}

fn parse_date(date: &str) -> Option<(i64, i64, i64)> {
    let (sign, rest, width) = match date.as_bytes().first()? {
        b'+' => (1, date.get(1..)?, 6),
        b'-' => (-1, date.get(1..)?, 6),
        _ => (1, date, 4),
    };
    let mut parts = rest.splitn(3, '-');
    let year = sign * digits(parts.next()?, width)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    // Day 31 of a short month would be another date when written back.
    let exists = civil_from_days(days_from_civil(year, month, day)) == (year, month, day);
    ((1..=12).contains(&month) && exists).then_some((year, month, day))
}

fn digits(text: &str, width: usize) -> Option<i64> {
    let add =
        |number, byte: u8| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'));
    if text.len() == width { text.bytes().try_fold(0, add) } else { None }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time such as 2026-11-22T13:05:09.210Z")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn javascripts_extremes() {
        assert_eq!(Timestamp::MIN.to_string(), "-271821-04-20T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "+275760-09-13T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
    }

    #[test]
    fn every_form_of_a_time_is_read() {
        let expected: Timestamp = "2026-01-01T00:00:00.120Z".parse().unwrap();
        for text in [
            "2026-01-01T00:00:00.12Z",
            "2026-01-01t00:00:00.120z",
            "2026-01-01 00:00:00.120999Z",
            "2026-01-01T00:00:00.120+00:00",
            "2026-01-01T00:00:00.120-00:00",
            "2026-01-01T05:45:00.120+05:45",
            "2025-12-31T16:30:00.12-07:30",
            "+002026-01-01T00:00:00.120Z",
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
            assert_eq!(serde_json::from_str(&format!("\"{text}\"")).ok(), Some(expected));
        }
    }

    #[test]
    fn a_leap_second_is_the_next_second() {
        let next: Timestamp = "2017-01-01T00:00:00Z".parse().unwrap();
        for text in ["2016-12-31T23:59:60.5Z", "2017-01-01T00:59:60+01:00"] {
            assert_eq!(text.parse(), Ok(next), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in [
            "",
            "Z",
            "T",
            "2026-11-22",
            "2026-11-22T13:05:09.210",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T13:05:09.Z",
            "2026-1-02T00:00:00Z",
            "+999999-01-01T00:00:00Z",
            "2026-11-22T13:05Z",
            "é-11-22T13:05:09Z",
            "2026-11-22T13:05:09+24:00",
            "2026-11-22T13:05:09+01:60",
            "2026-11-22T13:05:09+0100",
            "2026-11-22T13:05:09+1:00",
            "2026-11-22T13:05:09+01:00Z",
            "2026-11-22T13:05:61Z",
            "2026-11-22T13:05:09é01:00",
            "+275760-09-13T00:00:00-00:01",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_time_comes_back(millis in Timestamp::MIN.0..=Timestamp::MAX.0) {
            let time = Timestamp(millis);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }

        #[test]
        fn written_as_jiff_writes_it(millis in -62_167_219_200_000i64..253_370_764_800_000) {
            let theirs = jiff::Timestamp::from_millisecond(millis).unwrap();
            prop_assert_eq!(Timestamp(millis).to_string(), format!("{theirs:.3}"));
        }

        #[test]
        fn any_text_is_a_time_or_an_error(text in ".{0,40}") {
            let _ = text.parse::<Timestamp>();
        }
    }
}
