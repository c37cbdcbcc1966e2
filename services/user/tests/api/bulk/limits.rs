//! How much one request may hold.

use serde_json::{Value, json};

use super::{BULK, Office, created, faults, invitees, member, named};

#[tokio::test]
async fn none_or_more_than_a_thousand_items_and_what_is_no_list_are_422() {
    let office = Office::open().await;
    let with = |items: Value| json!({ "items": items });
    let thousand_and_one = json!(invitees(0..1_001));
    for mode in ["atomic", "partial"] {
        for (body, pointer, code) in [
            (with(json!([])), "#/items", "out_of_range"),
            (with(thousand_and_one.clone()), "#/items", "out_of_range"),
            (with(json!({})), "#/items", "wrong_type"),
            (with(json!(null)), "#/items", "wrong_type"),
            (json!({}), "#/items", "required"),
        ] {
            let mut body = body;
            body["mode"] = json!(mode);
            let problem = office.sends("k", &body).await.expect(422).problem();
            assert_eq!(faults(problem), named(&[(pointer, code)]));
        }
    }
    for body in [json!(invitees(0..2)), json!("items"), json!(null)] {
        let problem = office.sends("k", &body).await.expect(422).problem();
        assert_eq!(faults(problem), named(&[("#", "wrong_type")]));
    }
    for mode in [json!("some"), json!(7)] {
        let body = json!({"mode": mode, "items": [7], "dry_run": true});
        let mut found = faults(office.sends("k", &body).await.expect(422).problem());
        found.sort();
        let expected = [
            ("#/dry_run", "unknown_field"),
            ("#/items/0", "wrong_type"),
            ("#/mode", "wrong_type"),
        ];
        assert_eq!(found, named(&expected));
    }
    assert_eq!(office.accounts().await, 0);
}

#[tokio::test]
async fn two_hundred_may_come_with_a_password_and_not_one_more() {
    let office = Office::open().await;
    let members = |count: usize| -> Vec<Value> {
        let password = "correct horse battery staple";
        let members = (0..count).map(|number| member(&format!("m{number}"), password));
        members.chain([json!(7)]).collect()
    };
    for mode in ["atomic", "partial"] {
        let body = json!({"mode": mode, "items": members(201)});
        let mut found = faults(office.sends("k", &body).await.expect(422).problem());
        found.sort();
        let expected = [
            ("#/items", "too_many_passwords"),
            ("#/items/201", "wrong_type"),
        ];
        assert_eq!(found, named(&expected));
    }
    // Refused for its last item alone, and before seconds of hashing.
    let problem = office
        .creates("k", &members(200))
        .await
        .expect(422)
        .problem();
    assert_eq!(faults(problem), named(&[("#/items/200", "wrong_type")]));
    assert_eq!(office.accounts().await, 0);
}

#[tokio::test]
async fn a_thousand_items_of_the_greatest_length_fit_and_so_does_their_answer() {
    let office = Office::open().await;
    let name = "\u{1f40e}".repeat(200);
    let items = (0..1_000).map(|number| {
        let local = format!("{number:04}{}", "a".repeat(60));
        let domain = [&*"b".repeat(63), &"c".repeat(63), &"d".repeat(57), "org"].join(".");
        json!({"email": format!("{local}@{domain}"), "full_name": name, "role": "instructor"})
    });
    let items: Vec<_> = items.collect();
    assert_eq!(items[0]["email"].as_str().unwrap().len(), 254);
    let body = json!({ "items": items }).to_string();
    // As an encoder writes it that keeps to ASCII.
    let body = body.replace('\u{1f40e}', "\\ud83d\\udc0e");
    let send = || {
        office
            .request("k")
            .body(body.clone(), "application/json")
            .send()
    };
    let answer = send().await.expect(201);
    let users = created(&answer);
    assert!(users.iter().all(|user| user.full_name == name));
    let again = send().await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.text(), answer.text());
}

#[tokio::test]
async fn more_bytes_or_values_than_a_thousand_items_can_have_are_refused() {
    let office = Office::open().await;
    let padded = format!("{{\"items\":[{}]}}", " ".repeat(4 * 1024 * 1024));
    let request = office.request("k").body(padded, "application/json");
    request.send().await.expect(413).problem();
    // Two bytes for a value: read in full, a hundred megabytes.
    let many = format!("{{\"items\":[{}0]}}", "0,".repeat(1_500_000));
    let request = office.request("k").body(many, "application/json");
    request.send().await.expect(400).problem();
    // Before anything is read, a caller who may not is told so.
    let student = office.platform.student("ada").await;
    let request = office.platform.client().post(BULK).bearer(&student.token);
    request
        .body("[", "application/json")
        .send()
        .await
        .expect(403);
}
