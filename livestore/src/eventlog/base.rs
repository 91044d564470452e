//! A log whose first events are at the backend only.
//!
//! A client that was opened from an image of the state has the image's last event, and those behind it.
//! What comes before that is the log's *base*. Earlier events are fetched when the app wants them; until
//! all of them are here, they lie in a table of their own, where no reader sees half of a history. The
//! checksum of the base says whether they are those that the image was made of.

use rusqlite::OptionalExtension;

use super::chain::START;
use super::connection::{INSERT_HISTORY, LogConnection, parse};
use super::format;
use super::{EventlogError, Upstream, is_after};
use crate::event::{EncodedEvent, SeqNum};

/// The place that a log's first event comes behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Base {
    /// The number of the event there, which the log does not have.
    pub(crate) seq: u64,
    /// That event's checksum, which is over all events up to it.
    pub(crate) checksum: i64,
}

impl Base {
    pub(crate) fn place(self) -> SeqNum {
        SeqNum::new(self.seq)
    }

    /// Fails if events after `after` are asked for, and some of them are not here.
    pub(super) fn check(self, after: SeqNum) -> Result<(), EventlogError> {
        if is_after(self.place(), after) {
            return Err(EventlogError::NotReceived { after: self.place() });
        }
        Ok(())
    }
}

const SEQ: &str = "base_seq";
const CHECKSUM: &str = "base_checksum";

const SELECT_LAST: &str =
    "SELECT seq_global, checksum FROM history ORDER BY seq_global DESC LIMIT 1";

impl LogConnection {
    /// The log's base, if it does not have all events from the first on.
    pub(super) fn base(&self) -> Result<Option<Base>, EventlogError> {
        let Some(seq) = self.find_number(SEQ)? else { return Ok(None) };
        let checksum = self.find_number(CHECKSUM)?.unwrap_or(START);
        Ok(Some(Base { seq: seq.cast_unsigned(), checksum }))
    }

    fn find_number(&self, key: &str) -> Result<Option<i64>, EventlogError> {
        let mut select = self.conn.prepare_cached("SELECT value FROM meta WHERE key = ?")?;
        let found: Option<String> = select.query_row([key], |row| row.get(0)).optional()?;
        found.map(|text| parse(&text)).transpose()
    }

    /// Checks that the log has all events after `after`.
    pub(super) fn check_received(&self, after: SeqNum) -> Result<(), EventlogError> {
        self.base()?.map_or(Ok(()), |base| base.check(after))
    }

    /// Has a log without events begin with `event`, behind the base.
    pub(super) fn begin_at(
        &self,
        base: Base,
        event: &EncodedEvent,
        upstream: &Upstream,
    ) -> Result<(), EventlogError> {
        self.forget_last();
        self.transaction(|| {
            if base.seq > 0 {
                self.set_meta(SEQ, &base.seq.to_string())?;
                self.set_meta(CHECKSUM, &base.checksum.to_string())?;
                self.conn.pragma_update(None, "user_version", format::WITH_BASE)?;
            }
            self.insert_all(base.checksum, [event])?;
            self.set_upstream(upstream)
        })
    }

    /// Forgets the base, as events up to there leave the log.
    pub(super) fn forget_base(&self, from: SeqNum) -> Result<(), EventlogError> {
        match self.base()? {
            Some(base) if !is_after(from, base.place()) => self.remove_base(),
            _ => Ok(()),
        }
    }

    fn remove_base(&self) -> Result<(), EventlogError> {
        self.conn.execute("DELETE FROM meta WHERE key IN (?, ?)", [SEQ, CHECKSUM])?;
        self.conn.execute_batch("DROP TABLE IF EXISTS history")?;
        self.conn.pragma_update(None, "user_version", format::FORMAT)?;
        Ok(())
    }

