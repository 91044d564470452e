//! Markdown with front matter.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::ser::Serialize;

/// The line before and behind the front matter.
const FENCE: &str = "---";

/// A Markdown file: some fields in YAML between two lines of `---`, and a text.
///
/// ```
/// use livestore_files::Markdown;
/// use livestore::prelude::*;
///
/// #[derive(Serialize, Deserialize, Debug, PartialEq)]
/// struct Fields { tags: Vec<String> }
///
/// let file = "---\ntags: [food]\n---\n\nMilk\n";
/// let note = Markdown::<Fields>::parse(file)?;
/// assert_eq!((note.fields.tags[0].as_str(), note.text.as_str()), ("food", "Milk\n"));
/// let written = note.to_text()?;
/// assert_eq!(Markdown::<Fields>::parse(&written)?, note);
/// # Ok::<(), livestore_files::FrontMatterError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markdown<F> {
    /// The fields of the front matter.
    pub fields: F,
    /// The text below it.
    pub text: String,
}

/// Why a file has no readable front matter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrontMatterError {
    /// The second line of `---` is missing.
    #[error("the front matter has no end: put a line `---` behind it")]
    NoEnd,
    /// It is not YAML, or does not have the fields.
    #[error("the front matter cannot be read: {0}")]
    Unreadable(String),
    /// The fields have no form in YAML.
    #[error("the front matter cannot be written: {0}")]
    Unwritable(String),
}

impl<F: DeserializeOwned> Markdown<F> {
    /// Reads the text of a file. One without front matter is read as if that were empty.
    ///
    /// A byte order mark, and line ends of Windows in the front matter, are taken as editors write them.
    ///
    /// # Errors
    /// See [`FrontMatterError`].
    pub fn parse(file: &str) -> Result<Self, FrontMatterError> {
        let file = file.strip_prefix('\u{feff}').unwrap_or(file);
        let (fields, text) = split(file)?;
        let fields = if fields.trim().is_empty() { "{}" } else { fields };
        // A note has a few fields; what aliases make of them is limited, too.
        let options = serde_saphyr::options! {
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        };
        let fields = serde_saphyr::from_str_with_options(fields, options);
        let fields = fields.map_err(|error| unreadable(&error))?;
        Ok(Self { fields, text: text.to_owned() })
    }
}

fn unreadable(error: &dyn fmt::Display) -> FrontMatterError {
    // The first line says what and where; those below show the source.
    let error = error.to_string();
    FrontMatterError::Unreadable(error.lines().next().unwrap_or_default().to_owned())
}

/// Splits a file into the front matter and the text below the empty line behind it.
fn split(file: &str) -> Result<(&str, &str), FrontMatterError> {
    let Some((first, rest)) = file.split_once('\n') else { return Ok(("", file)) };
    if first.trim_end() != FENCE {
        return Ok(("", file));
    }
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == FENCE {
            let text = rest.get(at + line.len()..).unwrap_or_default();
            let text = text.strip_prefix("\r\n").or(text.strip_prefix('\n')).unwrap_or(text);
            return Ok((rest.get(..at).unwrap_or_default(), text));
        }
        at += line.len();
    }
    Err(FrontMatterError::NoEnd)
}

impl<F: Serialize> Markdown<F> {
    /// Returns the text of the file.
    ///
    /// # Errors
    /// When the fields have no form in YAML.
    pub fn to_text(&self) -> Result<String, FrontMatterError> {
        let fields = serde_saphyr::to_string(&self.fields)
            .map_err(|error| FrontMatterError::Unwritable(error.to_string()))?;
        Ok(format!("{FENCE}\n{}\n{FENCE}\n\n{}", fields.trim_end(), self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use livestore::prelude::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
    struct Fields {
        #[serde(default)]
        title: String,
        #[serde(default)]
        tags: Vec<String>,
    }

    fn parse(file: &str) -> Result<Markdown<Fields>, FrontMatterError> {
        Markdown::parse(file)
    }

    #[test]
    fn every_text_comes_back_as_it_was() {
        for title in [
            "", "plain", "- a: [b", "yes", "12", "~", "a\nb", "#x", "'\"", "---", "e\u{301}",
            "\u{7f}",
        ] {
            for text in
                ["", "\n", "\n\nx", "x", "---\na: b\n---\n", "x\r\ny", "\u{feff}x", "--- \n"]
            {
                let fields = Fields { title: title.into(), tags: vec![title.into()] };
                let note = Markdown { fields, text: text.into() };
                let file = note.to_text().unwrap();
                assert_eq!(parse(&file).as_ref(), Ok(&note), "{file:?}");
            }
        }
    }

    #[test]
    fn what_editors_write_is_read() {
        let expected = Markdown {
            fields: Fields { title: "A".into(), tags: Vec::new() },
            text: "text\r\n".into(),
        };
        assert_eq!(parse("\u{feff}---\r\ntitle: A\r\n---\r\n\r\ntext\r\n"), Ok(expected));
        for file in ["no front matter", "", "no\nfront matter", "--\n", "----\nx"] {
            let expected = Markdown { fields: Fields::default(), text: file.into() };
            assert_eq!(parse(file), Ok(expected));
        }
        assert_eq!(parse("---\n---\nx").unwrap().text, "x");
        assert_eq!(parse("---\n# nothing\n---").unwrap().fields, Fields::default());
    }

    #[test]
    fn broken_front_matter_is_an_error() {
        assert_eq!(parse("---\ntitle: A\n"), Err(FrontMatterError::NoEnd));
        for file in [
            "---\ntitle: [\n---\n",
            "---\ntitle: {}\n---\n",
            "---\n- a\n---\n",
            "---\n\t\n: :\n---\n",
        ] {
            assert!(matches!(parse(file), Err(FrontMatterError::Unreadable(_))), "{file:?}");
        }
    }

    #[test]
    fn aliases_do_not_blow_up() {
        let mut bomb = String::from("---\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..12 {
            let before = format!("*a{}, ", n - 1).repeat(10);
            bomb.push_str(&format!("a{n}: &a{n} [{before}]\n"));
        }
        bomb.push_str("tags: *a11\n---\n");
        assert!(parse(&bomb).is_err());
    }
}
