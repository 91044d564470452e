//! What must be true of commands: each has its events, or is withdrawn and kept, and never both.

use std::collections::{BTreeMap, BTreeSet};

use livestore::prelude::*;

use crate::app::{Key, key};
use crate::client::Opened;
use crate::slot::{Asked, Slot};

impl Slot {
    /// Checks the commands of a store that is at rest: in every session's log and list of conflicts.
    pub fn check_commands(&self) -> Result<(), String> {
        let lost = self.mine.iter().filter(|mine| mine.may_be_lost());
        let lost: BTreeSet<&Key> = lost.map(|mine| &mine.key).collect();
        for (session, open) in self.open_sessions() {
            let checked = self.check_commands_in(open, &lost);
            checked.map_err(|what| format!("session {}: {what}", session.id))?;
        }
        Ok(())
    }

    fn check_commands_in(&self, open: &dyn Opened, lost: &BTreeSet<&Key>) -> Result<(), String> {
        let mut found: BTreeMap<Key, usize> = BTreeMap::new();
        for event in open.events(SeqNum::ROOT, false)? {
            if Some(&*event.client_id) == self.client_id.as_deref() {
                *found.entry(key(&event.name, &event.args)).or_default() += 1;
            }
        }
        let mut withdrawn = BTreeSet::new();
        for conflict in open.conflicts()? {
            let (mark, possible) = (conflict.request.mark(), conflict.request.keys());
            let is_right =
                !conflict.keys.is_empty() && conflict.keys.iter().all(|it| possible.contains(it));
            if !is_right {
                return Err(format!("{:?} has withdrawn {:?}", conflict.request, conflict.keys));
            }
            if !withdrawn.insert(mark) {
                return Err(format!("{:?} is in conflict twice", conflict.request));
            }
        }
        for asked in &self.asked {
            let is_withdrawn = withdrawn.remove(&asked.request.mark());
            let keys = asked.request.keys();
            let is_loose = asked.is_resolved || keys.iter().any(|key| lost.contains(key));
            let counts: Vec<_> =
                keys.iter().map(|key| found.get(key).copied().unwrap_or(0)).collect();
            asked.check(&counts, is_withdrawn, is_loose)?;
        }
        match withdrawn.first() {
            None => Ok(()),
            Some(mark) => {
                Err(format!("nobody has executed the command {mark}, which is in conflict"))
            }
        }
    }
}

impl Asked {
    /// `counts`: how often each of its events is in the log. `is_loose`: it may be lost, or was resolved.
    fn check(&self, counts: &[usize], is_withdrawn: bool, is_loose: bool) -> Result<(), String> {
        let Self { request, .. } = self;
        let is_there = counts.iter().any(|count| *count > 0);
        if !self.is_resolved && counts.iter().any(|count| *count > 1) {
            return Err(format!("{request:?} was executed twice: {counts:?}"));
        }
        if is_loose {
            return Ok(());
        }
        match (is_there, is_withdrawn) {
            (true, true) => {
                Err(format!("{request:?} was withdrawn, and has its events: {counts:?}"))
            }
            (false, false) if !request.may_be_idle() => {
                Err(format!("{request:?} is lost: it has no events, and is not in conflict"))
            }
            (true, false) if !request.is_whole(counts) => {
                Err(format!("{request:?} is there in part: {counts:?}"))
            }
            _ => Ok(()),
        }
    }
}
