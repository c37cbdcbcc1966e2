//! Accounts searched, filtered, sorted and paged in every combination.

use std::time::{Duration, Instant};

use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{AccountStatus, User};
use lyceum_testing::http::Response;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};

use crate::people::{self, Account};
use crate::platform::{Person, Platform};

/// Names of which no two sort alike on all engines unless bytes are compared.
const NAMES: [&str; 8] = [
    "Ada Lovelace",
    "ada byron",
    "ADA",
    "Élodie",
    "Zoë",
    "zoe",
    "李 小龙",
    "a_b%c\\d (a+)+$",
];

async fn write(platform: &Platform, accounts: &[Account]) -> DatabaseConnection {
    let db = platform.app.database().connect().await;
    people::write(platform.app.database(), &db, accounts).await;
    db
}

fn emails(answer: &Response) -> Vec<String> {
    let page: Page<User> = answer.json();
    page.items.into_iter().map(|user| user.email).collect()
}

/// Whom a query finds, the admin left out.
async fn found(admin: &Person, query: &str) -> Vec<String> {
    let answer = admin.get(&format!("/users?{query}")).await.expect(200);
    let mut found = emails(&answer);
    found.retain(|email| *email != admin.email);
    found
}

/// Each named after the letter of the address.
fn by_names() -> Vec<Account> {
    let letters = 'a'..;
    let account = |(name, letter)| Account::named(name, &format!("{letter}@example.org"));
    NAMES.into_iter().zip(letters).map(account).collect()
}

#[tokio::test]
async fn accounts_are_chosen_by_role_and_status_and_a_deleted_one_by_nothing() {
    let platform = Platform::start();
    let mut accounts = by_names();
    accounts[0].role = Role::Instructor;
    accounts[1].status = AccountStatus::Disabled;
    accounts[2].status = AccountStatus::Invited;
    accounts[3].status = AccountStatus::Deleted;
    write(&platform, &accounts[..4]).await;
    let admin = platform.admin().await;
    let all = ["a@example.org", "b@example.org", "c@example.org"];
    assert_eq!(found(&admin, "").await, all);
    assert_eq!(found(&admin, "role=instructor").await, all[..1]);
    assert_eq!(found(&admin, "role=student").await, all[1..]);
    assert_eq!(found(&admin, "status=disabled").await, all[1..2]);
    assert_eq!(found(&admin, "status=invited&role=student").await, all[2..]);
    assert_eq!(
        found(&admin, "status=invited&role=instructor").await,
        [""; 0]
    );
    for query in [
        "status=deleted",
        "status=x",
        "role=king",
        "sort=password_hash",
        "sort=--id",
        "sort=",
    ] {
        let answer = admin.get(&format!("/users?{query}")).await;
        assert_eq!(answer.expect(422).problem().errors.len(), 1, "{query}");
    }
}

#[tokio::test]
async fn a_search_is_for_what_an_address_or_a_name_begins_with_in_whatever_case() {
    let platform = Platform::start();
    write(&platform, &by_names()).await;
    let admin = platform.admin().await;
    for (sent, expected) in [
        ("ada", &["a", "b", "c"][..]),
        ("ADA%20l", &["a"]),
        ("%C3%89LOD", &["d"]),
        ("%C3%A9lod", &["d"]),
        ("zo", &["e", "f"]),
        ("%E6%9D%8E", &["g"]),
        ("C@Example", &["c"]),
        ("lovelace", &[]),
        ("xample.org", &[]),
        ("nobody", &[]),
    ] {
        let expected: Vec<_> = expected
            .iter()
            .map(|letter| format!("{letter}@example.org"))
            .collect();
        assert_eq!(
            found(&admin, &format!("q={sent}")).await,
            expected,
            "{sent}"
        );
    }
    assert_eq!(
        found(&admin, "q=").await.len(),
        NAMES.len(),
        "everything begins with nothing"
    );
}

