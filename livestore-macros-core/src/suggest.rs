//! "Did you mean …?" for names that are nearly right.

/// Returns the candidate most similar to `word`, if it is similar enough to be what was meant.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let farthest = word.chars().count() / 3 + 1;
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= farthest)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ``: did you mean `x`?`` when a candidate is close, else ``: expected `x`, `y` or `z` ``.
pub(crate) fn hint(word: &str, candidates: &[&str]) -> String {
    match closest(word, candidates.iter().copied()) {
        Some(candidate) => format!(": did you mean `{candidate}`?"),
        None if candidates.is_empty() => String::new(),
        None => format!(": expected {}", either(candidates)),
    }
}

/// `` `a`, `b` or `c` ``
pub(crate) fn either(words: &[&str]) -> String {
    join(words, "or")
}

/// `` `a`, `b` and `c` ``
pub(crate) fn all(words: &[&str]) -> String {
    join(words, "and")
}

fn join(words: &[&str], last_separator: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {last_separator} {last}", rest.join(", ")),
    }
}

/// Returns the number of characters to insert, remove, replace or swap with their neighbour (the
/// "optimal string alignment" distance).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut table: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |row: Option<&Vec<usize>>, column: usize| {
                row.and_then(|row| row.get(column)).copied().unwrap_or(usize::MAX - 1)
            };
            let above = table.last();
            let mut best = (at(above, j) + usize::from(ca != cb))
                .min(at(above, j + 1) + 1)
                .min(at(Some(&row), j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            if swapped {
                best = best.min(at(table.get(i - 1), j - 1) + 1);
            }
            row.push(best);
        }
        table.push(row);
    }
    table.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        assert_eq!(distance("name", "name"), 0);
        assert_eq!(distance("nmae", "name"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn suggests_only_what_is_close() {
        assert_eq!(closest("primry_key", ["name", "primary_key"]), Some("primary_key"));
        assert_eq!(closest("banana", ["name", "primary_key"]), None);
    }

    #[test]
    fn hints() {
        assert_eq!(hint("idnex", &["index", "unique"]), ": did you mean `index`?");
        assert_eq!(
            hint("xyz", &["index", "unique", "name"]),
            ": expected `index`, `unique` or `name`"
        );
    }
}
