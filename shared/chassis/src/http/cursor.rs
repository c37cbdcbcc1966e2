//! Cursors: where a page ended, in a text that is good for the list it came from and no other.
//!
//! A cursor carries a checksum over its position, the path and every parameter that chooses or
//! orders rows, so that one that was altered, or belongs to another filter, order or list, is told
//! from a good one instead of answering with the wrong rows. It is a checksum and no signature on
//! purpose: a position gives no rights. Whoever makes one up gets the rows behind it that they may
//! see anyhow, for each page is asked for with the caller's own token and filters. So there is no
//! key to share between replicas, and a cursor outlives a restart.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// Bytes of the checksum: a wrong cursor passes by chance once in 2^64.
const SUM: usize = 8;

/// Whether a parameter says which part of a list is asked for, rather than which list.
pub(super) fn is_of_the_window(name: &str) -> bool {
    matches!(name, "skip" | "limit" | "cursor" | "include_total")
}

/// A list, told from others by its path and by the parameters that choose and order its rows.
#[derive(Debug)]
pub(super) struct List(Sha256);

impl List {
    /// The list at `path`; the order of the parameters is of no account.
    pub(super) fn new<'a>(
        path: &str,
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut parameters: Vec<_> = parameters
            .into_iter()
            .filter(|(name, _)| !is_of_the_window(name))
            .collect();
        parameters.sort_unstable();
        let mut list = Self(Sha256::new_with_prefix("lyceum cursor"));
        list.add(path);
        for (name, value) in parameters {
            list.add(name);
            list.add(value);
        }
        list
    }

    /// With its length, so that no two sequences of texts look the same.
    fn add(&mut self, text: &str) {
        self.0.update(text.len().to_be_bytes());
        self.0.update(text);
    }

    /// The cursor of a position in this list.
    pub(super) fn seal(&self, position: &impl Serialize) -> String {
        // Positions are plain data, which always serialise.
        let position = serde_json::to_vec(position).unwrap_or_default();
        let mut sealed = self.sum(&position);
        sealed.extend(position);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// The position of a cursor, if it is one of this list and unaltered.
    pub(super) fn open<P: DeserializeOwned>(&self, cursor: &str) -> Option<P> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (sum, position) = sealed.split_at_checked(SUM)?;
        (sum == self.sum(position)).then(|| serde_json::from_slice(position).ok())?
    }

    fn sum(&self, position: &[u8]) -> Vec<u8> {
        let sum = self.0.clone().chain_update(position).finalize();
        sum[..SUM].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(parameters: &[(&str, &str)]) -> List {
        List::new("/users", parameters.iter().copied())
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list_alone() {
        let mine = list(&[("q", "ada"), ("role", "student"), ("limit", "2")]);
        let cursor = mine.seal(&7);
        let same = list(&[("role", "student"), ("q", "ada"), ("limit", "100")]);
        assert_eq!(same.open(&cursor), Some(7));
        for other in [
            list(&[("q", "ada")]),
            list(&[("q", "adar"), ("ole", "student")]),
            list(&[("q", "ada"), ("role", "admin")]),
            list(&[("q", "ada"), ("role", "student"), ("sort", "email")]),
            List::new("/courses", [("q", "ada"), ("role", "student")]),
        ] {
            assert_eq!(other.open::<i64>(&cursor), None);
        }
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back_and_altered_by_one_byte_it_does_not(
            id in any::<i64>(), key in ".{0,20}", at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let list = list(&[]);
            let cursor = list.seal(&(id, &key));
            prop_assert_eq!(list.open(&cursor), Some((id, key)));
            let mut bytes = cursor.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let altered = String::from_utf8_lossy(&bytes);
            if altered != cursor {
                prop_assert_eq!(list.open::<(i64, String)>(&altered), None);
            }
            prop_assert_eq!(list.open::<(i64, String)>(&cursor[..at]), None);
        }

        #[test]
        fn noise_is_no_cursor(noise in ".{0,40}") {
            prop_assert_eq!(list(&[]).open::<i64>(&noise), None);
        }
    }
}
