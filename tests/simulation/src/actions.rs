//! What befalls a world, carried out.

use std::collections::BTreeMap;

use livestore::now;
use livestore::prelude::*;
use livestore::simulation::{elapsed, set_wall_clock};

use crate::app::Deed;
use crate::client::{Astray, Version};
use crate::disk::{Chance, CrashKind, Dice, Faults, Image};
use crate::plan::Action;
use crate::server::SERVER;
use crate::world::World;

impl World {
    /// Has something befall it.
    pub fn act(&mut self, action: &Action) -> Result<(), String> {
        *self.figures.actions.entry(action.kind()).or_default() += 1;
        self.note(format_args!("{action:?}"));
        match action {
            Action::Wait(time) => self.work(*time)?,
            Action::Commit(client, slot, deed) => self.commit(*client, *slot, deed)?,
            Action::Flush(client, slot) => self.flush(*client, *slot),
            Action::ResetState(client, slot) => self.reset_state(*client, *slot)?,
            Action::Hold(client, slot, hold) => {
                if let Some(open) = self.open_slot(*client, *slot) {
                    open.hold(*hold);
                }
            }
            Action::Reopen(client) => self.reopen(*client, false)?,
            Action::Upgrade(client) => self.reopen(*client, true)?,
            Action::Crash(client, kind) => self.crash_client(*client, *kind),
            Action::Start(client) => self.start_client(*client)?,
            Action::Partition(client) => self.network.partition(*client),
            Action::Heal(client) => self.network.heal(Some(*client)),
            Action::Cut(client) => drop(self.network.cut(*client)),
            Action::CrashServer(kind) => {
                self.disk.crash(self.server.directory(), *kind);
                self.server.stop();
            }
            Action::StopServer => self.server.stop(),
            Action::StartServer => self.start_server()?,
            Action::Disk(owner, fault, one_in) => {
                let chance = Chance {
                    one_in: *one_in,
                    faults: vec![*fault],
                    dice: Dice::new(self.dice.roll()),
                };
                self.set_faults(*owner, Faults { chance: Some(chance), ..Faults::default() });
            }
            Action::Repair(owner) => self.set_faults(*owner, Faults::default()),
            Action::Slow(owner, delay) => {
                let owner = owner.map_or(SERVER, |client| client as u64 + 1);
                self.slow.insert(owner, (*delay, elapsed() + *delay));
            }
            Action::SetClock(by) => {
                set_wall_clock(now().as_millis().saturating_add(*by));
            }
            Action::Backup => self.back_up()?,
            Action::Restore => self.restore()?,
            Action::Wipe => self.replace(&Image::default())?,
        }
        Ok(())
    }

    fn open_slot(&self, client: usize, slot: usize) -> Option<&dyn crate::client::Opened> {
        self.clients.get(client)?.slots.get(slot)?.open.as_deref()
    }

    fn commit(&mut self, index: usize, slot: usize, deed: &Deed) -> Result<(), String> {
        deed.commits().iter().try_for_each(|deed| self.commit_at_once(index, slot, deed))?;
        self.look_at(index)?;
        self.open_all(index)
    }

