//! The export of spans, if the user asks for it.

use crate::args::Traces;
use crate::exit::Result;

/// An export that runs, or none.
#[cfg(feature = "otlp")]
pub(crate) struct Export(Option<livestore_telemetry::Otlp>);

/// A build without the feature exports nothing.
#[cfg(not(feature = "otlp"))]
pub(crate) struct Export;

#[cfg(feature = "otlp")]
impl Export {
    pub(crate) fn start(traces: Option<&Traces>) -> Result<Self> {
        use tracing_subscriber::prelude::*;

        use crate::exit::Failure;

        let Some(level) = traces.and_then(|traces| traces.otlp) else { return Ok(Self(None)) };
        let otlp = livestore_telemetry::Otlp::from_env("livestore").map_err(Failure::usage_of)?;
        tracing_subscriber::registry()
            .with(otlp.layer().with_filter(level))
            .with(Complaints)
            .init();
        Ok(Self(Some(otlp)))
    }

    /// Sends what was not sent yet. That it could not be sent is said, and stops nothing.
    pub(crate) fn end(self) {
        if let Some(Err(error)) = self.0.map(livestore_telemetry::Otlp::shutdown) {
            let error = livestore::ErrorChain::new(&error);
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("livestore: warning: {error}\n"),
            );
        }
    }
}

/// Shows what the export itself has to complain about, such as a collector that does not answer. Nobody else
/// would say it, as the command has no other subscriber.
#[cfg(feature = "otlp")]
struct Complaints;

#[cfg(feature = "otlp")]
impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Complaints {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let metadata = event.metadata();
        let is_ours = metadata.target().starts_with("livestore_telemetry");
        if is_ours && *metadata.level() <= tracing::Level::WARN {
            let mut complaint = Complaint::default();
            event.record(&mut complaint);
            let Complaint { message, fields } = complaint;
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("livestore: warning: {message}{fields}\n"),
            );
        }
    }
}

/// An event's message, and its other fields.
#[cfg(feature = "otlp")]
#[derive(Default)]
struct Complaint {
    message: String,
    fields: String,
}

#[cfg(feature = "otlp")]
impl tracing::field::Visit for Complaint {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => self.fields += &format!("; {name}: {value:?}"),
        }
    }

    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        self.fields += &format!("; {}: {value}", field.name());
    }
}

#[cfg(not(feature = "otlp"))]
impl Export {
    pub(crate) fn start(_: Option<&Traces>) -> Result<Self> {
        Ok(Self)
    }

    pub(crate) fn end(self) {}
}
