//! The same events make the same state, whichever way a store comes to them.

use livestore::prelude::*;
use livestore::schema::{Batch, Commit, EncodeBatchError};

use crate::app::{App, Counter, Misbehaved, Todo, TodoEvent, UiState, completed, counted, created};
use crate::kit::{Home, Random, log_of};

/// An event of any kind.
enum Any {
    Todo(TodoEvent),
    Misbehaved(Misbehaved),
    Ui(<UiState as Document>::Set),
}

impl Commit<App> for Any {
    fn encode(self, batch: &mut Batch<'_>) -> Result<(), EncodeBatchError> {
        match self {
            Self::Todo(event) => Commit::<App>::encode(event, batch),
            Self::Misbehaved(event) => Commit::<App>::encode(event, batch),
            Self::Ui(event) => Commit::<App>::encode(event, batch),
        }
    }
}

/// Some events fail, always or depending on the state.
fn any(random: &mut Random) -> Any {
    let id = random.below(60).to_string();
    let number = random.next();
    Any::Todo(match number % 16 {
        0..5 => created(id),
        5..7 => completed(id),
        7..9 => TodoEvent::Deleted { id },
        9..11 => TodoEvent::Viewed { id },
        11 => TodoEvent::Padded { id, bytes: random.below(3_000) as usize },
        12 => counted("n", (number >> 3).cast_signed()),
        13 => return Any::Ui(UiState::set().filter(format!("{number} \u{1f980} \"\\"))),
        14 => return Any::Ui(UiState::set().id(id).zoom(number as u8)),
        _ if random.below(4) == 0 => return Any::Misbehaved(Misbehaved::Panicked),
        _ => return Any::Misbehaved(Misbehaved::Refused),
    })
}

/// A store that is opened, closed, crashed and opened again.
struct Life {
    home: Home,
    store: Store<App>,
    random: Random,
    /// The state's hash after some commits.
    moments: Vec<(SeqNum, u64)>,
    refused: usize,
}

impl Life {
    fn new(seed: u64) -> Self {
        let home = Home::new();
        let store = home.open();
        Self { home, store, random: Random::new(seed), moments: Vec::new(), refused: 0 }
    }

    fn step(&mut self) {
        match self.random.below(10) {
            0 => self.reopen(),
            1 => self.crash(),
            2 => self.store.reset_state().unwrap(),
            _ => self.commit(),
        }
        self.moments.push((self.store.head().unwrap(), self.store.state_hash().unwrap()));
    }

    fn commit(&mut self) {
        let events = self.random.below(5);
        let events: Vec<_> = (0..events).map(|_| any(&mut self.random)).collect();
        self.refused += usize::from(self.store.commit(events).is_err());
    }

    fn reopen(&mut self) {
        let hash = self.store.state_hash().unwrap();
        self.store.clone().close().unwrap();
        let window = ["one", "two"][self.random.below(2) as usize];
        self.store = self.home.builder().window_id(window).open().unwrap();
        assert_eq!(self.store.state_hash().unwrap(), hash);
    }

    fn crash(&mut self) {
        let hash = self.store.state_hash().unwrap();
        self.home = self.home.copy();
        self.store = self.home.open();
        assert_eq!(self.store.state_hash().unwrap(), hash);
    }

    fn check(self) {
        let Self { home, store, moments, .. } = self;
        for (seq, hash) in moments {
            assert_eq!(store.fork(seq).unwrap().state_hash().unwrap(), hash, "the fork at {seq}");
        }
        let head = store.head().unwrap();
        let past = store.state_at(head).unwrap();
        assert_eq!(past.query(Todo::all()), store.query(Todo::all()));
        assert_eq!(past.query(Counter::all()), store.query(Counter::all()));
        assert_eq!(past.query(UiState::get()), store.query(UiState::get()));
        assert_eq!(store.quarantined().unwrap(), []);

        let hash = store.state_hash().unwrap();
        assert_eq!(store.verify_replay(), Ok(()));
        assert_eq!(home.replayed_hash::<App>(), hash);
        let log = log_of(&store);
        store.close().unwrap();
        assert_eq!(home.replayed_hash::<App>(), hash);
        let again = home.open::<App>();
        assert_eq!((again.state_hash().unwrap(), log_of(&again)), (hash, log));
    }
}

#[test]
fn every_way_to_the_same_events_makes_the_same_state() {
    let (mut commits, mut refused) = (0, 0);
    for seed in 0..12 {
        let mut life = Life::new(seed);
        (0..80).for_each(|_| life.step());
        commits += life.moments.len();
        refused += life.refused;
        life.check();
    }
    assert!(refused > 50 && refused < commits / 2, "{refused} of {commits} commits were refused");
}
