//! The content of events.

use super::events::{created, kinds, noted, sampled, screen, tagged};
use crate::Result;
use crate::backend::TOKEN;
use crate::client::{Event, Version};
use crate::world::{Seat, World, same_args};

/// That none was sent is checked after every scenario.
pub(super) fn client_only_events(world: &mut World<'_>) -> Result {
    world.open()?;
    world.a.commit(&[noted("n1"), created("a1"), screen("open"), noted("n2")])?;
    // LiveStore's own client does not stand a cut between the backend's answer and its own rebase.
    world.converge(1)?;

    world.a.cut();
    world.a.commit(&[noted("n3"), created("a2"), noted("n4"), screen("done"), created("a3")])?;
    world.b.commit(&[created("b1"), noted("n5")])?;
    world.b.confirms(2)?;
    world.a.mend()?;
    world.converge(4)?;

    kept(&mut world.a, &["n1", "n2", "n3", "n4"])?;
    kept(&mut world.b, &["n5"])
}

/// Through a rebase and a restart, in the log and in the state.
fn kept(seat: &mut Seat<'_>, ids: &[&str]) -> Result {
    seat.close()?;
    seat.open()?;
    let notes = seat.state()?.notes;
    let log = seat.log()?;
    let logged = log.iter().filter(|entry| entry.name == "v1.Noted").count();
    let are_there = ids.iter().all(|id| notes.iter().any(|note| note["id"] == *id));
    match are_there && (notes.len(), logged) == (ids.len(), ids.len()) {
        true => Ok(()),
        false => Err(format!("{ids:?} should be there: {notes:?}, {log:#?}").into()),
    }
}

pub(super) fn unknown_events(world: &mut World<'_>) -> Result {
    world.a.open_as(Version::Newer, TOKEN)?;
    world.b.open()?;
    world.a.commit(&[created("a1"), tagged("a1"), created("a2")])?;
    world.converge_logs(3)?;
    world.b.commit(&[created("b1")])?;
    world.converge_logs(4)?;
    world.b.shows("what follows an unknown event", |state| state.todos.len() == 3)?;

    world.b.close()?;
    world.b.open_as(Version::Newer, TOKEN)?;
    world.converge(4)?;
    match world.b.state()?.tags.as_slice() {
        [tag] if tag["id"] == "a1" => Ok(()),
        tags => Err(format!("the newer app has made {tags:?} of the event").into()),
    }
}

pub(super) fn all_types(world: &mut World<'_>) -> Result {
    world.open()?;
    let (by_a, by_b) = (sampled("a"), sampled("b"));
    world.a.commit(&by_a)?;
    world.b.confirms(4)?;
    world.b.commit(&by_b)?;
    world.converge(8)?;
    unchanged(&mut world.a, by_a.iter().chain(&by_b))?;

    // Not what was held in memory: what is in the files.
    for seat in [&mut world.a, &mut world.b] {
        seat.close()?;
        seat.open()?;
    }
    world.converge(8)
}

/// From one client to the other and back, one by one and all at once, and to one that is new.
pub(super) fn every_schema(world: &mut World<'_>) -> Result {
    world.open()?;
    // What its first page brings was stored, and LiveStore's backend stores no args as `null`: see
    // `Backend::keeps_missing_args`.
    world.a.follows()?;
    world.b.follows()?;
    let has_none = world.keeps_missing_args();
    let by_a = kinds_of(&world.a, has_none)?;
    for event in &by_a {
        world.a.commit(std::slice::from_ref(event))?;
    }
    world.converge(by_a.len() as u64)?;
    world.compare_kinds()?;

    let by_b = kinds_of(&world.b, has_none)?;
    world.b.commit(&by_b)?;
    let head = (by_a.len() + by_b.len()) as u64;
    world.converge(head)?;
    world.compare_kinds()?;
    unchanged(&mut world.a, by_a.iter().chain(&by_b))?;

    world.b.close()?;
    world.b.forget()?;
    world.b.open()?;
    world.converge(head)?;
    world.compare_kinds()
}

/// The events that the client can commit; `has_none`: also those without args.
fn kinds_of(seat: &Seat<'_>, has_none: bool) -> Result<Vec<Event>> {
    let mut kinds = kinds()?;
    kinds.retain(|event| has_none || !event.args.is_empty());
    kinds.retain(|event| event.name != "k.Halves" || seat.commits_half_pairs());
    Ok(kinds)
}

/// The largest event that LiveStore's backend can send.
pub(super) fn large_event(world: &mut World<'_>) -> Result {
    world.open()?;
    let text = "x".repeat(898_000);
    world.a.commit(&[Event { name: "k.Text".to_owned(), args: format!("\"{text}\"") }])?;
    world.a.commit(&[created("a1")])?;
    world.converge(2)?;
    world.b.commit(&[created("b1")])?;
    world.converge(3)
}

fn unchanged<'e>(seat: &mut Seat<'_>, events: impl Iterator<Item = &'e Event>) -> Result {
    for (entry, event) in seat.log()?.iter().zip(events) {
        if !same_args(&entry.args, &event.args) {
            return Err(format!("{} was committed, {} is logged", event.args, entry.args).into());
        }
    }
    Ok(())
}
