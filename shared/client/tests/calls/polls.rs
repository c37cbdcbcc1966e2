//! A question whose answer is held back on purpose.

use std::time::Duration;

use lyceum_client::testing::{Act, Script};
use lyceum_client::{UpstreamSettings, UserClient};
use lyceum_resilience::breaker::State;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn polls_that_take_as_long_as_they_may_leave_the_circuit_closed() {
    let nothing = Act::json(200, &json!({"items": [], "next": 0}));
    let peer = Script::always(nothing.after(Duration::from_millis(1_900)));
    let upstream = peer.upstream("user", &UpstreamSettings::default()).unwrap();
    let users = UserClient::from(upstream.clone());
    for _ in 0..10 {
        users.revocations(0, Duration::from_secs(1)).await.unwrap();
    }
    let breaker = &upstream.breakers()[0].breaker;
    assert_eq!((breaker.state, breaker.window_failures), (State::Closed, 0));
}
