//! The chapter's example: two guests, one seat.

use livestore::prelude::*;
use livestore::store::ConfirmError;
use livestore_testing::Clients;
use livestore_testing::TIMEOUT;
use livestore_testing::sample::seats::{App, Assign, AssignAny, NotAssigned, Seat, SeatEvent};

fn assigned(number: u32, guest: &str) -> SeatEvent {
    SeatEvent::Assigned { number, guest: guest.into() }
}

fn seat(store: &Store<App>, number: u32) -> Seat {
    store.query(Seat::get(number)).unwrap().unwrap()
}

#[test]
fn with_events_alone_a_seat_is_sold_twice() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit(SeatEvent::Added { number: 1 }).unwrap();
    clients.sync().unwrap();
    alice.offline();
    // Both look first, and both find it free.
    assert_eq!(seat(&alice, 1).guest, None);
    assert_eq!(seat(&bob, 1).guest, None);
    alice.commit(assigned(1, "Ada")).unwrap();
    bob.commit(assigned(1, "Alan")).unwrap();
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    clients.assert_converged();
    assert_eq!(seat(&bob, 1).assigned, 2, "they agree, on what is wrong");
}

#[test]
fn with_commands_it_is_not() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit(SeatEvent::Added { number: 1 }).unwrap();
    clients.sync().unwrap();
    alice.offline();
    let executed = alice.execute(Assign { number: 1, guest: "Ada".into() }).unwrap();
    assert_eq!(seat(&alice, 1).guest.as_deref(), Some("Ada"), "at once, as far as alice knows");
    bob.execute(Assign { number: 1, guest: "Alan".into() }).unwrap();
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    clients.assert_converged();
    let Seat { guest, assigned, .. } = seat(&alice, 1);
    assert_eq!((guest.as_deref(), assigned), (Some("Alan"), 1));

    let reason = "seat 1 is Alan's".to_owned();
    let confirmed = executed.receipt.wait_confirmed(TIMEOUT);
    assert_eq!(confirmed, Err(ConfirmError::Withdrawn { reason: reason.clone() }));
    let conflicts = alice.conflicts().unwrap().get();
    let [conflict] = &**conflicts else { panic!("{conflicts:?}") };
    assert_eq!(conflict.error, reason);
    assert_eq!(conflict.decode::<Assign>().unwrap(), Assign { number: 1, guest: "Ada".into() });
}

#[test]
fn another_seat_is_found_where_the_first_is_taken() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    let added = |number| SeatEvent::Added { number };
    alice.commit([added(1), added(2)]).unwrap();
    clients.sync().unwrap();
    alice.offline();
    let ada = alice.execute(AssignAny { guest: "Ada".into() }).unwrap();
    let grace = alice.execute(AssignAny { guest: "Grace".into() }).unwrap();
    assert_eq!((ada.output, grace.output), (1, 2));
    let error = alice.execute(AssignAny { guest: "Kurt".into() }).unwrap_err();
    assert!(matches!(error, ExecuteError::Command { source: NotAssigned::Full, .. }));
    bob.execute(AssignAny { guest: "Alan".into() }).unwrap();
    clients.sync().unwrap();
    alice.online();
    clients.sync().unwrap();
    clients.assert_converged();
    let guest = |number| seat(&bob, number).guest;
    assert_eq!((guest(1).as_deref(), guest(2).as_deref()), (Some("Alan"), Some("Ada")));
    assert!(ada.receipt.wait_confirmed(TIMEOUT).is_ok(), "with another seat");
    let withdrawn = grace.receipt.wait_confirmed(TIMEOUT);
    assert_eq!(withdrawn, Err(ConfirmError::Withdrawn { reason: "all seats are taken".into() }));
    assert_eq!(alice.conflicts().unwrap().get().len(), 1);
    assert_eq!(bob.conflicts().unwrap().get().len(), 0, "a conflict stays on its client");
}
