use std::fmt::Display;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use livestore_protocol::Secret;
use serde::{Deserialize, Deserializer};
use tracing_subscriber::filter::LevelFilter;

use super::Failure;
use super::storage::Storage;
use crate::auth::{Authenticate, Jwt, NoAuth, TokenFile};
use crate::server::Limits;
use crate::store::{Durability, EventStore, StoreLimits};

/// The settings: from a flag, else from the environment, else from the file that `--config` names.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Options {
    /// A TOML file with any of these settings, under the names of the flags.
    #[arg(long, global = true, env = "LIVESTORE_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// The address and port to listen on [default: 127.0.0.1:8787].
    #[arg(long, env = "LIVESTORE_LISTEN")]
    listen: Option<String>,
    /// Where the events are: sqlite:DIR, postgres://… or nats://… [default: sqlite:./data].
    #[arg(
        long,
        global = true,
        env = "LIVESTORE_STORAGE",
        hide_env_values = true,
        value_name = "STORAGE"
    )]
    #[serde(default, deserialize_with = "secret")]
    storage: Option<Secret>,
    /// Short for --storage sqlite:DIR, which comes before it.
    #[arg(long, global = true, env = "LIVESTORE_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// When a push is answered: `synced`, once it is on disk, or `written`, once the operating system
    /// has it [default: synced].
    #[arg(long, env = "LIVESTORE_DURABILITY")]
    durability: Option<Durability>,
    /// A file with one token per line: TOKEN STORES RIGHTS.
    #[arg(long, env = "LIVESTORE_TOKENS", value_name = "FILE", group = "auth")]
    tokens: Option<PathBuf>,
    /// A file with the secret of tokens that are signed with HS256.
    #[arg(long, env = "LIVESTORE_JWT_SECRET", value_name = "FILE", group = "auth")]
    jwt_secret: Option<PathBuf>,
    /// A JWKS file with the keys of tokens that are signed with RS256 or ES256.
    #[arg(long, env = "LIVESTORE_JWT_JWKS", value_name = "FILE", group = "auth")]
    jwt_jwks: Option<PathBuf>,
    /// Accept only signed tokens with this `iss`.
    #[arg(long, env = "LIVESTORE_JWT_ISSUER", value_name = "TEXT")]
    jwt_issuer: Option<String>,
    /// Accept only signed tokens with this `aud`.
    #[arg(long, env = "LIVESTORE_JWT_AUDIENCE", value_name = "TEXT")]
    jwt_audience: Option<String>,
    /// How far the clock of whoever signs tokens may be from this machine's [default: 30].
    #[arg(
        long,
        env = "LIVESTORE_JWT_LEEWAY_SECONDS",
        value_name = "N",
        allow_negative_numbers = true
    )]
    jwt_leeway_seconds: Option<u64>,
    /// The most connections at a time [default: 10000].
    #[arg(
        long,
        env = "LIVESTORE_MAX_CONNECTIONS",
        value_name = "N",
        allow_negative_numbers = true
    )]
    max_connections: Option<usize>,
    /// The most stores [default: no limit].
    #[arg(long, env = "LIVESTORE_MAX_STORES", value_name = "N", allow_negative_numbers = true)]
    max_stores: Option<u64>,
    /// The most bytes of events in one store [default: no limit].
    #[arg(
        long,
        env = "LIVESTORE_MAX_STORE_BYTES",
        value_name = "N",
        allow_negative_numbers = true
    )]
    max_store_bytes: Option<u64>,
    /// The most bytes of one message [default: 1048576].
    #[arg(
        long,
        env = "LIVESTORE_MAX_MESSAGE_BYTES",
        value_name = "N",
        allow_negative_numbers = true
    )]
    max_message_bytes: Option<usize>,
    /// The most messages a second on one connection; 0 is no limit [default: 0].
    #[arg(
        long,
        env = "LIVESTORE_MAX_MESSAGES_PER_SECOND",
        value_name = "N",
        allow_negative_numbers = true
    )]
    max_messages_per_second: Option<u32>,
    /// Seconds of silence after which a client is disconnected [default: 60].
    #[arg(long, env = "LIVESTORE_IDLE_SECONDS", value_name = "N", allow_negative_numbers = true)]
    idle_seconds: Option<u64>,
    /// Seconds to wait for pushes and connections to end when the server stops [default: 10].
    #[arg(long, env = "LIVESTORE_DRAIN_SECONDS", value_name = "N", allow_negative_numbers = true)]
    drain_seconds: Option<u64>,
    /// The format of the log [default: text].
    #[arg(long, env = "LIVESTORE_LOG_FORMAT")]
    log_format: Option<LogFormat>,
    /// The level of the log: error, warn, info, debug or trace [default: info].
    #[arg(long, env = "LIVESTORE_LOG")]
    log: Option<String>,
    /// Export spans of this level over OTLP: `info`, `debug` for one of each commit, or more. OpenTelemetry's own
    /// variables say where to, such as OTEL_EXPORTER_OTLP_ENDPOINT.
    #[arg(long, env = "LIVESTORE_OTLP", value_name = "LEVEL")]
    otlp: Option<String>,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one object a line.
    Json,
}

