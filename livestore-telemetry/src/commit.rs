//! Spans in the traces of commits.

use std::cell::Cell;

use opentelemetry::trace::{
    Link, SpanBuilder, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer,
};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracer, Span};

/// The trace that a span belongs to.
const TRACE: &str = "livestore.trace_id";
/// The trace of the same commit before a rebase.
const LINKED_TRACE: &str = "livestore.linked_trace_id";

thread_local! {
    /// The ids of the span that the thread is starting.
    static NEXT: Cell<Option<Ids>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Ids {
    trace: TraceId,
    /// `None`: any.
    span: Option<SpanId>,
}

/// A tracer that starts spans of LiveStore in the trace of their commit, and all others as usual.
///
/// The provider must have [`CommitIds`].
#[derive(Debug, Clone)]
pub struct CommitTracer(SdkTracer);

impl CommitTracer {
    /// Returns a tracer that starts its spans with this one.
    #[must_use]
    pub fn new(tracer: SdkTracer) -> Self {
        Self(tracer)
    }
}

impl Tracer for CommitTracer {
    type Span = Span;

    fn build_with_context(&self, mut builder: SpanBuilder, parent: &Context) -> Span {
        let trace = remove(&mut builder, TRACE);
        let linked = remove(&mut builder, LINKED_TRACE);
        let Some(trace) = trace.filter(|_| !parent.is_telemetry_suppressed()) else {
            return self.0.build_with_context(builder, parent);
        };
        let mut links = builder.links.take().unwrap_or_default();
        let around = parent.span().span_context().clone();
        links.extend(Some(around).filter(SpanContext::is_valid).map(Link::with_context));
        links.extend(linked.map(|linked| Link::with_context(beginning_of(linked))));
        builder.links = Some(links);
        let begins = builder.span_kind == Some(SpanKind::Producer);
        NEXT.set(Some(Ids { trace, span: begins.then(|| first_span_of(trace)) }));
        let span = self.0.build_with_context(builder, &Context::new());
        NEXT.set(None);
        span
    }
}

/// Removes an attribute with the id of a trace.
fn remove(builder: &mut SpanBuilder, key: &str) -> Option<TraceId> {
    let attributes = builder.attributes.as_mut()?;
    let index = attributes.iter().position(|attribute| attribute.key.as_str() == key)?;
    match attributes.swap_remove(index).value {
        Value::String(id) => TraceId::from_hex(id.as_str()).ok(),
        _ => None,
    }
}

/// The id of the span that begins a commit's trace. It follows from the trace, so that others can link to it.
fn first_span_of(trace: TraceId) -> SpanId {
    let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
    match SpanId::from_bytes([a, b, c, d, e, f, g, h]) {
        SpanId::INVALID => SpanId::from(1),
        id => id,
    }
}

fn beginning_of(trace: TraceId) -> SpanContext {
    let (span, state) = (first_span_of(trace), TraceState::default());
    SpanContext::new(trace, span, TraceFlags::default(), true, state)
}

/// Makes random ids, except for the spans of a [`CommitTracer`] whose ids follow from their commit.
#[derive(Debug, Clone, Default)]
pub struct CommitIds(RandomIdGenerator);

impl IdGenerator for CommitIds {
    fn new_trace_id(&self) -> TraceId {
        NEXT.get().map_or_else(|| self.0.new_trace_id(), |ids| ids.trace)
    }

    fn new_span_id(&self) -> SpanId {
        NEXT.get().and_then(|ids| ids.span).unwrap_or_else(|| self.0.new_span_id())
    }
}
