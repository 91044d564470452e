use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The counters of a server, for Prometheus.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) connections: Gauge,
    pub(crate) connections_total: Counter,
    pub(crate) refused_total: Counter,
    pub(crate) cut_total: Counter,
    pub(crate) pushes_total: Counter,
    pub(crate) pushes_failed_total: Counter,
    pub(crate) pushes_refused_total: Counter,
    pub(crate) requests_refused_total: Counter,
    pub(crate) events_total: Counter,
    pub(crate) pages_read_total: Counter,
    pub(crate) frames_received_total: Counter,
    pub(crate) bytes_received_total: Counter,
    pub(crate) frames_sent_total: Counter,
    pub(crate) bytes_sent_total: Counter,
    push_micros_total: Counter,
}

/// A number that grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

/// A number that grows and shrinks.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    pub(crate) fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn down(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a push that was answered.
    pub(crate) fn pushed(&self, took: Duration, accepted: bool, events: usize) {
        self.pushes_total.add(1);
        self.push_micros_total.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        if accepted {
            self.events_total.add(events as u64);
        } else {
            self.pushes_failed_total.add(1);
        }
    }

    /// Returns the metrics in the text format of Prometheus.
    pub(crate) fn render(&self) -> String {
        let counters = [
            ("connections_total", "Connections accepted.", &self.connections_total),
            ("refused_total", "Connections and requests refused.", &self.refused_total),
            ("cut_total", "Connections closed by the server.", &self.cut_total),
            ("pushes_total", "Pushes passed to the storage.", &self.pushes_total),
            (
                "pushes_failed_total",
                "Pushes that the storage did not accept.",
                &self.pushes_failed_total,
            ),
            (
                "pushes_refused_total",
                "Pushes refused: malformed, without the right, over a limit, or not stored.",
                &self.pushes_refused_total,
            ),
            (
                "requests_refused_total",
                "Other requests refused, and malformed frames.",
                &self.requests_refused_total,
            ),
            ("events_total", "Events accepted.", &self.events_total),
            ("pages_read_total", "Pages read from disk.", &self.pages_read_total),
            ("frames_received_total", "Frames received from clients.", &self.frames_received_total),
            ("bytes_received_total", "Bytes in received frames.", &self.bytes_received_total),
            ("frames_sent_total", "Frames sent to clients.", &self.frames_sent_total),
            ("bytes_sent_total", "Bytes in sent frames.", &self.bytes_sent_total),
        ];
        let mut out = String::new();
        let open = self.connections.0.load(Ordering::Relaxed);
        metric(&mut out, "connections", "gauge", "Open connections.", &open.to_string());
        for (name, help, counter) in counters {
            metric(&mut out, name, "counter", help, &counter.get().to_string());
        }
        let micros = self.push_micros_total.get();
        let seconds = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let help = "Total time from a push to the answer of the storage.";
        metric(&mut out, "push_seconds_total", "counter", help, &seconds);
        out
    }
}

fn metric(out: &mut String, name: &str, kind: &str, help: &str, value: &str) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        out,
        "# HELP livestore_{name} {help}\n# TYPE livestore_{name} {kind}\nlivestore_{name} {value}"
    );
}