impl Options {
    /// Adds the settings of the file that neither flags nor environment set.
    pub(super) fn with_file(self) -> Result<Self, Failure> {
        let Some(path) = &self.config else { return Ok(self) };
        let in_file = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
        let text = fs::read_to_string(path).map_err(|error| in_file(&error))?;
        let file = toml::from_str(&text).map_err(|error| in_file(&error))?;
        Ok(self.or(file))
    }

    /// Refuses settings that nobody can mean.
    pub(super) fn check(&self) -> Result<(), Failure> {
        in_range("max-connections", self.max_connections, 1, 1_000_000)?;
        in_range("max-stores", self.max_stores, 1, u64::MAX)?;
        in_range("max-store-bytes", self.max_store_bytes, 1, u64::MAX)?;
        in_range("max-message-bytes", self.max_message_bytes, 1_024, 1 << 30)?;
        in_range("max-messages-per-second", self.max_messages_per_second, 0, 1_000_000)?;
        in_range("idle-seconds", self.idle_seconds, 1, YEAR)?;
        in_range("drain-seconds", self.drain_seconds, 0, YEAR)?;
        in_range("jwt-leeway-seconds", self.jwt_leeway_seconds, 0, 24 * 60 * 60)?;
        for (name, is_set) in [
            ("jwt-issuer", self.jwt_issuer.is_some()),
            ("jwt-audience", self.jwt_audience.is_some()),
            ("jwt-leeway-seconds", self.jwt_leeway_seconds.is_some()),
        ] {
            if is_set && self.jwt_secret.is_none() && self.jwt_jwks.is_none() {
                let problem = "without jwt-secret or jwt-jwks, no token is checked for it";
                return Err(format!("{name} is set in vain: {problem}").into());
            }
        }
        if self.storage.is_some() {
            self.storage()?;
        }
        if self.data.as_ref().is_some_and(|data| data.as_os_str().is_empty()) {
            return Err("data names no directory".into());
        }
        for (name, level) in [("log", &self.log), ("otlp", &self.otlp)] {
            level.as_deref().map_or(Ok(()), |level| check_level(name, level))?;
        }
        Ok(())
    }

    pub(super) fn listen(&self) -> &str {
        self.listen.as_deref().unwrap_or("127.0.0.1:8787")
    }

    pub(super) fn storage(&self) -> Result<Storage, Failure> {
        match &self.storage {
            Some(storage) => Ok(storage.as_str().parse()?),
            None => Ok(Storage::Sqlite(self.data.clone().unwrap_or_else(|| "data".into()))),
        }
    }

    pub(super) fn durability(&self) -> Durability {
        self.durability.unwrap_or_default()
    }

    pub(super) fn log(&self) -> (&str, LogFormat) {
        (self.log.as_deref().unwrap_or("info"), self.log_format.unwrap_or(LogFormat::Text))
    }

    pub(super) fn otlp(&self) -> Option<&str> {
        self.otlp.as_deref()
    }

    pub(super) fn open_store(&self) -> Result<Arc<dyn EventStore>, Failure> {
        let limits = StoreLimits {
            stores: self.max_stores.unwrap_or(u64::MAX),
            bytes: self.max_store_bytes.unwrap_or(u64::MAX),
        };
        self.storage()?.open(self.durability(), limits)
    }

