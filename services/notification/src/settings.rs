//! The sections of the settings that are this service's own; `default.toml` explains each key.

use lyceum_chassis::idempotency::IdempotencySettings;
use lyceum_chassis::settings::{Environment, ServiceSettings, SettingsError};
use lyceum_client::UpstreamSettings;
use serde::{Deserialize, Serialize};

pub use crate::broadcasts::BroadcastsSettings;
pub use crate::events::retention::EventsSettings;
pub use crate::inbox::settings::InboxSettings;
pub use crate::live::LiveSettings;
pub use crate::live::courses::CoursesSettings;
pub use crate::mail::{MailSettings, Security, SmtpSettings, TransportKind};
pub use crate::page::PageSettings;
pub use crate::presence::PresenceSettings;
pub use crate::webhooks::WebhooksSettings;

/// The notification service's own sections.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationSettings {
    /// The services this one calls.
    pub upstreams: UpstreamsSettings,
    /// The live streams.
    pub live: LiveSettings,
    /// Live streams of courses.
    pub courses: CoursesSettings,
    /// Letters.
    pub mail: MailSettings,
    /// How long what is in an inbox is kept.
    pub inbox: InboxSettings,
    /// Events that come in.
    pub events: EventsSettings,
    /// Messages to other people's machines.
    pub webhooks: WebhooksSettings,
    /// Notices to many people.
    pub broadcasts: BroadcastsSettings,
    /// Who is there.
    pub presence: PresenceSettings,
    /// Requests that may be sent again.
    pub idempotency: IdempotencySettings,
    /// The live page, outside production.
    pub page: PageSettings,
}

/// The services this one calls.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamsSettings {
    /// The user service, for the keys of access tokens, and for where letters go.
    pub user: UpstreamSettings,
    /// The course service, for who is in a course.
    pub course: UpstreamSettings,
}

impl ServiceSettings for NotificationSettings {
    fn check(&self, environment: Environment) -> Result<(), SettingsError> {
        self.upstreams.user.check("user", environment.into())?;
        self.upstreams.course.check("course", environment.into())?;
        self.live.check()?;
        self.courses.check()?;
        self.inbox.check()?;
        self.events.check()?;
        self.page.check()?;
        self.mail.check(environment)?;
        self.webhooks.check(environment)?;
        self.broadcasts.check()?;
        self.presence.check()?;
        self.idempotency.check()
    }
}

#[cfg(test)]
mod tests {
    use lyceum_chassis::Service;
    use lyceum_chassis::settings::{Settings, Source, load};

    use super::*;
    use crate::App;

    fn with(variable: &str, value: &str) -> Result<Settings<NotificationSettings>, SettingsError> {
        let variables = vec![(variable.to_owned(), value.to_owned())];
        load(
            App::DEFAULTS,
            Source {
                file: None,
                variables,
            },
        )
    }

    #[test]
    fn the_defaults_stand_by_themselves() {
        let settings = with("UNRELATED", "1").unwrap();
        assert_eq!(settings.platform.http.port, 8003);
        assert_eq!(settings.platform.operations.port, 9003);
        assert_eq!(settings.service.live.streams_per_user, 10);
    }

    #[test]
    fn faults_on_purpose_are_for_development_alone() {
        let own = |name: &str, value: &str| (format!("LYCEUM__{name}"), value.to_owned());
        let fault = own("UPSTREAMS__USER__FAULTS__STATUS", "503");
        assert!(with(&fault.0, &fault.1).is_ok());
        let variables = vec![
            own("ENVIRONMENT", "production"),
            own("SERVICE_AUTH__SECRETS", "0123456789abcdef0123456789abcdef"),
            fault,
        ];
        let source = Source {
            file: None,
            variables,
        };
        let refused = load::<NotificationSettings>(App::DEFAULTS, source).unwrap_err();
        let refused = refused.to_string();
        assert!(
            refused.contains("`upstreams.user.faults.status`"),
            "{refused}"
        );
    }

    #[test]
    fn a_setting_that_cannot_be_names_its_key() {
        for key in [
            "heartbeat_ms",
            "retry_ms",
            "streams_per_user",
            "streams_per_node",
            "sweep_ms",
            "hello_timeout_ms",
            "ping_ms",
            "pong_timeout_ms",
            "frames_per_minute",
        ] {
            let error = with(&format!("LYCEUM__LIVE__{}", key.to_uppercase()), "0").unwrap_err();
            assert!(
                error.to_string().contains(&format!("live.{key}")),
                "{error}"
            );
        }
        for key in [
            "inbox.keep_read_days",
            "inbox.keep_archived_days",
            "inbox.keep_expired_days",
            "inbox.keep_changes_days",
            "events.keep_days",
        ] {
            let variable = key.to_uppercase().replace('.', "__");
            for days in ["0", "3651"] {
                let error = with(&format!("LYCEUM__{variable}"), days).unwrap_err();
                assert!(error.to_string().contains(key), "{error}");
            }
        }
        let error = with("LYCEUM__LIVE__ALLOWED_ORIGINS", "app.example.org").unwrap_err();
        assert!(
            error.to_string().contains("live.allowed_origins"),
            "{error}"
        );
        for url in [
            "",
            "127.0.0.1:8001",
            "http://user:8001/",
            "http://a;b",
            "http://a'b",
        ] {
            let error = with("LYCEUM__PAGE__USER_URL", url).unwrap_err();
            assert!(error.to_string().contains("page.user_url"), "{error}");
        }
        let error = with("LYCEUM__LIVE__HARTBEAT_MS", "1").unwrap_err();
        assert!(error.to_string().contains("live.hartbeat_ms"), "{error}");
    }

