//! The export of spans, if the operator asks for it.

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::Failure;

/// An export that runs, or none.
#[cfg(feature = "otlp")]
pub(super) struct Export(Option<(livestore_telemetry::Otlp, tracing_subscriber::EnvFilter)>);

/// A build without the feature exports nothing.
#[cfg(not(feature = "otlp"))]
pub(super) struct Export;

#[cfg(feature = "otlp")]
impl Export {
    /// Starts the export of spans of this level.
    pub(super) fn start(level: Option<&str>) -> Result<Self, Failure> {
        let Some(level) = level else { return Ok(Self(None)) };
        let filter = tracing_subscriber::EnvFilter::try_new(level)?;
        Ok(Self(Some((livestore_telemetry::Otlp::from_env("livestore-server")?, filter))))
    }

    /// Returns its layer, and what ends it.
    pub(super) fn split<S>(self) -> (Option<Box<dyn Layer<S> + Send + Sync>>, impl FnOnce())
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let (otlp, layer) = match self.0 {
            Some((otlp, filter)) => {
                let layer = otlp.layer().with_filter(filter).boxed();
                (Some(otlp), Some(layer))
            }
            None => (None, None),
        };
        let end = || {
            if let Some(Err(error)) = otlp.map(livestore_telemetry::Otlp::shutdown) {
                let error = livestore_protocol::ErrorChain::new(&error);
                tracing::warn!(%error, "the export of spans did not end well");
            }
        };
        (layer, end)
    }
}

#[cfg(not(feature = "otlp"))]
impl Export {
    pub(super) fn start(level: Option<&str>) -> Result<Self, Failure> {
        match level {
            Some(_) => Err("this server was built without the feature `otlp`".into()),
            None => Ok(Self),
        }
    }

    pub(super) fn split<S>(self) -> (Option<Box<dyn Layer<S> + Send + Sync>>, impl FnOnce())
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        (None, || {})
    }
}
