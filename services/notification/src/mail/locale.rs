//! The languages letters are written in.

/// A language with all templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Locale {
    /// What stands in for every other.
    #[default]
    English,
    German,
}

impl Locale {
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::German];

    /// The word in settings, preferences and the `lang` of a page (BCP 47).
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language of exactly this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.as_str() == name)
    }

    /// The language that comes nearest: `de-AT` is German, and what there is no template in English.
    pub(crate) fn nearest(name: &str) -> Self {
        let language = name.split(['-', '_']).next().unwrap_or_default();
        Self::named(&language.to_ascii_lowercase()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_without_templates_falls_back_to_english() {
        for (name, nearest) in [
            ("de", Locale::German),
            ("de-AT", Locale::German),
            ("DE_ch", Locale::German),
            ("en-GB", Locale::English),
            ("fr", Locale::English),
            ("", Locale::English),
        ] {
            assert_eq!(Locale::nearest(name), nearest, "{name:?}");
        }
        assert_eq!(Locale::named("de-AT"), None);
    }
}
