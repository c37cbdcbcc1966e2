//! How often people may try: by address, by account, behind proxies and without.

use std::net::IpAddr;

use lyceum_chassis::limits::{LimitSettings, TrustedProxies};
use lyceum_testing::PATIENCE;
use lyceum_testing::http::Response;
use serde_json::json;

use crate::platform::{PASSWORD, Platform, registration};

/// Three logins a minute for each address.
fn strict() -> Platform {
    Platform::with(|settings| {
        let three = LimitSettings {
            quota: 3,
            window_s: 60,
        };
        settings.service.limits.login_per_address = three;
        settings.platform.http.trusted_proxies = TrustedProxies::parse(&["127.0.0.1"]).unwrap();
    })
}

impl Platform {
    /// A login through a proxy that names this address.
    async fn logs_in_from(&self, address: &str, email: &str, password: &str) -> Response {
        let body = json!({"email": email, "password": password});
        let request = self.client().post("/auth/login").json(&body);
        request.header("x-forwarded-for", address).send().await
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.header(name).unwrap_or_default()
}

#[tokio::test]
async fn the_fourth_login_in_a_minute_from_one_address_is_429_even_with_the_right_password() {
    let platform = strict();
    platform.registers("ada@example.org").await.expect(201);
    let from = |address| platform.logs_in_from(address, "ada@example.org", PASSWORD);
    for left in [2, 1, 0] {
        let answer = from("192.0.2.1").await.expect(200);
        assert_eq!(header(&answer, "ratelimit-policy"), "\"login\";q=3;w=60");
        assert_eq!(
            header(&answer, "ratelimit"),
            format!("\"login\";r={left};t=20")
        );
    }
    let answer = from("192.0.2.1").await.expect(429);
    assert_eq!(answer.problem().r#type, "/problems/too-many-requests");
    assert_eq!(header(&answer, "ratelimit-policy"), "\"login\";q=3;w=60");
    let wait: u64 = header(&answer, "retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(
        header(&answer, "ratelimit"),
        format!("\"login\";r=0;t={wait}")
    );
    from("192.0.2.2").await.expect(200);
}

#[tokio::test]
async fn failures_and_unreadable_bodies_count_and_are_told_where_they_stand() {
    let platform = strict();
    let wrong = platform
        .logs_in("ada@example.org", "wrong")
        .await
        .expect(401);
    assert_eq!(header(&wrong, "ratelimit"), "\"login\";r=2;t=20");
    let broken = platform.client().post("/auth/login").json(&json!([]));
    let broken = broken.send().await.expect(422);
    assert_eq!(header(&broken, "ratelimit"), "\"login\";r=1;t=20");
    // Another method is another thing.
    platform
        .client()
        .get("/auth/login")
        .send()
        .await
        .expect(405);
    platform
        .logs_in("ada@example.org", "wrong")
        .await
        .expect(401);
    platform
        .logs_in("ada@example.org", "wrong")
        .await
        .expect(429);
}

#[tokio::test]
async fn what_is_refused_is_not_hashed() {
    let platform = strict();
    for _ in 0..3 {
        platform
            .logs_in("ada@example.org", "wrong")
            .await
            .expect(401);
    }
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let body = json!({"email": "ada@example.org", "password": "wrong"});
    let request = platform.client().post("/auth/login").json(&body);
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    request
        .header("traceparent", parent)
        .send()
        .await
        .expect(429);
    let spans = platform.app.captured().wait_for_spans(trace, 1).await;
    let names: Vec<_> = spans.iter().map(|span| span.name.to_string()).collect();
    assert_eq!(names, ["POST /auth/login"]);
}

#[tokio::test]
async fn an_address_anybody_can_write_is_not_believed() {
    let platform = Platform::with(|settings| {
        settings.service.limits.login_per_address.quota = 3;
        settings.platform.http.trusted_proxies = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap();
    });
    for last in 1..=3 {
        let address = format!("192.0.2.{last}");
        platform
            .logs_in_from(&address, "ada@example.org", "wrong")
            .await
            .expect(401);
    }
    platform
        .logs_in_from("192.0.2.4", "ada@example.org", "wrong")
        .await
        .expect(429);
    platform
        .logs_in("ada@example.org", "wrong")
        .await
        .expect(429);
}

#[tokio::test]
async fn of_a_chain_of_proxies_the_first_that_is_not_ours_counts() {
    let platform = strict();
    for forged in ["1.1.1.1", "2.2.2.2", "3.3.3.3"] {
        let chain = format!("{forged}, 192.0.2.1, 127.0.0.1");
        platform
            .logs_in_from(&chain, "ada@example.org", "wrong")
            .await
            .expect(401);
    }
    platform
        .logs_in_from("192.0.2.1", "ada@example.org", "wrong")
        .await
        .expect(429);
    platform
        .logs_in_from("1.1.1.1", "ada@example.org", "wrong")
        .await
        .expect(401);
}

#[tokio::test]
async fn a_household_of_ipv6_is_one_caller() {
    let platform = strict();
    for last in ["1", "2:3", "ffff:ffff"] {
        let address = format!("2001:db8:1:2::{last}");
        platform
            .logs_in_from(&address, "ada@example.org", "wrong")
            .await
            .expect(401);
    }
    platform
        .logs_in_from("2001:db8:1:2::9", "ada@example.org", "wrong")
        .await
        .expect(429);
    platform
        .logs_in_from("2001:db8:1:3::9", "ada@example.org", "wrong")
        .await
        .expect(401);
}

#[tokio::test]
async fn no_log_line_and_no_span_holds_an_address_that_a_proxy_names() {
    let platform = strict();
    for _ in 0..4 {
        platform
            .logs_in_from("198.51.100.77", "ada@example.org", "wrong")
            .await;
    }
    let captured = platform.app.captured();
    let said = captured.lines().join("\n");
    assert!(said.contains("session.login_failed"));
    assert!(!said.contains("198.51.100"), "{said}");
}

#[tokio::test]
async fn guesses_at_one_account_from_everywhere_are_throttled_and_its_owner_is_not_locked_out() {
    let platform = Platform::with(|settings| {
        settings.service.limits.login_per_account = LimitSettings {
            quota: 30,
            window_s: 60,
        };
        settings.platform.http.trusted_proxies = TrustedProxies::parse(&["127.0.0.1"]).unwrap();
    });
    platform.registers("ada@example.org").await.expect(201);
    let address = |number: u32| IpAddr::from(number.to_be_bytes()).to_string();
    let guess = |number: u32, email: &'static str| {
        let address = address(0x0100_0000 + number);
        let platform = &platform;
        async move { platform.logs_in_from(&address, email, "wrong").await }
    };
    let mut refused = None;
    for number in 0..128 {
        let answer = guess(number, "Ada@Example.org").await;
        if answer.status == 429 {
            assert!(number >= 30, "{number}");
            refused = Some(answer);
            break;
        }
        answer.expect(401);
    }
    let refused = refused.expect("guesses are throttled");
    let known = refused.problem();
    // Beside what is told of the limit by address.
    let mut told = refused.headers.get_all("ratelimit").iter();
    assert!(told.any(|line| line.as_bytes().starts_with(b"\"login-account\";r=0;t=")));
    assert!(!header(&refused, "retry-after").is_empty());
    // Somebody else signs in as ever, and an address without an account is told the same.
    platform.admin().await;
    let mut unknown = guess(200, "nobody@example.org").await;
    for number in 201..328 {
        if unknown.status == 429 {
            break;
        }
        unknown = guess(number, "nobody@example.org").await;
    }
    let unknown = unknown.expect(429).problem();
    assert_eq!((known.title, known.detail), (unknown.title, unknown.detail));
    // One more is let through every two seconds, and the right password ends it.
    let signed_in =
        async { while platform.logs_in("ada@example.org", PASSWORD).await.status == 429 {} };
    tokio::time::timeout(PATIENCE, signed_in).await.unwrap();
    for number in 400..425 {
        guess(number, "ada@example.org").await.expect(401);
    }
}

#[tokio::test]
async fn registrations_from_one_address_are_limited_and_reading_the_list_is_not() {
    let platform = Platform::with(|settings| {
        settings.service.limits.register_per_address.quota = 2;
    });
    let admin = platform.admin().await;
    platform.registers("ada@example.org").await.expect(201);
    let taken = platform.registers("ada@example.org").await.expect(409);
    assert_eq!(header(&taken, "ratelimit"), "\"register\";r=0;t=1800");
    let refused = platform
        .registers_with(&registration("bob@example.org"))
        .await;
    refused.expect(429);
    admin.get("/users").await.expect(200);
}

#[tokio::test]
async fn letters_and_mailed_links_are_limited_by_address() {
    let platform = Platform::with(|settings| {
        settings.service.limits.forgot_per_address.quota = 2;
        settings.service.limits.link_per_address.quota = 3;
    });
    let forgot = || platform.forgets("nobody@example.org");
    let told = forgot().await.expect(202);
    assert_eq!(header(&told, "ratelimit"), "\"forgot-password\";r=1;t=1800");
    forgot().await.expect(202);
    forgot().await.expect(429);
    let token = "A".repeat(43);
    platform.resets(&token, PASSWORD).await.expect(410);
    platform.confirms(&token).await.expect(410);
    let acceptance = json!({"token": token, "password": PASSWORD});
    let accept = platform.asks("/auth/accept-invitation", &acceptance);
    accept.await.expect(410);
    platform.resets(&token, PASSWORD).await.expect(429);
}

#[tokio::test]
async fn a_stolen_session_does_not_guess_the_password() {
    let platform = Platform::with(|settings| {
        settings.service.limits.login_per_account.quota = 3;
    });
    let ada = platform.student("ada").await;
    let change = async |current: &str| ada.changes_password(current, PASSWORD).await;
    for current in ["wrong", "wrong again"] {
        change(current).await.expect(422);
    }
    change(PASSWORD).await.expect(204);
    for current in ["wrong", "wrong again", "and again"] {
        change(current).await.expect(422);
    }
    change(PASSWORD).await.expect(429);
}

#[tokio::test]
async fn a_password_set_anew_by_mail_lets_its_owner_in_at_once() {
    let platform = Platform::with(|settings| {
        settings.service.limits.login_per_account.quota = 2;
    });
    let ada = platform.student("ada").await;
    for status in [401, 401, 429] {
        platform.logs_in(&ada.email, "wrong").await.expect(status);
    }
    platform.forgets(&ada.email).await.expect(202);
    let letter = platform.letter().await;
    platform.resets(&letter.token, PASSWORD).await.expect(204);
    platform.logs_in(&ada.email, PASSWORD).await.expect(200);
}
