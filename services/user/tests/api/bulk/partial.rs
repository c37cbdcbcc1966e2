//! Accounts that stand or fall each for itself.

use lyceum_contracts::bulk::BulkResults;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::{Office, faults, invitee, named, statuses};

#[tokio::test]
async fn each_item_has_its_result_at_its_place() {
    let office = Office::open().await;
    office
        .platform
        .registers("old@example.org")
        .await
        .expect(201);
    let items = [
        invitee("ada"),
        json!({"email": "bob@example.org", "full_name": ""}),
        json!({"email": "ADA@example.org", "full_name": "Ada again"}),
        invitee("old"),
        json!({"email": "chef@example.org", "full_name": "Chef", "role": "admin"}),
        // Nobody has the address: the item before that wanted it was faulty.
        invitee("bob"),
    ];
    let answer = office.tries("k", &items).await.expect(207);
    assert_eq!(statuses(&answer), [201, 422, 409, 409, 403, 201]);
    let results = answer.json::<BulkResults>().items;
    let indices: Vec<_> = results.iter().map(|result| result.index).collect();
    assert_eq!(indices, [0, 1, 2, 3, 4, 5]);
    let expected = [
        None,
        Some(("#/items/1/full_name", "empty")),
        Some(("#/items/2/email", "duplicate")),
        Some(("#/items/3/email", "taken")),
        Some(("#/items/4/role", "forbidden")),
        None,
    ];
    for ((result, expected), item) in results.into_iter().zip(expected).zip(&items) {
        if let Some(fault) = expected {
            let problem = result.problem.unwrap();
            assert_eq!((problem.status, result.user), (result.status, None));
            assert_eq!(faults(problem), named(&[fault]));
        } else {
            assert_eq!(result.user.unwrap().email, item["email"]);
            assert_eq!(result.problem, None);
        }
    }
    assert_eq!(office.accounts().await, 3);
}

#[tokio::test]
async fn when_all_fail_it_is_207_all_the_same_and_nothing_is_written() {
    let office = Office::open().await;
    let items = [json!({}), json!(7), json!({"email": "x", "full_name": "X"})];
    let answer = office.tries("k", &items).await.expect(207);
    assert_eq!(statuses(&answer), [422; 3]);
    assert_eq!(office.accounts().await, 0);
    let again = office.tries("k", &items).await.expect(207);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.text(), answer.text());
}

/// What an item is sent as, and how it must end among those before it.
#[derive(Debug, Clone, Copy)]
enum Sent {
    Good(u8),
    NoName(u8),
    Admin(u8),
    Nonsense,
}

impl Sent {
    fn item(self) -> Value {
        let named = |number: u8, name: &str| json!({"email": format!("p{number}@example.org"), "full_name": name});
        match self {
            Self::Good(number) => named(number, "Person"),
            Self::NoName(number) => named(number, ""),
            Self::Admin(number) => {
                let mut item = named(number, "Person");
                item["role"] = json!("admin");
                item
            }
            Self::Nonsense => json!([]),
        }
    }
}

#[tokio::test]
async fn results_stand_in_the_order_of_the_items_whatever_these_are() {
    let office = Office::open().await;
    let sent = prop_oneof![
        4 => (0..60_u8).prop_map(Sent::Good),
        1 => (0..60_u8).prop_map(Sent::NoName),
        1 => (0..60_u8).prop_map(Sent::Admin),
        1 => Just(Sent::Nonsense),
    ];
    let batches = prop::collection::vec(sent, 1..50);
    let mut runner = TestRunner::deterministic();
    let mut accounts = std::collections::HashSet::new();
    for round in 0..12 {
        let batch = batches.new_tree(&mut runner).unwrap().current();
        let expected = batch.iter().map(|sent| match sent {
            Sent::Good(number) if accounts.insert(*number) => 201,
            Sent::Good(_) => 409,
            Sent::NoName(_) | Sent::Nonsense => 422,
            Sent::Admin(_) => 403,
        });
        let expected: Vec<u16> = expected.collect();
        let items: Vec<_> = batch.iter().map(|sent| sent.item()).collect();
        let answer = office.tries(&format!("k{round}"), &items).await.expect(207);
        assert_eq!(statuses(&answer), expected, "{batch:?}");
        for (index, result) in answer.json::<BulkResults>().items.into_iter().enumerate() {
            assert_eq!(result.index, index);
            let place = format!("#/items/{index}");
            if let Some(problem) = result.problem {
                assert!(!problem.errors.is_empty());
                for fault in problem.errors {
                    let inside = fault.pointer.strip_prefix(&place).unwrap();
                    assert!(
                        inside.is_empty() || inside.starts_with('/'),
                        "{}",
                        fault.pointer
                    );
                }
            } else {
                assert_eq!(result.user.unwrap().email, items[index]["email"]);
            }
        }
    }
    assert_eq!(
        office.accounts().await,
        i64::try_from(accounts.len()).unwrap()
    );
}
