//! Whether values of one type, as JSON, can be read as another type, going by the types' names.

use crate::rust_type::{Type, is_one_of, last_name};

/// Whether every value of type `was` is read as one of type `is`.
///
/// Paths are compared from their ends: `HashMap<K,V>` is `std::collections::HashMap<K,V>`, and
/// `models::Date` is `crate::models::Date`, but `time::Date` is not `chrono::Date`. Numbers may become
/// wider, lists and maps change their kind, and boxes come and go.
pub(crate) fn is_readable_as(was: &str, is: &str) -> bool {
    reads(&Type::parse(is), &Type::parse(was))
}

fn reads(is: &Type<'_>, was: &Type<'_>) -> bool {
    let (is, was) = (is.unboxed(), was.unboxed());
    if let Some(is) = is.argument_of("Option") {
        return reads(is, was.argument_of("Option").unwrap_or(was));
    }
    if let (Some(is), Some(was)) = (is.element(), was.element()) {
        return reads(is, was);
    }
    match (is, was) {
        (Type::Path { path: is, arguments: now }, Type::Path { path: was, arguments: before }) => {
            (is_same_path(is, was) || is_wider(is, was)) && all_read(now, before)
        }
        (Type::Tuple(now), Type::Tuple(before)) => all_read(now, before),
        (Type::Sequence(is, now), Type::Sequence(was, before)) => now == before && reads(is, was),
        (is, was) => is == was,
    }
}

fn all_read(now: &[Type<'_>], before: &[Type<'_>]) -> bool {
    now.len() == before.len() && now.iter().zip(before).all(|(is, was)| reads(is, was))
}

/// Whether one path is the end of the other, apart from where it begins to be looked up.
fn is_same_path(left: &str, right: &str) -> bool {
    const MAPS: [&str; 3] = ["HashMap", "BTreeMap", "IndexMap"];
    const TEXTS: [&str; 2] = ["String", "str"];
    let are_both = |names: &[&str]| is_one_of(left, names) && is_one_of(right, names);
    let segments = |path: &'_ str| -> Vec<String> {
        let segments = path.split("::").filter(|segment| !segment.is_empty());
        let mut segments = segments.skip_while(|first| ["crate", "self", "super"].contains(first));
        let first = segments.next().map(|first| match first {
            "core" | "alloc" => "std",
            other => other,
        });
        first.into_iter().chain(segments).map(str::to_owned).collect()
    };
    let (left_path, right_path) = (segments(left), segments(right));
    left_path.ends_with(&right_path)
        || right_path.ends_with(&left_path)
        || are_both(&MAPS)
        || are_both(&TEXTS)
}

/// Whether every number, or every character, of the one type is one of the other.
fn is_wider(is: &str, was: &str) -> bool {
    let (is, was) = (last_name(is), last_name(was));
    let bits = |name: &str, letter: char| name.strip_prefix(letter)?.parse::<u32>().ok();
    match (bits(is, 'u'), bits(is, 'i'), bits(was, 'u'), bits(was, 'i')) {
        (Some(is), _, Some(was), _) | (_, Some(is), _, Some(was)) => is >= was,
        (_, Some(is), Some(was), _) => is > was,
        (None, None, Some(was), _) | (None, None, _, Some(was)) => is == "f64" && was <= 32,
        _ => matches!((is, was), ("f64", "f32") | ("String", "char")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_and_wider_types_are_readable() {
        for (was, is) in [
            ("HashMap<String,u8>", "std::collections::HashMap<String,u8>"),
            ("crate::models::Date", "models::Date"),
            ("Date", "civil::Date"),
            ("core::option::Option<u8>", "std::option::Option<u8>"),
            ("Vec<std::string::String>", "std::vec::Vec<String>"),
            ("u8", "u16"),
            ("u32", "i64"),
            ("Option<u8>", "Option<Box<u32>>"),
            ("u8", "Option<u8>"),
            ("Node", "Box<Node>"),
            ("Vec<(u8,Id)>", "BTreeSet<(u64,ids::Id)>"),
            ("BTreeMap<u8,f32>", "HashMap<u8,f64>"),
            ("char", "String"),
            ("[u8;4]", "[u16;4]"),
            ("Box<[u8]>", "Vec<u8>"),
        ] {
            assert!(is_readable_as(was, is), "{was} → {is}");
        }
    }

    #[test]
    fn other_types_are_not() {
        for (was, is) in [
            ("u16", "u8"),
            ("i8", "u8"),
            ("u64", "i64"),
            ("i64", "f64"),
            ("Option<u8>", "u8"),
            ("time::Date", "chrono::Date"),
            ("String", "Id"),
            ("(u8,u8)", "(u8,)"),
            ("[u8;4]", "[u8;5]"),
            ("Vec<String>", "Vec<u8>"),
            ("HashMap<String,u8>", "HashMap<String,bool>"),
            ("dyn Fn(u8)->u8", "dyn Fn(u8)->u16"),
            ("Vec<", "Vec<u8>"),
        ] {
            assert!(!is_readable_as(was, is), "{was} → {is}");
        }
    }

    #[test]
    fn deep_types_end() {
        let deep = "Vec<".repeat(5000);
        assert!(is_readable_as(&deep, &deep));
        assert!(!is_readable_as(&deep, "u8"));
    }
}
