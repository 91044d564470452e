//! Licences as SPDX writes them: `MIT OR Apache-2.0`, `(A OR B) AND C`, `Apache-2.0 WITH X`.

/// The licences that `deny.toml` accepts.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Accepted {
    everywhere: Vec<String>,
    /// A package, and a licence that it alone may have.
    exceptions: Vec<(String, String)>,
}

impl Accepted {
    /// Reads `allow = [ … ]` and, a line each, `{ crate = "…", allow = ["…"] }`.
    pub(super) fn parse(deny: &str) -> Self {
        let mut accepted = Self::default();
        let mut in_allow = false;
        for line in deny.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            let mut texts = line.split('"').skip(1).step_by(2).map(str::to_owned);
            if line.contains("crate = ") {
                if let Some(name) = texts.next() {
                    accepted.exceptions.extend(texts.map(|licence| (name.clone(), licence)));
                }
                continue;
            }
            in_allow |= line.starts_with("allow = [");
            if in_allow {
                accepted.everywhere.extend(texts);
            }
            in_allow &= !line.ends_with(']');
        }
        accepted
    }

    /// Whether `package` may have the licence `id`.
    pub(super) fn has(&self, package: &str, id: &str) -> bool {
        let is_exception = |(name, licence): &(String, String)| name == package && licence == id;
        self.everywhere.iter().any(|it| it == id) || self.exceptions.iter().any(is_exception)
    }

    /// All that is accepted somewhere.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.everywhere.iter().chain(self.exceptions.iter().map(|(_, licence)| licence))
    }
}

/// Whether one can comply with `expression` under accepted licences alone. What cannot be read is
/// not accepted.
pub(super) fn is_accepted(expression: &str, mut accepts: impl FnMut(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let accepted = any(&mut rest, &mut accepts);
    accepted == Some(true) && rest.is_empty()
}

type Accepts<'a> = &'a mut dyn FnMut(&str) -> bool;

fn any(words: &mut &[&str], accepts: Accepts<'_>) -> Option<bool> {
    let mut accepted = all(words, accepts)?;
    while take(words, "OR") {
        accepted |= all(words, accepts)?;
    }
    Some(accepted)
}

fn all(words: &mut &[&str], accepts: Accepts<'_>) -> Option<bool> {
    let mut accepted = one(words, accepts)?;
    while take(words, "AND") {
        accepted &= one(words, accepts)?;
    }
    Some(accepted)
}

fn one(words: &mut &[&str], accepts: Accepts<'_>) -> Option<bool> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    if *first == "(" {
        let accepted = any(words, accepts)?;
        return take(words, ")").then_some(accepted);
    }
    let mut id = (*first).to_owned();
    if take(words, "WITH") {
        let (exception, rest) = words.split_first()?;
        *words = rest;
        id = format!("{id} WITH {exception}");
    }
    Some(accepts(&id))
}

fn take(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx_says() {
        let accepted = |expression| is_accepted(expression, |id| id == "MIT" || id == "Zlib");
        for expression in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0 OR MIT",
            "Apache-2.0/MIT",
            "MIT AND Zlib",
            "(MIT OR GPL-3.0) AND Zlib",
            "GPL-3.0 AND X OR MIT",
        ] {
            assert!(accepted(expression), "{expression}");
        }
        for expression in
            ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT WITH X", "(MIT", "MIT)", "MIT Zlib", "MIT OR"]
        {
            assert!(!accepted(expression), "{expression}");
        }
        assert!(is_accepted("A WITH X OR B", |id| id == "A WITH X"));
    }

    #[test]
    fn deny_toml_says_what_is_accepted() {
        let deny = "[licenses]\nallow = [\n  \"MIT\", # a comment\n  \"ISC\",\n]\nexceptions = [\n  \
                    { crate = \"lib\", allow = [\"NCSA\"] },\n]\n[bans]\nname = \"other\"\n";
        let accepted = Accepted::parse(deny);
        assert!(
            accepted.has("x", "MIT") && accepted.has("x", "ISC") && accepted.has("lib", "NCSA")
        );
        assert!(!accepted.has("x", "NCSA") && !accepted.has("x", "other"));
        assert_eq!(accepted.ids().collect::<Vec<_>>(), ["MIT", "ISC", "NCSA"]);
    }
}
