//! Unique names, checked while compiling.

#![allow(clippy::indexing_slicing, reason = "const fns have no iterators; all indexes are bounded")]

use crate::event::EventDef;

/// Fails to compile if one of `defs` has a name that is among `earlier`, or twice among itself.
///
/// # Panics
/// While compiling, with the name.
#[track_caller]
pub const fn assert_unique_events(defs: &[EventDef], earlier: &[&[EventDef]]) {
    let mut n = 0;
    while n < defs.len() {
        let name = defs[n].name();
        assert_absent(name, defs, n);
        let mut set = 0;
        while set < earlier.len() {
            assert_absent(name, earlier[set], earlier[set].len());
            set += 1;
        }
        n += 1;
    }
}

#[track_caller]
const fn assert_absent(name: &str, defs: &[EventDef], until: usize) {
    let mut n = 0;
    while n < until {
        if same(name, defs[n].name()) {
            fail("two events are named \"", name, "\"; a wire name belongs to one event, forever");
        }
        n += 1;
    }
}

/// Fails to compile if `name` is among `earlier`, whatever the case, as SQLite has it.
///
/// # Panics
/// While compiling, with the name.
#[track_caller]
pub const fn assert_unique_tables(name: &str, earlier: &[&str]) {
    let mut n = 0;
    while n < earlier.len() {
        if name.eq_ignore_ascii_case(earlier[n]) {
            fail("two tables are named \"", name, "\"; give one another with `name = \"…\"`");
        }
        n += 1;
    }
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut n = 0;
    while n < left.len() {
        if left[n] != right[n] {
            return false;
        }
        n += 1;
    }
    true
}

/// `panic!` takes no formatting in a const, but a text that is put together here.
#[expect(clippy::panic, reason = "this is how a const says no to the compiler")]
#[track_caller]
const fn fail(before: &str, name: &str, after: &str) -> ! {
    let mut text = [0u8; 256];
    let mut len = 0;
    let parts = [before, name, after];
    let mut part = 0;
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut n = 0;
        while n < bytes.len() && len < text.len() {
            text[len] = bytes[n];
            len += 1;
            n += 1;
        }
        part += 1;
    }
    match std::str::from_utf8(text.split_at(len).0) {
        Ok(message) => panic!("{}", message),
        Err(_) => panic!("two names of the schema are the same"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: EventDef = EventDef::new("v1.A", &[]);
    const B: EventDef = EventDef::new("v1.B", &[]);

    #[test]
    fn different_names_pass() {
        assert_unique_events(&[A, B], &[&[]]);
        assert_unique_tables("todo", &["user"]);
    }

    #[test]
    #[should_panic = "two events are named \"v1.A\""]
    fn a_name_in_another_type_is_found() {
        assert_unique_events(&[A], &[&[B], &[A]]);
    }

    #[test]
    #[should_panic = "two events are named \"v1.B\""]
    fn a_name_twice_in_one_type_is_found() {
        assert_unique_events(&[A, B, B], &[]);
    }

    #[test]
    #[should_panic = "two tables are named \"Todo\""]
    fn table_names_have_no_case() {
        assert_unique_tables("Todo", &["user", "todo"]);
    }
}
