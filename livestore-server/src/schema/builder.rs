use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use livestore::schema::Schema;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::image::{self, Images};
use super::query::{self, Queries};
use super::side_effects::{News, Runner};
use super::validate::{Rules, Validation};
use super::{
    DeadLetters, ImageLimits, Proposal, QueryLimits, Rejection, SideEffects, StateLimits, States,
};
use crate::server::{Builder, Decision, Extension, OfferedPush, Server};
use crate::store::StoreId;

/// The time that the rules of a validation have for a push.
const VALIDATION_TIME: Duration = Duration::from_secs(5);

impl Builder {
    /// Has the server know a schema: see [`schema`](crate::schema).
    pub fn schema<S: Schema>(self) -> SchemaBuilder<S> {
        SchemaBuilder {
            builder: self,
            limits: StateLimits::default(),
            rules: None,
            validation_time: VALIDATION_TIME,
            queries: None,
            images: None,
            side_effects: Vec::new(),
        }
    }
}

/// Makes a [`SchemaServer`], step by step: see [`Builder::schema`].
pub struct SchemaBuilder<S: Schema> {
    builder: Builder,
    limits: StateLimits,
    rules: Option<Arc<Rules<S>>>,
    validation_time: Duration,
    queries: Option<QueryLimits>,
    images: Option<ImageLimits>,
    side_effects: Vec<SideEffects>,
}

impl<S: Schema> SchemaBuilder<S> {
    /// Sets the limits of the states in memory.
    #[must_use]
    pub fn state_limits(self, limits: StateLimits) -> Self {
        Self { limits, ..self }
    }

    /// Has `rules` judge every commit that a client pushes, before it is stored.
    ///
    /// They should be quick, and depend on nothing but the proposal: every server over one engine has to
    /// judge alike. A commit may be judged several times. Rules that panic, or take longer than
    /// [`validation_time`](Self::validation_time) for a push, refuse it for now.
    #[must_use]
    pub fn validate(
        self,
        rules: impl for<'a> Fn(&Proposal<'a, S>) -> Result<(), Rejection> + Send + Sync + 'static,
    ) -> Self {
        Self { rules: Some(Arc::new(rules)), ..self }
    }

    /// Sets the time that the rules have for a push: 5 seconds if it is not set.
    #[must_use]
    pub fn validation_time(self, time: Duration) -> Self {
        Self { validation_time: time, ..self }
    }

    /// Answers [queries over HTTP](crate::schema#queries-over-http) of everyone who may read a store.
    #[must_use]
    pub fn http_queries(self, limits: QueryLimits) -> Self {
        Self { queries: Some(limits), ..self }
    }

    /// Sends [images](crate::schema#images-for-new-clients) of states to new clients that may read a store.
    #[must_use]
    pub fn images(self, limits: ImageLimits) -> Self {
        Self { images: Some(limits), ..self }
    }

    /// Has events handled: see [side effects](crate::schema#side-effects). There may be several, each under
    /// a name of its own.
    #[must_use]
    pub fn side_effects(mut self, side_effects: SideEffects) -> Self {
        self.side_effects.push(side_effects);
        self
    }

    /// Listens on an address. Clients are served by [`SchemaServer::serve`].
    ///
    /// The first time that [side effects](Self::side_effects) of a name are used, this also writes down for
    /// each store which events are old, so that they are not handled.
    ///
    /// # Errors
    /// If the address cannot be used, or the storage cannot be read or written. If the name of side effects
    /// cannot be used, or they handle an event that the schema does not have, the kind is
    /// [`InvalidInput`](io::ErrorKind::InvalidInput).
    pub async fn bind(self, address: &str) -> io::Result<SchemaServer<S>> {
        let Self { builder, limits, rules, validation_time, queries, images, side_effects } = self;
        check::<S>(&side_effects)?;
        let (auth, metrics) = (Arc::clone(&builder.auth), Arc::clone(&builder.metrics));
        let (hub, events) = (builder.hub.clone(), Arc::clone(builder.hub.store()));
        let states = States::new(Arc::clone(&events), limits, Arc::clone(&metrics));
        let mut router = Router::new();
        if let Some(limits) = queries {
            let turns = Semaphore::new(limits.concurrent);
            let (states, metrics, auth) = (states.clone(), Arc::clone(&metrics), Arc::clone(&auth));
            let queries = Queries { states, auth, metrics, limits, turns };
            router = router.merge(query::router(Arc::new(queries)));
        }
        if let Some(limits) = images {
            let turns = Arc::new(Semaphore::new(limits.concurrent));
            let (states, metrics) = (states.clone(), Arc::clone(&metrics));
            let events = Arc::clone(&events);
            let images = Images { states, events, auth, metrics, limits, turns };
            router = router.merge(image::router(Arc::new(images)));
        }
        let validation = rules.map(|rules| {
            let (states, limit) = (states.clone(), validation_time);
            Arc::new(Validation { rules, limit, states, metrics: Arc::clone(&metrics) })
        });
        let side_effects: Arc<[_]> = side_effects.into_iter().map(Arc::new).collect();
        let (stop, stopping) = watch::channel(false);
        let runner = |effects| {
            Runner::new(Arc::clone(effects), hub.clone(), Arc::clone(&metrics), stopping.clone())
        };
        let runners = side_effects.iter().map(runner).collect::<Result<Vec<_>, _>>();
        let runners = runners.map_err(io::Error::other)?;
        for runner in &runners {
            runner.begin().await.map_err(io::Error::other)?;
        }
        let news = runners.iter().map(Runner::news).collect();
        let dead_letters = DeadLetters::new(events, side_effects, metrics);
        let extension = Arc::new(AppSchema { validation, news });
        let server = builder.bind_with(address, router, Some(extension)).await?;
        Ok(SchemaServer { server, states, dead_letters, runners, stop })
    }
}

