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

    /// Sends what was not sent yet.
    pub(crate) fn end(self) -> Result {
        match self.0 {
            Some(otlp) => otlp.shutdown().map_err(crate::exit::Failure::failed),
            None => Ok(()),
        }
    }
}

#[cfg(not(feature = "otlp"))]
impl Export {
    pub(crate) fn start(_: Option<&Traces>) -> Result<Self> {
        Ok(Self)
    }

    pub(crate) fn end(self) -> Result {
        Ok(())
    }
}