    #[test]
    fn a_setting_of_courses_that_cannot_be_names_its_key() {
        for (key, value) in [
            ("member_for_ms", "0"),
            ("member_for_ms", "600001"),
            ("stranger_for_ms", "0"),
            ("keep_days", "0"),
            ("remembered", "-1"),
        ] {
            let variable = format!("LYCEUM__COURSES__{}", key.to_uppercase());
            let error = with(&variable, value).unwrap_err().to_string();
            assert!(error.contains(&format!("courses.{key}")), "{key}: {error}");
        }
    }

    #[test]
    fn a_setting_of_letters_that_cannot_be_names_its_key() {
        for (key, value) in [
            ("concurrency", "0"),
            ("batch", "201"),
            ("poll_ms", "0"),
            ("lease_ms", "86400001"),
            ("timeout_ms", "120001"),
            ("keep_days", "0"),
            ("from", "Lyceum"),
            ("from", "a@b.c\r\nBcc: x@y.z"),
            ("locale", "fr"),
            ("page_url", "lyceum.example"),
            ("page_url", "https://lyceum.example/"),
            ("api_url", "https://lyceum.example/#x"),
            ("transport", "pigeon"),
            ("smtp__port", "0"),
            ("smtp__host", ""),
            ("smtp__security", "maybe"),
        ] {
            let error = with(&format!("LYCEUM__MAIL__{}", key.to_uppercase()), value).unwrap_err();
            let key = format!("mail.{}", key.replace("__", "."));
            assert!(error.to_string().contains(&key), "{key} = {value}: {error}");
        }
    }

    #[test]
    fn a_setting_of_webhooks_that_cannot_be_names_its_key() {
        for (key, value) in [
            ("most", "0"),
            ("concurrency", "1001"),
            ("per_target", "51"),
            ("poll_ms", "0"),
            ("lease_ms", "0"),
            ("timeout_ms", "60001"),
            ("old_secret_hours", "721"),
            ("disable_after_hours", "0"),
            ("keep_days", "0"),
        ] {
            let variable = format!("LYCEUM__WEBHOOKS__{}", key.to_uppercase());
            let error = with(&variable, value).unwrap_err().to_string();
            assert!(error.contains(&format!("webhooks.{key}")), "{key}: {error}");
        }
    }

    #[test]
    fn production_refuses_webhooks_within_its_network() {
        let own = |name: &str, value: &str| (format!("LYCEUM__{name}"), value.to_owned());
        let source = Source {
            file: None,
            variables: vec![
                own("ENVIRONMENT", "production"),
                own("SERVICE_AUTH__SECRETS", "0123456789abcdef0123456789abcdef"),
                own("MAIL__TRANSPORT", "smtp"),
                own("WEBHOOKS__ALLOW_PRIVATE", "true"),
            ],
        };
        let refused = load::<NotificationSettings>(App::DEFAULTS, source).unwrap_err();
        assert!(
            refused.to_string().contains("`webhooks.allow_private`"),
            "{refused}"
        );
    }

    #[test]
    fn production_refuses_letters_that_lie_about_in_a_folder() {
        let own = |name: &str, value: &str| (format!("LYCEUM__{name}"), value.to_owned());
        let mut variables = vec![
            own("ENVIRONMENT", "production"),
            own("SERVICE_AUTH__SECRETS", "0123456789abcdef0123456789abcdef"),
        ];
        let load = |variables: &[(String, String)]| {
            let source = Source {
                file: None,
                variables: variables.to_vec(),
            };
            load::<NotificationSettings>(App::DEFAULTS, source)
        };
        let refused = load(&variables).unwrap_err().to_string();
        assert!(refused.contains("`mail.transport`"), "{refused}");
        variables.push(own("MAIL__TRANSPORT", "smtp"));
        variables.push(own("MAIL__SMTP__PASSWORD", "hush"));
        let settings = load(&variables).unwrap();
        assert!(!format!("{:?}", settings.service).contains("hush"));
    }
}
