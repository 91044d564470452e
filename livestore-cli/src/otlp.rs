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
        tracing_subscriber::registry().with(otlp.layer().with_filter(level)).init();
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

#[cfg(not(feature = "otlp"))]
impl Export {
    pub(crate) fn start(_: Option<&Traces>) -> Result<Self> {
        Ok(Self)
    }

    pub(crate) fn end(self) {}
}