#[tokio::test]
async fn whoever_writes_a_name_it_is_found_by_it_and_no_longer_by_the_one_before() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let bulk = async |method: &str, body: Value| {
        let request = admin.client.request(method.parse().unwrap(), "/users/bulk");
        let request = request
            .bearer(&admin.token)
            .header("idempotency-key", method);
        request.json(&body).send().await.expect(207)
    };
    let member = json!({"email": "c@example.org", "full_name": "Ägir"});
    bulk("POST", json!({"mode": "partial", "items": [member]})).await;
    assert_eq!(found(&admin, "q=%C3%A4").await, ["c@example.org"]);
    let listed: Page<User> = admin.get("/users?q=c@").await.expect(200).json();
    let id = listed.items[0].id;
    let renamed = json!({"id": id, "full_name": "Çelik"});
    bulk("PATCH", json!({"items": [renamed]})).await;
    assert_eq!(found(&admin, "q=%C3%A7").await, ["c@example.org"]);
    assert_eq!(found(&admin, "q=%C3%A4").await, [""; 0]);
    admin
        .patches(id, &json!({"full_name": "Ørsted"}))
        .await
        .expect(200);
    assert_eq!(found(&admin, "q=%C3%B8").await, ["c@example.org"]);
    assert_eq!(found(&admin, "q=%C3%A7").await, [""; 0]);
}

#[tokio::test]
async fn of_a_deleted_account_no_name_is_left_to_search_or_sort_by() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let admin = platform.admin().await;
    let path = format!("/users/{}", ada.id);
    let deletion = admin.client.request("DELETE".parse().unwrap(), &path);
    let deletion = deletion.bearer(&admin.token).header("if-match", "*");
    deletion.send().await.expect(204);
    assert_eq!(found(&admin, "q=ada").await, [""; 0]);
    let db = platform.app.database().connect().await;
    let names = format!("SELECT full_name_folded FROM users WHERE id = {}", ada.id);
    let names = Statement::from_string(db.get_database_backend(), names);
    let row = db.query_one_raw(names).await.unwrap().unwrap();
    let folded: String = row.try_get("", "full_name_folded").unwrap();
    assert_eq!(folded, "deleted account");
}

#[tokio::test]
async fn nothing_in_a_search_is_a_wildcard_or_a_pattern_and_none_is_slow() {
    let platform = Platform::start();
    let mut accounts = by_names();
    accounts.push(Account::named("axb", "a_b@example.org"));
    accounts.push(Account::named(
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
        "i@example.org",
    ));
    write(&platform, &accounts).await;
    let admin = platform.admin().await;
    for (sent, expected) in [
        ("a_b", &["h@example.org", "a_b@example.org"][..]),
        ("%25", &[]),
        ("_", &[]),
        ("a%25", &[]),
        ("a_b%25c%5Cd%20(a%2B)", &["h@example.org"]),
        ("(a%2B)%2B$", &[]),
        ("%5E(a%7Ca)*$", &[]),
        (".*", &[]),
        ("'%20OR%201=1--", &[]),
    ] {
        let mut quickest = Duration::MAX;
        // The quickest of a few: others may be at work on this machine.
        for _ in 0..5 {
            let began = Instant::now();
            assert_eq!(
                found(&admin, &format!("q={sent}")).await,
                expected,
                "{sent}"
            );
            quickest = quickest.min(began.elapsed());
        }
        assert!(quickest < Duration::from_millis(50), "{sent}: {quickest:?}");
    }
}

#[tokio::test]
async fn a_search_of_more_than_a_hundred_characters_or_with_control_characters_is_refused() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let hundred = "%C3%BC".repeat(100);
    admin.get(&format!("/users?q={hundred}")).await.expect(200);
    let long = "a".repeat(10 * 1024);
    for (q, code) in [
        (&*long, "too_long"),
        ("a%00", "control_character"),
        ("a%0D%0Ab", "control_character"),
    ] {
        let problem = admin
            .get(&format!("/users?q={q}"))
            .await
            .expect(422)
            .problem();
        assert_eq!(
            (&*problem.errors[0].pointer, &*problem.errors[0].code),
            ("?q", code)
        );
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused_by_the_name_of_its_parameter() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    for (query, pointer) in [
        ("limit=0", "?limit"),
        ("limit=-1", "?limit"),
        ("limit=1e9", "?limit"),
        ("limit=1000000000", "?limit"),
        ("limit=abc", "?limit"),
        ("skip=-1", "?skip"),
        ("skip=1&cursor=x", "?cursor"),
        ("limit=1&limit=9", "?limit"),
        ("q=a&q=b", "?q"),
        ("include_total=perhaps", "?include_total"),
        ("colour=red", "?colour"),
    ] {
        let problem = admin
            .get(&format!("/users?{query}"))
            .await
            .expect(422)
            .problem();
        assert_eq!(problem.errors[0].pointer, pointer, "{query}");
    }
}

