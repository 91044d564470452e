//! Compiling a large app: what the macros cost, against serde's derives on the same types; what
//! checked SQL costs, against the same SQL unchecked.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::harness::{Measured, compare};
use crate::{Result, compile_sql};

const TABLES: usize = 100;

/// A check of a crate takes seconds.
const ROUNDS: usize = 5;

/// Notes the CPU time of the compiler it runs.
const TIMER: &str = "#!/bin/sh\n\"$@\" || exit\ntimes > \"$LIVESTORE_BENCH_TIMES\"\n";

/// CPU time of `cargo check`, of the app's crate alone.
pub(crate) fn tables() -> Result<Measured> {
    let workspace = Workspace::generate()?;
    compare(ROUNDS, 1, || workspace.check("ours"), || workspace.check("floor"))
}

/// The same of the app with 200 queries, checked and not.
pub(crate) fn sql() -> Result<Measured> {
    let workspace = Workspace::generate()?;
    compare(ROUNDS, 1, || workspace.check("sql-checked"), || workspace.check("sql-raw"))
}

/// And after a touch, incrementally.
pub(crate) fn sql_touch() -> Result<Measured> {
    let workspace = Workspace::generate()?;
    compare(ROUNDS, 1, || workspace.recheck("sql-checked"), || workspace.recheck("sql-raw"))
}

/// A workspace in the target directory, with a crate for each side.
struct Workspace {
    root: PathBuf,
}

impl Workspace {
    fn generate() -> Result<Self> {
        let livestore =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../livestore").canonicalize()?;
        let binary = std::env::current_exe()?;
        let target = binary.ancestors().nth(2).ok_or("no target directory")?;
        let workspace = Self { root: target.join("bench-compile") };
        fs::create_dir_all(&workspace.root)?;
        workspace.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\n\
             members = [\"ours\", \"floor\", \"sql-checked\", \"sql-raw\"]\n",
        )?;
        // The same versions as here, so that nothing has to be downloaded.
        fs::copy(livestore.join("../Cargo.lock"), workspace.root.join("Cargo.lock"))?;
        let on_livestore = format!("livestore = {{ path = {livestore:?} }}");
        workspace.add("ours", &on_livestore, &ours())?;
        workspace.add("sql-checked", &on_livestore, &with_queries(compile_sql::CHECKED))?;
        workspace.add("sql-raw", &on_livestore, &with_queries(compile_sql::RAW))?;
        workspace.add("floor", "serde = { version = \"1\", features = [\"derive\"] }", &floor())?;
        let timer = workspace.write("timer.sh", TIMER)?;
        fs::set_permissions(timer, fs::Permissions::from_mode(0o755))?;
        Ok(workspace)
    }

    fn add(&self, name: &str, dependency: &str, source: &str) -> Result<()> {
        fs::create_dir_all(self.root.join(name).join("src"))?;
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n\
             [package.metadata.livestore]\nlock = false\n\n[dependencies]\n{dependency}\n"
        );
        self.write(&format!("{name}/Cargo.toml"), &manifest)?;
        self.write(&format!("{name}/src/lib.rs"), source)?;
        Ok(())
    }

    fn write(&self, path: &str, text: &str) -> Result<PathBuf> {
        let path = self.root.join(path);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// The CPU time of checking one crate from nothing, its dependencies being checked already.
    fn check(&self, name: &str) -> Result<Duration> {
        self.check_with("0", name)
    }

    /// The same where only its time stamp is new.
    fn recheck(&self, name: &str) -> Result<Duration> {
        self.check_with("1", name)
    }

    fn check_with(&self, incremental: &str, name: &str) -> Result<Duration> {
        let source = self.root.join(name).join("src/lib.rs");
        fs::write(&source, fs::read(&source)?)?;
        let times = self.root.join("times");
        let status = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
            .args(["check", "--quiet", "--offline", "--package", name])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env("CARGO_INCREMENTAL", incremental)
            .env("RUSTC_WORKSPACE_WRAPPER", self.root.join("timer.sh"))
            .env("LIVESTORE_BENCH_TIMES", &times)
            .status()?;
        if !status.success() {
            return Err(format!("`cargo check` of the generated crate `{name}` failed").into());
        }
        let noted = fs::read_to_string(&times)?;
        fs::remove_file(&times)?;
        children_time(&noted).ok_or_else(|| format!("not the output of `times`: {noted}").into())
    }
}

