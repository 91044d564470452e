//! Standard output: text for people, or JSON, one object a line.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use livestore_protocol::printable;
use serde::Serialize;

use crate::args::{Color, Options};
use crate::exit::Result;

/// Where a command writes its result.
pub(crate) struct Output {
    out: BufWriter<Stdout>,
    pub(crate) json: bool,
    colors: bool,
}

/// How a word stands out on a terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Strong,
    Faint,
}

impl Output {
    pub(crate) fn new(options: &Options) -> Self {
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        Self { out, json: options.json, colors: has_colors(options.color) }
    }

    /// Writes one line of text.
    pub(crate) fn line(&mut self, text: impl Display) -> Result {
        writeln!(self.out, "{text}")?;
        Ok(())
    }

    /// Writes one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")?;
        Ok(())
    }

    /// Writes a name and what it stands for.
    pub(crate) fn field(&mut self, name: &str, value: impl Display) -> Result {
        let name = self.styled(Style::Faint, &format!("{name:<10}"));
        self.line(format!("{name} {value}"))
    }

    /// The text as a terminal shows it: none of its characters does more than being shown.
    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        let text = printable(text);
        let code = match style {
            Style::Strong => "1",
            Style::Faint => "2",
        };
        if self.colors { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    /// Passes on what was written.
    pub(crate) fn flush(&mut self) -> Result {
        Ok(self.out.flush()?)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether standard output shows colours: a terminal does, unless `NO_COLOR` or its kind say otherwise.
fn has_colors(choice: Color) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb
        }
    }
}

/// The text as a JSON string.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A number with its thousands apart: `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2 events`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        let shown = [0, 999, 1_000, 12_345_678].map(thousands);
        assert_eq!(shown, ["0", "999", "1,000", "12,345,678"]);
        assert_eq!(
            (counted(1, "event"), counted(2_000, "row")),
            ("1 event".into(), "2,000 rows".into())
        );
    }
}
