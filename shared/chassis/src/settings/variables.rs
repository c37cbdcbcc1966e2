//! Settings from the environment: a variable holds a value, or names the file that does.
//!
//! `LYCEUM__DATABASE__URL` is `database.url`; `LYCEUM__DATABASE__URL_FILE` is the path of a file
//! whose content is. That is how the official images read secrets, and how an orchestrator mounts
//! them. What such a file says never stands in a message: it is a secret more often than not. Nor
//! does a path that is none, for somebody may have put the secret itself there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use config::{Value, ValueKind};

use super::SettingsError;

/// Prefix of the variables: `LYCEUM__HTTP__PORT` is `http.port`.
const PREFIX: &str = "LYCEUM__";
const SEPARATOR: &str = "__";

/// How a variable ends that names a file. No key of ours ends so.
const FILE: &str = "_file";

/// Keys whose text is a list, separated by commas or lines.
const LISTS: [&str; 4] = [
    "service_auth.secrets",
    "http.trusted_proxies",
    "http.allowed_origins",
    "live.allowed_origins",
];

/// A larger file is not a setting: somebody has mixed up two paths.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// What the environment says a key is.
#[derive(Debug)]
pub(super) struct Given {
    /// The variable as it was spelt.
    pub(super) variable: String,
    /// The value, out of the variable or out of the file it names.
    pub(super) value: Value,
    /// Whether a file said so: its content must not be quoted.
    pub(super) from_file: bool,
}

/// What the environment sets, by key.
pub(super) type Variables = BTreeMap<String, Given>;

/// Reads the variables that are ours, and the files some of them name.
///
/// # Errors
/// A key is set twice, or its file cannot be used; the message names the variables and the path.
pub(super) fn read(variables: Vec<(String, String)>) -> Result<Variables, SettingsError> {
    let mut spelt: BTreeMap<String, (String, String, bool)> = BTreeMap::new();
    for (variable, text) in variables {
        let Some((key, from_file)) = key_of(&variable) else {
            continue;
        };
        match spelt.entry(key) {
            Entry::Vacant(free) => drop(free.insert((variable, text, from_file))),
            Entry::Occupied(taken) => return Err(twice(taken.key(), &taken.get().0, &variable)),
        }
    }
    let given = spelt.into_iter().map(|(key, (variable, text, from_file))| {
        let text = if from_file {
            content(&variable, Path::new(&text))?
        } else {
            text
        };
        let value = value_of(&key, text);
        Ok((
            key,
            Given {
                variable,
                value,
                from_file,
            },
        ))
    });
    given.collect()
}

/// Two spellings of one key: nobody can know which is meant.
fn twice(key: &str, one: &str, other: &str) -> SettingsError {
    let (first, second) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    SettingsError::refused(key, format!("set by {first} and by {second}, keep one"))
}

/// `http.port` of `LYCEUM__HTTP__PORT` and of `LYCEUM__HTTP__PORT_FILE`; whether it is a file's.
fn key_of(variable: &str) -> Option<(String, bool)> {
    let name = variable.strip_prefix(PREFIX)?.to_lowercase();
    let name = name.replace(SEPARATOR, ".");
    Some(match name.strip_suffix(FILE) {
        Some(key) => (key.to_owned(), true),
        None => (name, false),
    })
}

/// The text as it is: a password of digits stays one. Numbers and truths are read where a setting
/// has that type.
fn value_of(key: &str, text: String) -> Value {
    let kind = if LISTS.contains(&key) {
        let items = text.split([',', '\n']).map(str::trim);
        // A blank line between two items is none itself.
        let items = items.filter(|item| !item.is_empty());
        items.collect::<Vec<_>>().into()
    } else {
        ValueKind::String(text)
    };
    Value::new(None, kind)
}

/// What the file says, without the newline that editors and `echo` put at its end.
fn content(variable: &str, path: &Path) -> Result<String, SettingsError> {
    let told = |reason: String| SettingsError::Variable {
        variable: variable.to_owned(),
        reason,
    };
    if !path.is_absolute() {
        return Err(told("is not an absolute path".to_owned()));
    }
    let refuse = |reason: String| told(format!("{}: {reason}", path.display()));
    let bytes = read_bounded(path).map_err(|error| refuse(error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(refuse(format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| refuse("not UTF-8".to_owned()))?;
    for end in ["\n", "\r"] {
        if text.ends_with(end) {
            text.pop();
        } else {
            break;
        }
    }
    if text.is_empty() {
        return Err(refuse("empty".to_owned()));
    }
    Ok(text)
}

/// The file, and one byte more than may be: it may be endless.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
