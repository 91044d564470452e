//! A history from a file: JSON, one commit a line, plain or gzipped.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::{iter, mem};

use anyhow::{Context, Result, anyhow, ensure};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::{History, file_change, progress_bar, time};
use crate::model::{CommitRecorded, FileChange};

/// A line: `{"hash":"25caaa008","at":1607758679,"author":"ann","files":[["M","src/lib.rs"]]}`.
#[derive(Deserialize)]
struct Line {
    hash: String,
    at: i64,
    author: String,
    files: Vec<Vec<String>>,
}

type Text = Box<dyn BufRead + Send>;

/// With `watch`, the file may be growing. A gzipped one has an end that it does not grow beyond.
pub(crate) fn open(path: &Path, watch: bool) -> Result<History> {
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| name.clone())?;
    let file = progress_bar(file.metadata()?.len(), watch)?.wrap_read(file);
    let mut text: Text = if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(BufReader::new(file))
    };
    let (mut line, mut number) = (Vec::new(), 0_u64);
    Ok(Box::new(iter::from_fn(move || {
        let line = next_line(&mut text, &mut line, watch).transpose()?;
        number += 1;
        Some(read_line(line).with_context(|| format!("{name}, line {number}")))
    })))
}

/// The next line. In a file that may be growing, it is one only once its end is written.
fn next_line(text: &mut Text, line: &mut Vec<u8>, watch: bool) -> io::Result<Option<Vec<u8>>> {
    text.read_until(b'\n', line)?;
    let is_whole = line.ends_with(b"\n") || !watch && !line.is_empty();
    Ok(is_whole.then(|| mem::take(line)))
}

fn read_line(line: io::Result<Vec<u8>>) -> Result<CommitRecorded> {
    let line: Line = serde_json::from_slice(&line?).map_err(not_a_commit)?;
    let files = line.files.into_iter().map(read_file);
    Ok(CommitRecorded {
        hash: line.hash,
        author: line.author,
        committed_at: time(line.at),
        files: files.collect::<Result<_>>()?,
    })
}

/// Returns serde's message without its position: to serde, every line is line 1.
fn not_a_commit(error: serde_json::Error) -> anyhow::Error {
    let place = format!(" at line {} column {}", error.line(), error.column());
    anyhow!("not a commit: {}", error.to_string().replace(&place, ""))
}

fn read_file(fields: Vec<String>) -> Result<FileChange> {
    let mut fields = fields.into_iter();
    let mut next = || fields.next().context("a file change lacks its path");
    let status = next()?;
    let change = file_change(&status, next)?;
    ensure!(fields.next().is_none(), "a file change has one path too many");
    Ok(change)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_line_that_is_being_written_waits_for_its_end() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut history = open(file.path(), true).unwrap();
        for part in [r#"{"hash":"a","at":1,"aut"#, r#"hor":"änn","files":[]}"#] {
            file.write_all(part.as_bytes()).unwrap();
            assert!(history.next().is_none());
        }
        file.write_all(b"\n").unwrap();
        assert_eq!(history.next().unwrap().unwrap().author, "änn");
        assert!(history.next().is_none());
    }

    #[test]
    fn the_last_line_of_a_finished_file_needs_no_end() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(br#"{"hash":"a","at":1,"author":"ann","files":[]}"#).unwrap();
        let mut history = open(file.path(), false).unwrap();
        assert_eq!(history.next().unwrap().unwrap().hash, "a");
        assert!(history.next().is_none());
    }
}
