//! Writes a context into the headers of a request, as the SDK's W3C propagators do: of those `traceparent` costs
//! three strings and a parsed header name per request, so it is written here.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Injector, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::BaggagePropagator;

use crate::context;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// `traceparent` of a valid span, `tracestate` and `baggage` where there is any.
pub(super) fn inject(context: &Context, headers: &mut HeaderMap) {
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() {
        if let Ok(value) = HeaderValue::from_bytes(&context::render(span)) {
            headers.insert(TRACEPARENT, value);
        }
        let state = span.trace_state().header();
        if !state.is_empty()
            && let Ok(value) = HeaderValue::try_from(state)
        {
            headers.insert(TRACESTATE, value);
        }
    }
    if !context.baggage().is_empty() {
        BaggagePropagator::new().inject_context(context, &mut Headers(headers));
    }
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::{
        KeyValue,
        propagation::TextMapCompositePropagator,
        trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState},
    };
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use proptest::{collection::vec, option, prelude::*};

    /// Ids and flags of any value, valid or not; vendors' state; baggage of any text.
    fn contexts() -> impl Strategy<Value = Context> {
        let span = (
            option::weighted(0.9, any::<u128>()),
            option::weighted(0.9, any::<u64>()),
            any::<u8>(),
            any::<bool>(),
            vec(("[a-z][a-z0-9]{0,5}", "[!-+\\--<>-~]{1,8}"), 0..3),
        );
        let baggage = vec((".{0,8}", ".{0,8}"), 0..3);
        (option::weighted(0.9, span), baggage).prop_map(|(span, baggage)| {
            let mut context = Context::new();
            if let Some((trace_id, span_id, flags, remote, state)) = span {
                context = context.with_remote_span_context(SpanContext::new(
                    TraceId::from(trace_id.unwrap_or_default()),
                    SpanId::from(span_id.unwrap_or_default()),
                    TraceFlags::new(flags),
                    remote,
                    TraceState::from_key_value(state).unwrap_or_default(),
                ));
            }
            let baggage = baggage
                .into_iter()
                .map(|(key, value)| KeyValue::new(key, value));
            context.with_baggage(baggage)
        })
    }

    proptest! {
        #[test]
        fn the_headers_are_those_of_the_w3c_propagators(context in contexts()) {
            let w3c = TextMapCompositePropagator::new(vec![
                Box::new(TraceContextPropagator::new()),
                Box::new(BaggagePropagator::new()),
            ]);
            let mut expected = HeaderMap::new();
            w3c.inject_context(&context, &mut Headers(&mut expected));
            // The propagator offers an empty `tracestate` when there is none.
            if expected.get(TRACESTATE).is_some_and(HeaderValue::is_empty) {
                expected.remove(TRACESTATE);
            }
            let mut headers = HeaderMap::new();
            inject(&context, &mut headers);
            prop_assert_eq!(headers, expected);
        }
    }
}
