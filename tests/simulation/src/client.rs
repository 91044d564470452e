//! A store that a client has open, of either version of the app.

use std::cell::RefCell;
use std::path::Path;

use livestore::prelude::*;
use livestore::state::QuarantineReason;
use livestore::store::{CommitError, ConflictError, UndoError};
use livestore::sync::{OnBackendReset, SyncOptions, SyncStatus};

use crate::app::{App, Deed, Item, Key, Tally, V1, V2, Watch, key, watch};
use crate::bookings::{Account, Bookings, Request, Seat, Unmet};
use crate::model::Shared;
use crate::network::Wire;
use crate::targets::{Feeding, Feeds, Targets};
use crate::undo::{self, Items};

/// Which release a client runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The first.
    One,
    /// The second.
    Two,
}

/// How a client opens its stores.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// When its commits count as done.
    pub durability: Durability,
    /// What it does about another backend.
    pub on_reset: OnBackendReset,
    /// The number of its processes: each has a session of every store.
    pub processes: usize,
    /// Whether it has a backend.
    pub syncs: bool,
    /// A process that opens its stores without the backend, as a tool does.
    pub tool: Option<usize>,
}

impl Habits {
    /// Whether the sessions of this process have the backend.
    pub fn syncs_in(&self, process: usize) -> bool {
        self.syncs && self.tool != Some(process)
    }
}

/// A command that has failed later.
pub struct Withdrawn {
    /// Its conflict.
    pub id: String,
    /// What it asked for.
    pub request: Request,
    /// The events that it had.
    pub keys: Vec<Key>,
}

/// An open store, of whichever version.
pub trait Opened {
    /// Commits; `None` if this version cannot.
    fn commit(&self, deed: Deed) -> Option<Result<(), CommitError>>;
    /// Executes a command.
    fn execute(&self, request: Request) -> Result<usize, ExecuteError<Unmet>>;
    /// Undoes the last step, or does it again; with the events that were committed for that, or, if it fails, may
    /// have been.
    fn undo(&self, again: bool) -> (Result<(), UndoError>, Vec<Key>);
    /// The commands that have failed later.
    fn conflicts(&self) -> Result<Vec<Withdrawn>, String>;
    /// Executes the command of a conflict again, or drops it.
    fn resolve(&self, id: &str, retry: bool) -> Result<(), ConflictError>;
    /// The items.
    fn items(&self) -> Result<Items, String>;
    /// How it stands with the backend; `None` once it is closed.
    fn status(&self) -> Option<SyncStatus>;
    /// Its events after one: all, or those whose place is final.
    fn events(&self, after: SeqNum, confirmed: bool) -> Result<Vec<EncodedEvent>, String>;
    /// Compares the live queries with fresh ones.
    fn check_live(&self) -> Result<(), String>;
    /// Compares the state with one that is made from the log.
    fn check_state(&self) -> Result<(), String>;
    /// Brings the targets up to date, and compares them with the items. A new feed does it if there is none yet.
    fn feed(&self, how: Feeding, targets: &Targets) -> Result<(), String>;
    /// The part of the state that is the same for every client of a store.
    fn shared(&self) -> Result<Shared, String>;
    /// The events that could not be applied, and not because this version does not know them.
    fn quarantined(&self) -> Result<Vec<SeqNum>, String>;
    /// The events that are in quarantine because the backend refuses them for good.
    fn refused(&self) -> Result<Vec<SeqNum>, String>;
    /// The hash of the state.
    fn hash(&self) -> Result<u64, String>;
    /// Makes the state anew.
    fn reset_state(&self) -> Result<(), String>;
    /// Writes what is buffered; says whether it could.
    fn flush(&self) -> bool;
    /// Goes offline, or online.
    fn hold(&self, hold: bool);
    /// The client's id.
    fn client_id(&self) -> &str;
    /// The session's id.
    fn session_id(&self) -> &str;
    /// Closes it; says whether everything could be written.
    fn close(self: Box<Self>) -> bool;
}

