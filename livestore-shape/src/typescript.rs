//! The TypeScript types of what the lock records, as JSON has it.

use std::fmt::Write as _;

use crate::lock::{ItemKind, Lock};
use crate::rust_type::{Type, is_one_of, last_name};
use crate::shape::{MarkedText, Shape};

/// Types whose JSON is a text.
const TEXTS: [&str; 10] =
    ["String", "str", "char", "Timestamp", "Uuid", "Date", "DateTime", "Time", "Zoned", "PathBuf"];

const NUMBERS: [&str; 12] =
    ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "f32", "f64"];

const MAPS: [&str; 3] = ["HashMap", "BTreeMap", "IndexMap"];

/// Types inside types that are written out.
const MAX_DEPTH: usize = 32;

impl Lock {
    /// Returns TypeScript with the args of all events, by their names, as `Events`; all client documents as
    /// `Documents`; and the types in their fields. What the lock knows by its name alone is `unknown`.
    pub fn to_typescript(&self) -> String {
        let mut text = String::new();
        for (name, shape) in self.of(ItemKind::Type).filter(|(name, _)| is_identifier(name)) {
            let _ = writeln!(text, "export type {name} = {}\n", self.declared(shape));
        }
        let is_document = |shape: &Shape| shape.head.is("document");
        let (documents, events): (Vec<_>, Vec<_>) =
            self.of(ItemKind::Event).partition(|(_, shape)| is_document(shape));
        text += "export interface Events {\n";
        for (name, shape) in events {
            let _ = writeln!(text, "  {}: {}", key(name), self.args(shape));
        }
        text += "}\n\nexport interface Documents {\n";
        for (_, shape) in documents {
            // Each field of the event may be absent, and none of the document is.
            let fields = shape.parts.iter().map(|(name, text)| (name, self.field(text), false));
            let _ = writeln!(text, "  {}: {}", key(&shape.head.text), object(fields));
        }
        text + "}\n"
    }

    fn args(&self, shape: &Shape) -> String {
        if let Some(whole) = shape.parts.get("*") {
            return self.field(whole);
        }
        let is_tuple = shape.parts.contains_key("0");
        if is_tuple {
            let mut parts: Vec<_> = shape.parts.iter().collect();
            parts.sort_by_key(|(position, _)| position.parse::<usize>().unwrap_or(usize::MAX));
            let parts: Vec<_> = parts.into_iter().map(|(_, text)| self.field(text)).collect();
            return format!("[{}]", parts.join(", "));
        }
        self.fields(shape)
    }

    fn fields(&self, shape: &Shape) -> String {
        object(shape.parts.iter().map(|(name, text)| {
            (name, self.field(text), text.is("optional") || text.is("default"))
        }))
    }

    fn field(&self, text: &MarkedText) -> String {
        // A function of the app's makes the JSON.
        let is_custom = text.marks.iter().any(|mark| mark.contains("with"));
        if is_custom { "unknown".to_owned() } else { self.ty(&Type::parse(&text.text), 0) }
    }

    /// Returns a type that the lock has in full. An enum that serde writes in a way of its own is `unknown`.
    fn declared(&self, shape: &Shape) -> String {
        let is_plain = shape.head.marks.is_empty();
        match shape.head.text.as_str() {
            "struct" if is_plain => self.fields(shape),
            "enum" if is_plain => {
                let variant = |(name, text): (&String, &MarkedText)| self.variant(name, text);
                let variants: Option<Vec<_>> = shape.parts.iter().map(variant).collect();
                variants.map_or_else(|| "unknown".to_owned(), |variants| variants.join(" | "))
            }
            _ => "unknown".to_owned(),
        }
    }

    fn variant(&self, name: &str, text: &MarkedText) -> Option<String> {
        if !text.marks.is_empty() {
            return None;
        }
        if text.text == "unit" {
            return Some(quoted(name));
        }
        // The fields of a variant with names are not written as a type.
        let Type::Tuple(parts) = Type::parse(&text.text) else { return None };
        let parts: Vec<_> = parts.iter().map(|part| self.ty(part, 0)).collect();
        Some(match parts.as_slice() {
            [one] => format!("{{ {}: {one} }}", key(name)),
            parts => format!("{{ {}: [{}] }}", key(name), parts.join(", ")),
        })
    }

    fn declares(&self, name: &str) -> bool {
        is_identifier(name) && self.get(ItemKind::Type, name).is_some()
    }

