//! Three real processes, three databases, one collector: the platform as its users meet it.
#![expect(
    clippy::expect_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod platform;

mod journey;
mod leaving;
mod live_page;
mod outages;
mod session_ends;
mod traces;
