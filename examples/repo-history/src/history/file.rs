//! A history from a file: JSON, one commit a line, plain or gzipped.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

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

pub(crate) fn open(path: &Path) -> Result<History> {
    let name = path.display().to_string();
    #[expect(clippy::disallowed_methods, reason = "an app is where files are opened")]
    let file = File::open(path).with_context(|| name.clone())?;
    let file = progress_bar(file.metadata()?.len())?.wrap_read(file);
    let text: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let lines = BufReader::new(text).lines().zip(1_u64..);
    Ok(Box::new(lines.map(move |(line, number)| {
        read_line(line).with_context(|| format!("{name}, line {number}"))
    })))
}

fn read_line(line: io::Result<String>) -> Result<CommitRecorded> {
    let line: Line = serde_json::from_str(&line?).map_err(not_a_commit)?;
    let files = line.files.into_iter().map(read_file);
    Ok(CommitRecorded {
        hash: line.hash,
        author: line.author,
        committed_at: time(line.at),
        files: files.collect::<Result<_>>()?,
    })
}

/// What serde says, but not where: to serde, every line is line 1.
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