    pub(super) fn auth(&self) -> Result<Arc<dyn Authenticate>, Failure> {
        let signed = |jwt: Jwt| {
            let jwt = jwt.issuer(self.jwt_issuer.clone()).audience(self.jwt_audience.clone());
            Arc::new(match self.jwt_leeway_seconds {
                Some(seconds) => jwt.leeway(Duration::from_secs(seconds)),
                None => jwt,
            })
        };
        Ok(match (&self.tokens, &self.jwt_secret, &self.jwt_jwks) {
            (None, None, None) => Arc::new(NoAuth),
            (Some(tokens), None, None) => Arc::new(TokenFile::open(tokens)?),
            (None, Some(secret), None) => {
                let text = fs::read_to_string(secret)
                    .map_err(|error| format!("{}: {error}", secret.display()))?;
                if text.trim().is_empty() {
                    return Err(format!("{}: the secret is empty", secret.display()).into());
                }
                signed(Jwt::hs256(text.trim().as_bytes()))
            }
            (None, None, Some(jwks)) => signed(Jwt::jwks(jwks)?),
            _ => return Err("only one of tokens, jwt-secret and jwt-jwks can be set".into()),
        })
    }

    pub(super) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        let seconds = |set: Option<u64>, limit: &mut Duration| {
            *limit = set.map_or(*limit, Duration::from_secs);
        };
        seconds(self.idle_seconds, &mut limits.idle);
        seconds(self.drain_seconds, &mut limits.drain);
        limits.connections = self.max_connections.unwrap_or(limits.connections);
        limits.message_bytes = self.max_message_bytes.unwrap_or(limits.message_bytes);
        limits.messages_per_second =
            self.max_messages_per_second.unwrap_or(limits.messages_per_second);
        limits
    }

    fn or(self, file: Self) -> Self {
        // Two names of one setting.
        let (storage, data) = match (self.storage, self.data) {
            (None, None) => (file.storage, file.data),
            set => set,
        };
        Self {
            config: self.config,
            listen: self.listen.or(file.listen),
            storage,
            data,
            durability: self.durability.or(file.durability),
            tokens: self.tokens.or(file.tokens),
            jwt_secret: self.jwt_secret.or(file.jwt_secret),
            jwt_jwks: self.jwt_jwks.or(file.jwt_jwks),
            jwt_issuer: self.jwt_issuer.or(file.jwt_issuer),
            jwt_audience: self.jwt_audience.or(file.jwt_audience),
            jwt_leeway_seconds: self.jwt_leeway_seconds.or(file.jwt_leeway_seconds),
            max_connections: self.max_connections.or(file.max_connections),
            max_stores: self.max_stores.or(file.max_stores),
            max_store_bytes: self.max_store_bytes.or(file.max_store_bytes),
            max_message_bytes: self.max_message_bytes.or(file.max_message_bytes),
            max_messages_per_second: self.max_messages_per_second.or(file.max_messages_per_second),
            idle_seconds: self.idle_seconds.or(file.idle_seconds),
            drain_seconds: self.drain_seconds.or(file.drain_seconds),
            log_format: self.log_format.or(file.log_format),
            log: self.log.or(file.log),
            otlp: self.otlp.or(file.otlp),
        }
    }
}

/// Reads a text that is not to be shown.
fn secret<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Secret>, D::Error> {
    Ok(Some(String::deserialize(field)?.into()))
}

const YEAR: u64 = 365 * 24 * 60 * 60;

fn in_range<N: PartialOrd + Display>(
    name: &str,
    set: Option<N>,
    least: N,
    most: N,
) -> Result<(), Failure> {
    match set {
        Some(set) if set < least => {
            Err(format!("{name} is {set}; it has to be at least {least}").into())
        }
        Some(set) if set > most => {
            Err(format!("{name} is {set}; it has to be at most {most}").into())
        }
        _ => Ok(()),
    }
}

/// A text without `=` would count as the name of a module, and turn the log off.
fn check_level(name: &str, filter: &str) -> Result<(), Failure> {
    let is_level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
    let odd = filter.split(',').map(str::trim).find(|part| match part.rsplit_once('=') {
        Some((_, level)) => !is_level(level),
        None => !is_level(part),
    });
    match odd {
        Some(odd) => Err(format!(
            "{name} is `{odd}`, which is not a level: error, warn, info, debug, trace or off"
        )
        .into()),
        None => Ok(()),
    }
}
