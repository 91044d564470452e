//! The program, run as people run it.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests make files, and their helpers fail by panicking"
)]

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A directory with a store in it, and whatever else a test needs.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn command(&self) -> Command {
        let mut command = clean(env!("CARGO_BIN_EXE_repo-history"));
        command.arg("--dir").arg(self.path("data"));
        // So that a repository around the temporary directory is not found.
        command.env("GIT_CEILING_DIRECTORIES", self.0.path());
        command
    }

    fn report(&self, source: &Path) -> Value {
        succeed(self.command().arg("--json").arg(source))
    }

    /// Runs the program, which must fail, and returns its one line.
    fn failure(&self, source: &Path) -> String {
        fail(self.command().arg(source))
    }
}

/// A command that knows nothing of a git hook that the tests may run in.
fn clean(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
}

fn run(command: &mut Command) -> (Output, String) {
    run_into(command, Stdio::piped())
}

fn run_into(command: &mut Command, stdout: Stdio) -> (Output, String) {
    let output = command.stdout(stdout).output().unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    (output, stderr)
}

fn succeed(command: &mut Command) -> Value {
    let (output, stderr) = run(command);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "", "there is no progress bar without a terminal");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn fail(command: &mut Command) -> String {
    let (output, stderr) = run(command);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(output.stdout.is_empty());
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

const SMALL: &str = r#"{"hash":"a1","at":1,"author":"ann","files":[["A","x y"],["A","b/ö\n"]]}
{"hash":"b2","at":2,"author":"bob","files":[["M","x y"],["T","b/ö\n"]]}
{"hash":"c3","at":3,"author":"bob","files":[]}
{"hash":"d4","at":4,"author":"ann","files":[["R100","x y","z"],["C","z","y"],["D","b/ö\n"]]}
"#;

/// The report that [`SMALL`] should give; ties are ordered by name.
fn small_report(new: u64) -> Value {
    json!({
        "new": new, "commits": 4, "fileChanges": 7, "files": 4, "authors": 2,
        "mostChangedFiles": [
            { "path": "b/ö\n", "changes": 3 },
            { "path": "x y", "changes": 2 },
            { "path": "y", "changes": 1 },
            { "path": "z", "changes": 1 },
        ],
        "busiestAuthors": [
            { "name": "ann", "commits": 2, "changes": 5 },
            { "name": "bob", "commits": 2, "changes": 2 },
        ],
    })
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// As many commits as asked for, each changing one file.
fn commits(count: usize) -> String {
    let line = |n| {
        format!("{{\"hash\":\"{n:x}\",\"at\":{n},\"author\":\"ann\",\"files\":[[\"M\",\"a\"]]}}\n")
    };
    (0..count).map(line).collect()
}

#[test]
fn a_file_is_replayed_once() {
    for (name, bytes) in [("h.jsonl", SMALL.into()), ("h.jsonl.gz", gzip(SMALL))] {
        let place = Place::new();
        let file = place.write(name, bytes);
        assert_eq!(place.report(&file), small_report(4));
        assert_eq!(place.report(&file), small_report(0));
    }
}

#[test]
fn only_what_is_new_is_added() {
    let place = Place::new();
    let two: String = SMALL.split_inclusive('\n').take(2).collect();
    // The same commit twice counts once.
    let file = place.write("h.jsonl", two.repeat(2));
    assert_eq!(place.report(&file)["new"], 2);
    let file = place.write("h.jsonl", SMALL);
    assert_eq!(place.report(&file), small_report(2));
}

#[test]
fn stores_are_apart_and_people_get_a_text() {
    let place = Place::new();
    let file = place.write("h.jsonl", SMALL);
    place.report(&file);
    let output = place.command().args(["--store", "other"]).arg(file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("4 commits, 4 of them new\n"), "{text}");
    assert!(text.contains("7 changes of 4 files by 2 authors"), "{text}");
    assert!(place.path("data/other").is_dir());
}

#[test]
fn the_state_is_the_same_from_the_log_alone() {
    let place = Place::new();
    let file = place.write("h.jsonl", SMALL);
    place.report(&file);
    fs::remove_file(place.path("data/repo-history/state.snapshot")).unwrap();
    assert_eq!(place.report(&file), small_report(0));
}

#[test]
fn a_real_history_counts_as_it_does_by_hand() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/repo-history.jsonl.gz");
    if !file.exists() {
        eprintln!("skipped: {} is not here", file.display());
        return;
    }
    let mut expected = count_by_hand(&file);
    assert_eq!((&expected["commits"], &expected["fileChanges"]), (&json!(11_598), &json!(36_393)));
    let place = Place::new();
    for new in [11_598, 0] {
        expected["new"] = new.into();
        assert_eq!(place.report(&file), expected);
    }
}

/// The parts of a line that are compared.
#[derive(Deserialize)]
struct Commit {
    author: String,
    /// The path, or the new one, is the last.
    files: Vec<Vec<String>>,
}

/// The report of a file whose commits all differ, made with nothing but maps.
fn count_by_hand(file: &Path) -> Value {
    let (mut files, mut authors) = (HashMap::new(), HashMap::new());
    for line in BufReader::new(GzDecoder::new(File::open(file).unwrap())).lines() {
        let commit: Commit = serde_json::from_str(&line.unwrap()).unwrap();
        let (commits, changes) = authors.entry(commit.author).or_insert((0, 0));
        *commits += 1;
        *changes += commit.files.len();
        for mut change in commit.files {
            *files.entry(change.pop().unwrap()).or_insert(0) += 1;
        }
    }
    let author = |(name, (commits, changes))| json!({ "name": name, "commits": commits, "changes": changes });
    json!({
        "commits": authors.values().map(|(commits, _)| commits).sum::<u64>(),
        "fileChanges": files.values().sum::<u64>(),
        "files": files.len(),
        "authors": authors.len(),
        "mostChangedFiles": top_ten(files, |&changes| changes)
            .map(|(path, changes)| json!({ "path": path, "changes": changes })).collect::<Vec<_>>(),
        "busiestAuthors": top_ten(authors, |&(commits, _)| commits).map(author).collect::<Vec<_>>(),
    })
}

/// By the number, greatest first; of equals by name.
fn top_ten<V>(
    counts: HashMap<String, V>,
    number: impl Fn(&V) -> u64,
) -> impl Iterator<Item = (String, V)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(a, x), (b, y)| number(y).cmp(&number(x)).then_with(|| a.cmp(b)));
    counts.into_iter().take(10)
}

