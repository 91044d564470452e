//! Unique names, checked while compiling.

#![allow(clippy::indexing_slicing, reason = "const fns have no iterators; all indexes are bounded")]

use crate::event::{EventDef, const_eq};
use crate::table::TableKeys;

/// Fails to compile if one of `defs` has a name that is among `earlier`, or twice among itself.
///
/// # Panics
/// While compiling, with the name.
#[track_caller]
pub const fn assert_unique_events(defs: &[EventDef], earlier: &[&[EventDef]]) {
    let mut n = 0;
    while n < defs.len() {
        assert_absent(&defs[n], defs, n);
        let mut set = 0;
        while set < earlier.len() {
            assert_absent(&defs[n], earlier[set], earlier[set].len());
            set += 1;
        }
        n += 1;
    }
}

/// Neither the event nor those that are read as it may be among `defs`.
#[track_caller]
const fn assert_absent(def: &EventDef, defs: &[EventDef], until: usize) {
    let (name, mut n) = (def.name(), 0);
    while n < until {
        // The event of a type with an error has no name.
        if !name.is_empty() && reads(&defs[n], name) {
            fail("two events are named \"", name, "\"; a wire name belongs to one event, forever");
        }
        n += 1;
    }
    let mut older = 0;
    while older < def.upcasts().len() {
        assert_absent(def.upcasts()[older], defs, until);
        older += 1;
    }
}

/// Fails to compile if no event called `name` is in `all`, most likely in the set `likely`. It was
/// recorded in `livestore.lock`.
///
/// # Panics
/// While compiling, with `message`.
#[expect(clippy::panic, reason = "this is how a const says no to the compiler")]
#[track_caller]
pub const fn assert_recorded_event(
    name: &str,
    all: &[&[EventDef]],
    likely: usize,
    message: &'static str,
) {
    let mut tried = 0;
    while tried < all.len() {
        if is_among(name, all[(likely + tried) % all.len()]) {
            return;
        }
        tried += 1;
    }
    panic!("{}", message)
}

/// Or whether it may be, because a type with an error does not say.
const fn is_among(name: &str, defs: &[EventDef]) -> bool {
    let mut n = 0;
    while n < defs.len() {
        if defs[n].name().is_empty() || reads(&defs[n], name) {
            return true;
        }
        n += 1;
    }
    false
}

const fn reads(def: &EventDef, name: &str) -> bool {
    let mut older = 0;
    while older < def.upcasts().len() {
        if reads(def.upcasts()[older], name) {
            return true;
        }
        older += 1;
    }
    const_eq(def.name(), name)
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

/// Fails to compile if `name` is among `earlier`.
///
/// # Panics
/// While compiling, with the name.
#[track_caller]
pub const fn assert_unique_commands(name: &str, earlier: &[&str]) {
    let mut n = 0;
    while n < earlier.len() {
        if const_eq(name, earlier[n]) {
            fail("two commands are named \"", name, "\"; give one another with `name = \"…\"`");
        }
        n += 1;
    }
}

/// Fails to compile if an index of the table at this position has the name of a table or of an index before
/// it, whatever the case, or if one of its foreign keys refers to a table that is not among `names`.
///
/// # Panics
/// While compiling, with the name.
#[track_caller]
pub const fn assert_table_keys(position: usize, keys: &[Option<TableKeys>], names: &[&str]) {
    let Some(table) = keys[position] else { return };
    let mut n = 0;
    while n < table.references.len() {
        if !is_listed(table.references[n], names) {
            fail(
                "a foreign key refers to \"",
                table.references[n],
                "\", which the schema does not list: add its type to `tables`",
            );
        }
        n += 1;
    }
    let mut n = 0;
    while n < table.indexes.len() {
        let (index, mut earlier) = (table.indexes[n], 0);
        let mut is_taken = is_listed(index, names);
        while earlier < position {
            if let Some(keys) = keys[earlier] {
                is_taken |= is_listed(index, keys.indexes);
            }
            earlier += 1;
        }
        if is_taken {
            fail(
                "two tables or indexes are named \"",
                index,
                "\"; give the index another name: `index = \"…\"`",
            );
        }
        n += 1;
    }
}

/// Whether a name is among others, whatever the case, as SQLite has it.
const fn is_listed(name: &str, names: &[&str]) -> bool {
    let mut n = 0;
    while n < names.len() {
        if name.eq_ignore_ascii_case(names[n]) {
            return true;
        }
        n += 1;
    }
    false
}

/// In a const, `panic!` cannot format, but it accepts a text that is put together here.
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

    const C: EventDef = EventDef::new("v2.A", &[]).reading(&[&A]);
    const D: EventDef = EventDef::new("v3.A", &[]).reading(&[&C]);

    #[test]
    #[should_panic = "two events are named \"v1.A\""]
    fn a_name_that_another_event_reads_is_found() {
        assert_unique_events(&[B, D], &[&[A]]);
    }

    #[test]
    fn a_recorded_event_may_be_read_by_a_newer_one() {
        assert_recorded_event("v1.A", &[&[B], &[D]], 0, "");
    }

    #[test]
    #[should_panic = "v1.A is gone"]
    fn a_recorded_event_that_is_gone_is_found() {
        assert_recorded_event("v1.A", &[&[B], &[B]], 1, "v1.A is gone");
    }

    #[test]
    #[should_panic = "two tables are named \"Todo\""]
    fn table_names_ignore_case() {
        assert_unique_tables("Todo", &["user", "todo"]);
    }
}