    /// The number of the last event of the history that was fetched so far, and its checksum.
    fn last_of_history(&self) -> Result<(u64, i64), EventlogError> {
        let is_there = self.conn.table_exists(None, "history")?;
        let read = || self.conn.query_row(SELECT_LAST, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let found: Option<(i64, i64)> = if is_there { read().optional()? } else { None };
        Ok(found.map_or((0, START), |(seq, checksum)| (seq.cast_unsigned(), checksum)))
    }

    /// The number of the last event of the history that was fetched so far, if the log has this base.
    pub(super) fn history_head(&self, base: Base) -> Result<Option<u64>, EventlogError> {
        if self.base()? != Some(base) {
            return Ok(None);
        }
        Ok(Some(self.last_of_history()?.0))
    }

    /// Adds the next events of the history before the base, which follow those that are here. Returns
    /// false, and does nothing, if the log has another base, or none.
    pub(super) fn add_history(
        &self,
        base: Base,
        events: &[EncodedEvent],
    ) -> Result<bool, EventlogError> {
        self.transaction(|| {
            if self.base()? != Some(base) {
                return Ok(false);
            }
            self.conn.execute_batch(format::HISTORY)?;
            let (_, checksum) = self.last_of_history()?;
            self.insert_chain(INSERT_HISTORY, checksum, events)?;
            Ok(true)
        })
    }

    /// Makes the history that was fetched a part of the log. If it is not the one that the base stands
    /// for, removes it, and returns false.
    pub(super) fn complete_history(&self, base: Base) -> Result<bool, EventlogError> {
        self.transaction(|| {
            if self.base()? != Some(base) {
                return Ok(false);
            }
            let is_whole = self.last_of_history()? == (base.seq, base.checksum);
            if is_whole {
                self.conn.execute_batch("INSERT INTO eventlog SELECT * FROM history")?;
                self.remove_base()?;
            } else {
                self.conn.execute_batch("DROP TABLE IF EXISTS history")?;
            }
            Ok(is_whole)
        })
    }

    /// The checksum at a place that no event of the log has: the root, or the base.
    pub(super) fn checksum_of_base(&self, seq: SeqNum) -> Result<Option<i64>, EventlogError> {
        if seq == SeqNum::ROOT {
            return Ok(Some(START));
        }
        let base = self.base()?.filter(|base| base.place() == seq);
        Ok(base.map(|base| base.checksum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eventlog::{Chain, Durability, Eventlog, FileLog, LogChange, MemoryLog};

    fn event(seq: u64) -> EncodedEvent {
        let (at, before) = (SeqNum::new(seq), SeqNum::new(seq - 1));
        let session = "static~V1StGXR8_Z5jdHi6B-myT".into();
        EncodedEvent::new(at, before, "v1.E", "{}", "c".into(), session)
    }

    /// The base of a log whose first event is `e{seq + 1}`.
    fn base(seq: u64) -> Base {
        let mut chain = Chain::default();
        let checksum = (1..=seq).fold(START, |before, seq| chain.next(before, &event(seq)));
        Base { seq, checksum }
    }

    fn upstream(head: u64) -> Upstream {
        Upstream { backend_id: Some("b".into()), head, generation: 0 }
    }

    fn seqs(log: &Eventlog, after: u64) -> Vec<u64> {
        let events = log.read(SeqNum::new(after), 100).unwrap();
        events.iter().map(|event| event.seq.global).collect()
    }

    /// A log in memory and one in a file, which begin with e4; another log has the rows of both.
    fn logs() -> (Vec<Eventlog>, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let file = FileLog::open(
            &directory.path().join("eventlog.db"),
            Durability::Written,
            "todos",
            || "id".into(),
        );
        let logs = vec![Eventlog::new(MemoryLog::default()), Eventlog::new(file.unwrap())];
        for log in &logs {
            log.begin_at(base(3), &event(4), &upstream(4)).unwrap();
            log.append(&mut vec![event(5), event(6)]).unwrap();
        }
        (logs, directory)
    }

    #[test]
    fn what_lies_before_the_base_is_not_there_and_not_taken_for_nothing() {
        let (logs, _directory) = logs();
        for log in logs {
            assert_eq!(log.base().unwrap(), Some(base(3)));
            assert_eq!((seqs(&log, 3), seqs(&log, 5)), (vec![4, 5, 6], vec![6]));
            let not_received = EventlogError::NotReceived { after: SeqNum::new(3) };
            for after in [SeqNum::ROOT, SeqNum::new(2)] {
                assert_eq!(log.read(after, 1), Err(not_received.clone()));
                assert_eq!(log.count(after), Err(not_received.clone()));
                assert_eq!(log.skip(after, 2), Err(not_received.clone()));
            }
            assert_eq!(log.event(SeqNum::new(4)).unwrap().unwrap().seq, SeqNum::new(4));
            assert_eq!(log.count(SeqNum::new(3)), Ok(3));
            assert_eq!(log.upstream().unwrap(), Some(upstream(4)));
        }
    }

    #[test]
    fn the_history_is_a_part_of_the_log_once_all_of_it_is_there() {
        let (logs, _directory) = logs();
        for log in logs {
            assert_eq!(log.history_head(base(3)), Ok(Some(0)));
            assert_eq!(log.add_history(base(3), vec![event(1)]), Ok(true));
            assert_eq!(log.history_head(base(3)), Ok(Some(1)));
            assert!(log.read(SeqNum::ROOT, 1).is_err());
            assert_eq!(log.add_history(base(2), vec![event(2)]), Ok(false), "of another base");
            assert_eq!(log.add_history(base(3), vec![event(2), event(3)]), Ok(true));
            assert_eq!(log.complete_history(base(3)), Ok(true));
            assert_eq!((seqs(&log, 0), log.base()), (vec![1, 2, 3, 4, 5, 6], Ok(None)));
            assert_eq!(log.add_history(base(3), vec![event(1)]), Ok(false));
        }
    }

    #[test]
    fn another_history_is_noticed_and_left_out() {
        let (logs, _directory) = logs();
        let other = |seq| EncodedEvent { args: "[]".into(), ..event(seq) };
        for log in logs {
            log.add_history(base(3), vec![event(1), other(2), event(3)]).unwrap();
            assert_eq!(log.complete_history(base(3)), Ok(false));
            assert_eq!((seqs(&log, 3), log.history_head(base(3))), (vec![4, 5, 6], Ok(Some(0))));
            // A history that is too short is refused, too.
            log.add_history(base(3), vec![event(1), event(2)]).unwrap();
            assert_eq!(log.complete_history(base(3)), Ok(false));
        }
    }

    #[test]
    fn a_log_that_starts_over_has_no_base() {
        let (logs, _directory) = logs();
        let (first, upstream) = (SeqNum::ROOT.next(true).0, upstream(0));
        for log in logs {
            log.add_history(base(3), vec![event(1)]).unwrap();
            log.change(&LogChange {
                confirmed: Vec::new(),
                remove_from: Some(first),
                append: vec![&event(1), &event(2)],
                upstream: Some(&upstream),
                confirmed_head: SeqNum::ROOT,
                commands: Default::default(),
                new_history: Some("other".into()),
            })
            .unwrap();
            assert_eq!((seqs(&log, 0), log.base()), (vec![1, 2], Ok(None)));
        }
    }

    #[test]
    fn an_image_of_the_first_event_needs_no_base() {
        let log = Eventlog::new(MemoryLog::default());
        log.begin_at(base(0), &event(1), &upstream(1)).unwrap();
        assert_eq!((seqs(&log, 0), log.base()), (vec![1], Ok(None)));
    }
}