/// Checks that side effects can be told apart, and may happen.
fn check<S: Schema>(side_effects: &[SideEffects]) -> io::Result<()> {
    let is_known = |name: &str| S::def().events().any(|event| event.name() == name);
    let mut names = HashSet::new();
    for effects in side_effects {
        let twice = || format!("there are two side effects called `{}`", effects.name);
        let problem = effects.problem(is_known);
        if let Some(problem) = problem.or_else(|| (!names.insert(&effects.name)).then(twice)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
    }
    Ok(())
}

/// A [`Server`] that knows a schema.
pub struct SchemaServer<S: Schema> {
    server: Server,
    states: States<S>,
    dead_letters: DeadLetters,
    runners: Vec<Runner>,
    /// Stops the runners.
    stop: watch::Sender<bool>,
}

impl<S: Schema> SchemaServer<S> {
    /// Returns the states of the stores. They can be read for as long as the value lives, whether or not
    /// the server serves.
    pub fn states(&self) -> States<S> {
        self.states.clone()
    }

    /// Returns the dead letters of the side effects. They can be listed and retried for as long as the value
    /// lives, whether or not the server serves.
    pub fn dead_letters(&self) -> DeadLetters {
        self.dead_letters.clone()
    }

    /// Returns the address that it listens on.
    ///
    /// # Errors
    /// If the operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.server.local_addr()
    }

    /// Serves clients until `stop` is ready, as [`Server::serve`] does, and has side effects happen. Handlers
    /// that are at work when it stops have the time of [`Limits::drain`](crate::Limits::drain) to end.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let Self { server, states, runners, stop: stop_runners, .. } = self;
        let drain = server.drain();
        // Whatever runs in them ends with them.
        let (mut sweeper, mut running) = (JoinSet::new(), JoinSet::new());
        sweeper.spawn(sweep(states));
        for runner in runners {
            running.spawn(runner.run());
        }
        server.serve(stop).await;
        stop_runners.send_replace(true);
        if timeout(drain, running.join_all()).await.is_err() {
            tracing::warn!("some handlers of side effects did not end in time");
        }
    }
}

/// Drops states that are not used, for as long as it runs.
async fn sweep<S: Schema>(states: States<S>) {
    loop {
        sleep(states.sweep_interval()).await;
        states.sweep();
    }
}

/// What the schema adds to a server.
struct AppSchema<S: Schema> {
    validation: Option<Arc<Validation<S>>>,
    news: Vec<Arc<News>>,
}

impl<S: Schema> Extension for AppSchema<S> {
    fn check(&self, push: OfferedPush) -> Pin<Box<dyn Future<Output = Decision> + Send>> {
        match &self.validation {
            Some(validation) => Box::pin(Arc::clone(validation).check(push)),
            None => Box::pin(std::future::ready(Decision::Store)),
        }
    }

    fn stored(&self, store: &StoreId) {
        self.news.iter().for_each(|news| news.note(store));
    }
}
