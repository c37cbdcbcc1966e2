//! What goes wrong in clients that send requests again, each as a test by its name: over the
//! scripted transport with tokio's clock paused, or over real sockets where HTTP decides. What a
//! breaker or a budget shows by itself is in the tests of `lyceum-resilience`
//! (`tests/behaviour/main.rs` has their table).
//!
//! | pitfall | test |
//! |---|---|
//! | 4xx opens the circuit | `repeats::no_4xx_but_two_that_tell_of_load_ever_opens_the_circuit` |
//! | attempts and gaps of a failing GET and POST | `repeats::a_failing_get_goes_out_twice_within_25_ms_and_a_failing_post_once` |
//! | a POST repeated that may have had its effect | `repeats::a_post_that_may_have_had_its_effect_is_never_sent_twice`, `connections::a_connection_that_breaks_under_a_request_breaks_it_for_a_post_without_a_key_alone` |
//! | a POST given up that was never sent | `repeats::a_post_that_was_never_sent_is_sent_again`, `repeats::a_post_sent_at_last_is_not_sent_again` |
//! | another key on every attempt | `repeats::a_keyed_post_is_sent_again_with_the_same_key_every_time` |
//! | the method derived from an answer that never came | `repeats::a_post_that_may_have_had_its_effect_is_never_sent_twice`, which times out too |
//! | "never sent" said of the last attempt alone | `repeats::a_repeat_that_reached_nobody_does_not_undo_what_the_request_before_may_have_done` |
//! | error after the head not repeated | `connections::a_body_that_breaks_off_is_a_failed_attempt` |
//! | error body left unread | `connections::ten_attempts_share_a_connection_whatever_the_errors_say` |
//! | error body read without an end | `connections::an_error_that_talks_for_too_long_is_cut_short_and_costs_its_connection`; one that stalls: `../deadlines.rs` |
//! | stale keep-alive race | `connections::a_kept_connection_that_dies_under_a_request_is_no_licence_to_send_a_post_twice`, `connections::a_connection_that_closes_just_as_the_request_goes_out_costs_a_get_nothing_and_a_post_no_second_effect` |
//! | idle connections kept longer than the server does | `connections::an_idle_connection_is_given_up_a_second_before_the_server_does` |
//! | cancelling costs the connection | `connections::a_cancelled_call_costs_one_connection_and_the_next_is_served` |
//! | `Retry-After` ignored | `hints::seconds_are_waited_for`, `hints::a_date_is_waited_for`, `hints::a_date_in_the_past_means_now` |
//! | slept past the deadline | `hints::beyond_the_deadline_it_is_told_and_not_waited_for`, `hints::beyond_the_deadline_of_the_caller_it_is_told_too` |
//! | retry amplification | `amplification::three_hops_in_a_row_burden_a_dead_one_with_at_most_a_third_more`, `amplification::hops_that_say_whose_trouble_it_is_burden_a_dead_one_with_a_tenth_more`, `amplification::with_breakers_a_dead_one_is_hardly_asked_and_nobody_waits_beyond_the_deadline` |
//! | one dead service opens the circuits of all before it | `../breaker.rs`: `a_peer_that_only_passes_on_the_trouble_of_another_works`, `amplification::a_peer_that_comes_back_is_met_by_its_probes_then_by_a_ramp_and_rests_no_second_time` |
//! | herd after an outage | `amplification::a_peer_that_comes_back_is_met_by_its_probes_then_by_a_ramp_and_rests_no_second_time` |
//! | herd in half-open | `circuit::of_a_thousand_callers_only_the_probes_go_out` |
//! | timeout outside the breaker | `circuit::hung_calls_dropped_by_an_outer_timeout_open_it`, `circuit::calls_dropped_before_they_are_slow_say_nothing` |
//! | local refusals count as failures | `circuit::what_is_refused_here_is_no_failure_of_the_peer` |
//! | budget drained by local refusals | `circuit::a_repeat_that_is_refused_here_spends_no_budget` |
//! | one breaker for all targets | `../endpoints.rs`: `a_dead_endpoint_rests_and_the_other_serves_alone` |
//! | all endpoints ejected | `../endpoints.rs`: `an_endpoint_that_fails_far_more_than_its_peers_is_left_out_but_never_the_last` |
//! | work goes on after the client gave up | `../answers.rs`: `a_call_says_who_is_calling_and_for_how_long_it_waits`; what the peer makes of it is tested there |
//! | wall clock in the backoff | `repeats::the_wait_before_a_repeat_is_told_and_is_of_the_monotonic_clock` |
//! | repeats for another host | cannot happen: a call knows its upstream by type, and a retry policy by no host |
//! | anything else | `script::whatever_the_peer_does_a_call_keeps_to_its_rules` |

mod amplification;
mod circuit;
mod connections;
mod hints;
mod repeats;
mod script;

use lyceum_client::testing::Script;
use lyceum_client::{ClientError, Upstream, UpstreamSettings};
use serde_json::{Value, json};

/// An upstream to `peer` that repeats and never rests, but for what the test is about.
fn upstream(peer: &Script, configure: impl FnOnce(&mut UpstreamSettings)) -> Upstream {
    peer.upstream("course", &settings(configure)).unwrap()
}

/// Every call may be repeated once, and no breaker opens.
fn settings(configure: impl FnOnce(&mut UpstreamSettings)) -> UpstreamSettings {
    let mut settings = UpstreamSettings::default();
    settings.budget.percent = 100;
    settings.breaker.consecutive_failures = 255;
    settings.breaker.minimum_calls = 100_000;
    configure(&mut settings);
    settings
}

async fn get(upstream: &Upstream) -> Result<Value, ClientError> {
    upstream.get("course.test", "/test").json().await
}

/// A POST that says neither that it only reads nor that the peer knows it by a key.
async fn post(upstream: &Upstream) -> Result<Value, ClientError> {
    let call = upstream.post("course.test", "/test", &json!({}));
    call.json().await
}

async fn keyed_post(upstream: &Upstream) -> Result<Value, ClientError> {
    let call = upstream.post("course.test", "/test", &json!({}));
    call.keyed().json().await
}
