//! Which collections are in hash order.

/// Whether a collection of this type, as [`type_name`](std::any::type_name) has it, is in hash order,
/// which differs from run to run. serde does not say what it serializes; the type's name does.
pub(super) fn is_hash_ordered(type_name: &str) -> bool {
    let path = source(type_name);
    let name = path.rsplit("::").next().unwrap_or(path);
    let is_hashed = ["Hash", "Dash"].iter().any(|word| name.contains(word));
    path.starts_with("std::collections::hash::") || (is_hashed && !name.contains("Linked"))
}

/// Returns the path of the type; for an iterator over another one, the path of that.
fn source(type_name: &str) -> &str {
    let mut rest = type_name;
    loop {
        rest = rest.trim_start_matches('&').trim_start_matches("mut ");
        let (path, inside) = rest.split_once('<').unwrap_or((rest, ""));
        if inside.is_empty() || !path.starts_with("core::iter::") {
            return path;
        }
        rest = inside;
    }
}

#[cfg(test)]
mod tests {
    use std::any::type_name;
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

    use super::*;

    #[test]
    fn a_name_says_which_collections_are_in_hash_order() {
        type Keys<'a> = std::iter::Cloned<std::collections::hash_map::Keys<'a, u8, u8>>;
        let hashed = [
            type_name::<&HashMap<u8, u8>>(),
            type_name::<&HashSet<Vec<u8>>>(),
            type_name::<Keys<'_>>(),
            type_name::<std::collections::hash_set::Iter<'_, u8>>(),
            "hashbrown::set::HashSet<u8>",
            "&ahash::hash_map::AHashMap<u8, u8>",
            "&dashmap::DashMap<u8, u8>",
        ];
        for name in hashed {
            assert!(is_hash_ordered(name), "{name}");
        }
        let ordered = [
            type_name::<&Vec<HashMap<u8, u8>>>(),
            type_name::<&BTreeMap<u8, HashSet<u8>>>(),
            type_name::<&BTreeSet<u8>>(),
            type_name::<std::slice::Iter<'_, HashSet<u8>>>(),
            "&indexmap::map::IndexMap<u8, u8>",
            "&linked_hash_map::LinkedHashMap<u8, u8>",
            "&app::hashes::List",
        ];
        for name in ordered {
            assert!(!is_hash_ordered(name), "{name}");
        }
    }
}
