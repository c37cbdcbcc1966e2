//! Server-Sent Events as bytes (WHATWG HTML, §9.2). Pure.
//!
//! Data may hold anything: each of its lines gets a `data:` of its own, so no text can end an
//! event or begin another. Names are words of this program and ids are numbers, which hold no line
//! break and no NUL by their types.

use std::fmt::Write;
use std::time::Duration;

/// A comment, which clients ignore: the stream is alive.
pub(super) const PING: &str = ": ping\n\n";

/// The names of our events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Sync,
    Notification,
    Change,
    News,
    Bye,
}

impl Name {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Notification => "notification",
            Self::Change => "change",
            Self::News => "news",
            Self::Bye => "bye",
        }
    }
}

/// One event. A client repeats the last `id` it saw as `Last-Event-ID` when it comes back.
pub(super) fn event(name: Name, id: Option<i64>, data: &str) -> String {
    let mut text = format!("event: {}\n", name.as_str());
    if let Some(id) = id {
        // Writing to a String cannot fail.
        writeln!(text, "id: {id}").ok();
    }
    for line in lines(data) {
        text.extend(["data: ", line, "\n"]);
    }
    text.push('\n');
    text
}

/// How long a client waits before it reconnects, from now on.
pub(super) fn retry(wait: Duration) -> String {
    format!("retry: {}\n\n", wait.as_millis())
}

/// A line ends with CR LF, LF or CR, as it does for the client.
fn lines(data: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else {
            rest = None;
            return Some(text);
        };
        let line = &text[..end];
        let ending = if text[end..].starts_with("\r\n") {
            2
        } else {
            1
        };
        rest = Some(&text[end + ending..]);
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_event_reads_as_the_standard_writes_it() {
        let text = event(Name::Notification, Some(7), "{\"a\":1}");
        assert_eq!(text, "event: notification\nid: 7\ndata: {\"a\":1}\n\n");
        assert_eq!(event(Name::Bye, None, ""), "event: bye\ndata: \n\n");
        assert_eq!(retry(Duration::from_secs(3)), "retry: 3000\n\n");
    }

    #[test]
    fn every_kind_of_line_break_begins_a_new_data_line() {
        let text = event(Name::Sync, None, "a\nb\r\nc\rd\n\n:e");
        assert_eq!(
            text,
            "event: sync\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: :e\n\n"
        );
    }

    /// What a client makes of one event: its id, and the data with line feeds between the lines.
    fn read(text: &str) -> (Option<String>, String) {
        let fields = |name: &'static str| {
            text.split(['\r', '\n'])
                .filter_map(move |line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let data: Vec<&str> = fields("data").collect();
        (fields("id").next().map(str::to_owned), data.join("\n"))
    }

    proptest! {
        #[test]
        fn no_data_can_forge_an_event_or_an_id(
            data in "([a-z:\\r\\n\u{0}\u{2028}]|id: 9|data: |event: bye){0,40}",
            id in 0..=i64::MAX,
        ) {
            let text = event(Name::Notification, Some(id), &data);
            let body = text.strip_suffix("\n\n").expect("an event ends with an empty line");
            prop_assert!(body.split('\n').all(|line| !line.is_empty()), "{:?}", text);
            prop_assert!(!text.contains('\r'));
            prop_assert_eq!(body.matches("\nid: ").count(), 1);
            let sent = data.replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(read(body), (Some(id.to_string()), sent));
        }
    }
}
