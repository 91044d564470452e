//! Types of Rust, read from their texts.

/// A type, as far as its text shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type<'a> {
    /// `std::collections::HashMap<K,V>`
    Path { path: &'a str, arguments: Vec<Type<'a>> },
    /// `(A,B)`
    Tuple(Vec<Type<'a>>),
    /// `[T]` or `[T;N]`
    Sequence(Box<Type<'a>>, &'a str),
    /// Anything else, which equals only itself.
    Other(&'a str),
}

/// Types inside types that are looked into.
const MAX_DEPTH: usize = 32;

impl<'a> Type<'a> {
    /// Reads a type. What it cannot read is [`Type::Other`].
    pub(crate) fn parse(text: &'a str) -> Self {
        Self::parse_at(text, 0)
    }

    fn parse_at(text: &'a str, depth: usize) -> Self {
        Self::parse_known(text, depth).unwrap_or(Self::Other(text))
    }

    fn parse_known(text: &'a str, depth: usize) -> Option<Self> {
        if depth == MAX_DEPTH {
            return None;
        }
        let all = |list: &'a str| -> Option<Vec<Self>> {
            let parts = split(list, ',')?;
            Some(parts.into_iter().map(|part| Self::parse_at(part, depth + 1)).collect())
        };
        if let Some(inside) = enclosed(text, '(', ')') {
            return all(inside).map(Self::Tuple);
        }
        if let Some(inside) = enclosed(text, '[', ']') {
            let parts = split(inside, ';')?;
            let element = Self::parse_at(parts.first()?, depth + 1);
            return Some(Self::Sequence(Box::new(element), parts.get(1).copied().unwrap_or("")));
        }
        let (path, arguments) = match text.find('<') {
            Some(at) => (text.get(..at)?, all(enclosed(text.get(at..)?, '<', '>')?)?),
            None => (text, Vec::new()),
        };
        let is_path = path.chars().all(|char| char.is_alphanumeric() || "_:#".contains(char));
        is_path.then_some(Self::Path { path, arguments })
    }

    /// Returns what is in a `Box` and the like, which JSON does not show.
    pub(crate) fn unboxed(&self) -> &Self {
        match self {
            Self::Path { path, arguments } if is_one_of(path, &["Box", "Arc", "Rc", "Cow"]) => {
                arguments.last().map_or(self, Self::unboxed)
            }
            _ => self,
        }
    }

    pub(crate) fn argument_of(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Path { path, arguments } if is_one_of(path, &[name]) => arguments.first(),
            _ => None,
        }
    }

    /// Returns the type of the elements of a list of any length.
    pub(crate) fn element(&self) -> Option<&Self> {
        const LISTS: [&str; 7] =
            ["Vec", "VecDeque", "LinkedList", "BTreeSet", "HashSet", "IndexSet", "BinaryHeap"];
        match self {
            Self::Path { path, arguments } if is_one_of(path, &LISTS) => arguments.first(),
            Self::Sequence(element, "") => Some(element),
            _ => None,
        }
    }
}

/// Returns the text between the first character and the last, if these are a pair.
fn enclosed(text: &str, open: char, close: char) -> Option<&str> {
    text.strip_prefix(open)?.strip_suffix(close)
}

/// Splits a list at its own separators, not at those inside brackets; `None` if the brackets do not match.
fn split(list: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, char) in list.char_indices() {
        match char {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.checked_sub(1)?,
            _ if char == separator && depth == 0 => {
                parts.push(list.get(start..at)?);
                start = at + char.len_utf8();
            }
            _ => {}
        }
    }
    let last = list.get(start..).filter(|last| !last.is_empty());
    (depth == 0).then(|| parts.into_iter().chain(last).collect())
}

pub(crate) fn is_one_of(path: &str, names: &[&str]) -> bool {
    names.contains(&last_name(path))
}

pub(crate) fn last_name(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}
