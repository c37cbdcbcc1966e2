//! The end of a service.

use lyceum_testing::spawn;

use crate::bakery::{BAKING, Bakery, DONE, open};

#[tokio::test]
async fn a_request_in_flight_is_finished_before_the_end() {
    let bakery = open();
    let bread = bakery.client().get("/bread").send();
    let stop = async {
        BAKING.notified().await;
        bakery.lifecycle().stop();
        bakery
            .operations()
            .get("/health/ready")
            .send()
            .await
            .expect(503);
        DONE.notify_one();
    };
    let (bread, ()) = tokio::join!(bread, stop);
    assert_eq!(bread.expect(200).text(), "bread");
}

#[tokio::test]
async fn while_it_drains_it_is_not_ready_and_sends_callers_away() {
    let bakery = spawn::<Bakery>(|settings| settings.platform.lifecycle.drain_delay_ms = 2_000);
    bakery
        .operations()
        .get("/health/ready")
        .send()
        .await
        .expect(200);
    bakery.lifecycle().stop();
    let unready = bakery
        .operations()
        .get("/health/ready")
        .send()
        .await
        .expect(503);
    assert!(unready.text().contains("stopping"), "{}", unready.text());
    bakery
        .operations()
        .get("/health/live")
        .send()
        .await
        .expect(200);
    let answer = bakery.client().get("/loaves").send().await.expect(200);
    assert_eq!(answer.header("connection"), Some("close"));
}
