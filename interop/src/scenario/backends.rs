//! A backend that refuses, one that was unreachable, and one that was replaced.

use std::thread;
use std::time::Duration;

use super::events::created;
use crate::Result;
use crate::client::{Status, Version};
use crate::world::World;

/// How long to watch that nothing happens.
const A_WHILE: Duration = Duration::from_secs(1);

pub(super) fn wrong_token(world: &mut World<'_>) -> Result {
    world.a.open()?;
    world.a.commit(&[created("a1")])?;
    world.a.confirms(1)?;

    world.b.open_as(Version::Older, "wrong")?;
    world.b.commit(&[created("b1")])?;
    world.b.asks()?;
    thread::sleep(A_WHILE);
    let seen = world.b.log()?;
    if seen.len() != 1 {
        return Err(format!("with a wrong token it has {seen:?}").into());
    }
    world.a.confirms(1)?;

    world.b.close()?;
    world.b.open()?;
    world.converge(2)
}

pub(super) fn restarted(world: &mut World<'_>) -> Result {
    world.open()?;
    world.a.commit(&[created("a1")])?;
    world.converge(1)?;
    world.backend.restart()?;
    world.a.after_outage()?;
    world.b.after_outage()?;
    world.a.commit(&[created("a2")])?;
    world.b.commit(&[created("b1")])?;
    world.converge(3)
}

/// The clients are to stop and to delete nothing.
pub(super) fn reset(world: &mut World<'_>) -> Result {
    world.open()?;
    world.a.commit(&[created("a1"), created("a2")])?;
    world.converge(2)?;

    world.a.cut();
    world.a.commit(&[created("a3")])?;
    world.backend.reset()?;
    world.a.mend()?;
    world.b.after_outage()?;
    world.a.stops()?;
    world.b.stops()?;
    let (a, b) = (world.a.log()?.len(), world.b.log()?.len());
    if (a, b) != (3, 2) {
        return Err(format!("of 3 and 2 events, {a} and {b} are left").into());
    }

    // The new backend has nothing of them.
    world.a.close()?;
    world.a.forget()?;
    world.a.open()?;
    world.a.commit(&[created("new")])?;
    world.a.confirms(1)?;
    match world.b.status()? {
        Status::Stopped { .. } => Ok(()),
        status => Err(format!("b went on: {status:?}").into()),
    }
}
