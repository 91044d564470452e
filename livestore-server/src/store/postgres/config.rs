//! What a Postgres URL says.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::OpenPostgresError;

/// The most connections that a server has to Postgres for pushes and pulls, unless the URL says
/// otherwise. One more receives notifications.
const CONNECTIONS: usize = 16;

/// A Postgres server that is silent for longer is given up.
const SILENCE: Duration = Duration::from_secs(10);

/// A URL, with the parameters that are ours taken out.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: Config,
    /// `connections`: the size of the pool.
    pub(super) connections: usize,
    /// `sslrootcert`: the certificates that are trusted instead of the system's.
    pub(super) roots: Option<PathBuf>,
}

impl Settings {
    pub(super) fn parse(url: &str) -> Result<Self, OpenPostgresError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut connections, mut roots, mut rest) = (CONNECTIONS, None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=').unwrap_or((parameter, "")) {
                ("connections", number) => {
                    connections = number
                        .parse()
                        .ok()
                        .filter(|n| (1..=1_000).contains(n))
                        .ok_or(OpenPostgresError::Connections { found: number.to_owned() })?;
                }
                ("sslrootcert", file) => roots = Some(PathBuf::from(file)),
                // A certificate is always checked.
                ("sslmode", "verify-ca" | "verify-full") => rest.push("sslmode=require"),
                _ => rest.push(parameter),
            }
        }
        let mut config: Config = match rest.is_empty() {
            true => base.parse(),
            false => format!("{base}?{}", rest.join("&")).parse(),
        }
        .map_err(OpenPostgresError::Url)?;
        if config.get_application_name().is_none() {
            config.application_name("livestore-server");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        config.keepalives_idle(SILENCE);
        Ok(Self { config, connections, roots })
    }

    /// Where Postgres is, for people. Never with the password.
    pub(super) fn place(&self) -> String {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<_> = hosts.collect();
        let ports: Vec<_> = self.config.get_ports().iter().map(u16::to_string).collect();
        let at = hosts.join(",");
        match ports.is_empty() {
            true => at,
            false => format!("{at}:{}", ports.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use super::*;

    #[test]
    fn a_url_is_read_with_the_parameters_that_are_ours() {
        let url = "postgres://me:secret@db.example:6432/app?connections=3&sslmode=verify-full&sslrootcert=/ca.pem";
        let settings = Settings::parse(url).unwrap();
        assert_eq!((settings.connections, settings.place()), (3, "db.example:6432".into()));
        assert_eq!(settings.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(settings.roots, Some(PathBuf::from("/ca.pem")));
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for (url, said) in [
            ("postgres://db?connections=0", "connections is `0`; it has to be 1 to 1000"),
            ("postgres://db?conections=3", "the Postgres URL cannot be read"),
            ("postgres://db:port", "the Postgres URL cannot be read"),
        ] {
            let refused = Settings::parse(url).unwrap_err();
            assert!(refused.to_string().starts_with(said), "{refused}");
        }
    }
}
