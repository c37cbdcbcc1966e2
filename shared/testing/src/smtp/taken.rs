//! A letter as a mail server has it.

use std::time::Instant;

use super::Manners;

/// A letter the server has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// `RCPT TO`, without the angle brackets.
    pub recipient: String,
    /// Header and body, with `\r\n`.
    pub letter: String,
    /// How it was taken, and whether that was said.
    pub manners: Manners,
    /// When it was taken, before any word of it.
    pub at: Instant,
}

impl Taken {
    /// The value of a header, unfolded; the first of this name.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.letter.split("\r\n\r\n").next()?;
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let mut lines = unfolded
            .split("\r\n")
            .filter_map(|line| line.split_once(": "));
        lines
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    }

    /// All of it, with quoted-printable (RFC 2045 §6.7) undone.
    pub fn body(&self) -> String {
        let mut parts = self.letter.split('=');
        let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
        for part in parts {
            let coded = part
                .get(..2)
                .and_then(|hex| u8::from_str_radix(hex, 16).ok());
            match (part.strip_prefix("\r\n"), coded) {
                (Some(rest), _) => bytes.extend_from_slice(rest.as_bytes()),
                (None, Some(byte)) => {
                    bytes.push(byte);
                    bytes.extend_from_slice(&part.as_bytes()[2..]);
                }
                (None, None) => {
                    bytes.push(b'=');
                    bytes.extend_from_slice(part.as_bytes());
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its `Message-ID`.
    ///
    /// # Panics
    /// When it has none.
    pub fn message_id(&self) -> String {
        self.header("Message-ID").expect("every letter has one")
    }
}
