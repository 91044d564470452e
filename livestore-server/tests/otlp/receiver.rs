//! A collector: receives spans over OTLP, and finds them again.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A span, and the service that it is of.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) service: String,
    pub(crate) span: Span,
}

impl Received {
    /// The value of an attribute, as text.
    pub(crate) fn attribute(&self, key: &str) -> Option<String> {
        attribute(&self.span.attributes, key)
    }

    pub(crate) fn is(&self, service: &str, name: &str) -> bool {
        self.service == service && self.span.name == name
    }
}

type Spans = Arc<(Mutex<Vec<Received>>, Condvar)>;

pub(crate) struct Receiver {
    spans: Spans,
    pub(crate) endpoint: String,
    _runtime: Runtime,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let spans = Spans::default();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router =
            Router::new().route("/v1/traces", post(receive)).with_state(Arc::clone(&spans));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { spans, endpoint, _runtime: runtime }
    }

    /// Waits for a span.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&Received) -> bool) -> Received {
        let (spans, arrived) = &*self.spans;
        let spans = spans.lock().unwrap();
        let none = |spans: &mut Vec<Received>| !spans.iter().any(&wanted);
        let (spans, waited) = arrived.wait_timeout_while(spans, PATIENCE, none).unwrap();
        let found = spans.iter().find(|span| wanted(span));
        let names =
            || spans.iter().map(|span| (&span.service, &span.span.name)).collect::<Vec<_>>();
        found.unwrap_or_else(|| panic!("none of {:?} ({waited:?})", names())).clone()
    }

    /// Everything that has arrived, as text.
    pub(crate) fn dump(&self) -> String {
        format!("{:?}", self.spans.0.lock().unwrap())
    }
}

async fn receive(State(spans): State<Spans>, body: Bytes) -> &'static str {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let (all, arrived) = &*spans;
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        let service = attribute(&attributes, "service.name").unwrap();
        let new = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        let new = new.map(|span| Received { service: service.clone(), span });
        all.lock().unwrap().extend(new);
    }
    arrived.notify_all();
    // An empty message.
    ""
}

fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    let AnyValue { value } = found.value.as_ref()?;
    Some(match value.as_ref()? {
        Value::StringValue(text) => text.clone(),
        Value::BoolValue(truth) => truth.to_string(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}
