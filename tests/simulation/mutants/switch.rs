
/// Which of the deliberate bugs this thread has. Only a copy of the sources that has them has this.
pub use switch::{is_mutated, mutate};

mod switch {
    use std::cell::Cell;

    thread_local! {
        static MUTANT: Cell<Option<&'static str>> = const { Cell::new(None) };
    }

    /// From now on the code of this thread has this bug, and no other.
    pub fn mutate(mutant: Option<&'static str>) {
        MUTANT.set(mutant);
    }

    /// Whether the code has this bug.
    pub fn is_mutated(mutant: &str) -> bool {
        MUTANT.get() == Some(mutant)
    }
}
