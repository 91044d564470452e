//! What is said of a change: what it is, whom it hurts, and the ways out.

use livestore_shape::{Change, Difference, Kind, Shape};

const ACCEPT: &str = "or accept it on purpose: `LIVESTORE_SCHEMA=accept cargo check`";

pub(crate) const NO_LOCK: &str = "LIVESTORE_SCHEMA is `frozen`, but there is no livestore.lock: \
     write it with `LIVESTORE_SCHEMA=accept cargo check`, and commit it";

/// An item that the lock does not have.
pub(crate) fn unrecorded(kind: Kind, name: &str) -> String {
    format!("{} is new", title(kind, name))
}

/// A change that hurts nobody.
pub(crate) fn drift(kind: Kind, name: &str, difference: &Difference) -> String {
    format!("{}: {difference}", title(kind, name))
}

/// What there is to do about a change that hurts nobody.
pub(crate) fn behind(change: &str, is_frozen: bool) -> String {
    let accept = "`LIVESTORE_SCHEMA=accept cargo check` records it";
    if is_frozen {
        format!("{change}, and livestore.lock is frozen without it\n{accept}")
    } else {
        format!("{change}: {accept} in livestore.lock")
    }
}

/// A change that breaks something.
pub(crate) fn breaking(
    kind: Kind,
    name: &str,
    recorded: &Shape,
    difference: &Difference,
) -> String {
    let harm = harm(kind, recorded, difference);
    let way = way_out(kind, recorded, difference);
    let another = match kind {
        Kind::Event => version_way(name),
        _ => "or add another type, for a new version of the events that hold it".to_owned(),
    };
    lines([format!("{}: {difference}", title(kind, name)), harm, way, another, ACCEPT.to_owned()])
}

/// An event that is gone.
pub(crate) fn vanished(name: &str) -> String {
    lines([
        format!("{} is gone from the schema", title(Kind::Event, name)),
        "events of this name that are in eventlogs would be skipped, on every client".to_owned(),
        "keep it, marked `#[event(deprecated)]` if it is no longer committed".to_owned(),
        format!("or have its successor read it: `upcast(\"{name}\", with = …)`"),
        ACCEPT.to_owned(),
    ])
}

/// The first line says what, the second for whom, the others what to do.
fn lines<const N: usize>(lines: [String; N]) -> String {
    let [what, harm, ways @ ..] = &lines[..] else { return lines.join("\n") };
    format!("{what}\n{harm}\n- {}", ways.join("\n- "))
}

fn title(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Event => format!("event \"{name}\""),
        kind => format!("{} `{name}`", kind.word()),
    }
}

fn harm(kind: Kind, recorded: &Shape, difference: &Difference) -> String {
    let part = difference.part.as_deref().unwrap_or_default();
    let old = match kind {
        Kind::Event => "events of this name that are in eventlogs",
        _ => "values of this type that are in eventlogs",
    };
    match &difference.change {
        Change::Added { .. } => format!("{old} have no `{part}`, and could not be read"),
        Change::Removed { .. } if recorded.head.text == "enum" => {
            format!("{old} may be `{part}`, and could not be read")
        }
        Change::Renamed { from } => {
            format!("{old} have `{from}` and no `{part}`, and could not be read")
        }
        Change::Removed { .. } => format!(
            "{old} hold `{part}`, which would be lost to them; older clients want it in new ones"
        ),
        Change::Retyped { .. } if difference.part.is_none() => {
            format!("{old} were written in another form, and could not be read")
        }
        Change::Retyped { was, .. } => {
            format!("{old} hold `{}` there, and could not be read", was.text)
        }
        Change::Required { .. } => format!("{old} may have no `{part}`, and could not be read"),
        Change::ClientOnly { is: true } => {
            format!("{old} were synced; new ones would never reach the other clients")
        }
        Change::ClientOnly { is: false } => {
            format!("{old} were never to leave their client; new ones would be sent to all")
        }
    }
}

fn way_out(kind: Kind, recorded: &Shape, difference: &Difference) -> String {
    let part = difference.part.as_deref().unwrap_or_default();
    match &difference.change {
        Change::Added { .. } => "give it a default: `#[serde(default)]`, or an `Option`".to_owned(),
        Change::Removed { .. } if recorded.head.text == "enum" => format!("keep `{part}`"),
        Change::Renamed { from } => {
            format!("keep its name in the JSON: `#[serde(rename = \"{from}\")]`")
        }
        Change::Removed { was } => {
            format!("keep `{part}: {}`; a default makes it optional: `#[serde(default)]`", was.text)
        }
        Change::Retyped { .. } if difference.part.is_none() => "keep it as it was".to_owned(),
        Change::Retyped { was, .. } => {
            let what = if kind == Kind::Event { "field" } else { "part" };
            format!("keep `{}`, and add another {what} with `#[serde(default)]`", was.text)
        }
        Change::Required { .. } => "keep its default: `#[serde(default)]`".to_owned(),
        Change::ClientOnly { is: true } => "remove `client_only`".to_owned(),
        Change::ClientOnly { is: false } => "keep `client_only`".to_owned(),
    }
}

fn version_way(name: &str) -> String {
    let next = next_version(name);
    format!("or keep this event, and add {next} with `upcast(\"{name}\", with = …)`")
}

/// `"v2.TodoCreated"` for `v1.TodoCreated`.
fn next_version(name: &str) -> String {
    let bumped = || {
        let (version, rest) = name.strip_prefix('v')?.split_once('.')?;
        let next = version.parse::<u32>().ok()?.checked_add(1)?;
        Some(format!("\"v{next}.{rest}\""))
    };
    bumped().unwrap_or_else(|| "an event of another name".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_version_is_named_where_there_is_one() {
        assert_eq!(next_version("v1.TodoCreated"), "\"v2.TodoCreated\"");
        assert_eq!(next_version("v19.A.b"), "\"v20.A.b\"");
        for name in ["TodoCreated", "v.A", "version.A", "v4294967295.A"] {
            assert_eq!(next_version(name), "an event of another name");
        }
    }
}