#[test]
fn a_git_repository_is_replayed() {
    if !git_is_here() {
        return;
    }
    let place = Place::new();
    let repository = place.path("repository");
    let git = |args: &[&str]| git(&repository, args);
    let report = || succeed(place.command().arg("--json").arg("--git").arg(&repository));
    fs::create_dir(&repository).unwrap();
    git(&["init", "-q"]);
    fs::write(repository.join("old"), "some text\n").unwrap();
    fs::write(repository.join("odd \"ö\"\n"), "other text\n").unwrap();
    git(&["add", "."]);
    git(&["commit", "-qm", "Begin"]);
    git(&["mv", "old", "new"]);
    git(&["commit", "-qm", "Rename"]);
    git(&["checkout", "-qb", "side"]);
    git(&["commit", "-q", "--allow-empty", "-m", "Do nothing"]);
    git(&["checkout", "-q", "-"]);
    git(&["merge", "-q", "--no-ff", "-m", "Merge", "side"]);
    let expected = |new| {
        json!({
            "new": new, "commits": 4, "fileChanges": 3, "files": 3, "authors": 1,
            "mostChangedFiles": [
                { "path": "new", "changes": 1 },
                { "path": "odd \"ö\"\n", "changes": 1 },
                { "path": "old", "changes": 1 },
            ],
            "busiestAuthors": [{ "name": "Änn", "commits": 4, "changes": 3 }],
        })
    };
    assert_eq!(report(), expected(4));
    assert_eq!(report(), expected(0));

    git(&["rm", "-q", "new"]);
    git(&["commit", "-qm", "Remove"]);
    let report = report();
    assert_eq!((&report["new"], &report["commits"]), (&json!(1), &json!(5)));
    assert_eq!(report["mostChangedFiles"][0], json!({ "path": "new", "changes": 2 }));
}

fn git_is_here() -> bool {
    let is_here = Command::new("git").arg("--version").output().is_ok();
    if !is_here {
        eprintln!("skipped: git is not here");
    }
    is_here
}

/// Git, with nobody's settings.
fn git(repository: &Path, args: &[&str]) {
    let mut git = clean("git");
    git.arg("-C").arg(repository).args(args);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), "Änn")
            .env(format!("GIT_{who}_EMAIL"), "ann@example.com");
    }
    let (output, stderr) = run(&mut git);
    assert!(output.status.success(), "git {args:?}: {stderr}");
}

#[test]
fn a_source_that_is_not_there_is_named() {
    let place = Place::new();
    let missing = place.path("missing.jsonl");
    assert!(place.failure(&missing).contains("missing.jsonl: "));
    if git_is_here() {
        let error = fail(place.command().arg("--git").arg(place.0.path()));
        assert!(error.contains("not a git repository"), "{error}");
    }
    let error = fail(&mut place.command());
    assert!(error.contains("--git"), "{error}");
    assert!(!place.path("data").exists(), "no store was made");
}

