//! Letter cases, which turn Rust names into those in SQL and JSON.

use syn::LitStr;

use crate::suggest;

/// `TodoItem` → `todo_item`, `HTTPServer` → `http_server`.
pub(crate) fn snake_case(name: &str) -> String {
    underscored(name).to_lowercase()
}

/// `created_at`, `createdAt` → `CREATED_AT`.
pub(crate) fn screaming_snake_case(name: &str) -> String {
    underscored(name).to_uppercase()
}

/// Inserts an underscore before every capital that starts a word.
fn underscored(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut underscored = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let previous = i.checked_sub(1).and_then(|i| chars.get(i));
        let next = chars.get(i + 1);
        let after_word = previous.is_some_and(|p| p.is_lowercase() || p.is_numeric());
        let after_acronym =
            previous.is_some_and(|p| p.is_uppercase()) && next.is_some_and(|n| n.is_lowercase());
        if c.is_uppercase() && (after_word || after_acronym) {
            underscored.push('_');
        }
        underscored.push(c);
    }
    underscored
}

/// serde's `rename_all` rules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RenameRule {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

const RULES: [(&str, RenameRule); 8] = [
    ("lowercase", RenameRule::Lower),
    ("UPPERCASE", RenameRule::Upper),
    ("PascalCase", RenameRule::Pascal),
    ("camelCase", RenameRule::Camel),
    ("snake_case", RenameRule::Snake),
    ("SCREAMING_SNAKE_CASE", RenameRule::ScreamingSnake),
    ("kebab-case", RenameRule::Kebab),
    ("SCREAMING-KEBAB-CASE", RenameRule::ScreamingKebab),
];

impl RenameRule {
    pub(crate) fn parse(rule: &LitStr) -> syn::Result<Self> {
        let text = rule.value();
        RULES.iter().find(|(name, _)| *name == text).map(|(_, rule)| *rule).ok_or_else(|| {
            let hint = suggest::hint(&text, &RULES.map(|(name, _)| name));
            syn::Error::new_spanned(rule, format!("unknown rename rule {text:?}{hint}"))
        })
    }

    /// Applies the rule to a field's name, as serde does: the name is taken to be `snake_case`.
    pub(crate) fn apply_to_field(self, field: &str) -> String {
        match self {
            Self::Lower | Self::Snake => field.to_owned(),
            Self::Upper | Self::ScreamingSnake => field.to_ascii_uppercase(),
            Self::Pascal => field.split('_').map(capitalized).collect(),
            Self::Camel => uncapitalized(&Self::Pascal.apply_to_field(field)),
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// Applies the rule to a variant's name, as serde does: the name is taken to be `PascalCase`.
    pub(crate) fn apply_to_variant(self, variant: &str) -> String {
        match self {
            Self::Lower => variant.to_ascii_lowercase(),
            Self::Upper => variant.to_ascii_uppercase(),
            Self::Pascal => variant.to_owned(),
            Self::Camel => uncapitalized(variant),
            Self::Snake => snake_case_of_variant(variant),
            Self::ScreamingSnake => snake_case_of_variant(variant).to_ascii_uppercase(),
            Self::Kebab => snake_case_of_variant(variant).replace('_', "-"),
            Self::ScreamingKebab => {
                snake_case_of_variant(variant).to_ascii_uppercase().replace('_', "-")
            }
        }
    }
}

/// Inserts an underscore before every capital, also inside acronyms, as serde does.
fn snake_case_of_variant(variant: &str) -> String {
    let mut snake = String::new();
    for (i, c) in variant.char_indices() {
        if i > 0 && c.is_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn capitalized(word: &str) -> String {
    with_first(word, |first| first.to_ascii_uppercase())
}

fn uncapitalized(word: &str) -> String {
    with_first(word, |first| first.to_ascii_lowercase())
}

fn with_first(word: &str, change: impl FnOnce(char) -> char) -> String {
    let mut chars = word.chars();
    chars.next().map(change).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names() {
        assert_eq!(snake_case("Todo"), "todo");
        assert_eq!(snake_case("TodoItem"), "todo_item");
        assert_eq!(snake_case("HTTPServer2Log"), "http_server2_log");
    }

    #[test]
    fn constant_names() {
        assert_eq!(screaming_snake_case("created_at"), "CREATED_AT");
        assert_eq!(screaming_snake_case("createdAt"), "CREATED_AT");
        assert_eq!(screaming_snake_case("_id"), "_ID");
        assert_eq!(screaming_snake_case("x1"), "X1");
    }

    /// The table in serde_derive's own tests.
    #[test]
    fn rules_agree_with_serde() {
        let variants = RULES.map(|(_, rule)| rule.apply_to_variant("VeryTasty"));
        assert_eq!(
            variants,
            [
                "verytasty",
                "VERYTASTY",
                "VeryTasty",
                "veryTasty",
                "very_tasty",
                "VERY_TASTY",
                "very-tasty",
                "VERY-TASTY"
            ]
        );
        let fields = RULES.map(|(_, rule)| rule.apply_to_field("very_tasty"));
        assert_eq!(
            fields,
            [
                "very_tasty",
                "VERY_TASTY",
                "VeryTasty",
                "veryTasty",
                "very_tasty",
                "VERY_TASTY",
                "very-tasty",
                "VERY-TASTY"
            ]
        );
    }
}
