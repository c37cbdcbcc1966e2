//! A letter as it goes over the wire (RFC 5322), HTML and text in one.
//!
//! What is in a name or a title stays in its header: it is made one line before the library encodes
//! it, which refuses to write any other.

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use lyceum_contracts::delivery::LetterPreview;
use time::OffsetDateTime;

/// From whom, to whom, and under which name.
#[derive(Debug)]
pub(super) struct Cover<'a> {
    pub(super) from: Mailbox,
    pub(super) to: Address,
    /// Who lives there.
    pub(super) name: &'a str,
    pub(super) message_id: &'a str,
    pub(super) written_at: OffsetDateTime,
    /// Where one click ends letters of this kind (RFC 8058).
    pub(super) unsubscribe: Option<&'a str>,
}

/// Puts the letter into its envelope.
pub(super) fn message(
    cover: Cover<'_>,
    letter: LetterPreview,
) -> Result<Message, lettre::error::Error> {
    let mut message = Message::builder()
        .from(cover.from)
        .to(Mailbox::new(Some(one_line(cover.name)), cover.to))
        .subject(one_line(&letter.subject))
        .message_id(Some(cover.message_id.to_owned()))
        .date(cover.written_at.into())
        // RFC 3834: no robot needs to answer.
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
    if let Some(url) = cover.unsubscribe {
        message = message
            .raw_header(header("List-Unsubscribe", format!("<{url}>")))
            .raw_header(header(
                "List-Unsubscribe-Post",
                "List-Unsubscribe=One-Click".to_owned(),
            ));
    }
    message.multipart(MultiPart::alternative_plain_html(letter.text, letter.html))
}

/// The text without anything that could end a line, each gap one space.
fn one_line(text: &str) -> String {
    let gap = |char: char| char.is_whitespace() || char.is_control();
    let words = text.split(gap).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn lines(name: &str, subject: &str) -> Vec<String> {
        let cover = Cover {
            from: "Lyceum <no-reply@lyceum.test>".parse().unwrap(),
            to: "ada@example.org".parse().unwrap(),
            name,
            message_id: "<7@lyceum.test>",
            written_at: datetime!(2026-01-02 03:04:05 UTC),
            unsubscribe: Some("https://lyceum.test/unsubscribe?token=0123.enrolment.created"),
        };
        let letter = LetterPreview {
            subject: subject.to_owned(),
            text: "Ü".to_owned(),
            html: "<p>Ü</p>".to_owned(),
        };
        let message = message(cover, letter).unwrap().formatted();
        let text = String::from_utf8(message).unwrap();
        text.split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_letter_is_text_and_page_and_says_how_to_have_no_more() {
        let lines = lines("Ada", "Hello");
        for expected in [
            "From: Lyceum <no-reply@lyceum.test>",
            "To: Ada <ada@example.org>",
            "Subject: Hello",
            "Message-ID: <7@lyceum.test>",
            "Date: Fri, 02 Jan 2026 03:04:05 +0000",
            "Auto-Submitted: auto-generated",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Type: text/html; charset=utf-8",
        ] {
            assert!(
                lines.iter().any(|line| line == expected),
                "{expected} in {lines:#?}"
            );
        }
        let whole = lines.join("\n").replace("\n ", " ");
        let link = "<https://lyceum.test/unsubscribe?token=0123.enrolment.created>";
        assert!(
            whole.contains(&format!("List-Unsubscribe: {link}")),
            "{whole}"
        );
    }

    #[test]
    fn nothing_in_a_name_or_a_subject_begins_a_header() {
        for evil in [
            "x\r\nBcc: eve@example.org",
            "x\nBcc: eve@example.org",
            "x\rBcc: eve@example.org",
            "x\u{2028}Bcc: eve@example.org",
            "x\0Bcc: eve@example.org",
            "\u{7}",
        ] {
            let lines = lines(evil, evil);
            let head: Vec<_> = lines.iter().take_while(|line| !line.is_empty()).collect();
            assert!(
                !head.iter().any(|line| line.starts_with("Bcc")),
                "{head:#?}"
            );
            assert!(
                !head.iter().any(|line| line.contains(['\r', '\n'])),
                "{head:#?}"
            );
        }
    }
}
