//! What a refused setting says.

/// A setting that cannot work, by itself or together with another one.
///
/// `key` is the path below the section that holds it, for example `breaker.window_ms`; whoever
/// loads the settings puts its own path in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` must {rule}")]
pub struct InvalidSetting {
    /// The key to change.
    pub key: &'static str,
    /// What its value has to satisfy; continues "must …".
    pub rule: &'static str,
}

/// Refuses `key` unless `holds`.
pub(crate) fn require(
    holds: bool,
    key: &'static str,
    rule: &'static str,
) -> Result<(), InvalidSetting> {
    if holds {
        Ok(())
    } else {
        Err(InvalidSetting { key, rule })
    }
}