struct Held<S> {
    store: Store<S>,
    watches: Vec<Watch>,
    feeds: RefCell<Option<Feeds<S>>>,
}

/// Opens a store.
pub fn open(
    directory: &Path,
    store_id: &str,
    version: Version,
    (habits, process): (Habits, usize),
    wire: Wire,
) -> Result<Box<dyn Opened>, String> {
    match version {
        Version::One => open_as::<V1>(directory, store_id, habits, process, wire),
        Version::Two => open_as::<V2>(directory, store_id, habits, process, wire),
    }
}

fn open_as<S: App>(
    directory: &Path,
    store_id: &str,
    habits: Habits,
    process: usize,
    wire: Wire,
) -> Result<Box<dyn Opened>, String> {
    let builder = Store::<S>::builder(store_id)
        .directory(directory)
        .durability(habits.durability)
        .window_id(format!("window-{process}"))
        .unknown_events(UnknownEvents::Ignore);
    let sync = SyncOptions::new(wire).on_backend_reset(habits.on_reset);
    let builder = if habits.syncs_in(process) { builder.sync(sync) } else { builder };
    let store = builder.open().map_err(|error| text(&error))?;
    let watches = watch(&store).map_err(|error| text(&error))?;
    Ok(Box::new(Held { store, watches, feeds: RefCell::default() }))
}

