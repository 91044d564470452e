//! The numbers of a server, for Prometheus: how often, how much, and how long.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter;
use prometheus_client::metrics::gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::hub::Page;

/// The numbers of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) connections: Gauge,
    pub(crate) connections_total: Counter,
    pub(crate) refused_total: Counter,
    pub(crate) cut_total: Counter,
    pub(crate) pushes_total: Counter,
    pub(crate) pushes_failed_total: Counter,
    pub(crate) pushes_refused_total: Counter,
    pub(crate) requests_refused_total: Counter,
    pub(crate) events_total: Counter,
    pages_read_total: Counter,
    pub(crate) frames_received_total: Counter,
    pub(crate) bytes_received_total: Counter,
    pub(crate) frames_sent_total: Counter,
    pub(crate) bytes_sent_total: Counter,
    #[cfg(feature = "schema")]
    pub(crate) schema: SchemaMetrics,
    push_seconds: Histogram,
    push_events: Histogram,
    catch_up_seconds: Histogram,
    page_read_seconds: Histogram,
    page_read_events: Histogram,
    page_read_bytes: Histogram,
    connection_seconds: Histogram,
}

/// A number that grows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counter(counter::Counter);

/// A number that grows and shrinks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauge(gauge::Gauge);

/// The numbers of a server that knows the schema.
#[cfg(feature = "schema")]
#[derive(Debug)]
pub(crate) struct SchemaMetrics {
    pub(crate) states: Gauge,
    pub(crate) states_made_total: Counter,
    pub(crate) validations_refused_total: Counter,
    pub(crate) validations_failed_total: Counter,
    pub(crate) queries_total: Counter,
    pub(crate) queries_failed_total: Counter,
    pub(crate) images_total: Counter,
    pub(crate) images_refused_total: Counter,
    pub(crate) side_effects_total: Counter,
    pub(crate) side_effects_failed_total: Counter,
    pub(crate) side_effects_dead_total: Counter,
}

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.inc_by(more);
    }
}

impl Gauge {
    pub(crate) fn up(&self) {
        self.0.inc();
    }

