//! Two clients that commit without knowing of each other's events.

use super::events::{completed, created};
use crate::Result;
use crate::world::{Seat, World};

pub(super) fn rebase_of_a(world: &mut World<'_>) -> Result {
    world.open()?;
    rebase(&mut world.b, &mut world.a)?;
    world.converge(6)
}

pub(super) fn rebase_of_b(world: &mut World<'_>) -> Result {
    world.open()?;
    rebase(&mut world.a, &mut world.b)?;
    world.converge(6)
}

/// `second` commits on e1, offline, while `first` makes that e4.
fn rebase(first: &mut Seat<'_>, second: &mut Seat<'_>) -> Result {
    first.commit(&[created("base")])?;
    second.confirms(1)?;
    second.cut();
    first.commit(&[created("first-1"), completed("base"), created("first-2")])?;
    first.confirms(4)?;
    second.commit(&[created("second-1")])?;
    second.commit(&[created("second-2")])?;
    second.mend()?;
    second.confirms(6)?;

    let ids: Vec<_> = second.synced_log()?.into_iter().map(|entry| entry.args).collect();
    let place = |id: &str| ids.iter().position(|args| args.contains(id));
    if place("second-1") < place("first-2") || place("second-2") < place("second-1") {
        return Err(format!("the rebased events are in another order: {ids:?}").into());
    }
    let own = second.synced_log()?.split_off(4);
    match own.iter().all(|entry| entry.generation > 0) {
        true => Ok(()),
        false => Err(format!("nothing says that these were rebased: {own:?}").into()),
    }
}

/// One race at a time. Several in flight break LiveStore's own client: it applies an event of its
/// own twice, and stops on the key that is taken.
pub(super) fn both_at_once(world: &mut World<'_>) -> Result {
    world.open()?;
    for round in 0..4 {
        world.a.commit(&[created(&format!("a{round}")), created(&format!("a{round}+"))])?;
        world.b.commit(&[created(&format!("b{round}")), created(&format!("b{round}+"))])?;
        world.converge(4 * (round + 1))?;
    }
    Ok(())
}

pub(super) fn offline_and_return(world: &mut World<'_>) -> Result {
    world.open()?;
    world.a.commit(&[created("base")])?;
    world.converge(1)?;

    world.a.cut();
    world.b.cut();
    world.a.commit(&[created("a1"), created("a2")])?;
    world.b.commit(&[completed("base"), created("b1")])?;
    world.a.close()?;
    world.a.open()?;
    world.a.commit(&[created("a3")])?;

    world.b.mend()?;
    world.a.mend()?;
    world.converge(6)
}
