//! Three clients: LiveStore's, ours in a page, and ours in a process.

use super::events::{completed, created, sampled};
use crate::Result;
use crate::world::World;

pub(super) fn each_commits(world: &mut World<'_>) -> Result {
    world.open()?;
    let mut head = 0;
    for round in 0..3 {
        for number in 0..3 {
            let id = format!("{number}-{round}");
            head += 2;
            let seat = world.seats().nth(number).ok_or("there are two clients")?;
            seat.commit(&[created(&id), completed(&id)])?;
            world.converge(head)?;
        }
    }
    Ok(())
}

/// All are cut off, and return one after the other.
pub(super) fn offline_and_return(world: &mut World<'_>) -> Result {
    world.open()?;
    world.a.commit(&[created("base")])?;
    world.converge(1)?;

    for seat in world.seats() {
        seat.cut();
        let own = |n| format!("{}{n}", seat.name());
        let (first, second) = (own(1), own(2));
        seat.commit(&[created(&first), completed("base")])?;
        seat.commit(&[created(&second)])?;
    }
    for seat in world.seats() {
        seat.mend()?;
    }
    world.converge(10)?;

    // What is stored says the same as what was in memory.
    for seat in world.seats() {
        seat.close()?;
        seat.open()?;
    }
    world.converge(10)
}

pub(super) fn all_types(world: &mut World<'_>) -> Result {
    world.open()?;
    let mut head = 0;
    for number in 0..3 {
        head += 4;
        let seat = world.seats().nth(number).ok_or("there are two clients")?;
        seat.commit(&sampled(&format!("{number}-")))?;
        world.converge(head)?;
    }
    Ok(())
}
