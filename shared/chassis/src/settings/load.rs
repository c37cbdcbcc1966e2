//! Reads all settings from their four sources and names whatever is wrong.

use std::path::{Path, PathBuf};

use config::{Config, Environment as Variables, File, FileFormat, Map, Value, ValueKind};
use serde::de::DeserializeOwned;

use super::{PLATFORM_DEFAULTS, PlatformSettings, ServiceSettings, Settings};

/// Prefix of the variables: `LYCEUM__HTTP__PORT` is `http.port`.
const PREFIX: &str = "LYCEUM";
const SEPARATOR: &str = "__";

/// Keys whose variable is a comma-separated list.
const LISTS: [&str; 1] = ["service_auth.secrets"];

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read or is not TOML.
    #[error("settings: {reason}")]
    Unreadable {
        /// What the reader says; names the file.
        reason: String,
    },
    /// A key is unknown, missing or of the wrong kind.
    #[error("setting `{key}`: {reason}")]
    Refused {
        /// Path of the key, such as `http.port`.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl SettingsError {
    /// A value that fits its type and still cannot be.
    pub fn refused(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Refused {
            key: key.into(),
            reason: reason.into(),
        }
    }
}

/// Where settings come from besides the embedded defaults.
#[derive(Debug, Default)]
pub struct Source {
    /// A TOML file that must exist when named.
    pub file: Option<PathBuf>,
    /// Environment variables; those without the prefix are ignored.
    pub variables: Vec<(String, String)>,
}

impl Source {
    /// The process's own environment, and a file when one is named.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn process(file: Option<&Path>) -> Self {
        Self {
            file: file.map(Path::to_owned),
            variables: std::env::vars().collect(),
        }
    }
}

/// Reads, merges, types and checks all settings of a service.
///
/// # Errors
/// [`SettingsError`] names the first key that is unknown, missing, of the wrong kind or refused.
pub fn load<S: ServiceSettings>(
    service_defaults: &str,
    source: Source,
) -> Result<Settings<S>, SettingsError> {
    let mut platform = merge(service_defaults, source)?;
    let service = take_foreign(&mut platform);
    let settings = Settings {
        platform: typed::<PlatformSettings>(platform)?,
        service: typed::<S>(service)?,
    };
    settings.platform.check()?;
    settings.service.check(settings.platform.environment)?;
    Ok(settings)
}

fn merge(service_defaults: &str, source: Source) -> Result<Map<String, Value>, SettingsError> {
    let mut builder = Config::builder()
        .add_source(File::from_str(PLATFORM_DEFAULTS, FileFormat::Toml))
        .add_source(File::from_str(service_defaults, FileFormat::Toml));
    if let Some(file) = source.file {
        builder = builder.add_source(File::from(file).format(FileFormat::Toml).required(true));
    }
    let mut variables = Variables::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR)
        .try_parsing(true)
        .list_separator(",")
        .source(Some(source.variables.into_iter().collect()));
    for key in LISTS {
        variables = variables.with_list_parse_key(key);
    }
    builder
        .add_source(variables)
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| SettingsError::Unreadable {
            reason: error.to_string(),
        })
}

/// Takes the sections that are not the platform's.
fn take_foreign(all: &mut Map<String, Value>) -> Map<String, Value> {
    let foreign: Vec<String> = all
        .keys()
        .filter(|key| !PlatformSettings::KEYS.contains(&key.as_str()))
        .cloned()
        .collect();
    foreign
        .into_iter()
        .filter_map(|key| all.remove_entry(&key))
        .collect()
}

fn typed<T: DeserializeOwned>(sections: Map<String, Value>) -> Result<T, SettingsError> {
    let value = Value::new(None, ValueKind::Table(sections));
    serde_path_to_error::deserialize(value).map_err(|error| {
        let key = error.path().to_string();
        let reason = error.into_inner().to_string();
        match unknown_field(&reason) {
            // The path of an unknown key ends at its section; the key itself is in the message.
            Some(field) if key == "." => SettingsError::refused(field, "unknown setting"),
            Some(field) if !key.ends_with(field) => {
                SettingsError::refused(format!("{key}.{field}"), "unknown setting")
            }
            Some(_) => SettingsError::refused(key, "unknown setting"),
            None => SettingsError::refused(key, reason),
        }
    })
}

/// The key in serde's message "unknown field `key`, expected …".
fn unknown_field(reason: &str) -> Option<&str> {
    reason
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next())
}
