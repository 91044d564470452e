//! Traces of LiveStore in [OpenTelemetry](https://opentelemetry.io), where each commit has a trace of its own, from
//! the client that commits it through the server to the clients that receive it.
//!
//! The libraries speak through [`tracing`] alone. This crate exports their spans: [`Otlp`] sends them over OTLP, as
//! the environment says.
//!
//! ```no_run
//! use livestore_telemetry::Otlp;
//! use tracing_subscriber::filter::LevelFilter;
//! use tracing_subscriber::prelude::*;
//!
//! // To http://localhost:4318, unless OTEL_EXPORTER_OTLP_ENDPOINT says otherwise.
//! let otlp = Otlp::from_env("todo")?;
//! tracing_subscriber::registry().with(otlp.layer().with_filter(LevelFilter::DEBUG)).init();
//! // … open stores, commit …
//! otlp.shutdown()?;
//! # Ok::<(), livestore_telemetry::OtlpError>(())
//! ```
//!
//! # A commit's trace
//!
//! LiveStore's protocol has no room for a trace beside an event, and needs none: the id of the trace
//! [follows from the commit's identity](livestore_protocol::CommitTrace), which all who have the commit know. The
//! libraries name it in the field `livestore.trace_id` of a span. [`CommitTracer`] starts such a span as a root of
//! that trace, with a link to the span around it; so a sampler that goes by the trace's id, as
//! `parentbased_traceidratio` does, decides alike in all processes. An app that exports in its own way needs the
//! tracer and [`CommitIds`]:
//!
//! ```
//! use livestore_telemetry::{CommitIds, CommitTracer};
//! use opentelemetry::trace::TracerProvider;
//! use opentelemetry_sdk::trace::SdkTracerProvider;
//! use tracing_subscriber::prelude::*;
//!
//! let provider = SdkTracerProvider::builder().with_id_generator(CommitIds::default()).build();
//! let tracer = CommitTracer::new(provider.tracer("todo"));
//! let layer = tracing_opentelemetry::layer().with_tracer(tracer);
//! let subscriber = tracing_subscriber::registry().with(layer);
//! # drop(subscriber);
//! ```
//!
//! Names and fields of the spans are in [docs/telemetry.md].
//!
//! [docs/telemetry.md]: https://github.com/livestore-rs/livestore/blob/main/docs/telemetry.md

mod commit;
mod http;
mod otlp;

pub use commit::{CommitIds, CommitTracer};
pub use otlp::{Otlp, OtlpError};
