//! Sessions in several processes, which are killed and stopped.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::mpsc::{TryRecvError, channel};
use std::time::Duration;

use livestore::prelude::*;
use livestore_testing::wait_until;

use crate::app::{App, Todo, TodoEvent, created};
use crate::child::{Role, Running, command, last_of};
use crate::kit::{Home, Random, log_of};

/// What a child does: it commits todos with its own id, and says how many the leader has.
pub fn share(store: &Store<App>) {
    let (sender, ended) = channel::<()>();
    std::thread::spawn(move || {
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        drop(sender);
    });
    let process = std::process::id();
    println!("opened {process}");
    for n in 0.. {
        if ended.try_recv() == Err(TryRecvError::Disconnected) {
            break;
        }
        store.commit(created(format!("{process}-{n}"))).unwrap();
        println!("committed {n}");
        if n % 5 == 4 && store.flush().is_ok() {
            println!("ack {n}");
        }
    }
    // Closing the store waits for a few seconds only.
    wait_until(|| store.flush().is_ok());
}

/// The last number of each process's todos, which are all there, once, and in order.
fn todos_of(store: &Store<App>) -> BTreeMap<String, u64> {
    let mut last = BTreeMap::new();
    for event in log_of(store) {
        let TodoEvent::Created { id, .. } = event.decode().unwrap() else { continue };
        let Some((process, n)) = id.split_once('-') else { continue };
        let expected = last.get(process).map_or(0, |last| last + 1);
        let n: u64 = n.parse().unwrap();
        assert_eq!(n, expected, "of {process}, in {}", event.seq);
        last.insert(process.to_owned(), n);
    }
    last
}

#[test]
fn two_processes_share_a_store() {
    let home = Home::new();
    let mut other = Running::start(command(Role::Hold, home.path()));
    other.wait_for("opened");
    let store = home.open::<App>();
    store.commit(created("a")).unwrap();
    store.flush().unwrap();
    assert_eq!(Running::start(command(Role::Open, home.path())).wait_for("opened"), "e1");
    // The leader ends, and this session takes its place.
    other.finish();
    store.commit(created("b")).unwrap();
    store.flush().unwrap();
    assert_eq!(Running::start(command(Role::Open, home.path())).wait_for("opened"), "e2");
    store.close().unwrap();
    assert_eq!(home.open::<App>().query(Todo::all().count()).unwrap(), 2);
}

/// How many processes are killed, unless `SESSION_KILLS` says otherwise.
const KILLS: u64 = 12;

/// Whichever of them leads: nothing that was acknowledged is lost, and nothing is there twice.
///
/// `SESSION_KILLS=200 cargo nextest run -p livestore processes_are_killed` kills more of them.
#[test]
fn processes_are_killed_while_all_commit() {
    let kills = std::env::var("SESSION_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let home = Home::new();
    let mut random = Random::new(14);
    let start = || {
        let mut child = Running::start(command(Role::Share, home.path()));
        let process = child.wait_for("opened");
        (process, child)
    };
    let mut children: Vec<_> = (0..4).map(|_| start()).collect();
    let mut acknowledged = Vec::new();
    for n in 0..kills {
        // The oldest one leads, most of the time.
        let at = if n % 4 == 3 { random.below(4) as usize } else { 0 };
        let (process, mut child) = children.remove(at);
        child.wait_for("ack");
        acknowledged.push((process, last_of(&child.kill(), "ack")));
        // The others go on.
        for (_, child) in &mut children {
            child.wait_for("ack");
            child.wait_for("ack");
        }
        children.push(start());
    }
    for (process, child) in children {
        acknowledged.push((process, last_of(&child.finish(), "committed")));
    }
    let store = home.open::<App>();
    let there = todos_of(&store);
    for (process, acknowledged) in acknowledged {
        let last = there.get(&process).copied();
        assert!(last >= acknowledged, "{process}: {acknowledged:?} acknowledged, {last:?} there");
    }
    assert_eq!(store.state_hash().unwrap(), home.replayed_hash::<App>());
}

#[test]
fn a_leader_that_hangs_does_not_hold_up_the_others() {
    let home = Home::new();
    let mut leader = Running::start(command(Role::Share, home.path()));
    let process = leader.wait_for("opened");
    leader.wait_for("ack");
    let store = home.open::<App>();
    leader.signal("STOP");
    for n in 0..2_000 {
        store.commit(created(format!("me-{n}"))).unwrap();
    }
    leader.signal("CONT");
    store.flush().unwrap();
    let committed = last_of(&leader.finish(), "committed");
    wait_until(|| todos_of(&store).get(&process).copied() == committed);
    assert_eq!(todos_of(&store).get("me"), Some(&1_999));
    store.flush().unwrap();
    store.close().unwrap();
    let store = home.open::<App>();
    assert_eq!(todos_of(&store).get("me"), Some(&1_999));
    assert_eq!(store.state_hash().unwrap(), home.replayed_hash::<App>());
}

#[test]
fn a_session_that_was_stopped_catches_up() {
    let home = Home::new();
    let store = home.open::<App>();
    let mut other = Running::start(command(Role::Share, home.path()));
    let process = other.wait_for("opened");
    other.wait_for("ack");
    other.signal("STOP");
    std::thread::sleep(Duration::from_millis(20));
    for n in 0..2_000 {
        store.commit(created(format!("me-{n}"))).unwrap();
    }
    other.signal("CONT");
    other.wait_for("ack");
    let committed = last_of(&other.finish(), "committed");
    wait_until(|| todos_of(&store).get(&process).copied() == committed);
    assert_eq!(todos_of(&store).get("me"), Some(&1_999));
}