/// An error in its own words and those of its sources: the disk may be to blame, and only they say.
pub(crate) fn text(error: &(dyn std::error::Error + 'static)) -> String {
    livestore::ErrorChain::new(error).to_string()
}

impl<S: App> Opened for Held<S> {
    fn commit(&self, deed: Deed) -> Option<Result<(), CommitError>> {
        match deed {
            Deed::Happen(all) | Deed::Flood(all) => Some(S::happen(&self.store, all).map(drop)),
            Deed::Type(mark) => Some(S::draft(&self.store, mark).map(drop)),
            Deed::Tag(tagged, others) => {
                S::tag(&self.store, tagged, others).map(|done| done.map(drop)).transpose()
            }
        }
    }

    fn execute(&self, request: Request) -> Result<usize, ExecuteError<Unmet>> {
        S::execute(&self.store, request).map(|committed| committed.as_slice().len())
    }

    fn undo(&self, again: bool) -> (Result<(), UndoError>, Vec<Key>) {
        let undo = || if again { self.store.redo() } else { self.store.undo() };
        let (done, mut keys) = undo::applied(undo);
        if let Ok(receipt) = &done {
            // While it waited for the leader, that may have applied those of others.
            keys.truncate(receipt.as_slice().len());
        }
        (done.map(drop), keys)
    }

    fn conflicts(&self) -> Result<Vec<Withdrawn>, String> {
        let all = self.store.conflicts().map_err(|error| text(&error))?.get();
        let withdrawn = all.iter().map(|conflict| {
            let keys = conflict.events.iter().map(|event| key(&event.name, &event.args));
            let (id, keys) = (conflict.id.clone(), keys.collect());
            Ok(Withdrawn { id, request: conflict.decode().map_err(|error| text(&error))?, keys })
        });
        withdrawn.collect()
    }

    fn resolve(&self, id: &str, retry: bool) -> Result<(), ConflictError> {
        if retry { self.store.retry_conflict(id).map(drop) } else { self.store.drop_conflict(id) }
    }

    fn items(&self) -> Result<Items, String> {
        let items = self.store.query(Item::all()).map_err(|error| text(&error))?;
        Ok(items.into_iter().map(|it| (it.id, (it.owner, it.rank))).collect())
    }

    fn status(&self) -> Option<SyncStatus> {
        self.store.sync_status().ok()
    }

    fn events(&self, after: SeqNum, confirmed: bool) -> Result<Vec<EncodedEvent>, String> {
        let events = self.store.events().after(after);
        let events = if confirmed { events.confirmed() } else { events };
        events.into_iter().collect::<Result<_, _>>().map_err(|error| text(&error))
    }

    fn check_live(&self) -> Result<(), String> {
        self.watches.iter().try_for_each(|watch| watch())
    }

    fn check_state(&self) -> Result<(), String> {
        let head = self.store.head().map_err(|error| text(&error))?;
        let replayed = self.store.fork(head).map_err(|error| text(&error))?;
        let fresh = replayed.state_hash().map_err(|error| text(&error))?;
        let state = self.store.state_hash().map_err(|error| text(&error))?;
        if state == fresh {
            return Ok(());
        }
        Err(format!(
            "the state at {head} is not what a replay of the log gives; quarantined: {:?}, and by \
             the replay: {:?}; tallies: {:?}, and by the replay: {:?}",
            self.store.quarantined(),
            replayed.quarantined(),
            self.store.query(Tally::all()),
            replayed.query(Tally::all()),
        ))
    }

    fn feed(&self, how: Feeding, targets: &Targets) -> Result<(), String> {
        let mut slot = self.feeds.borrow_mut();
        let kept = slot.take().filter(|_| how != Feeding::Restart);
        let feeds = kept.map_or_else(|| Feeds::of(&self.store, targets), Ok)?;
        let are_written = slot.insert(feeds).update(how == Feeding::Fail)?;
        if !are_written {
            return Ok(());
        }
        let count = |confirmed| self.events(SeqNum::ROOT, confirmed).map(|events| events.len());
        targets.check(&self.items()?, count(true)? == count(false)?)
    }

    fn shared(&self) -> Result<Shared, String> {
        let failed = |error: QueryError| text(&error);
        let seats = self.store.query(Seat::all()).map_err(failed)?;
        let accounts = self.store.query(Account::all()).map_err(failed)?;
        let tallies = self.store.query(Tally::all()).map_err(failed)?;
        let tags = S::tags(&self.store).map_err(failed)?;
        let quarantined = self.quarantined()?.into_iter();
        Ok(Shared {
            items: self.items()?,
            bookings: Bookings::of(seats, accounts),
            tallies: tallies.into_iter().map(|it| (it.id, it.n)).collect(),
            tags: tags.map(|all| all.into_iter().map(|it| (it.item, it.tag)).collect()),
            quarantined: quarantined.filter(|seq| seq.client == 0).map(|seq| seq.global).collect(),
        })
    }

    fn quarantined(&self) -> Result<Vec<SeqNum>, String> {
        let all = self.store.quarantined().map_err(|error| text(&error))?;
        let failed = all.into_iter().filter(|it| it.reason != QuarantineReason::Unknown);
        Ok(failed.map(|it| it.seq).collect())
    }

    fn refused(&self) -> Result<Vec<SeqNum>, String> {
        let all = self.store.quarantined().map_err(|error| text(&error))?;
        let refused =
            all.into_iter().filter(|it| matches!(it.reason, QuarantineReason::Refused(_)));
        Ok(refused.map(|it| it.seq).collect())
    }

    fn hash(&self) -> Result<u64, String> {
        self.store.state_hash().map_err(|error| text(&error))
    }

    fn reset_state(&self) -> Result<(), String> {
        self.store.reset_state().map_err(|error| text(&error))
    }

    fn flush(&self) -> bool {
        self.store.flush().is_ok()
    }

    fn hold(&self, hold: bool) {
        if hold { self.store.pause_sync() } else { self.store.resume_sync() }
    }

    fn client_id(&self) -> &str {
        self.store.client_id()
    }

    fn session_id(&self) -> &str {
        self.store.session_id()
    }

    fn close(self: Box<Self>) -> bool {
        let Self { store, watches, feeds } = *self;
        drop((watches, feeds));
        store.close().is_ok()
    }
}
