//! The export over OTLP.

use std::env;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

use crate::commit::{CommitIds, CommitTracer};
use crate::http::Client;

/// The time that the collector has for an answer, unless the environment says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why spans cannot be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// A variable of the environment has a value that is not supported.
    #[error("{name} is `{value}`, and only `{supported}` is supported")]
    Unsupported {
        /// The name of the variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// The value that it may have.
        supported: &'static str,
    },
    /// A variable of the environment makes no sense.
    #[error("the exporter cannot be made from the environment")]
    Environment(#[from] ExporterBuildError),
    /// The exporter has no thread.
    #[error("the exporter could not be started")]
    Start(#[source] std::io::Error),
    /// The last spans could not be sent.
    #[error("the last spans could not be sent")]
    Shutdown(#[from] OTelSdkError),
}

/// Exports spans over OTLP, as protobuf over HTTP, in batches and from a thread of its own.
///
/// Where to and how is up to OpenTelemetry's variables: `OTEL_EXPORTER_OTLP_ENDPOINT`, `…_HEADERS` and `…_TIMEOUT`,
/// each also with `OTEL_EXPORTER_OTLP_TRACES_`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
/// `OTEL_TRACES_SAMPLER` and its `_ARG`, `OTEL_BSP_…`, `OTEL_SPAN_…_LIMIT`, `OTEL_SDK_DISABLED`. If the collector
/// does not answer, a warning says so, once, and the app goes on.
#[derive(Debug)]
pub struct Otlp {
    provider: SdkTracerProvider,
}

impl Otlp {
    /// Returns an exporter with the settings of the environment. `service` is the name of the service, unless the
    /// environment has one.
    ///
    /// # Errors
    /// If a variable has a value that is not supported, or there is no thread.
    pub fn from_env(service: &str) -> Result<Self, OtlpError> {
        let provider = SdkTracerProvider::builder()
            .with_id_generator(CommitIds::default())
            .with_resource(resource(service));
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(Self { provider: provider.build() });
        }
        for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            let supported = "http/protobuf";
            if let Some(value) = variable(name).filter(|value| value != supported) {
                return Err(OtlpError::Unsupported { name, value, supported });
            }
        }
        for name in ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"] {
            let supported = "none";
            if let Some(value) = variable(name).filter(|value| value != supported) {
                return Err(OtlpError::Unsupported { name, value, supported });
            }
        }
        let client = Client::start(timeout()?).map_err(OtlpError::Start)?;
        let exporter = SpanExporter::builder().with_http().with_http_client(client).build()?;
        Ok(Self { provider: provider.with_batch_exporter(exporter).build() })
    }

    /// Returns the layer that exports the spans of a subscriber. A filter on it says which:
    /// `layer.with_filter(…)`.
    pub fn layer<S>(&self) -> OpenTelemetryLayer<S, CommitTracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = CommitTracer::new(self.provider.tracer("livestore"));
        tracing_opentelemetry::layer().with_location(false).with_threads(false).with_tracer(tracer)
    }

    /// Sends what has not been sent yet, and ends the export. Blocks for five seconds at most.
    ///
    /// # Errors
    /// If the last spans could not be sent.
    pub fn shutdown(self) -> Result<(), OtlpError> {
        Ok(self.provider.shutdown()?)
    }
}

fn resource(service: &str) -> Resource {
    let resource = Resource::builder();
    let has_name = variable("OTEL_SERVICE_NAME").is_some()
        || Resource::builder_empty()
            .with_detector(Box::new(opentelemetry_sdk::resource::EnvResourceDetector::new()))
            .build()
            .get(&Key::from_static_str("service.name"))
            .is_some();
    match has_name {
        true => resource.build(),
        false => resource.with_attribute(KeyValue::new("service.name", service.to_owned())).build(),
    }
}

fn timeout() -> Result<Duration, OtlpError> {
    for name in ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"] {
        if let Some(value) = variable(name) {
            return match value.parse() {
                Ok(milliseconds) => Ok(Duration::from_millis(milliseconds)),
                Err(_) => Err(OtlpError::Unsupported {
                    name,
                    value,
                    supported: "a number of milliseconds",
                }),
            };
        }
    }
    Ok(TIMEOUT)
}

/// An empty variable counts as none.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
