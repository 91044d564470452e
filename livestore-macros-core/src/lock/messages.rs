//! The text of errors and notes: what changed, whom it hurts, and what to do.

use livestore_shape::{Difference, ItemKind, Shape, ShapeChange};

/// The command that writes the lock, in the syntax of this platform's shells.
const ACCEPT: &str = if cfg!(windows) {
    "cargo check --config \"env.LIVESTORE_SCHEMA='accept'\""
} else {
    "LIVESTORE_SCHEMA=accept cargo check"
};

/// A package without a lock.
pub(crate) fn no_lock_yet(package: &str) -> String {
    format!(
        "package `{package}` has no livestore.lock: `{ACCEPT} -p {package}` writes one; from then on, a \
         change that would make stored events unreadable does not compile"
    )
}

/// `LIVESTORE_SCHEMA=frozen` in a package without a lock.
pub(crate) fn frozen_without_lock() -> String {
    format!(
        "LIVESTORE_SCHEMA is `frozen`, but there is no livestore.lock: write it with `{ACCEPT}`, and \
         commit it"
    )
}

/// An item that the lock does not have.
pub(crate) fn new_item(kind: ItemKind, name: &str) -> String {
    format!("{} is new", title(kind, name))
}

/// A change that leaves stored events readable.
pub(crate) fn harmless(kind: ItemKind, name: &str, difference: &Difference) -> String {
    format!("{}: {difference}", title(kind, name))
}

/// Returns the advice about a harmless change.
pub(crate) fn not_recorded(change: &str, is_frozen: bool) -> String {
    if is_frozen {
        format!("{change}, and livestore.lock is frozen without it\n`{ACCEPT}` records it")
    } else {
        format!("{change}: `{ACCEPT}` records it in livestore.lock")
    }
}

/// A change that stored events do not survive.
pub(crate) fn breaking(
    kind: ItemKind,
    name: &str,
    recorded: &Shape,
    difference: &Difference,
) -> String {
    let remedies = [
        make_harmless(kind, recorded, difference),
        match kind {
            ItemKind::Event => add_version(name),
            _ => "or add a second type, for a new version of the events that hold it".to_owned(),
        },
        accept(),
    ];
    let change = format!("{}: {difference}", title(kind, name));
    message(change, &consequence(kind, recorded, difference), &remedies)
}

/// An event that is gone.
pub(crate) fn removed(name: &str) -> String {
    let remedies = [
        "keep it, and mark it `#[event(deprecated)]` if it is no longer committed".to_owned(),
        format!("or have its successor read it: `upcast(\"{name}\", with = …)`"),
        accept(),
    ];
    message(
        format!("{} is gone from the schema", title(ItemKind::Event, name)),
        "stored events of this name would be skipped, on every client",
        &remedies,
    )
}

/// The change, the consequence for stored events, and a list of what to do.
fn message(change: String, consequence: &str, remedies: &[String]) -> String {
    format!("{change}\n{consequence}\n- {}", remedies.join("\n- "))
}

fn accept() -> String {
    format!("or accept it on purpose: `{ACCEPT}`")
}

fn title(kind: ItemKind, name: &str) -> String {
    match kind {
        ItemKind::Event => format!("event \"{name}\""),
        kind => format!("{} `{name}`", kind.word()),
    }
}

fn consequence(kind: ItemKind, recorded: &Shape, difference: &Difference) -> String {
    let part = difference.part.as_deref().unwrap_or_default();
    let old = match kind {
        ItemKind::Event => "stored events of this name",
        _ => "stored values of this type",
    };
    match &difference.change {
        ShapeChange::Added { .. } => format!("{old} have no `{part}`, and could not be read"),
        ShapeChange::Removed { .. } if recorded.head.text == "enum" => {
            format!("{old} may be `{part}`, and could not be read")
        }
        ShapeChange::Renamed { from } => {
            format!("{old} have `{from}` and no `{part}`, and could not be read")
        }
        ShapeChange::Removed { .. } => {
            format!("{old} hold `{part}`, which would be lost; older clients expect it in new ones")
        }
        ShapeChange::Retyped { .. } if difference.part.is_none() => {
            format!("{old} were written in a different form, and could not be read")
        }
        ShapeChange::Retyped { was, .. } => {
            format!("{old} hold `{}` there, and could not be read", was.text)
        }
        ShapeChange::Required { .. } => {
            format!("{old} may have no `{part}`, and could not be read")
        }
        ShapeChange::ClientOnly { is: true } => {
            format!("{old} were synced; new ones would never reach the other clients")
        }
        ShapeChange::ClientOnly { is: false } => {
            format!("{old} never left their client; new ones would be sent to all")
        }
    }
}

fn make_harmless(kind: ItemKind, recorded: &Shape, difference: &Difference) -> String {
    let part = difference.part.as_deref().unwrap_or_default();
    match &difference.change {
        ShapeChange::Added { .. } => {
            "give it a default: `#[serde(default)]`, or an `Option`".to_owned()
        }
        ShapeChange::Removed { .. } if recorded.head.text == "enum" => format!("keep `{part}`"),
        ShapeChange::Renamed { from } => {
            format!("keep its name in the JSON: `#[serde(rename = \"{from}\")]`")
        }
        ShapeChange::Removed { was } => {
            format!("keep `{part}: {}`; a default makes it optional: `#[serde(default)]`", was.text)
        }
        ShapeChange::Retyped { .. } if difference.part.is_none() => "keep it as it was".to_owned(),
        ShapeChange::Retyped { was, .. } => {
            let part = if kind == ItemKind::Event { "field" } else { "part" };
            format!("keep `{}`, and add a second {part} with `#[serde(default)]`", was.text)
        }
        ShapeChange::Required { .. } => "keep its default: `#[serde(default)]`".to_owned(),
        ShapeChange::ClientOnly { is: true } => "remove `client_only`".to_owned(),
        ShapeChange::ClientOnly { is: false } => "keep `client_only`".to_owned(),
    }
}

fn add_version(name: &str) -> String {
    let next = next_version(name);
    format!("or keep this event, and add {next} with `upcast(\"{name}\", with = …)`")
}

/// Returns `"v2.TodoCreated"` for `v1.TodoCreated`.
fn next_version(name: &str) -> String {
    let incremented = || {
        let (version, rest) = name.strip_prefix('v')?.split_once('.')?;
        let next = version.parse::<u32>().ok()?.checked_add(1)?;
        Some(format!("\"v{next}.{rest}\""))
    };
    incremented().unwrap_or_else(|| "an event of a new name".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_version_is_named_where_there_is_one() {
        assert_eq!(next_version("v1.TodoCreated"), "\"v2.TodoCreated\"");
        assert_eq!(next_version("v19.A.b"), "\"v20.A.b\"");
        for name in ["TodoCreated", "v.A", "version.A", "v4294967295.A"] {
            assert_eq!(next_version(name), "an event of a new name");
        }
    }
}
