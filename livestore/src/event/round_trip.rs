//! Encodes an event so that it is read back as what was committed.
//!
//! A materializer gets the event as it is read from the log, here and on every other client. What JSON
//! cannot say would be another event there: so it is read back at once, and compared.

use super::args::without_lone_surrogates;
use super::{Args, ArgsWriter, DecodeError, EncodeError, Event};
use crate::value::{Losses, Numbers};

/// Returns the event's args.
///
/// They are written as LiveStore would write them, `2.0` as `2`; only where the event would then read
/// an integer, as an untagged enum may, are they written as `2.0`.
pub(crate) fn encode<E: Event>(event: &E, window_id: &str) -> Result<String, EncodeError> {
    let written = Written::of(event, window_id, Numbers::JavaScript)?;
    if event.def().is_lossless() && written.losses.is_empty() {
        return Ok(written.args);
    }
    if written.check(event, window_id, Numbers::JavaScript).is_ok() {
        return Ok(written.args);
    }
    let exact = Written::of(event, window_id, Numbers::Rust)?;
    exact.check(event, window_id, Numbers::Rust)?;
    Ok(exact.args)
}

/// Reads an event.
///
/// A text may hold half of a surrogate pair if it comes from JavaScript, where a text is cut between
/// any two halves. It is read as U+FFFD, except where JSON is kept as it is.
pub(crate) fn decode<E: Event>(name: &str, args: &str) -> Result<E, DecodeError> {
    let read = |args: &str| E::decode(name, &Args::parse(args)?);
    read(args).or_else(|error| match without_lone_surrogates(args) {
        Some(args) => read(&args),
        None => Err(error),
    })
}

/// An event's args, and what they do not show.
struct Written {
    args: String,
    losses: Losses,
}

impl Written {
    fn of<E: Event>(event: &E, window_id: &str, numbers: Numbers) -> Result<Self, EncodeError> {
        let mut losses = Losses::with_whole_numbers(!event.def().is_lossless());
        let write = |args: &mut ArgsWriter<'_>| event.encode(args);
        let args = ArgsWriter::encode(window_id, numbers, &mut losses, write)?;
        Ok(Self { args, losses })
    }

    /// Checks that the args are read as this event.
    fn check<E: Event>(
        &self,
        event: &E,
        window_id: &str,
        numbers: Numbers,
    ) -> Result<(), EncodeError> {
        let read =
            decode::<E>(event.def().name(), &self.args).map_err(|error| self.unreadable(error))?;
        let again = Self::of(&read, window_id, numbers)?;
        if let Some((loss, field)) = self.losses.first_beyond(&again.losses) {
            return Err(changed(field, loss.reason()));
        }
        if again.args != self.args {
            return Err(self.differs_from(&again.args));
        }
        match event.changed_field(&read) {
            Some(field) => {
                Err(changed(field, "it is read as another value, which has the same JSON"))
            }
            None => Ok(()),
        }
    }

    /// The reason may be a NaN, which is written as `null`.
    fn unreadable(&self, error: DecodeError) -> EncodeError {
        match self.losses.first() {
            Some((loss, field)) => changed(field, loss.reason()),
            None => EncodeError::Unreadable(error),
        }
    }

    fn differs_from(&self, again: &str) -> EncodeError {
        let field = match (Args::parse(&self.args), Args::parse(again)) {
            (Ok(args), Ok(again)) => args.first_difference(&again),
            _ => None,
        };
        let field = field.unwrap_or_else(|| "*".to_owned());
        changed(&field, "it is read as a value that has other JSON")
    }
}

fn changed(field: &str, reason: &str) -> EncodeError {
    EncodeError::Changed { field: field.to_owned(), reason: reason.to_owned() }
}
