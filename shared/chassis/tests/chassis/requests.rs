//! What callers send, and how its faults are named.

use lyceum_testing::http::Response;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bakery::open;

fn faults(response: &Response) -> Vec<(String, String)> {
    let errors = response.problem().errors.into_iter();
    errors.map(|fault| (fault.pointer, fault.code)).collect()
}

fn fault(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

#[tokio::test]
async fn broken_json_is_400_and_wrong_json_422_with_all_its_faults() {
    let bakery = open();
    let send = |body: &'static str| {
        bakery
            .client()
            .post("/loaves")
            .body(body, "application/json")
    };
    for broken in [
        r#"{"name":"#,
        "",
        r#"{"name":"a","name":"b","grams":1}"#,
        r#"{"name":"\ud800"}"#,
    ] {
        assert_eq!(send(broken).send().await.status, 400, "{broken}");
    }
    let wrong = send(r#"{"name":"a loaf with a long long name","grams":"500","id":1}"#);
    let wrong = wrong.send().await.expect(422);
    let expected = [
        fault("#/name", "length"),
        fault("#/grams", "wrong_type"),
        fault("#/id", "unknown_field"),
    ];
    assert_eq!(faults(&wrong), expected);
    let empty = send("{}").send().await.expect(422);
    assert_eq!(
        faults(&empty),
        [fault("#/name", "required"), fault("#/grams", "required")]
    );
    let no_object = send("[1]").send().await.expect(422);
    assert_eq!(faults(&no_object), [fault("#", "wrong_type")]);
}

#[tokio::test]
async fn another_media_type_is_415() {
    let bakery = open();
    let loaf = r#"{"name":"rye","grams":500}"#;
    for media in [
        "text/plain",
        "application/xml",
        "application/json; charset=latin1",
        "json",
    ] {
        let answer = bakery
            .client()
            .post("/loaves")
            .body(loaf, media)
            .send()
            .await;
        assert_eq!(answer.status, 415, "{media}");
    }
    for media in [
        "application/json",
        "application/json; charset=UTF-8",
        "Application/JSON",
    ] {
        let answer = bakery
            .client()
            .post("/loaves")
            .body(loaf, media)
            .send()
            .await;
        assert_eq!(answer.status, 201, "{media}");
    }
    let request = format!(
        "POST /loaves HTTP/1.1\r\nhost: b\r\ncontent-length: {}\r\n\r\n{loaf}",
        loaf.len()
    );
    assert_eq!(
        bakery.client().raw(request).await.status,
        415,
        "no media type at all"
    );
}

#[tokio::test]
async fn json_is_answered_whatever_the_caller_would_rather_have() {
    let bakery = open();
    let answer = bakery
        .client()
        .get("/loaves")
        .header("accept", "application/xml")
        .send()
        .await;
    assert_eq!(
        answer.expect(200).header("content-type"),
        Some("application/json")
    );
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_and_the_connection_stays_usable() {
    let bakery = open();
    let fits = json!({"name": "x", "grams": 1}).to_string();
    let padded = |length: usize| format!("{fits}{}", " ".repeat(length - fits.len()));
    let limit = 1_048_576;
    let send = |body: String| {
        bakery
            .client()
            .post("/loaves")
            .body(body, "application/json")
            .send()
    };
    send(padded(limit)).await.expect(201);
    assert_eq!(send(padded(limit + 1)).await.status, 413);
    // Both requests on one connection: the second is read after the first was refused.
    let post = |body: &str| {
        let length = body.len();
        format!(
            "POST /loaves HTTP/1.1\r\nhost: b\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let both = format!(
        "{}GET /health HTTP/1.1\r\nhost: b\r\n\r\n",
        post(&padded(limit + 1))
    );
    assert_eq!(statuses(bakery.base_url(), &both, 2).await, ["413", "200"]);
}

#[tokio::test]
async fn a_refusal_that_reads_no_body_leaves_the_connection_usable() {
    let bakery = open();
    for (head, status) in [
        ("POST /loaves HTTP/1.1\r\ncontent-type: text/plain", "415"),
        ("PUT /loaves HTTP/1.1", "405"),
        ("POST /cakes HTTP/1.1", "404"),
        ("GET /me HTTP/1.1", "401"),
        ("GET /fire HTTP/1.1", "500"),
        ("POST /loaves HTTP/1.1\r\nx-deadline-ms: soon", "400"),
        ("POST /loaves HTTP/1.1\r\nx-deadline-ms: 0", "408"),
    ] {
        let body = "x".repeat(100_000);
        let length = body.len();
        let both = format!(
            "{head}\r\nhost: b\r\ncontent-length: {length}\r\n\r\n{body}\
             GET /health HTTP/1.1\r\nhost: b\r\n\r\n"
        );
        let answered = statuses(bakery.base_url(), &both, 2).await;
        assert_eq!(answered, [status, "200"], "{head}");
    }
}

/// Sends `bytes` on one connection and reads the statuses of `count` answers.
async fn statuses(base_url: &str, bytes: &str, count: usize) -> Vec<String> {
    let address = base_url.trim_start_matches("http://");
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let send = write.write_all(bytes.as_bytes());
    let receive = async {
        let mut received = String::new();
        let mut chunk = [0_u8; 4096];
        loop {
            let heads = received.split("HTTP/1.1 ").skip(1);
            let statuses: Vec<String> = heads.map(|head| head.chars().take(3).collect()).collect();
            if statuses.len() == count {
                return statuses;
            }
            let length = read.read(&mut chunk).await.unwrap();
            assert!(length > 0, "closed after {received}");
            received.push_str(&String::from_utf8_lossy(&chunk[..length]));
        }
    };
    let (sent, statuses) = tokio::join!(send, receive);
    sent.unwrap();
    statuses
}

#[tokio::test]
async fn hostile_nesting_and_size_are_refused_quickly() {
    let bakery = open();
    let deep = "[".repeat(10_000);
    let wide = format!("[{}1]", "1,".repeat(400_000));
    for body in [deep, wide] {
        let answer = bakery
            .client()
            .post("/loaves")
            .body(body, "application/json")
            .send()
            .await;
        assert!(
            matches!(answer.status, 400 | 413 | 422),
            "{}",
            answer.status
        );
    }
}

#[tokio::test]
async fn windows_out_of_range_are_refused_and_never_clamped() {
    let bakery = open();
    for (query, pointer) in [
        ("limit=0", "?limit"),
        ("limit=-1", "?limit"),
        ("limit=1001", "?limit"),
        ("limit=1e9", "?limit"),
        ("limit=abc", "?limit"),
        ("skip=-1", "?skip"),
        ("skip=10001", "?skip"),
        ("skip=1&cursor=YWZ0ZXI6MQ", "?cursor"),
        ("cursor=!!&limit=0", "?limit"),
        ("limit=1&limit=9", "?limit"),
        ("colour=red", "?colour"),
    ] {
        let answer = bakery
            .client()
            .get(&format!("/loaves?{query}"))
            .send()
            .await
            .expect(422);
        assert_eq!(answer.problem().errors[0].pointer, pointer, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_that_was_altered_or_is_of_another_list_is_a_problem_of_its_own() {
    let bakery = open();
    let first = bakery.client().get("/loaves").send().await.expect(200);
    let page: lyceum_contracts::page::Page<i64> = first.json();
    let cursor = page.next_cursor.unwrap();
    let altered = |at: usize| {
        let mut bytes = cursor.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let bad = ["!!", "", "YWZ0ZXI6MQ", &cursor[1..]].map(str::to_owned);
    for cursor in (0..cursor.len()).map(altered).chain(bad) {
        let path = format!("/loaves?cursor={cursor}");
        let problem = bakery
            .client()
            .get(&path)
            .send()
            .await
            .expect(400)
            .problem();
        assert_eq!(problem.r#type, "/problems/invalid-cursor", "{cursor}");
        assert_eq!(problem.errors[0].pointer, "?cursor");
    }
}

#[tokio::test]
async fn pages_follow_one_another_by_cursor_without_gap_or_repeat() {
    let bakery = open();
    let (mut seen, mut path) = (Vec::new(), "/loaves".to_owned());
    loop {
        let answer = bakery.client().get(&path).send().await.expect(200);
        let page: lyceum_contracts::page::Page<i64> = answer.json();
        seen.extend(page.items);
        let Some(cursor) = page.next_cursor else {
            break;
        };
        let link = answer.header("link").unwrap();
        assert!(
            link.contains(&cursor) && link.contains("rel=\"next\""),
            "{link}"
        );
        path = format!("/loaves?cursor={cursor}");
    }
    assert_eq!(seen, (1..=250).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_route_without_a_body_takes_none_and_says_so() {
    let bakery = open();
    let ring = || bakery.client().post("/bell");
    ring().send().await.expect(204);
    ring().json(&json!({})).send().await.expect(204);
    ring().json(&json!({"times": 3})).send().await.expect(422);
}
