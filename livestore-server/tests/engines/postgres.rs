//! A PostgreSQL server of a test's own, on a socket in its own directory.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where Debian has its programs.
const VERSIONS: &str = "/usr/lib/postgresql";

pub(crate) struct Postgres {
    programs: PathBuf,
    /// PostgreSQL refuses to run as root, so it is another user's.
    user: Option<(u32, u32)>,
    directory: TempDir,
    settings: Vec<String>,
    port: u16,
    server: Option<Child>,
}

impl Postgres {
    /// Starts a server with a role `livestore` that may create databases, and do nothing else.
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap())
    }

    /// Starts it with its data in this directory.
    pub(crate) fn start_in(directory: TempDir) -> Self {
        let mut postgres = Self::new(directory);
        let data = postgres.data();
        let made = postgres
            .command("initdb")
            .args(["--no-sync", "--locale=C", "--encoding=UTF8", "--username=admin"])
            .args(["--auth=trust", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // The administrator of the test comes without a password, the server with one.
        let rules = "local all,replication admin trust\nlocal all all scram-sha-256\n\
                     host all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(data.join("pg_hba.conf"), rules).unwrap();
        postgres.up();
        postgres.sql("postgres", "CREATE ROLE livestore LOGIN PASSWORD 'secret'");
        postgres
    }

    /// Starts a replica of it.
    pub(crate) fn replica(&self) -> Self {
        let mut replica = Self::new(tempfile::tempdir().unwrap());
        let mut command = replica.command("pg_basebackup");
        command.args(["--no-sync", "--checkpoint=fast", "--write-recovery-conf"]);
        command.args(["--username=admin", "--port", &self.port.to_string()]);
        command.arg("--host").arg(self.socket()).arg("--pgdata").arg(replica.data());
        let copied = command.output().unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        replica.up();
        replica
    }

    fn new(directory: TempDir) -> Self {
        let programs = programs().expect("PostgreSQL is installed (apt-get install postgresql)");
        let user = unprivileged_user();
        if let Some((uid, gid)) = user {
            chown(directory.path(), Some(uid), Some(gid)).unwrap();
        }
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { programs, user, directory, settings: Vec::new(), port: 5432, server: None }
    }

    /// Starts it, with what it had stored.
    pub(crate) fn up(&mut self) {
        let (socket, data) = (self.socket(), self.data());
        let mut command = self.command("postgres");
        command.arg("-D").arg(data).arg("-k").arg(&socket);
        command.args(["-c", "listen_addresses=", "-c", "max_connections=200"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.stdout(Stdio::null());
        command.stderr(fs::File::create(self.directory.path().join("log")).unwrap());
        self.server = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while !self.psql("postgres", "SELECT 1").output().unwrap().status.success() {
            let log = || fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a crash does: nothing is flushed, connections break.
    pub(crate) fn crash(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let pid = server.id().to_string();
        Command::new("kill").args(["-QUIT", &pid]).status().unwrap();
        server.wait().unwrap();
    }

    /// Has it hang, and go on.
    pub(crate) fn pause(&self) {
        self.signal_all("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal_all("-CONT");
    }

    /// Sets how it is started the next time.
    pub(crate) fn set(&mut self, settings: &[String], port: u16) {
        self.settings.extend_from_slice(settings);
        self.port = port;
    }

    /// The server first: from then on it starts no process that would be missed.
    fn signal_all(&self, signal: &str) {
        let server = self.server.as_ref().unwrap().id().to_string();
        let send = |pids: &[&str]| {
            // Some have ended meanwhile, which it would complain about.
            let _ = Command::new("kill").arg(signal).args(pids).stderr(Stdio::null()).status();
        };
        send(&[&server]);
        let children = Command::new("pgrep").args(["-P", &server]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        send(&children.lines().collect::<Vec<_>>());
    }

    /// Restarts it with one more setting.
    pub(crate) fn restart_with(&mut self, setting: &str) {
        self.crash();
        self.settings.push(setting.to_owned());
        self.up();
    }

    /// Creates a database, and returns its URL. Its owner is the role of the server.
    pub(crate) fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name} OWNER livestore"));
        self.url(name)
    }

    pub(crate) fn url(&self, database: &str) -> String {
        let socket = self.socket();
        format!("postgres://livestore:secret@/{database}?host={}", socket.display())
    }

    /// Runs a statement as the administrator, and returns what it returns.
    pub(crate) fn sql(&self, database: &str, statement: &str) -> String {
        let output = self.psql(database, statement).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a statement where a URL leads.
    pub(crate) fn sql_at(&self, url: &str, statement: &str) {
        let output = self.psql(url, statement).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Has a transaction lock all stores until the server ends.
    pub(crate) fn lock_stores(&self, database: &str) -> Child {
        let lock = "BEGIN; SELECT 1 FROM livestore.stores FOR UPDATE; SELECT pg_sleep(3600)";
        let mut psql = self.psql(database, lock);
        psql.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn psql(&self, database: &str, statement: &str) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        command.args(["-d", database, "-c", statement]);
        // A URL comes before it.
        command.env("PGUSER", "admin").env("PGPORT", self.port.to_string());
        command.env("PGHOST", self.socket());
        command
    }

    /// The files of certificates and keys that it may read.
    pub(crate) fn install(&self, name: &str, content: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((uid, gid)) = self.user {
            chown(&path, Some(uid), Some(gid)).unwrap();
        }
        path
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The user and group that it runs as, if they are not those of the test.
    pub(crate) fn user(&self) -> Option<(u32, u32)> {
        self.user
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.directory.path()).env_remove("PGDATA");
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The directory of the socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.resume();
        }
        self.crash();
    }
}

/// The folder of PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    std::env::split_paths(&path)
        .chain(versions.map(|version| version.path().join("bin")))
        .find(|folder| ["initdb", "postgres", "psql"].iter().all(|it| folder.join(it).exists()))
}

/// The user and group to run as, if this is root.
fn unprivileged_user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata(Path::new("/proc/self")).ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody"))
}
