//! What a NATS URL says.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::{ConnectOptions, ServerAddr};

use super::error::OpenNatsError;
use crate::store::remote::PATIENCE;

/// A message has an event, which takes at most 901,024 bytes on the wire, and what belongs to it.
pub(super) const MIN_PAYLOAD: usize = 1_000_000;

/// A URL, with the parameters that are ours taken out.
#[derive(Clone)]
pub(super) struct Settings {
    /// One for each server of the cluster.
    servers: Vec<String>,
    /// `replicas`: the number of copies of a store in a cluster.
    pub(super) replicas: u8,
    /// `credentials`: a file of NATS, with a JWT and a seed.
    credentials: Option<PathBuf>,
    /// `tls_ca`: the certificates that are trusted instead of the system's.
    roots: Option<PathBuf>,
}

impl Settings {
    pub(super) fn parse(url: &str) -> Result<Self, OpenNatsError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let servers: Vec<_> = base.split(',').map(str::to_owned).collect();
        let mut settings = Self { servers, replicas: 1, credentials: None, roots: None };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=').unwrap_or((parameter, "")) {
                ("replicas", number) => {
                    settings.replicas = match number.parse() {
                        Ok(replicas @ (1 | 3 | 5)) => replicas,
                        _ => {
                            let problem = format!("replicas is `{number}`; it has to be 1, 3 or 5");
                            return Err(OpenNatsError::Url(problem));
                        }
                    }
                }
                ("credentials", file) => settings.credentials = Some(file.into()),
                ("tls_ca", file) => settings.roots = Some(file.into()),
                (name, _) => {
                    return Err(OpenNatsError::Url(format!("`{name}` is not a parameter of it")));
                }
            }
        }
        Ok(settings)
    }

    /// Where NATS is, for people. Never with the password.
    pub(super) fn place(&self) -> String {
        let hosts = self.servers.iter().map(|server| {
            let rest = server.split_once("://").map_or(&**server, |(_, rest)| rest);
            rest.rsplit_once('@').map_or(rest, |(_, host)| host)
        });
        hosts.collect::<Vec<_>>().join(",")
    }

    pub(super) async fn connect(&self) -> Result<async_nats::Client, OpenNatsError> {
        let mut options = match &self.credentials {
            Some(path) => ConnectOptions::with_credentials_file(path).await.map_err(|source| {
                OpenNatsError::Credentials { file: path.display().to_string(), source }
            })?,
            None => ConnectOptions::new(),
        };
        options = options
            .name("livestore-server")
            .connection_timeout(Duration::from_secs(5))
            .request_timeout(Some(PATIENCE))
            .ping_interval(Duration::from_secs(5));
        if let Some(roots) = &self.roots {
            options = options.add_root_certificates(roots.clone());
        }
        let parsed = self.servers.iter().map(|server| server.parse::<ServerAddr>());
        // The text of the error would show the password.
        let servers: Vec<_> = parsed.collect::<Result<_, _>>().map_err(|_| {
            OpenNatsError::Url("it has to be nats://HOST:PORT or tls://HOST:PORT".to_owned())
        })?;
        // The client does not take them from the URL.
        let of_first = |part: fn(&ServerAddr) -> Option<&str>| {
            servers.iter().find_map(|server| part(server).map(decode))
        };
        match (of_first(ServerAddr::username), of_first(ServerAddr::password)) {
            (Some(user), Some(password)) => options = options.user_and_password(user, password),
            (Some(token), None) => options = options.token(token),
            (None, _) => {}
        }
        options.connect(servers).await.map_err(|error| {
            use async_nats::ConnectErrorKind::{Authentication, AuthorizationViolation};
            let (place, kind) = (self.place(), error.kind());
            let source = Box::new(error);
            match kind {
                Authentication | AuthorizationViolation => OpenNatsError::Refused { place, source },
                _ => OpenNatsError::Unreachable { place, source },
            }
        })
    }
}

/// Decodes `%2F` and the like, of which a URL is made.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.as_bytes());
        let code = after.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        match (code, after.get(2..)) {
            (Some(code), Some(after)) => {
                bytes.push(code);
                rest = after;
            }
            _ => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_with_its_parameters() {
        let url = "nats://me:secret@a:4222,nats://b:4222?replicas=3&tls_ca=/ca.pem";
        let settings = Settings::parse(url).unwrap();
        assert_eq!((settings.place(), settings.replicas), ("a:4222,b:4222".into(), 3));
        assert_eq!(settings.roots, Some("/ca.pem".into()));
    }

    #[test]
    fn what_a_url_encodes_is_decoded() {
        assert_eq!(decode("a%2Fb%40%C3%a4"), "a/b@ä");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for (url, said) in [
            ("nats://a?replicas=2", "replicas is `2`; it has to be 1, 3 or 5"),
            ("nats://a?replica=3", "`replica` is not a parameter of it"),
        ] {
            let refused = Settings::parse(url).err().unwrap();
            assert!(refused.to_string().ends_with(said), "{refused}");
        }
    }
}
