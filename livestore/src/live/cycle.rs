//! Noticing that a computed reads itself.

use std::cell::RefCell;
use std::panic::Location;

use crate::edge::primitives::thread_local;

thread_local! {
    /// The computeds that this thread is making, each for the one before.
    static MAKING: RefCell<Vec<(u64, &'static Location<'static>)>> = RefCell::default();
}

/// Notes that this thread makes a computed.
pub(super) struct Making;

impl Making {
    /// Notes it, unless the thread is at it already; then, the way from the computed to itself.
    pub(super) fn begin(id: u64, made_at: &'static Location<'static>) -> Result<Self, String> {
        MAKING.with(|making| {
            let mut making = making.borrow_mut();
            let Some(from) = making.iter().position(|(other, _)| *other == id) else {
                making.push((id, made_at));
                return Ok(Self);
            };
            let way = making.iter().skip(from).map(|(_, made_at)| *made_at).chain([made_at]);
            let way: Vec<_> = way.map(|made_at| format!("the one at {made_at}")).collect();
            Err(way.join(" → "))
        })
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        MAKING.with(|making| making.borrow_mut().pop());
    }
}