    fn commit_at_once(&mut self, index: usize, slot: usize, deed: &Deed) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
        let is_written = client.habits.durability != Durability::Buffered;
        let Some(slot) = client.slots.get_mut(slot) else { return Ok(()) };
        let (keys, is_too_large) = (deed.keys(), deed.is_too_large());
        let is_refused = self.server.has_rule && deed.is_refused();
        let ledger = self.ledgers.get(&slot.store_id);
        let behind = ledger.zip(slot.client_id.as_deref());
        let behind = behind.map_or(0, |(ledger, client_id)| ledger.of(client_id).count());
        let done = slot.open.as_ref().and_then(|open| open.commit(deed.clone()));
        match done {
            None | Some(Err(CommitError::Materialize { .. } | CommitError::Closed)) => {}
            Some(Err(CommitError::CommitTooLarge { .. })) if is_too_large => {
                self.figures.too_large += 1;
            }
            Some(Err(
                error @ (CommitError::CommitTooLarge { .. } | CommitError::TooLarge { .. }),
            )) => {
                return Err(format!("client {index} cannot commit {deed:?}: {error}"));
            }
            Some(Ok(())) if is_too_large => {
                return Err(format!("client {index} has committed more than a backend takes"));
            }
            Some(Ok(())) => {
                self.figures.committed += keys.len() as u64;
                slot.commit(keys, is_refused, behind, false, is_written);
            }
            // The disk has failed, or ended the process: nobody knows.
            Some(Err(_)) => slot.commit(keys, is_refused, behind, true, false),
        }
        Ok(())
    }

    fn flush(&mut self, client: usize, slot: usize) {
        let slot = self.clients.get_mut(client).and_then(|client| client.slots.get_mut(slot));
        if let Some(slot) = slot
            && slot.open.as_ref().is_some_and(|open| open.flush())
        {
            slot.mine.iter_mut().for_each(|mine| mine.written = true);
        }
    }

    fn reset_state(&mut self, client: usize, slot: usize) -> Result<(), String> {
        let Some(open) = self.open_slot(client, slot) else { return Ok(()) };
        match open.reset_state() {
            Err(what) if !crate::world::is_disk(&what) => Err(what),
            _ => self.look_at(client),
        }
    }

    /// Closes a client's stores properly, and opens them again.
    fn reopen(&mut self, index: usize, upgrade: bool) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
        if upgrade {
            client.version = Version::Two;
        }
        for slot in &mut client.slots {
            let Some(open) = slot.open.take() else { continue };
            if open.close() {
                slot.mine.iter_mut().for_each(|mine| mine.written = true);
            } else {
                slot.before = None;
                slot.mine.iter_mut().for_each(|mine| mine.maybe |= !mine.written);
            }
        }
        self.network.leave(index);
        self.open_all(index)
    }

    fn crash_client(&mut self, index: usize, kind: CrashKind) {
        if self.clients.get(index).is_some_and(|client| !client.is_down) {
            self.disk.crash(&self.directory(index), kind);
            self.end_client(index, kind);
        }
    }

    pub(crate) fn start_client(&mut self, index: usize) -> Result<(), String> {
        let directory = self.directory(index);
        if let Some(client) = self.clients.get_mut(index).filter(|client| client.is_down) {
            client.is_down = false;
            self.disk.restart(&directory);
        }
        self.open_all(index)
    }

    /// Starts the server, if it is down. It has what it had.
    pub(crate) fn start_server(&mut self) -> Result<(), String> {
        if self.server.is_up() {
            return Ok(());
        }
        self.disk.restart(self.server.directory());
        match self.server.start() {
            Err(what) if crate::world::is_disk(&what) => return Ok(()),
            started => started?,
        }
        self.compare_ledgers()
    }

    /// The server has all that it has acknowledged, as far as its disk can be read.
    pub(crate) fn compare_ledgers(&mut self) -> Result<(), String> {
        for (store, ledger) in &mut self.ledgers {
            if let Ok(found) = self.server.read(store, 0) {
                ledger.compare(
                    found
                        .into_iter()
                        .map(|it| it.event().clone().accepted_at(it.created_at()))
                        .collect(),
                )?;
            }
        }
        Ok(())
    }

    fn set_faults(&mut self, owner: Option<usize>, faults: Faults) {
        let directory = match owner {
            None => self.server.directory().to_owned(),
            Some(client) => self.directory(client),
        };
        for (fault, count) in self.disk.points(&directory).struck {
            self.figures.struck(fault, count);
        }
        self.disk.set_faults(&directory, faults);
    }

    /// Copies what the server has while nothing is written.
    fn back_up(&mut self) -> Result<(), String> {
        if self.server.is_up() {
            let heads = self.ledgers.iter();
            let heads = heads.map(|(store, ledger)| (store.clone(), ledger.events.len()));
            self.backup = Some((self.disk.backup(self.server.directory()), heads.collect()));
        }
        Ok(())
    }

    fn restore(&mut self) -> Result<(), String> {
        let Some((image, heads)) = self.backup.clone() else { return Ok(()) };
        self.replace(&image)?;
        for (store, ledger) in &mut self.ledgers {
            // What was taken back is not known any more.
            let had = heads.get(store).copied().unwrap_or_default();
            if ledger.events.len() < had {
                return Err(format!("the backup of {store} has less than it had"));
            }
        }
        Ok(())
    }

    /// Puts something else in the place of what the server has: whoever knows more goes astray.
    fn replace(&mut self, image: &Image) -> Result<(), String> {
        self.server.stop();
        let directory = self.server.directory().to_owned();
        self.disk.crash(&directory, CrashKind::Process);
        self.disk.restart(&directory);
        self.disk.restore(&directory, image);
        self.set_faults(None, Faults::default());
        self.server.start()?;
        let mut replaced = BTreeMap::new();
        for (store, ledger) in &mut self.ledgers {
            let had = ledger.head();
            let found = self.server.read(store, 0)?;
            ledger.events = found
                .into_iter()
                .map(|it| it.event().clone().accepted_at(it.created_at()))
                .collect();
            let astray = match self.server.knows(store)? {
                // It will be made anew.
                false => Some(Astray::Replaced),
                // Some may only now hear of what is gone: it is under way.
                true => (ledger.head() < had).then_some(Astray::Restored),
            };
            replaced.insert(store.clone(), astray);
        }
        for client in &mut self.clients {
            for slot in &mut client.slots {
                let astray = replaced.get(&slot.store_id).copied().flatten();
                // What one that is down or astray has in its log, it may have written unseen.
                let unseen = client.is_down || slot.astray.is_some();
                slot.astray = astray.or(unseen.then_some(Astray::Restored));
                slot.mine.iter_mut().for_each(|mine| (mine.maybe, mine.behind) = (true, 0));
            }
        }
        if image.0.is_empty() {
            self.backup = None;
        }
        Ok(())
    }

    /// From now on nothing is broken any more.
    pub(crate) fn repair_all(&mut self) -> Result<(), String> {
        self.slow.clear();
        self.network.heal(None);
        let owners = std::iter::once(None).chain((0..self.clients.len()).map(Some));
        for owner in owners {
            self.set_faults(owner, Faults::default());
        }
        // A storage that has lost a write takes no more: it has to be started again.
        self.server.stop();
        self.start_all()?;
        for open in self.clients.iter().flat_map(|it| &it.slots).filter_map(|it| it.open.as_ref()) {
            open.hold(false);
        }
        Ok(())
    }

    pub(crate) fn start_all(&mut self) -> Result<(), String> {
        self.start_server()?;
        (0..self.clients.len()).try_for_each(|client| self.start_client(client))
    }
}
