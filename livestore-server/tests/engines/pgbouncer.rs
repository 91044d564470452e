//! A PgBouncer of a test's own, in front of a PostgreSQL.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::postgres::Postgres;

/// Where Debian has it, which is not in everybody's path.
const DEBIAN: &str = "/usr/sbin/pgbouncer";

pub(crate) struct PgBouncer {
    directory: TempDir,
    port: u16,
    server: Option<Child>,
    /// The user that it runs as, if this is root, which it refuses to run as.
    user: Option<(u32, u32)>,
}

impl PgBouncer {
    /// Starts one that lends a connection for one transaction, and has this many for each database.
    pub(crate) fn start(postgres: &Postgres, connections: u32) -> Self {
        Self::with(postgres, &format!("pool_mode = transaction\ndefault_pool_size = {connections}"))
    }

    /// Starts one with these settings.
    pub(crate) fn with(postgres: &Postgres, settings: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = |name: &str| directory.path().join(name).display().to_string();
        fs::write(at("users.txt"), "\"livestore\" \"secret\"\n").unwrap();
        let configuration = format!(
            "[databases]\n* = host={} port={}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = plain\nauth_file = {}\nlogfile = {}\nserver_login_retry = 0.1\n{settings}\n",
            postgres.socket().display(),
            postgres.port(),
            at("users.txt"),
            at("log"),
        );
        fs::write(at("pgbouncer.ini"), configuration).unwrap();
        let user = postgres.user();
        if let Some((uid, gid)) = user {
            for path in [directory.path().to_owned(), at("users.txt").into()] {
                std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
            }
        }
        let mut bouncer = Self { directory, port, server: None, user };
        bouncer.up();
        bouncer
    }

    pub(crate) fn up(&mut self) {
        let program = if Path::new(DEBIAN).exists() { DEBIAN } else { "pgbouncer" };
        let mut command = Command::new(program);
        command.arg(self.directory.path().join("pgbouncer.ini"));
        if let Some((uid, gid)) = self.user {
            use std::os::unix::process::CommandExt;
            command.uid(uid).gid(gid);
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let server = command.spawn().expect("PgBouncer is installed (apt-get install pgbouncer)");
        self.server = Some(server);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not start: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it.
    pub(crate) fn crash(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        server.kill().unwrap();
        server.wait().unwrap();
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://livestore:secret@127.0.0.1:{}/{database}", self.port)
    }
}

/// Returns what kills Postgres or PgBouncer, in turn, and starts it again.
pub(crate) fn crash_in_turn<'a>(
    postgres: &'a mut Postgres,
    bouncer: &'a mut PgBouncer,
) -> impl FnMut() + 'a {
    let mut is_turn_of_postgres = false;
    move || {
        if is_turn_of_postgres {
            postgres.crash();
            postgres.up();
        } else {
            bouncer.crash();
            bouncer.up();
        }
        is_turn_of_postgres = !is_turn_of_postgres;
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.crash();
    }
}