    pub(crate) fn down(&self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Counts a push that was answered.
    pub(crate) fn pushed(&self, took: Duration, accepted: bool, events: usize) {
        self.pushes_total.add(1);
        self.push_seconds.observe(took.as_secs_f64());
        if accepted {
            self.events_total.add(events as u64);
            self.push_events.observe(events as f64);
        } else {
            self.pushes_failed_total.add(1);
        }
    }

    /// Counts a page that was read from the disk; `None` if it could not be.
    pub(crate) fn page_read(&self, took: Duration, page: Option<&Page>) {
        self.pages_read_total.add(1);
        self.page_read_seconds.observe(took.as_secs_f64());
        if let Some(page) = page {
            self.page_read_events.observe(page.count as f64);
            self.page_read_bytes.observe(page.json().len() as f64);
        }
    }

    /// Counts a pull that has read from the disk what was there.
    pub(crate) fn caught_up(&self, took: Duration) {
        self.catch_up_seconds.observe(took.as_secs_f64());
    }

    /// Counts a connection that has ended.
    pub(crate) fn disconnected(&self, after: Duration) {
        self.connections.down();
        self.connection_seconds.observe(after.as_secs_f64());
    }

    /// Returns the metrics in the text format of Prometheus.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Registers the metrics, as they are named in `docs/telemetry.md`.
impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("livestore");
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.0.clone());
        // The format adds `_total`.
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.0.clone());
            counter
        };
        let connections_total = counter("connections_accepted", "Connections accepted");
        let refused_total = counter("refused", "Connections and requests refused");
        let cut_total = counter("cut", "Connections closed by the server");
        let pushes_total = counter("pushes", "Pushes passed to the storage");
        let pushes_failed_total =
            counter("pushes_failed", "Pushes that the storage did not accept");
        let pushes_refused_total = counter(
            "pushes_refused",
            "Pushes refused: malformed, without the right, over a limit, or not stored",
        );
        let requests_refused_total =
            counter("requests_refused", "Other requests refused, and malformed frames");
        let events_total = counter("events", "Events accepted");
        let pages_read_total = counter("pages_read", "Pages read from disk");
        let frames_received_total = counter("frames_received", "Frames received from clients");
        let bytes_received_total = counter("bytes_received", "Bytes in received frames");
        let frames_sent_total = counter("frames_sent", "Frames sent to clients");
        let bytes_sent_total = counter("bytes_sent", "Bytes in sent frames");
        #[cfg(feature = "schema")]
        let schema = SchemaMetrics::new(&mut registry);
        // From 50 µs to 1.6 s, and from one event to more than a push may have.
        let push_seconds = Histogram::new(exponential_buckets(50e-6, 2.0, 16));
        let push_events = Histogram::new(exponential_buckets(1.0, 2.0, 8));
        let help = "Time from a push to the answer of the storage, in seconds";
        registry.register("push_seconds", help, push_seconds.clone());
        registry.register("push_events", "Events of an accepted push", push_events.clone());
        let mut histogram = |name: &str, help: &str, first: f64, factor: f64, buckets: u16| {
            let histogram = Histogram::new(exponential_buckets(first, factor, buckets));
            registry.register(name, help, histogram.clone());
            histogram
        };
        // Up to 26 s; 1.6 s; 128 events; 1 MiB; two days.
        let help =
            "Time from the first page of a pull that is read from disk to the last, in seconds";
        let catch_up_seconds = histogram("catch_up_seconds", help, 100e-6, 4.0, 10);
        let help = "Time to read a page from disk, in seconds";
        let page_read_seconds = histogram("page_read_seconds", help, 50e-6, 2.0, 16);
        let help = "Events of a page read from disk";
        let page_read_events = histogram("page_read_events", help, 1.0, 2.0, 8);
        let help = "Bytes of a page read from disk, as it is sent";
        let page_read_bytes = histogram("page_read_bytes", help, 256.0, 4.0, 7);
        let help = "Time that a connection was open, in seconds";
        let connection_seconds = histogram("connection_seconds", help, 0.01, 5.0, 11);
        Self {
            registry,
            connections,
            connections_total,
            refused_total,
            cut_total,
            pushes_total,
            pushes_failed_total,
            pushes_refused_total,
            requests_refused_total,
            events_total,
            pages_read_total,
            frames_received_total,
            bytes_received_total,
            frames_sent_total,
            bytes_sent_total,
            #[cfg(feature = "schema")]
            schema,
            push_seconds,
            push_events,
            catch_up_seconds,
            page_read_seconds,
            page_read_events,
            page_read_bytes,
            connection_seconds,
        }
    }
}

#[cfg(feature = "schema")]
impl SchemaMetrics {
    fn new(registry: &mut Registry) -> Self {
        let states = Gauge::default();
        registry.register("states", "States of stores in memory", states.0.clone());
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.0.clone());
            counter
        };
        Self {
            states,
            states_made_total: counter("states_made", "States made of all events of a store"),
            validations_refused_total: counter(
                "validations_refused",
                "Pushes that the validation refused",
            ),
            validations_failed_total: counter(
                "validations_failed",
                "Pushes refused for now, because they could not be validated",
            ),
            queries_total: counter("queries", "Queries of states over HTTP"),
            queries_failed_total: counter(
                "queries_failed",
                "Of those, the ones that were refused or failed",
            ),
            images_total: counter("images", "Images of states that new clients were sent"),
            images_refused_total: counter("images_refused", "Requests for an image that got none"),
            side_effects_total: counter("side_effects", "Side effects that have happened"),
            side_effects_failed_total: counter(
                "side_effects_failed",
                "Attempts at a side effect that failed",
            ),
            side_effects_dead_total: counter(
                "side_effects_dead",
                "Side effects that are not tried again",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_counted_and_timed() {
        let metrics = Metrics::default();
        metrics.pushed(Duration::from_micros(70), true, 3);
        metrics.pushed(Duration::from_secs(60), false, 1);
        let text = metrics.render();
        for line in [
            "# TYPE livestore_push_seconds histogram",
            "livestore_push_seconds_bucket{le=\"0.0001\"} 1",
            "livestore_push_seconds_bucket{le=\"+Inf\"} 2",
            "livestore_push_events_sum 3.0",
            "livestore_events_total 3",
            "livestore_pushes_failed_total 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
