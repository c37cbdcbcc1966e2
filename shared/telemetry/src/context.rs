//! The trace a line of code is running in: read it, continue one that came from elsewhere, link to it.
//! Parsing follows W3C Trace Context level 1 to the letter; the SDK's own extractor lets malformed headers through.
//! A remote parent must be set before its span is entered: entering a span fixes its parent for good.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The current trace's id: 32 lower-case hexadecimal digits. `None` outside any trace.
pub fn trace_id() -> Option<String> {
    current().map(|span| span.trace_id().to_string())
}

/// The current span as a `traceparent` header value, to be stored or sent. `None` outside any trace.
pub fn traceparent() -> Option<String> {
    current().map(|span| String::from_utf8_lossy(&render(&span)).into_owned())
}

/// The current trace's `tracestate` header value. `None` outside any trace or when vendors added nothing.
pub fn tracestate() -> Option<String> {
    current()
        .map(|span| span.trace_state().header())
        .filter(|state| !state.is_empty())
}

/// Makes `span` a child of the span that `traceparent` names; an invalid value leaves it as it is.
/// Call it before `span` is entered or instruments a future.
pub fn set_remote_parent(span: &Span, traceparent: &str) {
    if let Some(parent) = parse(traceparent) {
        adopt(span, Context::new().with_remote_span_context(parent));
    }
}

/// Links `span` to the span that `traceparent` names: "caused by", without being its child.
/// An invalid value adds nothing.
pub fn link(span: &Span, traceparent: &str) {
    if let Some(linked) = parse(traceparent) {
        span.add_link(linked);
    }
}

/// A CONSUMER span for a message stored earlier: it joins the trace the message was born in (`traceparent` of
/// that moment) and links to the span that handles it now, so that both stories lead to each other.
/// Without a valid `traceparent` it is an ordinary child of the current span.
pub fn consumer_span(name: &str, traceparent: Option<&str>) -> Span {
    let span = tracing::info_span!("consumer", otel.name = name, otel.kind = "consumer");
    if let Some(origin) = traceparent.and_then(parse) {
        let handler = current();
        adopt(&span, Context::new().with_remote_span_context(origin));
        if let Some(handler) = handler {
            span.add_link(handler);
        }
    }
    span
}

/// Whether the calling code works for a trace that nobody records, so that spans of its own would serve nobody.
/// False outside any trace.
pub fn is_unsampled() -> bool {
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        span.is_valid() && !span.is_sampled()
    })
}

/// Whether the current span is being recorded for export. False outside any trace and in traces not sampled.
pub(crate) fn is_recording() -> bool {
    Context::map_current(|context| context.span().is_recording())
}

/// The span the calling code runs in, if it has valid ids.
pub(crate) fn current() -> Option<SpanContext> {
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| span.clone())
    })
}

/// Gives a span that has not been entered yet another parent.
pub(crate) fn adopt(span: &Span, parent: Context) {
    // Fails only where there is nothing to do: no subscriber, a disabled span, or one already started.
    drop(span.set_parent(parent));
}

/// A span context as the value of a `traceparent` header, version 00.
pub(crate) fn render(span: &SpanContext) -> [u8; 55] {
    let mut text = *b"00-tttttttttttttttttttttttttttttttt-ssssssssssssssss-ff";
    write_hex(&mut text[3..35], &span.trace_id().to_bytes());
    write_hex(&mut text[36..52], &span.span_id().to_bytes());
    let flags = span.trace_flags() & TraceFlags::SAMPLED;
    write_hex(&mut text[53..], &[flags.to_u8()]);
    text
}

fn write_hex(text: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (digits, byte) in text.chunks_exact_mut(2).zip(bytes) {
        digits[0] = DIGITS[usize::from(byte >> 4)];
        digits[1] = DIGITS[usize::from(byte & 0xf)];
    }
}

/// Reads a `traceparent` header value: lower-case hexadecimal of fixed widths, ids not all zero, version not ff,
/// and nothing after the flags unless the version is newer than 00 (W3C Trace Context, sections 3.2.2 and 4.3).
pub(crate) fn parse(traceparent: &str) -> Option<SpanContext> {
    let bytes = traceparent.as_bytes();
    let dashes = bytes.len() >= 55 && bytes[2] == b'-' && bytes[35] == b'-' && bytes[52] == b'-';
    let version = hex(traceparent.get(..2)?)?;
    let tail_allowed = bytes.len() == 55 || (version > 0 && bytes.get(55) == Some(&b'-'));
    if !dashes || version == 0xff || !tail_allowed {
        return None;
    }
    let trace_id = traceparent.get(3..35).and_then(hex)?;
    let span_id = u64::try_from(traceparent.get(36..52).and_then(hex)?).ok()?;
    let flags = u8::try_from(traceparent.get(53..55).and_then(hex)?).ok()?;
    let span = SpanContext::new(
        TraceId::from(trace_id),
        SpanId::from(span_id),
        TraceFlags::new(flags) & TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    span.is_valid().then_some(span)
}

/// The same span with the vendors' state attached; unreadable state is dropped, as section 3.3 asks.
pub(crate) fn with_state(span: &SpanContext, tracestate: &str) -> SpanContext {
    let state = tracestate.parse::<TraceState>().unwrap_or_default();
    SpanContext::new(
        span.trace_id(),
        span.span_id(),
        span.trace_flags(),
        true,
        state,
    )
}

fn hex(digits: &str) -> Option<u128> {
    let lower_case = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    digits
        .bytes()
        .all(lower_case)
        .then(|| u128::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_valid_traceparent_survives_the_round_trip() {
        let span = parse(VALID).expect("valid");
        assert!(span.is_sampled() && span.is_remote());
        assert_eq!(render(&span), VALID.as_bytes());
    }

    #[test]
    fn a_newer_version_may_say_more_but_must_begin_the_same() {
        assert!(parse(&VALID.replacen("00-", "cc-", 1)).is_some());
        assert!(
            parse(&format!(
                "{}-what-the-future-brings",
                VALID.replacen("00-", "cc-", 1)
            ))
            .is_some()
        );
        assert!(parse(&format!("{}.glued", VALID.replacen("00-", "cc-", 1))).is_none());
    }

    #[test]
    fn malformed_traceparents_are_refused() {
        let zero_trace = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        let zero_span = "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01";
        let cases = [
            String::new(),
            "00".to_owned(),
            zero_trace.to_owned(),
            zero_span.to_owned(),
            VALID.to_uppercase(),
            VALID.replacen("00-", "ff-", 1),
            VALID.replacen("00-", "0-", 1),
            VALID.replacen("00-", "+0-", 1),
            format!("{VALID}-"),
            format!("{VALID}-00"),
            format!(" {VALID}"),
            VALID.replace('-', "_"),
            VALID.replacen("0a", "+a", 1),
            VALID.replacen("0af", "0\u{e9}", 1),
            VALID[..54].to_owned(),
        ];
        for case in cases {
            assert!(parse(&case).is_none(), "{case:?} was taken for valid");
        }
    }

    #[test]
    fn unknown_flags_are_cleared() {
        let span = parse(&VALID.replace("-01", "-ff")).expect("valid");
        assert_eq!(span.trace_flags(), TraceFlags::SAMPLED);
    }
}