#[tokio::test]
async fn whoever_pages_too_deep_is_pointed_to_the_cursor() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    admin.get("/users?skip=10000").await.expect(200);
    let problem = admin.get("/users?skip=10001").await.expect(422).problem();
    assert!(problem.errors[0].detail.contains("`cursor`"), "{problem:?}");
}

#[tokio::test]
async fn a_cursor_that_was_altered_or_is_of_another_filter_or_order_is_refused() {
    let platform = Platform::start();
    write(&platform, &by_names()).await;
    let admin = platform.admin().await;
    let cursor_of = async |query: &str| {
        let answer = admin
            .get(&format!("/users?limit=1&{query}"))
            .await
            .expect(200);
        answer.json::<Page<User>>().next_cursor.unwrap()
    };
    let refused = async |query: String| {
        let answer = admin.get(&format!("/users?{query}")).await;
        let problem = answer.expect(400).problem();
        assert_eq!(problem.r#type, "/problems/invalid-cursor", "{query}");
    };
    let queries = [
        "",
        "q=a",
        "role=student",
        "status=active",
        "sort=email",
        "sort=-email",
        "sort=full_name&q=a",
    ];
    for mine in queries {
        let cursor = cursor_of(mine).await;
        admin
            .get(&format!(
                "/users?{mine}&cursor={cursor}&limit=3&include_total=true"
            ))
            .await
            .expect(200);
        for other in queries.into_iter().filter(|other| *other != mine) {
            refused(format!("{other}&cursor={cursor}")).await;
        }
        for at in 0..cursor.len() {
            let mut bytes = cursor.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let altered = String::from_utf8(bytes).unwrap();
            refused(format!("{mine}&cursor={altered}")).await;
        }
        refused(format!("{mine}&cursor={}", &cursor[..cursor.len() - 1])).await;
    }
}

#[tokio::test]
async fn the_total_is_of_all_pages_and_told_only_when_asked_for() {
    let platform = Platform::start();
    write(&platform, &by_names()).await;
    let admin = platform.admin().await;
    let total = async |query: &str| {
        let answer = admin.get(&format!("/users?{query}")).await.expect(200);
        assert_eq!(
            answer.text().contains("\"total\""),
            answer.json::<Page<User>>().total.is_some()
        );
        answer.json::<Page<User>>().total
    };
    assert_eq!(total("limit=2").await, None);
    assert_eq!(total("limit=2&include_total=false").await, None);
    assert_eq!(total("limit=2&include_total=true").await, Some(9));
    assert_eq!(
        total("q=ada&limit=1&skip=2&include_total=true").await,
        Some(3)
    );
    assert_eq!(total("q=nobody&include_total=true").await, Some(0));
}

#[tokio::test]
async fn links_lead_to_the_next_page_and_back_to_the_first() {
    let platform = Platform::start();
    write(&platform, &by_names()).await;
    let admin = platform.admin().await;
    let first = admin
        .get("/users?sort=-full_name&q=a&limit=3")
        .await
        .expect(200);
    let link = first.header("link").unwrap();
    assert!(!link.contains("rel=\"first\""), "{link}");
    let next = link.split(['<', '>']).nth(1).unwrap();
    let second = admin.get(next).await.expect(200);
    let link = second.header("link").unwrap().to_owned();
    let back = link
        .split(", ")
        .find(|link| link.ends_with("rel=\"first\""))
        .unwrap();
    let back = back.split(['<', '>']).nth(1).unwrap();
    assert_eq!(emails(&admin.get(back).await), emails(&first));
    assert_ne!(emails(&second), emails(&first));
}

/// A walk over all pages.
#[derive(Debug, Clone)]
struct Walk {
    sort: &'static str,
    descending: bool,
    role: Option<Role>,
    q: Option<&'static str>,
    limit: usize,
}

fn accounts() -> impl Strategy<Value = Vec<Account>> {
    let name = prop::sample::select(&NAMES[..]);
    let role = prop::sample::select(vec![Role::Student, Role::Instructor]);
    let account = (name, role, 0..3_u32);
    prop::collection::vec(account, 40..60).prop_map(|accounts| {
        let account = |(number, (name, role, second)): (usize, (&str, Role, u32))| Account {
            role,
            second,
            ..Account::named(name, &format!("P{}-{number}@example.org", number * 7 % 10))
        };
        accounts.into_iter().enumerate().map(account).collect()
    })
}

fn walks() -> impl Strategy<Value = Walk> {
    let sort = prop::sample::select(vec!["id", "created_at", "email", "full_name"]);
    let role = prop::option::of(Just(Role::Student));
    let q = prop::option::of(prop::sample::select(vec!["a", "ada", "zo", "p1", "%C3%A9"]));
    (sort, any::<bool>(), role, q, 1..20_usize).prop_map(|(sort, descending, role, q, limit)| {
        Walk {
            sort,
            descending,
            role,
            q,
            limit,
        }
    })
}

impl Walk {
    fn path(&self) -> String {
        let minus = if self.descending { "-" } else { "" };
        let role = self
            .role
            .map_or(String::new(), |role| format!("&role={role}"));
        let q = self.q.map_or(String::new(), |q| format!("&q={q}"));
        format!(
            "/users?sort={minus}{}&limit={}{role}{q}",
            self.sort, self.limit
        )
    }

    /// Of accounts in the order of their ids, those it should meet, in its order.
    fn expected(&self, accounts: &[Account]) -> Vec<String> {
        let q = self.q.map(|q| q.replace("%C3%A9", "é"));
        let matches = |account: &&Account| {
            let begins = |q: &String| {
                account.email.to_lowercase().starts_with(q) || account.folded_name().starts_with(q)
            };
            self.role.is_none_or(|role| role == account.role) && q.as_ref().is_none_or(begins)
        };
        let mut met: Vec<_> = accounts.iter().filter(matches).collect();
        // Stable: ties stay in the order of ids.
        match self.sort {
            "created_at" => met.sort_by_key(|account| account.second),
            "email" => met.sort_by_key(|account| account.email.to_lowercase()),
            "full_name" => met.sort_by_key(|account| account.folded_name()),
            _ => {}
        }
        if self.descending {
            met.reverse();
        }
        met.into_iter()
            .map(|account| account.email.clone())
            .collect()
    }
}

#[tokio::test]
async fn every_walk_meets_each_account_that_is_there_throughout_once_and_in_order() {
    let platform = Platform::start();
    let mut runner = TestRunner::default();
    let accounts = accounts().new_tree(&mut runner).unwrap().current();
    let db = write(&platform, &accounts).await;
    let admin = platform.admin().await;
    let mut late = 0_u32;
    for _ in 0..40 {
        let mut latecomers = 0..4;
        let walk = walks().new_tree(&mut runner).unwrap().current();
        let (mut met, mut path) = (Vec::new(), walk.path());
        loop {
            let answer = admin.get(&path).await.expect(200);
            met.extend(emails(&answer));
            let Some(cursor) = answer.json::<Page<User>>().next_cursor else {
                break;
            };
            path = format!("{}&cursor={cursor}", walk.path());
            // Somebody comes in between, anywhere in the order; not always, or a walk by id would
            // never reach the last.
            if latecomers.next().is_some() {
                late += 1;
                let somebody = Account {
                    second: late % 3,
                    ..Account::named(
                        NAMES[late as usize % 8],
                        &format!("late-p{late}@example.org"),
                    )
                };
                people::write(platform.app.database(), &db, &[somebody]).await;
            }
        }
        let mut once = met.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), met.len(), "{walk:?}");
        met.retain(|email| !email.starts_with("late") && *email != admin.email);
        assert_eq!(met, walk.expected(&accounts), "{walk:?}");
    }
}
