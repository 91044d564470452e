//! Locks on a file and on the memory that its connections share, as SQLite wants them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::state::Failure;

/// How much of a file a connection has for itself. `Exclusive` serves as the lock of a folder, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Level {
    #[default]
    None,
    /// Reads.
    Shared,
    /// Will write, while others read.
    Reserved,
    /// Waits for the readers to go; nobody may come.
    Pending,
    /// Writes.
    Exclusive,
}

/// What an open file has locked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Locks {
    level: Level,
    /// Of the shared memory, a bit for each lock.
    shared: u8,
    exclusive: u8,
    /// Whether the shared memory is in use.
    pub(super) mapped: bool,
}

/// A piece of shared memory. SQLite keeps plain numbers in it, through a pointer.
pub(super) type Region = Arc<[AtomicU64]>;

pub(super) fn new_region(bytes: usize) -> Region {
    std::iter::repeat_with(AtomicU64::default).take(bytes / size_of::<u64>()).collect()
}

impl Locks {
    pub(super) fn raise(&mut self, wanted: Level, others: &[Self]) -> Result<(), Failure> {
        let highest = others.iter().map(|other| other.level).max().unwrap_or_default();
        if wanted <= self.level {
            return Ok(());
        }
        match wanted {
            Level::None => {}
            Level::Shared if highest >= Level::Pending => return Err(Failure::Busy),
            Level::Shared => {}
            _ if highest >= Level::Reserved => return Err(Failure::Busy),
            Level::Exclusive if highest >= Level::Shared => {
                self.level = Level::Pending;
                return Err(Failure::Busy);
            }
            _ => {}
        }
        self.level = wanted;
        Ok(())
    }

    pub(super) fn lower(&mut self, wanted: Level) {
        self.level = self.level.min(wanted);
    }

    pub(super) fn is_reserved(others: &[Self]) -> bool {
        others.iter().any(|other| other.level >= Level::Reserved)
    }

    pub(super) fn take_slots(
        &mut self,
        slots: u8,
        exclusive: bool,
        others: &[Self],
    ) -> Result<(), Failure> {
        let in_the_way = |other: &Self| other.exclusive | if exclusive { other.shared } else { 0 };
        if others.iter().any(|other| in_the_way(other) & slots != 0) {
            return Err(Failure::Busy);
        }
        *(if exclusive { &mut self.exclusive } else { &mut self.shared }) |= slots;
        Ok(())
    }

    pub(super) fn free_slots(&mut self, slots: u8) {
        self.exclusive &= !slots;
        self.shared &= !slots;
    }
}
