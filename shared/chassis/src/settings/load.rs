//! Reads all settings from their four sources and names whatever is wrong.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use config::{Config, File, FileFormat, Map, Value, ValueKind};
use lyceum_telemetry::TelemetryError;
use serde::de::DeserializeOwned;

use crate::database::DatabaseError;

use super::variables::{self, Variables};
use super::{PLATFORM_DEFAULTS, PlatformSettings, ServiceSettings, Settings};

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read or is not TOML.
    #[error("settings: {reason}")]
    Unreadable {
        /// What the reader says; names the file.
        reason: String,
    },
    /// A variable names a file that cannot be used.
    #[error("{variable} names a file that cannot be used: {reason}")]
    Variable {
        /// The variable, such as `LYCEUM__DATABASE__URL_FILE`.
        variable: String,
        /// The path, and what is wrong with it; never what the file says.
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

impl From<DatabaseError> for SettingsError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Setting { key, problem } => Self::refused(key, problem),
            other => Self::refused("database", other.to_string()),
        }
    }
}

impl From<TelemetryError> for SettingsError {
    fn from(error: TelemetryError) -> Self {
        match error {
            TelemetryError::Setting { key, reason } => Self::refused(key, reason),
            other => Self::refused("telemetry", other.to_string()),
        }
    }
}

impl From<lyceum_client::SettingsError> for SettingsError {
    fn from(error: lyceum_client::SettingsError) -> Self {
        Self::refused(error.key, format!("must {}", error.rule))
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
            variables: texts(std::env::vars_os()),
        }
    }
}

/// What is not UTF-8 stays, with marks for the unreadable: in a setting of ours it is then refused
/// or seen to be wrong, anywhere else in the environment it is nobody's fault.
pub(super) fn texts(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<(String, String)> {
    let text = |raw: OsString| raw.to_string_lossy().into_owned();
    variables
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// Reads, merges, types and checks all settings of a service.
///
/// # Errors
/// [`SettingsError`] names the first key that is unknown, missing, of the wrong kind or refused.
pub fn load<S: ServiceSettings>(
    service_defaults: &str,
    source: Source,
) -> Result<Settings<S>, SettingsError> {
    let environment = variables::read(source.variables)?;
    let mut platform = merge(service_defaults, source.file, &environment)?;
    let service = take_foreign(&mut platform);
    let settings = Settings {
        platform: typed::<PlatformSettings>(platform, &environment)?,
        service: typed::<S>(service, &environment)?,
    };
    settings.platform.check()?;
    settings.service.check(settings.platform.environment)?;
    Ok(settings)
}

fn merge(
    service_defaults: &str,
    file: Option<PathBuf>,
    environment: &Variables,
) -> Result<Map<String, Value>, SettingsError> {
    let mut builder = Config::builder()
        .add_source(File::from_str(PLATFORM_DEFAULTS, FileFormat::Toml))
        .add_source(File::from_str(service_defaults, FileFormat::Toml));
    if let Some(file) = file {
        builder = builder.add_source(File::from(file).format(FileFormat::Toml).required(true));
    }
    for (key, given) in environment {
        builder = builder
            .set_override(key, given.value.clone())
            .map_err(|error| unreadable(&error))?;
    }
    builder
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| unreadable(&error))
}

/// The reader's words without the lines it quotes, each marked ` |`: they may hold a password.
fn unreadable(error: &config::ConfigError) -> SettingsError {
    let text = error.to_string();
    let words = text.lines().filter(|line| !line.contains(" |"));
    SettingsError::Unreadable {
        reason: words.collect::<Vec<_>>().join(" "),
    }
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

fn typed<T: DeserializeOwned>(
    sections: Map<String, Value>,
    environment: &Variables,
) -> Result<T, SettingsError> {
    let value = Value::new(None, ValueKind::Table(sections));
    serde_path_to_error::deserialize(value).map_err(|error| {
        let key = error.path().to_string();
        let reason = error.into_inner().to_string();
        if reason.starts_with("unknown field `") {
            // The path names the key; what serde expected instead is a long list.
            SettingsError::refused(key, "unknown setting")
        } else if stands_for_several(&reason) {
            SettingsError::refused(key, "must be a section or a list, not one value")
        } else if let Some(given) = environment.get(&key).filter(|given| given.from_file) {
            // The words would quote what the file says.
            let reason = format!(
                "what the file of {} says cannot be its value",
                given.variable
            );
            SettingsError::refused(key, reason)
        } else {
            SettingsError::refused(key, reason)
        }
    })
}

/// Whether serde's message is about one value where a section or a list belongs. It quotes the
/// value, which may be a password meant for a key inside.
fn stands_for_several(reason: &str) -> bool {
    let wanted = reason.rsplit_once(", expected ").map(|(_, wanted)| wanted);
    wanted.is_some_and(|wanted| {
        ["struct ", "a map", "a sequence"]
            .iter()
            .any(|several| wanted.starts_with(several))
    })
}
