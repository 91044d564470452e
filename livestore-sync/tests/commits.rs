//! A commit stays whole: through a rebase, in quarantine, on the backend, and on every client.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test, not an API"
)]

use livestore::prelude::*;
use livestore::schema::Commit;
use livestore::state::QuarantineReason;
use livestore_sync::InProcess;
use livestore_testing::TIMEOUT;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    #[column(primary_key)]
    pub id: String,
    pub cents: i64,
}

#[derive(Event, Debug, Clone)]
pub enum Money {
    #[event(name = "v1.Opened")]
    Opened { id: String, cents: i64 },
    /// Fails if the account has less.
    #[event(name = "v1.Debited")]
    Debited { from: String, cents: i64 },
    #[event(name = "v1.Credited")]
    Credited { to: String, cents: i64 },
    /// Fails if the account has less, too, but is never synced.
    #[event(name = "v1.Noticed", client_only)]
    Noticed { id: String, cents: i64 },
}

impl Materialize for Money {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let cents = |state: &Writer<'_>, id: &str| {
            Ok::<_, MaterializeError>(state.query(Account::get(id))?.map_or(0, |a| a.cents))
        };
        let at_least = |now: i64, wanted: i64| match now < wanted {
            true => Err(MaterializeError::custom("not enough")),
            false => Ok(()),
        };
        match self {
            Self::Opened { id, cents } => state.insert(&Account { id: id.clone(), cents: *cents }),
            Self::Debited { from, cents: amount } => {
                let now = cents(state, from)?;
                at_least(now, *amount)?;
                state.upsert(&Account { id: from.clone(), cents: now - amount })
            }
            Self::Credited { to, cents: amount } => {
                let now = cents(state, to)?;
                state.upsert(&Account { id: to.clone(), cents: now + amount })
            }
            Self::Noticed { id, cents: amount } => at_least(cents(state, id)?, *amount),
        }
    }
}

#[client_document]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Form {
    pub sent: bool,
}

livestore::schema! { pub Bank { tables: [Account], documents: [Form], events: [Money] } }

fn open(client: &str, backend: &InProcess) -> Store<Bank> {
    Store::builder("bank").client_id(client).sync(backend.clone()).open().unwrap()
}

fn opened(id: &str, cents: i64) -> Money {
    Money::Opened { id: id.into(), cents }
}

fn debited(from: &str, cents: i64) -> Money {
    Money::Debited { from: from.into(), cents }
}

fn credited(to: &str, cents: i64) -> Money {
    Money::Credited { to: to.into(), cents }
}

fn cents(store: &Store<Bank>, id: &str) -> i64 {
    store.query(Account::get(id)).unwrap().map_or(0, |account| account.cents)
}

/// All is pushed and pulled, and all have come to the same state.
#[track_caller]
fn converge(stores: &[&Store<Bank>], backend: &InProcess) {
    synced(stores, backend);
    let hashes: Vec<_> = stores.iter().map(|store| store.state_hash().unwrap()).collect();
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "the states differ");
}

/// All is pushed and pulled.
#[track_caller]
fn synced(stores: &[&Store<Bank>], backend: &InProcess) {
    stores.iter().for_each(|store| store.resume_sync());
    livestore_testing::sync(stores).unwrap();
    let head = stores[0].sync_status().unwrap().upstream_head.global;
    assert_eq!(head, backend.events("bank").len() as u64);
}

/// Two clients with a pending commit of the first, behind which another takes the money.
fn overdrawn(commit: impl Commit<Bank>) -> (Store<Bank>, Store<Bank>) {
    let backend = InProcess::new();
    let (one, two) = (open("one", &backend), open("two", &backend));
    one.commit([opened("a", 100), opened("b", 0)]).unwrap();
    converge(&[&one, &two], &backend);
    one.pause_sync();
    one.commit(commit).unwrap();
    two.commit(debited("a", 100)).unwrap();
    assert!(two.wait_synced(TIMEOUT).unwrap());
    // Their documents may differ.
    synced(&[&one, &two], &backend);
    (one, two)
}

#[test]
fn a_rebased_commit_applies_whole_or_not_at_all_on_every_client() {
    let (one, two) = overdrawn([debited("a", 100), credited("b", 100)]);
    assert_eq!(one.state_hash().unwrap(), two.state_hash().unwrap());
    for store in [&one, &two] {
        assert_eq!((cents(store, "a"), cents(store, "b")), (0, 0));
        let quarantined = store.quarantined().unwrap();
        let names: Vec<_> = quarantined.iter().map(|event| event.name.as_str()).collect();
        assert_eq!(names, ["v1.Debited", "v1.Credited"]);
        let reasons = [&quarantined[0].reason, &quarantined[1].reason];
        assert!(
            matches!(reasons, [QuarantineReason::Failed(a), QuarantineReason::WithCommit(b)] if a == b),
            "{reasons:?}"
        );
    }
}

#[test]
fn what_fails_last_takes_what_came_before_along() {
    let (one, two) = overdrawn([credited("b", 100), credited("b", 1), debited("a", 100)]);
    for store in [&one, &two] {
        assert_eq!((cents(store, "a"), cents(store, "b")), (0, 0));
        assert_eq!(store.quarantined().unwrap().len(), 3);
    }
}

