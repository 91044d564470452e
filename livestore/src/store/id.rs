//! Store ids. They name directories, and databases of a backend.

use super::OpenError;

const MAX_LENGTH: usize = 100;

pub(super) fn check(id: &str) -> Result<(), OpenError> {
    let wrong = |reason| Err(OpenError::StoreId { id: id.to_owned(), reason });
    if id.is_empty() {
        return wrong("it is empty");
    }
    if id.len() > MAX_LENGTH {
        return wrong("it is longer than 100 characters");
    }
    if id.starts_with('.') {
        return wrong("it starts with a dot");
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !id.chars().all(allowed) {
        return wrong("it has characters other than letters, digits, `-`, `_` and `.`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_could_be_paths_are_refused() {
        for id in ["", ".", "..", "a/b", "../a", "a\\b", "a:b", "a\0b", ".hidden", "ä", "a b"] {
            assert!(matches!(check(id), Err(OpenError::StoreId { .. })), "{id:?}");
        }
        assert!(check(&"a".repeat(101)).is_err());
        for id in ["todos", "a", "team-1_b.2", "V1"] {
            assert_eq!(check(id), Ok(()), "{id:?}");
        }
    }
}