    /// Returns the type of the JSON that serde makes of a Rust type.
    fn ty(&self, ty: &Type<'_>, depth: usize) -> String {
        let inner = |ty: &Type<'_>| match depth {
            MAX_DEPTH => "unknown".to_owned(),
            _ => self.ty(ty, depth + 1),
        };
        let ty = ty.unboxed();
        if let Some(some) = ty.argument_of("Option") {
            return format!("{} | null", inner(some));
        }
        if let Some(element) = ty.element() {
            return list_of(&inner(element));
        }
        match ty {
            Type::Tuple(parts) if parts.is_empty() => "null".to_owned(),
            Type::Tuple(parts) => {
                format!("[{}]", parts.iter().map(inner).collect::<Vec<_>>().join(", "))
            }
            Type::Sequence(element, _) => list_of(&inner(element)),
            Type::Path { path, arguments } => match arguments.as_slice() {
                [] if self.declares(last_name(path)) => last_name(path).to_owned(),
                [] if is_one_of(path, &TEXTS) => "string".to_owned(),
                [] if is_one_of(path, &NUMBERS) => "number".to_owned(),
                [] if is_one_of(path, &["bool"]) => "boolean".to_owned(),
                [one] if is_one_of(path, &["Json"]) => inner(one),
                [_, value] if is_one_of(path, &MAPS) => {
                    format!("Record<string, {}>", inner(value))
                }
                _ => "unknown".to_owned(),
            },
            Type::Other(_) => "unknown".to_owned(),
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let is_part = |char: char| char.is_ascii_alphanumeric() || "_$".contains(char);
    name.chars().all(is_part) && name.starts_with(|first: char| !first.is_ascii_digit())
}

/// Writes the name of a field.
fn key(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { quoted(name) }
}

fn object<'a>(fields: impl Iterator<Item = (&'a String, String, bool)>) -> String {
    let field = |(name, ty, is_optional): (&String, String, bool)| {
        let mark = if is_optional { "?" } else { "" };
        format!("{}{mark}: {ty}", key(name))
    };
    let fields: Vec<_> = fields.map(field).collect();
    if fields.is_empty() {
        "Record<string, never>".to_owned()
    } else {
        format!("{{ {} }}", fields.join("; "))
    }
}

fn list_of(element: &str) -> String {
    if element.contains(' ') { format!("({element})[]") } else { format!("{element}[]") }
}

/// Writes a text as a literal of TypeScript.
fn quoted(text: &str) -> String {
    let mut quoted = "'".to_owned();
    for char in text.chars() {
        match char {
            '\'' | '\\' => quoted.extend(['\\', char]),
            // The separators of lines end a line of TypeScript, too.
            char if char.is_control() || "\u{2028}\u{2029}".contains(char) => {
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(char));
            }
            char => quoted.push(char),
        }
    }
    quoted + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "\
event ScreenSet = Screen (client-only, document)
event ScreenSet draft: String (optional)
event ScreenSet kind: Option<Kind> (optional)
event v1.Added = Event::Added
event v1.Added at: Timestamp
event v1.Added id: u64
event v1.Added note: Option<String> (optional)
event v1.Cleared = Event::Cleared
event v1.Moved = Event::Moved
event v1.Moved 0: u32
event v1.Moved 1: Option<u32>
event v1.Noted = Noted
event v1.Noted *: BTreeMap<String,Vec<Kind>>
type Kind = enum
type Kind big: unit
type Kind other-one: (String)
type Tagged = enum (tag type)
type Tagged a: unit
type \"not a name\" = struct
";

    #[test]
    fn the_lock_is_typescript() {
        let lock = Lock::parse(LOCK).unwrap();
        assert_eq!(
            lock.to_typescript(),
            "\
export type Kind = 'big' | { 'other-one': string }

export type Tagged = unknown

export interface Events {
  'v1.Added': { at: string; id: number; note?: string | null }
  'v1.Cleared': Record<string, never>
  'v1.Moved': [number, number | null]
  'v1.Noted': Record<string, Kind[]>
}

export interface Documents {
  Screen: { draft: string; kind: Kind | null }
}
"
        );
    }

    #[test]
    fn types_are_those_of_their_json() {
        let lock = Lock::parse("type Kind = enum\ntype Kind a: unit\n").unwrap();
        for (rust, typescript) in [
            ("std::vec::Vec<Option<Box<u8>>>", "(number | null)[]"),
            ("Json<HashMap<String,crate::Kind>>", "Record<string, Kind>"),
            ("(bool,[f32;2])", "[boolean, number[]]"),
            ("()", "null"),
            ("money::Amount", "unknown"),
            ("Vec<", "unknown"),
        ] {
            assert_eq!(lock.ty(&Type::parse(rust), 0), typescript, "{rust}");
        }
    }

    #[test]
    fn deep_types_end() {
        let deep = format!("{}u8{}", "Vec<".repeat(500), ">".repeat(500));
        assert!(Lock::default().ty(&Type::parse(&deep), 0).starts_with("unknown[]"));
    }

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(quoted("a'b\\c\nd"), "'a\\'b\\\\c\\u{a}d'");
    }
}
