//! Enums that are one word each: on the wire, in the database, in a query.

/// Declares such an enum, each variant with its word in snake case, and the error that a text is
/// none of them.
macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident or $unknown:ident {
            $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        #[cfg_attr(
            feature = "sea-orm",
            derive(sea_orm::DeriveValueType),
            sea_orm(value_type = "String", column_type = "Text")
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $unknown;

            fn from_str(text: &str) -> Result<Self, $unknown> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err($unknown) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use crate::audit::Action;
    use crate::broadcast::AudienceKind;
    use crate::delivery::DeliveryState;
    use crate::event::LinkPurpose;
    use crate::job::{JobKind, JobStatus};
    use crate::preferences::Digest;
    use crate::presence::Visibility;
    use crate::role::{Role, UnknownRole};
    use crate::user::AccountStatus;
    use crate::webhook::DisabledBecause;

    #[test]
    fn the_word_on_the_wire_is_the_one_in_the_database() {
        macro_rules! check {
            ($($name:ident)+) => {$(
                for one in $name::ALL.iter().copied() {
                    assert_eq!(serde_json::to_value(one).unwrap(), one.as_str());
                    assert_eq!(serde_json::from_value::<$name>(one.as_str().into()).unwrap(), one);
                    assert_eq!(one.as_str().parse(), Ok(one));
                }
            )+};
        }
        check!(Action AudienceKind DeliveryState Digest DisabledBecause LinkPurpose JobKind JobStatus Role AccountStatus Visibility);
    }

    #[test]
    fn another_word_is_none() {
        for text in ["", "Admin", "root", "admin "] {
            assert_eq!(text.parse::<Role>(), Err(UnknownRole), "{text:?}");
        }
    }
}
