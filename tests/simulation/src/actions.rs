//! What befalls a world, carried out.

use std::collections::BTreeMap;

use livestore::now;
use livestore::prelude::*;
use livestore::simulation::{self, elapsed, set_wall_clock};

use crate::app::Deed;
use crate::client::{Opened, Version};
use crate::disk::{Chance, CrashKind, Dice, Faults, Image};
use crate::plan::Action;
use crate::server::SERVER;
use crate::slot::{Astray, Committed, Slot};
use crate::world::World;

impl World {
    /// Has something befall it.
    pub fn act(&mut self, action: &Action) -> Result<(), String> {
        *self.figures.actions.entry(action.kind()).or_default() += 1;
        self.note(format_args!("{action:?}"));
        match action {
            Action::Wait(time) => self.work(*time)?,
            Action::Commit(client, slot, deed) => self.commit(*client, *slot, deed)?,
            Action::Execute(client, slot, request) => self.execute(*client, *slot, request)?,
            Action::Undo(client, slot, again) => self.undo(*client, *slot, *again)?,
            Action::Resolve(client, slot, retry) => self.resolve(*client, *slot, *retry)?,
            Action::Feed(client, slot, process, how) => {
                self.feed(*client, *slot, *process, *how)?;
            }
            Action::Flush(client, slot) => self.flush(*client, *slot)?,
            Action::ResetState(client, slot) => self.reset_state(*client, *slot)?,
            Action::Hold(client, slot, hold) => {
                if let Some((_, open)) = self.draw_session(*client, *slot) {
                    open.hold(*hold);
                }
            }
            Action::Reopen(client) => self.reopen(*client, false)?,
            Action::Upgrade(client) => self.reopen(*client, true)?,
            Action::Crash(client, kind) => self.crash_client(*client, *kind),
            Action::Start(client) => self.start_client(*client)?,
            Action::EndProcess(client, process) => self.end_process(*client, *process)?,
            Action::CloseProcess(client, process) => self.close_process(*client, *process)?,
            Action::StartProcess(client, process) => self.start_process(*client, *process)?,
            Action::Stop(client, process) => self.stop_process(*client, *process, true),
            Action::GoOn(client, process) => self.stop_process(*client, *process, false),
            Action::CutLines(client) => self.cut_lines(*client),
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

    /// A session of a client's store, if one is open and its process does not hang, and its process.
    pub(crate) fn draw_session(
        &mut self,
        client: usize,
        slot: usize,
    ) -> Option<(usize, &dyn Opened)> {
        let found = self.clients.get(client)?;
        let processes = found.processes.iter().enumerate();
        let able = processes.filter(|(_, process)| process.is_up && !process.hangs);
        let able: Vec<usize> = able.map(|(n, _)| n).collect();
        let drawn = if able.len() > 1 { self.draw(able.len()) } else { 0 };
        let process = able.get(drawn).copied()?;
        let slot = self.clients.get(client)?.slots.get(slot)?;
        Some((process, slot.sessions.get(process)?.open()?))
    }

    pub(crate) fn slot(&mut self, client: usize, slot: usize) -> Option<&mut Slot> {
        self.clients.get_mut(client)?.slots.get_mut(slot)
    }

    fn commit(&mut self, index: usize, slot: usize, deed: &Deed) -> Result<(), String> {
        deed.commits().iter().try_for_each(|deed| self.commit_at_once(index, slot, deed))?;
        self.look_at(index)?;
        self.open_all(index)
    }

    fn commit_at_once(&mut self, index: usize, slot: usize, deed: &Deed) -> Result<(), String> {
        let Some(client) = self.clients.get(index) else { return Ok(()) };
        let written = client.habits.durability != Durability::Buffered;
        let syncs = client.habits.syncs;
        if client.habits.tool.is_some() && deed.is_too_large() {
            // Whether it is refused depends on who leads.
            return Ok(());
        }
        let (keys, is_too_large) = (deed.keys(), syncs && deed.is_too_large());
        let is_refused = self.server.has_rule && deed.is_refused();
        let Some((process, open)) = self.draw_session(index, slot) else { return Ok(()) };
        let session = open.session_id().to_owned();
        let done = open.commit(deed.clone());
        let behind = self.count_at_server(index, slot, &session);
        let figures = &mut self.figures;
        let slot = self.clients.get_mut(index).and_then(|client| client.slots.get_mut(slot));
        let Some(slot) = slot else { return Ok(()) };
        slot.note_leader();
        let how = Committed { is_refused, behind, maybe: false, is_decided: false, written };
        match done {
            None | Some(Err(CommitError::Materialize { .. } | CommitError::Closed)) => {}
            Some(Err(CommitError::CommitTooLarge { .. })) if is_too_large => {
                figures.too_large += 1;
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
                figures.committed += keys.len() as u64;
                slot.commit(process, keys, &how);
            }
            // The disk has failed, or ended the process, or the leader does not answer: nobody knows.
            Some(Err(_)) => {
                slot.commit(process, keys, &Committed { maybe: true, written: false, ..how });
            }
        }
        Ok(())
    }

    /// The number of the events that the server has of a client, or of its session if it has several.
    pub(crate) fn count_at_server(&self, index: usize, slot: usize, session: &str) -> usize {
        let slot = self.clients.get(index).and_then(|client| client.slots.get(slot));
        let found = slot.and_then(|slot| {
            let ledger = self.ledgers.get(&slot.store_id)?;
            let session = slot.is_shared().then_some(session);
            Some(ledger.of(slot.client_id.as_deref()?, session).count())
        });
        found.unwrap_or_default()
    }

    fn flush(&mut self, client: usize, slot: usize) -> Result<(), String> {
        let Some((_, open)) = self.draw_session(client, slot) else { return Ok(()) };
        let (session, is_written) = (open.session_id().to_owned(), open.flush());
        if let Some(slot) = self.slot(client, slot).filter(|_| is_written) {
            let is_shared = slot.is_shared();
            let flushed = slot.mine.iter_mut().filter(|it| !is_shared || it.session == session);
            flushed.for_each(|mine| mine.written = true);
        }
        self.look_at(client)
    }

    fn reset_state(&mut self, client: usize, slot: usize) -> Result<(), String> {
        let Some((_, open)) = self.draw_session(client, slot) else { return Ok(()) };
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
        for process in &mut client.processes {
            simulation::hang(process.owner, false);
            process.hangs = false;
        }
        for slot in &mut client.slots {
            (0..slot.sessions.len()).for_each(|process| slot.close(process));
        }
        self.network.leave(index);
        self.open_all(index)
    }

    /// A process of a client's ends, and its machine goes on.
    fn end_process(&mut self, index: usize, process: usize) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(index).filter(|client| !client.is_down) else {
            return Ok(());
        };
        let is_fine = !client.has_bad_disk && client.processes.iter().all(|it| !it.hangs);
        let Some(ended) = client.processes.get_mut(process).filter(|it| it.is_up) else {
            return Ok(());
        };
        ended.is_up = false;
        client.slots.iter_mut().for_each(Slot::note_leader);
        self.disk.end_process(ended.owner);
        for slot in &mut client.slots {
            slot.ended(process, client.habits.durability, is_fine);
        }
        self.renew(index, process);
        self.look_at(index)
    }

    fn close_process(&mut self, index: usize, process: usize) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(index).filter(|client| !client.is_down) else {
            return Ok(());
        };
        let Some(closed) = client.processes.get_mut(process).filter(|it| it.is_up && !it.hangs)
        else {
            return Ok(());
        };
        closed.is_up = false;
        client.slots.iter_mut().for_each(|slot| slot.close(process));
        self.renew(index, process);
        self.look_at(index)
    }

