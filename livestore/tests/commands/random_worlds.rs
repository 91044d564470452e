//! Random worlds of clients that are offline and online by turns: with commands, what must never be is never; with
//! plain events, it is.

use std::collections::BTreeSet;

use livestore::prelude::*;
use livestore_testing::sample::seats::{App, Assign, AssignAny, Seat, SeatEvent};
use livestore_testing::{Client, Clients};

use crate::app::{Account, AccountEvent, Bank, Misbehave, opened, pay, pay_some};

const SEATS: u32 = 4;
const NAMES: [&str; 3] = ["a", "b", "c"];

/// Chance that is the same in every run: SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

/// Has clients do random things, sometimes offline, sometimes with an end in between, and then agree.
fn live<S: Schema>(
    seed: u64,
    begin: impl Fn(&Store<S>),
    act: impl Fn(&Store<S>, &mut Dice),
    check: impl Fn(&Store<S>),
) -> Vec<Client<S>> {
    let mut dice = Dice(seed);
    let clients = Clients::<S>::new();
    let mut open: Vec<_> =
        ["alice", "bob", "carol"].iter().map(|name| clients.open(name).unwrap()).collect();
    begin(&open[0]);
    clients.sync().unwrap();
    for _ in 0..24 {
        let n = dice.below(open.len());
        match dice.below(10) {
            0 => open[n].offline(),
            1 => open[n].online(),
            2 => {
                let client = open.swap_remove(n);
                open.push(clients.restart(client).unwrap());
            }
            3 => clients.sync().unwrap(),
            _ => act(&open[n], &mut dice),
        }
    }
    for client in &open {
        client.online();
    }
    clients.sync().unwrap();
    clients.assert_converged();
    for client in &open {
        check(client);
        client.verify_replay().unwrap();
        assert_eq!(client.quarantined().unwrap(), [], "seed {seed}");
    }
    open
}

fn add_seats(store: &Store<App>) {
    let seats: Vec<_> = (1..=SEATS).map(|number| SeatEvent::Added { number }).collect();
    store.commit(seats).unwrap();
}

fn guest(dice: &mut Dice) -> (u32, String) {
    let number = u32::try_from(dice.below(4)).unwrap() + 1;
    (number, format!("guest {}", dice.below(1_000_000)))
}

fn oversold(store: &Store<App>) -> usize {
    let seats = store.query(Seat::all()).unwrap();
    seats.iter().filter(|seat| seat.assigned > 1).count()
}

#[test]
fn with_commands_no_seat_is_sold_twice_and_no_guest_is_forgotten() {
    for seed in 0..12 {
        let wanted = std::sync::Mutex::new(BTreeSet::new());
        let act = |store: &Store<App>, dice: &mut Dice| {
            let (number, guest) = guest(dice);
            let executed = if dice.below(2) == 0 {
                store.execute(Assign { number, guest: guest.clone() }).is_ok()
            } else {
                store.execute(AssignAny { guest: guest.clone() }).is_ok()
            };
            if executed {
                wanted.lock().unwrap().insert(guest);
            }
        };
        let clients =
            live(seed, add_seats, act, |store| assert_eq!(oversold(store), 0, "seed {seed}"));
        // Whoever was given a seat has one, or is in the list of conflicts.
        let mut found: BTreeSet<_> = clients[0]
            .query(Seat::all())
            .unwrap()
            .into_iter()
            .filter_map(|seat| seat.guest)
            .collect();
        for client in &clients {
            for conflict in client.conflicts().unwrap().get().iter() {
                let guest = conflict.decode().map(|Assign { guest, .. }| guest);
                let guest = guest.or_else(|_| conflict.decode().map(|AssignAny { guest }| guest));
                assert!(found.insert(guest.unwrap()), "seed {seed}: twice");
            }
        }
        assert_eq!(found, *wanted.lock().unwrap(), "seed {seed}");
    }
}

#[test]
fn with_plain_events_seats_are_sold_twice() {
    let act = |store: &Store<App>, dice: &mut Dice| {
        let (number, guest) = guest(dice);
        // It looks first, as a command does.
        if store.query(Seat::get(number)).unwrap().is_some_and(|seat| seat.guest.is_none()) {
            store.commit(SeatEvent::Assigned { number, guest }).unwrap();
        }
    };
    let sold = std::sync::atomic::AtomicUsize::new(0);
    for seed in 0..12 {
        live(seed, add_seats, act, |store| {
            sold.fetch_add(oversold(store), std::sync::atomic::Ordering::Relaxed);
        });
    }
    assert!(sold.into_inner() > 0, "this is what commands are for");
}

#[test]
fn with_commands_no_balance_is_negative_and_no_money_is_lost() {
    for seed in 100..112 {
        let begin = |store: &Store<Bank>| {
            store.commit(NAMES.map(|name| opened(name, 20))).unwrap();
        };
        let act = |store: &Store<Bank>, dice: &mut Dice| {
            let (from, to) = (NAMES[dice.below(3)], NAMES[dice.below(3)]);
            let amount = i64::try_from(dice.below(18)).unwrap();
            match dice.below(6) {
                0 => drop(store.execute(pay_some(from, to, amount)).unwrap()),
                1 => drop(store.commit(AccountEvent::Seen { text: from.to_owned() }).unwrap()),
                2 => drop(store.execute(Misbehave::Fickle).unwrap()),
                // Where there is too little, nothing happens.
                _ => drop(store.execute(pay(from, to, amount))),
            }
        };
        live(seed, begin, act, |store| {
            let accounts = store.query(Account::all()).unwrap();
            assert!(
                accounts.iter().all(|account| account.balance >= 0),
                "seed {seed}: {accounts:?}"
            );
            let sum: i64 = accounts.iter().map(|account| account.balance).sum();
            assert_eq!(sum, 60, "seed {seed}");
        });
    }
}
