//! Traces as the viewer's own API tells them: what a person would see on the screen.

use lyceum_testing::http::Client;
use lyceum_testing::otlp::{Attributes, Kind, Span, Status, render};
use serde_json::Value;

use crate::{Stack, eventually, within_patience};

/// The query API of the viewer.
#[derive(Debug, Clone)]
pub struct Viewer(Client);

impl Viewer {
    /// That of a stack.
    pub fn of(stack: &Stack) -> Self {
        Self(stack.at("TRACES_PORT"))
    }

    /// That of a stack, started anew: what it keeps is bounded, and a load has used it up.
    pub async fn emptied(stack: &Stack) -> Self {
        stack.compose(&["restart", "jaeger"]).await;
        let viewer = Self::of(stack);
        eventually("answering", async || {
            let answer = viewer.0.get("/api/services").try_send().await;
            answer.ok().filter(|answer| answer.status == 200)
        })
        .await;
        viewer
    }

    /// The spans of a trace, as many as have arrived.
    pub async fn trace(&self, id: &str) -> Vec<Span> {
        let answer = self.0.get(&format!("/api/traces/{id}")).try_send().await;
        let Ok(answer) = answer else {
            return Vec::new();
        };
        if answer.status != 200 {
            return Vec::new();
        }
        answer.json::<Value>()["data"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(spans)
            .collect()
    }

    /// The newest traces that began in a service or went through it.
    pub async fn recent(&self, service: &str, limit: u32) -> Vec<Span> {
        let path = format!("/api/traces?service={service}&limit={limit}&lookback=1h");
        let answer = self.0.get(&path).send().await.expect(200);
        answer.json::<Value>()["data"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(spans)
            .collect()
    }

    /// Waits until the trace is as complete as `enough` wants it.
    pub async fn wait_for(&self, id: &str, enough: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let mut last = Vec::new();
        let found = within_patience(async || {
            let spans = self.trace(id).await;
            last.clone_from(&spans);
            enough(&spans).then_some(spans)
        });
        found
            .await
            .unwrap_or_else(|| panic!("trace {id} is only\n{}", render(&last, &[])))
    }

    /// Waits until the trace is this tree, drawn by [`render`].
    pub async fn wait_for_tree(&self, id: &str, expected: &str) -> Vec<Span> {
        let is_it = |spans: &[Span]| render(spans, &[]) == expected.trim_end();
        self.wait_for(id, is_it).await
    }
}

fn spans(trace: &Value) -> Vec<Span> {
    let empty = Vec::new();
    let wire = trace["spans"].as_array().unwrap_or(&empty);
    let process = |span: &Value| &trace["processes"][span["processID"].as_str().unwrap_or("")];
    wire.iter()
        .map(|span| decode(span, process(span)))
        .collect()
}

fn decode(span: &Value, process: &Value) -> Span {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut attributes = tags(&span["tags"]);
    let kind = match attributes
        .remove("span.kind")
        .as_ref()
        .and_then(Value::as_str)
    {
        Some("server") => Kind::Server,
        Some("client") => Kind::Client,
        Some("producer") => Kind::Producer,
        Some("consumer") => Kind::Consumer,
        _ => Kind::Internal,
    };
    let failed = attributes.get("error") == Some(&Value::Bool(true));
    let references = span["references"].as_array();
    let of_kind = |kind: &'static str| {
        let references = references.into_iter().flatten();
        references.filter(move |reference| reference["refType"] == kind)
    };
    let start = span["startTime"].as_u64().unwrap_or_default() * 1_000;
    Span {
        service: text(&process["serviceName"]),
        resource: tags(&process["tags"]),
        trace_id: text(&span["traceID"]),
        span_id: text(&span["spanID"]),
        parent_span_id: of_kind("CHILD_OF")
            .map(|reference| text(&reference["spanID"]))
            .next(),
        kind,
        name: text(&span["operationName"]),
        status: if failed {
            Status::Error(String::new())
        } else {
            Status::Unset
        },
        attributes,
        events: Vec::new(),
        links: of_kind("FOLLOWS_FROM")
            .map(|reference| (text(&reference["traceID"]), text(&reference["spanID"])))
            .collect(),
        start,
        end: start + span["duration"].as_u64().unwrap_or_default() * 1_000,
    }
}

fn tags(tags: &Value) -> Attributes {
    let tags = tags.as_array().into_iter().flatten();
    tags.filter_map(|tag| Some((tag["key"].as_str()?.to_owned(), tag["value"].clone())))
        .collect()
}
