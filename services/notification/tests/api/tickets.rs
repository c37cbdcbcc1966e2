//! Tickets for browsers, and the pages they may be used from.

use futures_util::future::join_all;
use lyceum_contracts::notification::StreamTicket;
use lyceum_contracts::role::Role;
use lyceum_testing::PATIENCE;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use crate::platform::{Person, Platform, STREAM, event};
use crate::socket::SOCKET;

const TICKETS: &str = "/stream-tickets";

impl Person {
    async fn buys(&self) -> String {
        let answer = self.post(TICKETS).await.expect(201);
        answer.json::<StreamTicket>().ticket
    }

    /// What a stream that is opened with this ticket is answered.
    async fn status(&self, ticket: &str, origin: Option<&str>) -> u16 {
        let path = format!("{STREAM}?ticket={ticket}");
        let mut request = self.client.get(&path);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.status().await
    }
}

#[tokio::test]
async fn a_ticket_opens_one_stream_of_either_kind_and_counts_once() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols(&ada, "Logic").await;

    let path = format!("{SOCKET}?ticket={}", ada.buys().await);
    let page = [("origin", ada.client.base_url())];
    let mut socket = ada.dials_with(&path, &page).await.ok().unwrap();
    socket.greets(Some(0)).await;
    assert_eq!(socket.hears_places(1).await, [1], "it is Ada who listens");
    assert_eq!(ada.dials_with(&path, &page).await.err(), Some(401));

    let ticket = ada.buys().await;
    assert_eq!(ada.status(&ticket, None).await, 200);
    assert_eq!(ada.status(&ticket, None).await, 401);
    for never in ["", "x", &"A".repeat(43), "%ff"] {
        assert_eq!(ada.status(never, None).await, 401, "{never}");
    }
}

#[tokio::test]
async fn of_many_who_come_with_one_ticket_one_is_let_in() {
    let platform = Platform::start();
    let ada = platform.person(1);
    for _ in 0..5 {
        let ticket = ada.buys().await;
        let mut statuses = join_all((0..8).map(|_| ada.status(&ticket, None))).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
    }
}

#[tokio::test]
async fn a_ticket_counts_for_half_a_minute_and_never_longer_than_its_token() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let answer = ada.post(TICKETS).await.expect(201);
    let ticket: StreamTicket = answer.json();
    let left = ticket.expires_at - lyceum_chassis::clock::now();
    assert!((25..=30).contains(&left.whole_seconds()), "{left}");

    let database = platform.app.database().connect().await;
    let past = "2020-01-01T00:00:00.000000Z";
    let age = format!("UPDATE stream_tickets SET expires_at = '{past}'");
    database.execute_unprepared(&age).await.unwrap();
    assert_eq!(ada.status(&ticket.ticket, None).await, 401);

    // The token ended a moment ago, within the time by which clocks may differ.
    let ended = lyceum_chassis::clock::now().unix_timestamp() - 2;
    let token = platform.tokens.token(1, Role::Student);
    let brief = platform.holder_of(1, token.claim("exp", ended).sign());
    let ticket = brief.buys().await;
    assert_eq!(brief.status(&ticket, None).await, 401);
}

#[tokio::test]
async fn a_stream_ends_with_the_token_its_ticket_was_bought_with() {
    let platform = Platform::start();
    let soon = lyceum_chassis::clock::now().unix_timestamp() + 2;
    let token = platform.tokens.token(1, Role::Student);
    let ada = platform.holder_of(1, token.claim("exp", soon).sign());
    let path = format!("{SOCKET}?ticket={}", ada.buys().await);
    let page = [("origin", ada.client.base_url())];
    let mut socket = ada.dials_with(&path, &page).await.ok().unwrap();
    socket.greets(None).await;
    assert_eq!(socket.closed().await, (4401, "token_expired".to_owned()));
}

#[tokio::test]
async fn a_ticket_of_a_session_that_was_called_in_opens_nothing() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let ticket = ada.buys().await;
    let (mut stream, _) = ada.listens(None).await;
    platform.ends_the_session_of(&ada);
    // The service has heard of it.
    while stream.next(PATIENCE).await.is_some() {}
    assert_eq!(ada.status(&ticket, None).await, 401);
}

#[tokio::test]
async fn a_page_of_another_origin_may_not_listen_and_uses_no_ticket_up() {
    let listed = "https://app.example.org";
    let platform = Platform::with(|live| live.allowed_origins = vec![listed.to_owned()]);
    let ada = platform.person(1);
    let ticket = ada.buys().await;
    let own = ada.client.base_url().to_owned();
    for evil in [
        "https://evil.test",
        "null",
        "https://app.example.org.evil.test",
    ] {
        assert_eq!(ada.status(&ticket, Some(evil)).await, 403, "{evil}");
        let token = format!("Bearer {}", ada.token);
        let headers = [("origin", evil), ("authorization", &*token)];
        assert_eq!(
            ada.dials_with(SOCKET, &headers).await.err(),
            Some(403),
            "{evil}"
        );
    }
    // A browser would have said which page it is.
    let path = format!("{SOCKET}?ticket={ticket}");
    assert_eq!(ada.dials_with(&path, &[]).await.err(), Some(403));
    assert_eq!(ada.status(&ticket, Some(listed)).await, 200);
    assert_eq!(ada.status(&ada.buys().await, Some(&own)).await, 200);
    let path = format!("{SOCKET}?ticket={}", ada.buys().await);
    assert!(ada.dials_with(&path, &[("origin", listed)]).await.is_ok());
}

#[tokio::test]
async fn a_ticket_is_neither_kept_nor_told() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let (ticket, kept) = (ada.buys().await, ada.buys().await);
    assert_eq!(ada.status(&ticket, None).await, 200);
    assert_eq!(ada.status(&ticket, None).await, 401);

    let database = platform.app.database().connect().await;
    let all = "SELECT digest FROM stream_tickets";
    let query = Statement::from_string(database.get_database_backend(), all);
    let rows = database.query_all_raw(query).await.unwrap();
    let digests: Vec<String> = rows
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect();
    assert_eq!(digests.len(), 1, "the used one is gone");
    assert_ne!(digests[0], kept);

    let captured = platform.app.captured();
    let told = format!("{} {:?}", captured.lines().join("\n"), captured.all_spans());
    for secret in [&ticket, &kept, &digests[0]] {
        assert!(!told.contains(secret.as_str()), "{secret}");
    }
}

#[tokio::test]
async fn tickets_go_with_their_person() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let ticket = ada.buys().await;
    let deleted = event("user.deleted", &json!({"user_id": 1}));
    platform.happens(&[deleted]).await;
    assert_eq!(ada.status(&ticket, None).await, 401);
}