    fn start_process(&mut self, index: usize, process: usize) -> Result<(), String> {
        let client = self.clients.get_mut(index);
        if let Some(process) = client.and_then(|client| client.processes.get_mut(process)) {
            process.is_up = true;
        }
        self.open_all(index)
    }

    /// Has a process do nothing, or go on.
    fn stop_process(&mut self, index: usize, process: usize, hangs: bool) {
        let Some(client) = self.clients.get_mut(index).filter(|client| !client.is_down) else {
            return;
        };
        if let Some(process) = client.processes.get_mut(process).filter(|it| it.is_up) {
            process.hangs = hangs;
            simulation::hang(process.owner, hangs);
        }
        client.slots.iter_mut().for_each(Slot::disturb);
    }

    fn cut_lines(&mut self, index: usize) {
        self.figures.lines += simulation::cut_lines(&self.directory(index)) as u64;
        if let Some(client) = self.clients.get_mut(index) {
            client.slots.iter_mut().for_each(Slot::disturb);
        }
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
        if let Some(client) = owner.and_then(|client| self.clients.get_mut(client)) {
            client.has_bad_disk = faults.chance.is_some();
            client.slots.iter_mut().for_each(Slot::disturb);
        }
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
            ledger.is_replaced = true;
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
        for client in self.clients.iter_mut().filter(|client| client.habits.syncs) {
            for slot in &mut client.slots {
                let astray = replaced.get(&slot.store_id).copied().flatten();
                // What one that is down or astray has in its log, it may have written unseen.
                let unseen = client.is_down || slot.astray.is_some();
                slot.astray = astray.or(unseen.then_some(Astray::Restored));
                slot.sessions.iter_mut().for_each(|session| session.astray = slot.astray);
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
        for client in &mut self.clients {
            for process in &mut client.processes {
                (process.is_up, process.hangs) = (true, false);
                simulation::hang(process.owner, false);
            }
        }
        self.start_all()?;
        for slot in self.clients.iter().flat_map(|it| &it.slots) {
            slot.open_sessions().for_each(|(_, open)| open.hold(false));
        }
        Ok(())
    }

    pub(crate) fn start_all(&mut self) -> Result<(), String> {
        self.start_server()?;
        (0..self.clients.len()).try_for_each(|client| self.start_client(client))
    }
}
