//! Several requests that want the same addresses at the same moment.

use futures_util::future::join_all;

use super::{Office, invitees, statuses};

#[tokio::test]
async fn requests_with_the_same_addresses_in_other_orders_open_each_account_once() {
    let office = Office::open().await;
    let batches: Vec<_> = (0..8_usize)
        .map(|turn| {
            let mut items = invitees(0..200);
            items.rotate_left(turn * 23);
            if turn % 2 == 1 {
                items.reverse();
            }
            (format!("k{turn}"), items)
        })
        .collect();
    let answers = join_all(batches.iter().map(|(key, items)| office.tries(key, items))).await;
    let mut opened = 0;
    for answer in answers {
        let statuses = statuses(&answer.expect(207));
        assert!(statuses.iter().all(|status| [201, 409].contains(status)));
        opened += statuses.iter().filter(|status| **status == 201).count();
    }
    assert_eq!(opened, 200);
    assert_eq!(office.accounts().await, 200);
    assert_eq!(office.count("mailed_links").await, 200);
}

#[tokio::test]
async fn of_requests_that_overlap_the_first_gets_all_and_the_others_nothing() {
    let office = Office::open().await;
    let batches: Vec<_> = (0..6_usize)
        .map(|turn| {
            // Each has 50 of its own and 50 that everybody wants.
            let own = 1_000 + turn * 50;
            let mut items = [invitees(own..own + 50), invitees(0..50)].concat();
            items.rotate_left(turn * 17);
            (format!("k{turn}"), items)
        })
        .collect();
    let answers = join_all(
        batches
            .iter()
            .map(|(key, items)| office.creates(key, items)),
    )
    .await;
    let won = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(won, 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        let problem = answer.expect(409).problem();
        assert_eq!(problem.errors.len(), 50);
        assert!(problem.errors.iter().all(|fault| fault.code == "taken"));
    }
    assert_eq!(office.accounts().await, 100);
}

#[tokio::test]
async fn people_who_register_meanwhile_have_one_account_each() {
    let office = Office::open().await;
    let items = invitees(0..40);
    let registrations = (0..40).step_by(8).map(|number| {
        let email = format!("person-{number}@example.org");
        let platform = &office.platform;
        async move { platform.registers(&email).await }
    });
    let (bulk, registered) =
        futures_util::future::join(office.tries("k", &items), join_all(registrations)).await;
    let invited = statuses(&bulk.expect(207))
        .iter()
        .filter(|status| **status == 201)
        .count();
    let registered = registered
        .iter()
        .filter(|answer| answer.status == 201)
        .count();
    assert_eq!(invited + registered, 40);
    assert_eq!(office.accounts().await, 40);
}