/// What `times` says on its second line, user and system: `0m1.23s 0m0.45s`.
fn children_time(times: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for part in times.lines().nth(1)?.split_whitespace() {
        let (minutes, seconds) = part.strip_suffix('s')?.split_once('m')?;
        total += Duration::from_secs(60 * minutes.parse::<u64>().ok()?);
        total += Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    }
    Some(total)
}

const COLUMNS: &str = "
    pub id: String,
    pub title: String,
    pub count: i64,
    pub done: bool,
    pub score: f64,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    pub note: Option<String>,
";

const EVENTS: [(&str, &str); 3] = [
    (
        "Created",
        "id: String, title: String, count: i64, done: bool, score: f64, created_at: Timestamp",
    ),
    ("Renamed", "id: String, title: String"),
    ("Deleted", "id: String, deleted_at: Timestamp"),
];

/// Tables, events, materializers and a schema.
fn ours() -> String {
    let mut source = "#![allow(missing_docs)]\nuse livestore::prelude::*;\n".to_owned();
    for n in 0..TABLES {
        let columns = COLUMNS.replacen("pub id", "#[column(primary_key)] pub id", 1);
        let _ = writeln!(source, "#[table] pub struct Table{n} {{{columns}}}");
        let variants = EVENTS.map(|(name, fields)| {
            format!("#[event(name = \"v1.Table{n}{name}\")] {name} {{ {fields} }}")
        });
        let _ =
            writeln!(source, "#[derive(Event)] pub enum Event{n} {{ {} }}", variants.join(", "));
        source += &MATERIALIZER.replace("{n}", &n.to_string());
    }
    let list = |kind| (0..TABLES).map(|n| format!("{kind}{n}")).collect::<Vec<_>>().join(", ");
    let _ = writeln!(
        source,
        "livestore::schema! {{ pub App {{ tables: [{}], events: [{}] }} }}",
        list("Table"),
        list("Event")
    );
    source
}

/// The same app, with queries.
fn with_queries(style: compile_sql::Style) -> String {
    ours() + &compile_sql::queries(TABLES, style)
}

const MATERIALIZER: &str = "
impl Materialize for Event{n} {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Created { id, title, count, done, score, created_at } => {
                state.insert(&Table{n} {
                    id: id.clone(),
                    title: title.clone(),
                    count: *count,
                    done: *done,
                    score: *score,
                    created_at: *created_at,
                    deleted_at: None,
                    note: None,
                })
            }
            Self::Renamed { id, title } => state.run(
                Table{n}::update().set(Table{n}::TITLE, title).filter(Table{n}::ID.eq(id)),
            ),
            Self::Deleted { id, deleted_at } => state.run(
                Table{n}::update().set(Table{n}::DELETED_AT, *deleted_at).filter(Table{n}::ID.eq(id)),
            ),
        }
    }
}
";

/// The same structs and enums with serde's derives.
fn floor() -> String {
    let derive = "#[derive(Serialize, Deserialize)]";
    let mut source = format!(
        "use serde::{{Deserialize, Serialize}};\n{derive} pub struct Timestamp(pub i64);\n"
    );
    for n in 0..TABLES {
        let _ = writeln!(source, "{derive} pub struct Table{n} {{{COLUMNS}}}");
        let variants = EVENTS.map(|(name, fields)| {
            format!("#[serde(rename = \"v1.Table{n}{name}\")] {name} {{ {fields} }}")
        });
        let _ = writeln!(source, "{derive} pub enum Event{n} {{ {} }}", variants.join(", "));
    }
    source
}
