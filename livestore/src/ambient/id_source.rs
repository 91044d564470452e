//! Random ids for whoever needs one after another.

use std::fmt;

use livestore_protocol::{ID_LENGTH, id_from_random};

use super::test_values;
use crate::edge;

/// The number of ids that are drawn at once. A simulation draws each by itself, so that its luck does not depend on
/// who draws.
const DRAWN: usize = if cfg!(simulation) { 1 } else { 12 };

/// Makes random ids, as [`new_id`](super::new_id) does, and asks the operating system for the randomness of several
/// at once: that takes longer than all the rest. It must not be in two processes, as behind a `fork`.
pub(crate) struct IdSource {
    random: [[u8; ID_LENGTH]; DRAWN],
    /// The number of ids that are left of what was drawn.
    left: usize,
}

impl IdSource {
    /// Returns a new id.
    pub(crate) fn next(&mut self) -> String {
        if let Some(id) = test_values::next_id() {
            return id;
        }
        if self.left == 0 {
            edge::fill_random(self.random.as_flattened_mut());
            self.left = DRAWN;
        }
        self.left -= 1;
        id_from_random(self.random.get_mut(self.left).map(std::mem::take).unwrap_or_default())
    }
}

impl Default for IdSource {
    fn default() -> Self {
        Self { random: [[0; ID_LENGTH]; DRAWN], left: 0 }
    }
}

/// Nobody is to see ids to come.
impl fmt::Debug for IdSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdSource").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_id_comes_twice() {
        let mut source = IdSource::default();
        let ids: HashSet<_> = (0..10 * DRAWN).map(|_| source.next()).collect();
        assert_eq!(ids.len(), 10 * DRAWN);
        assert!(ids.iter().all(|id| id.len() == ID_LENGTH));
        assert_eq!(ids.iter().filter(|id| id.chars().all(|c| c == 'u')).count(), 0);
    }
}
