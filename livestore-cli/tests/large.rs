//! What is larger than memory: the command reads and writes it piece by piece.

#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

mod support;

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::process::{Command, Output, Stdio};

use support::Data;

/// The memory that the command may have, besides its program, in kilobytes.
const MEMORY: usize = 64 * 1024;

/// The bytes of a file of events: `LIVESTORE_LARGE_BYTES=1000000000` for a gigabyte.
fn large() -> usize {
    let asked = std::env::var("LIVESTORE_LARGE_BYTES").ok();
    asked.map_or(3 * MEMORY * 1024 / 2, |bytes| bytes.parse().unwrap())
}

/// The command with little memory.
fn limited(data: &Data, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let limited = format!("ulimit -d {MEMORY} && exec \"$0\" \"$@\"");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_livestore")]).args(args);
    command.current_dir(data.path());
    command
}

fn run(data: &Data, args: &[&str]) -> Output {
    limited(data, args).output().unwrap()
}

/// Writes a file of about as many bytes, of events of half a megabyte; returns their number.
fn write_events(data: &Data, name: &str, bytes: usize) -> usize {
    const TEXT: usize = 500_000;
    let text = "x".repeat(TEXT);
    let count = bytes.div_ceil(TEXT);
    let mut file = BufWriter::new(File::create(data.file(name)).unwrap());
    for n in 1..=count {
        let parent = n - 1;
        writeln!(
            file,
            r#"{{"seqNum":{n},"parentSeqNum":{parent},"name":"v1.Said","args":{{"text":"{text}"}},"clientId":"c","sessionId":"s"}}"#
        )
        .unwrap();
    }
    file.flush().unwrap();
    count
}

#[test]
fn events_that_are_larger_than_memory_come_and_go() {
    let data = Data::new();
    let count = write_events(&data, "large.jsonl", large());
    let done = run(&data, &["import", "large.jsonl", ".", "said"]);
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    // Thousands have commas.
    assert_eq!(out.replace(',', ""), format!("{count} events added to said\n"), "{err}");
    let done = run(&data, &["export", ".", "said", "-o", "again.jsonl"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let length = |name: &str| fs::metadata(data.file(name)).unwrap().len();
    assert!(length("again.jsonl") > length("large.jsonl") * 9 / 10);
    // The last line is cut: nothing of the file is in the store.
    let file = File::options().write(true).open(data.file("large.jsonl")).unwrap();
    file.set_len(length("large.jsonl") - 100).unwrap();
    let done = run(&data, &["import", "large.jsonl", ".", "cut"]);
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{err}");
    assert!(err.contains(&format!("large.jsonl:{count}: EOF")), "{err}");
    assert!(!data.file("cut").exists());
}

#[test]
fn a_result_that_is_larger_than_memory_is_written_row_by_row() {
    let data = Data::new().with_store("todos", 12_000);
    let rows = large() / 100_000;
    let query = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {rows}) \
         SELECT printf('%0100000d', i) FROM n"
    );
    for json in [&[][..], &["--json"]] {
        let args = [&["state", "-q", &query], json].concat();
        let mut child = limited(&data, &args).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let (mut bytes, mut part) = (0, vec![0; 1 << 20]);
        loop {
            match out.read(&mut part).unwrap() {
                0 => break,
                read => bytes += read,
            }
        }
        assert!(child.wait().unwrap().success(), "after {bytes} bytes");
        assert!(bytes > rows * 100_000);
    }
}
