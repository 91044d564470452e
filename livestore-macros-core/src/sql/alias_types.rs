//! Type annotations in aliases: `AS "n: i64"`, `AS "n!"`, `AS "n?"`.

use std::collections::BTreeMap;

use syn::Type;

use super::token::{Span, TokenKind, tokens};

/// A type annotation of a result column.
#[derive(Clone)]
pub(crate) enum Annotation {
    /// It is exactly of this type.
    Type(Box<Type>),
    /// It is never null.
    NotNull,
    /// It may be null.
    Nullable,
}

/// The annotations of a statement, by the position of their aliases.
pub(crate) type Annotations = BTreeMap<usize, Annotation>;

/// An annotation that is not a type.
#[derive(Debug)]
pub(crate) struct NotAType {
    pub(crate) span: Span,
    pub(crate) message: String,
}

/// Moves the annotations out of the SQL, whose length stays the same: `AS "n: i64"` becomes
/// `AS "n"     `.
pub(crate) fn extract(sql: &str) -> Result<(String, Annotations), NotAType> {
    let (mut plain, mut all) = (sql.to_owned(), Annotations::new());
    if !sql.contains(['"', '`', '[']) {
        return Ok((plain, all));
    }
    let tokens = tokens(sql);
    for pair in tokens.windows(2) {
        let [before, alias] = pair else { continue };
        let (TokenKind::Word(word), TokenKind::Quoted(text)) = (&before.kind, &alias.kind) else {
            continue;
        };
        if !word.eq_ignore_ascii_case("AS") {
            continue;
        }
        if let Some((name, annotation)) = read(text, &alias.span)? {
            let quoted = quoted(name, sql.get(alias.span.clone()).unwrap_or_default());
            let spaces = " ".repeat(alias.span.len().saturating_sub(quoted.len()));
            plain.replace_range(alias.span.clone(), &(quoted + &spaces));
            all.insert(alias.span.start, annotation);
        }
    }
    Ok((plain, all))
}

/// Puts the name in the quotes of `alias`. The name is a prefix of the alias, so the result is never
/// longer.
fn quoted(name: &str, alias: &str) -> String {
    match alias.chars().next().unwrap_or('"') {
        '[' => format!("[{name}]"),
        quote => format!("{quote}{}{quote}", name.replace(quote, &String::from_iter([quote; 2]))),
    }
}

fn read<'t>(text: &'t str, span: &Span) -> Result<Option<(&'t str, Annotation)>, NotAType> {
    if let Some(name) = text.strip_suffix('!') {
        return Ok(Some((name, Annotation::NotNull)));
    }
    if let Some(name) = text.strip_suffix('?') {
        return Ok(Some((name, Annotation::Nullable)));
    }
    let Some((name, ty)) = text.split_once(':') else { return Ok(None) };
    match syn::parse_str(ty) {
        Ok(ty) => Ok(Some((name.trim(), Annotation::Type(Box::new(ty))))),
        Err(error) => Err(NotAType {
            span: span.clone(),
            message: format!("`{}` is not a type: {error}", ty.trim()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sql_keeps_its_length() {
        let sql = "SELECT a + b AS \"n: Vec<u8>\", c AS \"c!\", d AS `d?`, e AS \"e\"";
        let (plain, annotations) = extract(sql).map_err(|error| error.message).unwrap();
        assert_eq!(plain.len(), sql.len());
        let words: Vec<_> = plain.split_whitespace().collect();
        assert_eq!(words.join(" "), "SELECT a + b AS \"n\" , c AS \"c\" , d AS `d` , e AS \"e\"");
        assert_eq!(annotations.keys().copied().collect::<Vec<_>>(), [16, 35, 46]);
    }

    #[test]
    fn the_sql_keeps_its_length_whatever_the_names_are() {
        let sql = "SELECT a AS \"größe: i64\", b AS [x\"\"\"\"y!], c AS \"\"\"c\"\"?\"";
        let (plain, _) = extract(sql).map_err(|error| error.message).unwrap();
        assert_eq!(plain.len(), sql.len());
        let words: Vec<_> = plain.split_whitespace().collect();
        let expected = "SELECT a AS \"größe\" , b AS [x\"\"\"\"y] , c AS \"\"\"c\"\"\"";
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn a_type_must_be_one() {
        assert!(extract("SELECT 1 AS \"n: 5 5\"").is_err());
    }
}
