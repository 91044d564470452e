//! What was committed, and what was said of it.

/// All that a run has committed, in order.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    ids: Vec<String>,
    said: Said,
}

/// What a commit's caller was told, and what that is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Done, and it must be there.
    Promised,
    /// Done, but what happens then may take it back: if so, then everything behind it, too.
    Done,
    /// Failed: it must not be there.
    Failed,
    /// Nobody was left to hear it.
    Nothing,
    /// Done long ago, and taken back by a backend that was reset; until that is heard of, it is there.
    Gone,
}

impl Ledger {
    pub fn write(&mut self, ids: &[String], said: Said) {
        self.entries.push(Entry { ids: ids.to_vec(), said });
    }

    /// All that was done is promised from now on.
    pub fn promise(&mut self) {
        for entry in &mut self.entries {
            if entry.said == Said::Done {
                entry.said = Said::Promised;
            }
        }
    }

    /// The process has ended: whoever heard last of a failure knows that the write, or the sync, may
    /// have come through. What failed before something was done is overwritten by that.
    pub fn ended(&mut self) {
        for entry in self.entries.iter_mut().rev() {
            match entry.said {
                Said::Failed => entry.said = Said::Nothing,
                Said::Nothing | Said::Gone => {}
                Said::Promised | Said::Done => break,
            }
        }
    }

    /// What a lying disk leaves is any part of it.
    pub fn forgive(&mut self) {
        for entry in &mut self.entries {
            entry.said = Said::Nothing;
        }
    }

    /// The part of one store, whose ids begin so.
    pub fn of(&self, store: &str) -> Self {
        let is_its = |entry: &&Entry| entry.ids.iter().all(|id| id.starts_with(store));
        let copy = |entry: &Entry| Entry { ids: entry.ids.clone(), said: entry.said };
        Self { entries: self.entries.iter().filter(is_its).map(copy).collect() }
    }

    /// Whether a log with these events keeps what was said.
    pub fn check(&self, mut log: &[String]) -> Result<(), String> {
        let mut gap = None;
        for entry in &self.entries {
            let Some(rest) = log.strip_prefix(entry.ids.as_slice()) else {
                match entry.said {
                    Said::Promised => {
                        return Err(format!("{:?} is lost; there is {log:?}", entry.ids));
                    }
                    Said::Done => gap = Some(&entry.ids),
                    Said::Failed | Said::Nothing | Said::Gone => {}
                }
                continue;
            };
            match (entry.said, gap) {
                (Said::Failed, _) => return Err(format!("{:?} failed, and is there", entry.ids)),
                (_, Some(gap)) => return Err(format!("{:?} is there without {gap:?}", entry.ids)),
                _ => log = rest,
            }
        }
        if log.is_empty() {
            Ok(())
        } else {
            Err(format!("{log:?} is there twice, or out of order"))
        }
    }
}

#[test]
fn a_ledger_tells_what_is_lost_invented_twice_or_out_of_order() {
    let ids = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let ledger = |said: [Said; 3]| {
        let mut ledger = Ledger::default();
        [ids("a"), ids("b c"), ids("d")]
            .iter()
            .zip(said)
            .for_each(|(ids, said)| ledger.write(ids, said));
        ledger
    };
    let check = |said, log: &str| ledger(said).check(&ids(log)).is_ok();
    let promised = [Said::Promised; 3];
    assert!(check(promised, "a b c d"));
    for log in ["", "a b c", "a d", "a b d", "b c a d", "a b c d d", "a b c d e", "a a b c d"] {
        assert!(!check(promised, log), "{log}");
    }
    let done = [Said::Done; 3];
    assert!(check(done, "a b c") && check(done, "a") && check(done, ""));
    assert!(!check(done, "a d") && !check(done, "a b"));
    let failed = [Said::Promised, Said::Failed, Said::Promised];
    assert!(check(failed, "a d") && !check(failed, "a b c d"));
    let nothing = [Said::Promised, Said::Nothing, Said::Promised];
    assert!(check(nothing, "a d") && check(nothing, "a b c d") && !check(nothing, "a b d"));
}
