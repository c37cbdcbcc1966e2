//! How the bytes of a body are told from what follows.

use std::io::Write;

/// What goes around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// RFC 9112 §7.1.
    Chunked,
    /// They end with the connection, as before HTTP/1.1.
    UntilEnd,
    /// As after a 101; whoever writes the body reads too.
    Upgraded,
}

impl Framing {
    pub(super) fn put(self, bytes: &[u8], out: &mut Vec<u8>) {
        if self != Self::Chunked {
            out.extend_from_slice(bytes);
        } else if !bytes.is_empty() {
            // An empty chunk would be the last one. Writing to a Vec cannot fail.
            write!(out, "{:X}\r\n", bytes.len()).ok();
            out.extend_from_slice(bytes);
            out.extend_from_slice(b"\r\n");
        }
    }

    pub(super) fn end(self, out: &mut Vec<u8>) {
        if self == Self::Chunked {
            out.extend_from_slice(b"0\r\n\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(framing: Framing, chunks: &[&str]) -> String {
        let mut out = Vec::new();
        for chunk in chunks {
            framing.put(chunk.as_bytes(), &mut out);
        }
        framing.end(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn chunks_are_written_as_the_standard_has_them() {
        let long = "x".repeat(26);
        let text = written(Framing::Chunked, &["Wiki", "", &long]);
        assert_eq!(text, format!("4\r\nWiki\r\n1A\r\n{long}\r\n0\r\n\r\n"));
    }

    #[test]
    fn nothing_goes_around_what_ends_with_the_connection() {
        for framing in [Framing::UntilEnd, Framing::Upgraded] {
            assert_eq!(written(framing, &["a", "", "b"]), "ab");
        }
    }
}
