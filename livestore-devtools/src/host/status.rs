//! The store's status, and what pages are notified of.

use std::collections::BTreeSet;
use std::time::Duration;

use livestore::sync::NetworkStatus;
use livestore::tools::SessionInfo;

use super::{Host, Refused, lock};
use crate::protocol::{
    ActivityKind, Hello, LogTail, Notification, Session, Status, SyncAction, Topic, VERSION,
};

/// The number of activities that a page gets of the time before it subscribed.
const RECENT: u64 = 100;

/// What a page has seen so far.
#[derive(Default)]
pub(super) struct Seen {
    topics: BTreeSet<Topic>,
    status: Option<Status>,
    log: Option<LogTail>,
    /// The number of activities.
    activities: u64,
    _observing: Option<super::activity::Observing>,
}

impl Seen {
    pub(super) fn subscribe(&mut self, host: &Host, topics: Vec<Topic>) -> Result<(), Refused> {
        let topics: BTreeSet<_> = topics.into_iter().collect();
        let observing = match topics.contains(&Topic::Activity) {
            true => Some(host.activities.observe(&*host.target)?),
            false => None,
        };
        // What was seen before is sent again, for a page that forgot it.
        *self = Self {
            topics,
            activities: host.activities.count().saturating_sub(RECENT),
            _observing: observing,
            ..Self::default()
        };
        Ok(())
    }

    /// What is new. A store that cannot be read has no news.
    pub(super) fn news(&mut self, host: &Host) -> Vec<Notification> {
        let mut news = Vec::new();
        if self.topics.contains(&Topic::Status)
            && let Ok(status) = host.status()
            && self.status.as_ref() != Some(&status)
        {
            if self.status.as_ref().is_some_and(|before| before.network != status.network) {
                host.activities.add(ActivityKind::Network {
                    network: status.network.clone(),
                    reason: status.reason.clone(),
                });
            }
            self.status = Some(status.clone());
            news.push(Notification::Status(status));
        }
        if self.topics.contains(&Topic::Log)
            && let Ok(log) = host.log_tail()
            && self.log.as_ref() != Some(&log)
        {
            self.log = Some(log.clone());
            news.push(Notification::Log(log));
        }
        if self.topics.contains(&Topic::Activity) {
            let (activities, count) = host.activities.since(self.activities);
            self.activities = count;
            if !activities.is_empty() {
                news.push(Notification::Activity(activities));
            }
        }
        news
    }
}

impl Host {
    pub(super) fn hello(&self) -> Result<Hello, Refused> {
        let identity = self.target.identity()?;
        Ok(Hello {
            version: VERSION,
            livestore: env!("CARGO_PKG_VERSION").to_owned(),
            schema: identity.schema,
            store_id: identity.store_id,
            client_id: identity.client_id,
            session_id: identity.session_id,
            devtools_session_id: identity.devtools_session_id,
            can: identity.can,
        })
    }

    fn status(&self) -> Result<Status, Refused> {
        let standing = self.target.status()?;
        let (network, reason) = named(&standing.network);
        Ok(Status {
            local_head: standing.local_head.to_string(),
            upstream_head: standing.upstream_head.to_string(),
            pending: standing.pending,
            refused: standing.refused,
            network: network.to_owned(),
            reason,
            next_attempt: standing.next_attempt,
            delay: *lock(&self.delay),
            sessions: standing.sessions.into_iter().map(session).collect(),
            folder: standing.folder,
        })
    }

    fn log_tail(&self) -> Result<LogTail, Refused> {
        let total = lock(&self.log).total(&*self.target)?;
        let head = self.target.head()?;
        Ok(LogTail { head: head.to_string(), total, rebases: head.generation })
    }

    pub(super) fn sync(&self, action: SyncAction) -> Result<(), Refused> {
        match action {
            SyncAction::Pause => self.target.pause_sync(true),
            SyncAction::Resume => self.target.pause_sync(false),
            SyncAction::Reconnect => self.target.reconnect(),
            SyncAction::Drop => self.target.drop_connection(),
            SyncAction::Delay(millis) => {
                self.target.delay(Duration::from_millis(millis.into()))?;
                *lock(&self.delay) = millis;
                Ok(())
            }
        }
    }
}

fn session(session: SessionInfo) -> Session {
    Session { id: session.id, leads: session.leads }
}

fn named(network: &NetworkStatus) -> (&'static str, Option<String>) {
    match network {
        NetworkStatus::None => ("none", None),
        NetworkStatus::Paused => ("paused", None),
        NetworkStatus::Connecting => ("connecting", None),
        NetworkStatus::Pulling => ("pulling", None),
        NetworkStatus::Online => ("online", None),
        NetworkStatus::ReadOnly { reason } => ("readOnly", Some(reason.clone())),
        NetworkStatus::LoginRequired { reason } => ("loginRequired", Some(reason.clone())),
        NetworkStatus::PayloadFailed { reason } => ("payloadFailed", Some(reason.clone())),
        NetworkStatus::Offline { reason } => ("offline", Some(reason.clone())),
        NetworkStatus::Stopped(reason) => ("stopped", Some(reason.to_string())),
        other => ("offline", Some(other.to_string())),
    }
}
