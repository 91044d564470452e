//! Two clients that are connected all the time.

use super::events::{completed, created};
use crate::Result;
use crate::world::World;

pub(super) fn commit_on_each_side(world: &mut World<'_>) -> Result {
    world.open()?;
    world.a.commit(&[created("a1"), created("a2")])?;
    world.a.commit(&[created("a3")])?;
    world.b.confirms(3)?;
    world.b.commit(&[completed("a2"), created("b1")])?;
    world.converge(5)
}

pub(super) fn live_delivery(world: &mut World<'_>) -> Result {
    world.open()?;
    for round in 1..=3 {
        let (by_a, by_b) = (format!("a{round}"), format!("b{round}"));
        world.a.commit(&[created(&by_a)])?;
        world.b.shows(&by_a, |state| state.todos.iter().any(|todo| todo["id"] == *by_a))?;
        world.b.commit(&[created(&by_b)])?;
        world.a.shows(&by_b, |state| state.todos.iter().any(|todo| todo["id"] == *by_b))?;
    }
    world.converge(6)
}

pub(super) fn catch_up(world: &mut World<'_>) -> Result {
    world.a.open()?;
    for hundred in 0..10 {
        let events: Vec<_> = (0..100).map(|n| created(&format!("{hundred}-{n:02}"))).collect();
        world.a.commit(&events)?;
    }
    world.a.confirms(1_000)?;
    world.b.open()?;
    world.converge(1_000)
}
