//! Types that the user says in an alias: `AS "n: i64"`, `AS "n!"`, `AS "n?"`.

use std::collections::BTreeMap;

use syn::Type;

use super::token::{Kind, Span, tokens};

/// What an alias says about its column.
#[derive(Clone)]
pub(crate) enum Told {
    /// It is exactly of this type.
    Type(Box<Type>),
    /// It is never null.
    NeverNull,
    /// It may be null.
    MaybeNull,
}

/// What the aliases say, by where they stand.
pub(crate) type AllTold = BTreeMap<usize, Told>;

/// An alias that cannot be read.
#[derive(Debug)]
pub(crate) struct NotAType {
    pub(crate) span: Span,
    pub(crate) message: String,
}

/// Takes what the aliases say out of the SQL, which keeps its length: `AS "n: i64"` becomes
/// `AS "n"     `.
pub(crate) fn take(sql: &str) -> Result<(String, AllTold), NotAType> {
    let (mut plain, mut all) = (sql.to_owned(), AllTold::new());
    if !sql.contains(['"', '`', '[']) {
        return Ok((plain, all));
    }
    let tokens = tokens(sql);
    for pair in tokens.windows(2) {
        let [before, alias] = pair else { continue };
        let (Kind::Word(word), Kind::Quoted(text)) = (&before.kind, &alias.kind) else { continue };
        if !word.eq_ignore_ascii_case("AS") {
            continue;
        }
        if let Some((name, told)) = read(text, &alias.span)? {
            let quoted = quoted(name, sql.get(alias.span.clone()).unwrap_or_default());
            let spaces = " ".repeat(alias.span.len().saturating_sub(quoted.len()));
            plain.replace_range(alias.span.clone(), &(quoted + &spaces));
            all.insert(alias.span.start, told);
        }
    }
    Ok((plain, all))
}

/// The name in the quotes of `alias`, which it began: so it is never longer.
fn quoted(name: &str, alias: &str) -> String {
    match alias.chars().next().unwrap_or('"') {
        '[' => format!("[{name}]"),
        quote => format!("{quote}{}{quote}", name.replace(quote, &String::from_iter([quote; 2]))),
    }
}

fn read<'t>(text: &'t str, span: &Span) -> Result<Option<(&'t str, Told)>, NotAType> {
    if let Some(name) = text.strip_suffix('!') {
        return Ok(Some((name, Told::NeverNull)));
    }
    if let Some(name) = text.strip_suffix('?') {
        return Ok(Some((name, Told::MaybeNull)));
    }
    let Some((name, ty)) = text.split_once(':') else { return Ok(None) };
    match syn::parse_str(ty) {
        Ok(ty) => Ok(Some((name.trim(), Told::Type(Box::new(ty))))),
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
        let (plain, told) = take(sql).map_err(|error| error.message).unwrap();
        assert_eq!(plain.len(), sql.len());
        let words: Vec<_> = plain.split_whitespace().collect();
        assert_eq!(words.join(" "), "SELECT a + b AS \"n\" , c AS \"c\" , d AS `d` , e AS \"e\"");
        assert_eq!(told.keys().copied().collect::<Vec<_>>(), [16, 35, 46]);
    }

    #[test]
    fn the_sql_keeps_its_length_whatever_the_names_are() {
        let sql = "SELECT a AS \"größe: i64\", b AS [x\"\"\"\"y!], c AS \"\"\"c\"\"?\"";
        let (plain, _) = take(sql).map_err(|error| error.message).unwrap();
        assert_eq!(plain.len(), sql.len());
        let words: Vec<_> = plain.split_whitespace().collect();
        let expected = "SELECT a AS \"größe\" , b AS [x\"\"\"\"y] , c AS \"\"\"c\"\"\"";
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn a_type_must_be_one() {
        assert!(take("SELECT 1 AS \"n: 5 5\"").is_err());
    }
}