#[test]
fn a_bad_line_is_named_and_what_came_before_stays() {
    let place = Place::new();
    let good = commits(700);
    let file = place.write("h.jsonl", format!("{good}no JSON\n"));
    assert_eq!(
        place.failure(&file),
        format!("error: {}, line 701: not a commit: expected ident\n", file.display())
    );
    let file = place.write("h.jsonl", good);
    let report = place.report(&file);
    assert_eq!((&report["new"], &report["commits"]), (&json!(200), &json!(700)));
}

#[test]
fn a_line_that_is_no_commit_is_named() {
    let place = Place::new();
    let lines = [
        (r#"{"hash":"a","at":1,"author":"ann"}"#, "missing field `files`"),
        (r#"{"hash":"a","at":1,"author":"ann","files":[["X","p"]]}"#, "\"X\" is no status"),
        (r#"{"hash":"a","at":1,"author":"ann","files":[["R","p"]]}"#, "lacks its path"),
        (r#"{"hash":"a","at":1,"author":"ann","files":[["M","p","q"]]}"#, "one path too many"),
        ("", "EOF while parsing a value"),
    ];
    for (line, reason) in lines {
        let file = place.write("h.jsonl", format!("{line}\n"));
        let error = place.failure(&file);
        assert!(error.contains("h.jsonl, line 1: ") && error.contains(reason), "{error}");
    }
}

#[test]
fn a_truncated_gz_fails_and_a_whole_one_goes_on() {
    let place = Place::new();
    let whole = gzip(&commits(2_000));
    let file = place.write("h.jsonl.gz", &whole[..whole.len() / 2]);
    assert!(place.failure(&file).contains("h.jsonl.gz, line "));
    let file = place.write("h.jsonl.gz", whole);
    let report = place.report(&file);
    assert_eq!(report["commits"], 2_000);
    let kept = 2_000 - report["new"].as_u64().unwrap();
    assert!(kept > 0 && kept.is_multiple_of(500), "{kept}");
}

/// The program with `--watch --json`, ended with the test.
struct Watch {
    child: Child,
    reports: Receiver<Value>,
}

impl Watch {
    fn start(command: &mut Command) -> Self {
        command.args(["--watch", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, reports) = mpsc::channel();
        thread::spawn(move || {
            for line in lines {
                _ = sender.send(serde_json::from_str(&line.unwrap()).unwrap());
            }
        });
        Self { child, reports }
    }

    /// Waits for the report with this number of commits.
    fn report_of(&self, commits: u64) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let report = self.reports.recv_timeout(left).unwrap();
            if report["commits"] == commits {
                return report;
            }
            assert!(report["commits"].as_u64().unwrap() < commits, "{report}");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn a_file_is_watched_as_it_grows() {
    let place = Place::new();
    let lines: Vec<_> = SMALL.split_inclusive('\n').collect();
    let file = place.write("h.jsonl", lines[..2].concat());
    let mut watch = Watch::start(place.command().arg(&file));
    assert_eq!(watch.report_of(2)["new"], 2);

    let mut file = OpenOptions::new().append(true).open(file).unwrap();
    let (start, end) = lines[2].split_at(9);
    file.write_all(start.as_bytes()).unwrap();
    file.write_all(end.as_bytes()).unwrap();
    watch.report_of(3);
    file.write_all(lines[3].as_bytes()).unwrap();
    assert_eq!(watch.report_of(4), small_report(4));

    file.write_all(b"no JSON\n").unwrap();
    assert_eq!(watch.child.wait().unwrap().code(), Some(1));
    let mut stderr = String::new();
    watch.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(stderr.contains("h.jsonl, line 5: not a commit"), "{stderr}");
}

#[test]
fn a_git_repository_is_watched_as_it_gets_commits() {
    if !git_is_here() {
        return;
    }
    let place = Place::new();
    let repository = place.path("repository");
    fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q"]);
    let commit = || git(&repository, &["commit", "-q", "--allow-empty", "-m", "Go on"]);
    commit();
    let watch = Watch::start(place.command().arg("--git").arg(&repository));
    watch.report_of(1);
    for commits in 2..4 {
        commit();
        assert_eq!(watch.report_of(commits)["new"], commits);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new();
    let file = place.write("h.jsonl", SMALL);
    for arg in ["--json", "--watch"] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let (output, stderr) = run_into(place.command().arg(&file).arg(arg), writer.into());
        assert!(output.status.success(), "{stderr}");
        assert_eq!(stderr, "");
    }
}
