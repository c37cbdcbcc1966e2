//! A trace as text, the same text whenever the trace is the same.

use serde_json::Value;

use super::{Span, Status};

/// Draws spans as a tree: a line per span, children indented by two spaces under their parent.
///
/// A line reads `service KIND name`, then ` (error)` if the span failed, then those of the named
/// `attributes` it has: ` {http.request.resend_count=1}`. Siblings come in the order of their
/// lines, since which of two concurrent calls begins first is chance. A span whose parent is not
/// among `spans` stands at the left margin.
pub fn render(spans: &[Span], attributes: &[&str]) -> String {
    let is_known = |id: &str| spans.iter().any(|span| span.span_id == id);
    let is_root = |span: &Span| !span.parent_span_id.as_deref().is_some_and(is_known);
    level(spans, &is_root, attributes).join("\n")
}

/// The lines of those siblings that `belongs` picks, and of everything under them.
fn level(spans: &[Span], belongs: &dyn Fn(&Span) -> bool, attributes: &[&str]) -> Vec<String> {
    let siblings = spans.iter().filter(|span| belongs(span));
    let mut branches: Vec<Vec<String>> = siblings
        .map(|span| {
            let is_child = |other: &Span| other.parent_span_id.as_ref() == Some(&span.span_id);
            let children = level(spans, &is_child, attributes);
            let indented = children.iter().map(|line| format!("  {line}"));
            std::iter::once(line(span, attributes))
                .chain(indented)
                .collect()
        })
        .collect();
    branches.sort();
    branches.concat()
}

fn line(span: &Span, attributes: &[&str]) -> String {
    let mut line = format!("{} {} {}", span.service, span.kind, span.name);
    if let Status::Error(_) = span.status {
        line.push_str(" (error)");
    }
    let present = attributes.iter().filter_map(|name| {
        let value = span.attributes.get(*name)?;
        let text = value
            .as_str()
            .map_or_else(|| Value::to_string(value), str::to_owned);
        Some(format!("{name}={text}"))
    });
    let present: Vec<_> = present.collect();
    if !present.is_empty() {
        line.extend([" {", &present.join(", "), "}"]);
    }
    line
}
