//! Detecting a computed that reads itself.

use std::cell::RefCell;
use std::panic::Location;

use crate::edge::primitives::thread_local;

thread_local! {
    /// The computeds that this thread is computing, each because the one before reads it.
    static COMPUTING: RefCell<Vec<(u64, &'static Location<'static>)>> = RefCell::default();
}

/// While it lives, this thread is computing a computed.
pub(super) struct ComputingGuard;

impl ComputingGuard {
    /// Fails if the thread is computing it already, with the path from the computed to itself.
    pub(super) fn enter(id: u64, made_at: &'static Location<'static>) -> Result<Self, String> {
        COMPUTING.with(|computing| {
            let mut computing = computing.borrow_mut();
            let Some(from) = computing.iter().position(|(other, _)| *other == id) else {
                computing.push((id, made_at));
                return Ok(Self);
            };
            let path = computing.iter().skip(from).map(|(_, made_at)| *made_at).chain([made_at]);
            let path: Vec<_> = path.map(|made_at| format!("the one at {made_at}")).collect();
            Err(path.join(" → "))
        })
    }
}

impl Drop for ComputingGuard {
    fn drop(&mut self) {
        COMPUTING.with(|computing| computing.borrow_mut().pop());
    }
}
