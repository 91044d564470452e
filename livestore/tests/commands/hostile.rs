//! Commands that misbehave: the caller gets an error, or the app a conflict, and the store goes on.

use livestore::prelude::*;
use livestore::store::ConflictError;
use livestore::table::Impurity;
use livestore_testing::Clients;

use crate::app::{Bank, Misbehave, Receipt, opened, pay};

#[test]
fn the_caller_is_told_and_nothing_is_committed() {
    let clients = Clients::<Bank>::new();
    let store = clients.open("alice").unwrap();
    store.commit(opened("a", 1)).unwrap();
    let later = false;
    let error = |misbehave: Misbehave| store.execute(misbehave).unwrap_err();
    let panicked = error(Misbehave::Panic { later });
    assert_eq!(panicked.to_string(), "the command `Misbehave` panicked: out of money");
    let impure = error(Misbehave::AskTheClock { later });
    assert!(matches!(impure, ExecuteError::Impure { impurity: Impurity::Clock, .. }));
    assert!(impure.to_string().contains("put the time into its args"), "{impure}");
    let endless = error(Misbehave::NeverEnd { later });
    assert!(matches!(endless, ExecuteError::TooLong { command: "Misbehave" }), "{endless}");
    let endless = error(Misbehave::AskOnAndOn { later });
    assert!(matches!(endless, ExecuteError::TooLong { command: "Misbehave" }), "{endless}");
    let unfitting = error(Misbehave::Unfitting { later });
    assert!(
        matches!(&unfitting, ExecuteError::Commit(CommitError::Materialize { index: 1, .. })),
        "{unfitting}"
    );
    let many = error(Misbehave::TooMany { later });
    assert!(
        matches!(&many, ExecuteError::Commit(CommitError::CommitTooLarge { events: 101, .. })),
        "{many}"
    );
    let unwritable = error(Misbehave::Unwritable { number: f64::NAN });
    assert!(matches!(&unwritable, ExecuteError::Args { .. }), "{unwritable}");
    assert_eq!(store.head().unwrap(), SeqNum::new(1));
    store.execute(Misbehave::Unwritable { number: 0.1 }).unwrap();
}

#[test]
fn a_command_cannot_use_a_store() {
    let store = Store::<Bank>::builder("bank").open().unwrap();
    let error = store.execute(Misbehave::OpenAStore).unwrap_err();
    assert!(matches!(error, ExecuteError::Impure { impurity: Impurity::Store, .. }), "{error}");
    store.commit(opened("a", 1)).unwrap();
}

#[test]
fn what_goes_wrong_later_is_a_conflict() {
    let clients = Clients::<Bank>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.offline();
    let later = true;
    for misbehave in [
        Misbehave::Panic { later },
        Misbehave::AskTheClock { later },
        Misbehave::NeverEnd { later },
        Misbehave::Unfitting { later },
        Misbehave::TooMany { later },
    ] {
        alice.execute(misbehave).unwrap();
    }
    alice.commit(opened("a", 5)).unwrap();
    alice.commit(opened("b", 0)).unwrap();
    alice.execute(pay("a", "b", 2)).unwrap();
    bob.commit(opened("bob", 1)).unwrap();
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    clients.assert_converged();
    let conflicts = alice.conflicts().unwrap().get();
    let errors: Vec<_> = conflicts.iter().map(|conflict| conflict.error.as_str()).collect();
    let parts = ["out of money", "`now()`", "instructions of SQLite", "v1.Noted", "101"];
    assert_eq!(errors.len(), parts.len(), "{errors:?}");
    for (error, part) in errors.iter().zip(parts) {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(bob.query(Receipt::all().count()).unwrap(), 1, "of the command that is fine");
}

#[test]
fn a_command_that_returns_other_events_each_time_settles_with_the_order() {
    let clients = Clients::<Bank>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    for round in 0..6 {
        alice.offline();
        let executed: Vec<_> =
            (0..4).map(|_| alice.execute(Misbehave::Fickle).unwrap().receipt).collect();
        let plain = alice.commit(opened(&format!("round {round}"), 0)).unwrap();
        bob.commit(opened(&format!("bob {round}"), 0)).unwrap();
        clients.sync().unwrap();
        alice.online();
        clients.sync().unwrap();
        clients.assert_converged();
        for receipt in &executed {
            assert!(receipt.confirmed_now().is_some());
        }
        assert_eq!(plain.confirmed_now().unwrap().unwrap().as_slice().len(), 1);
    }
    alice.verify_replay().unwrap();
    assert!(alice.conflicts().unwrap().get().is_empty());
}

#[test]
fn a_command_that_fails_at_every_rebase_is_one_conflict_and_holds_nothing_up() {
    let clients = Clients::<Bank>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.offline();
    alice.execute(Misbehave::OnlyOnce).unwrap();
    for round in 0..3 {
        let behind = alice.commit(opened(&format!("round {round}"), 0)).unwrap();
        bob.commit(opened(&format!("bob {round}"), 0)).unwrap();
        clients.sync().unwrap();
        alice.online();
        clients.sync().unwrap();
        clients.assert_converged();
        assert!(behind.confirmed_now().unwrap().is_ok());
        let conflicts = alice.conflicts().unwrap().get();
        let [conflict] = &conflicts[..] else { panic!("{conflicts:?}") };
        assert_eq!((&*conflict.command, conflict.events.len()), ("Misbehave", 1));
        // The app insists. That is not the first execution, so it fails at once, and stays.
        let error = alice.retry_conflict(&conflict.id).unwrap_err();
        assert!(matches!(&error, ConflictError::Failed { .. }), "{error:?}");
        alice.offline();
    }
    let id = alice.conflicts().unwrap().get()[0].id.clone();
    alice.drop_conflict(&id).unwrap();
    assert!(alice.conflicts().unwrap().get().is_empty());
    assert_eq!(alice.query(Receipt::all().count()).unwrap(), 0);
}

trait ConfirmedNow {
    fn confirmed_now(
        &self,
    ) -> Option<Result<livestore::store::Committed, livestore::store::ConfirmError>>;
}

impl ConfirmedNow for livestore::store::Receipt {
    fn confirmed_now(
        &self,
    ) -> Option<Result<livestore::store::Committed, livestore::store::ConfirmError>> {
        self.wait_confirmed(livestore_testing::TIMEOUT).transpose()
    }
}