#[test]
fn commits_before_and_behind_a_failing_one_stay() {
    let backend = InProcess::new();
    let (one, two) = (open("one", &backend), open("two", &backend));
    one.commit([opened("a", 100), opened("b", 0), opened("c", 0)]).unwrap();
    converge(&[&one, &two], &backend);
    one.pause_sync();
    one.commit([credited("c", 1), credited("c", 1)]).unwrap();
    one.commit([debited("a", 100), credited("b", 100)]).unwrap();
    one.commit([credited("c", 2), credited("c", 2)]).unwrap();
    two.commit(debited("a", 1)).unwrap();
    assert!(two.wait_synced(TIMEOUT).unwrap());
    converge(&[&one, &two], &backend);
    for store in [&one, &two] {
        assert_eq!((cents(store, "a"), cents(store, "b"), cents(store, "c")), (99, 0, 6));
        assert_eq!(store.quarantined().unwrap().len(), 2);
    }
}

#[test]
fn a_document_goes_with_the_events_of_its_commit() {
    let (one, _two) = overdrawn((Form::set().sent(true), debited("a", 100)));
    assert_eq!(one.query(Form::get()).unwrap(), Form { sent: false });
    let (one, _two) = overdrawn((debited("a", 100), Form::set().sent(true)));
    assert_eq!(one.query(Form::get()).unwrap(), Form { sent: false });
}

#[test]
fn what_is_never_pushed_is_not_counted_as_pending() {
    let sync = livestore::sync::SyncOptions::new(InProcess::new()).start_paused();
    let store = Store::<Bank>::builder("bank").sync(sync).open().unwrap();
    let pending = || store.sync_status().unwrap().pending;
    let noticed = || Money::Noticed { id: "a".into(), cents: 0 };
    store.commit(Form::set().sent(true)).unwrap();
    assert_eq!(pending(), 0);
    store.commit((Form::set().sent(false), opened("a", 1), noticed())).unwrap();
    assert_eq!(pending(), 1, "the commit's client-only events stay here");
    store.commit([noticed(), noticed()]).unwrap();
    assert_eq!(pending(), 1, "what comes behind it, too");
    store.commit([opened("b", 1), noticed(), opened("c", 1)]).unwrap();
    assert_eq!(pending(), 3);
    store.resume_sync();
    assert!(store.wait_synced(TIMEOUT).unwrap());
    assert_eq!(pending(), 0);
}

#[test]
fn a_client_only_event_does_not_decide_for_other_clients() {
    let noticed = Money::Noticed { id: "a".into(), cents: 100 };
    let (one, two) = overdrawn([credited("b", 7), noticed, credited("b", 1)]);
    for store in [&one, &two] {
        assert_eq!(cents(store, "b"), 8);
    }
    let quarantined = one.quarantined().unwrap();
    let names: Vec<_> = quarantined.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["v1.Noticed"]);
}

#[test]
fn a_pending_commit_is_whole_after_the_store_was_closed() {
    let (backend, home) = (InProcess::new(), tempfile::tempdir().unwrap());
    let open_one = || {
        let builder = Store::<Bank>::builder("bank").directory(home.path());
        let sync = livestore::sync::SyncOptions::new(backend.clone()).start_paused();
        builder.sync(sync).open().unwrap()
    };
    let (one, two) = (open_one(), open("two", &backend));
    one.commit([opened("a", 100), opened("b", 0)]).unwrap();
    converge(&[&one, &two], &backend);
    one.pause_sync();
    one.commit((Form::set().sent(true), debited("a", 100), credited("b", 100))).unwrap();
    one.close().unwrap();
    two.commit(debited("a", 100)).unwrap();
    assert!(two.wait_synced(TIMEOUT).unwrap());
    let one = open_one();
    assert_eq!((cents(&one, "a"), cents(&one, "b")), (0, 100), "nothing is pulled yet");
    synced(&[&one, &two], &backend);
    assert_eq!((cents(&one, "a"), cents(&one, "b")), (0, 0));
    assert_eq!(one.query(Form::get()).unwrap(), Form { sent: false });
    assert_eq!(one.quarantined().unwrap().len(), 3);
    let hash = one.state_hash().unwrap();
    one.reset_state().unwrap();
    assert_eq!(one.state_hash().unwrap(), hash);
    one.close().unwrap();
    assert_eq!(open_one().state_hash().unwrap(), hash);
}

#[test]
fn a_new_client_comes_to_the_same_state() {
    let backend = InProcess::new();
    let (one, two) = (open("one", &backend), open("two", &backend));
    one.commit([opened("a", 100), opened("b", 0)]).unwrap();
    converge(&[&one, &two], &backend);
    one.pause_sync();
    one.commit([debited("a", 100), credited("b", 100)]).unwrap();
    two.commit(debited("a", 100)).unwrap();
    assert!(two.wait_synced(TIMEOUT).unwrap());
    converge(&[&one, &two], &backend);
    let three = open("three", &backend);
    converge(&[&one, &two, &three], &backend);
    assert_eq!(cents(&three, "b"), 0);
}

#[test]
fn a_backend_takes_a_commit_as_a_whole_or_the_store_refuses_it() {
    let backend = InProcess::new();
    let store = open("one", &backend);
    let events = |count: usize| (0..count).map(|n| opened(&n.to_string(), 0)).collect::<Vec<_>>();
    let error = store.commit(events(101)).unwrap_err();
    assert!(matches!(error, CommitError::CommitTooLarge { events: 101, .. }), "{error}");
    assert_eq!(store.query(Account::all().count()).unwrap(), 0);
    store.commit(events(100)).unwrap();
    let large = |id: &str| opened(&id.repeat(500_000), 0);
    let error = store.commit([large("a"), large("b")]).unwrap_err();
    assert!(matches!(error, CommitError::CommitTooLarge { events: 2, .. }), "{error}");
    store.commit(large("a")).unwrap();
    converge(&[&store], &backend);
    assert_eq!(backend.events("bank").len(), 101);
    let alone = Store::<Bank>::builder("alone").open().unwrap();
    alone.commit(events(101)).unwrap();
}
