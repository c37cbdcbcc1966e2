//! What a request pays to know who sent it, in nanoseconds: an access token whose signature is
//! verified, and one that is remembered; beside them a token between services. Printed one a line.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark reports on standard output"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use actix_web::test::TestRequest;
use actix_web::{FromRequest, HttpRequest, web};
use lyceum_chassis::auth::{
    AuthSettings, Authenticator, CurrentUser, Revocations, ServiceCaller, UserKeys,
};
use lyceum_client::{Identity, ServiceAuthSettings};
use lyceum_testing::identity::TestUsers;
use tokio::runtime::{Builder, Runtime};

const CALLS: u32 = 200;
const ROUNDS: u32 = 50;

fn main() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let users = TestUsers::new();
    let person = |verified_tokens| {
        let request = request(&users, verified_tokens, &users.student(7));
        extract::<CurrentUser>(&runtime, &request)
    };
    let (verified, remembered) = (person(0), person(10_000));
    println!("a person's token, verified: {verified:.0} ns");
    println!("a person's token, remembered: {remembered:.0} ns");
    println!("remembered : verified = 1 : {:.0}", verified / remembered);
    let request = request(&users, 10_000, &identity().mint("course"));
    let service = extract::<ServiceCaller>(&runtime, &request);
    println!("a service's token, verified: {service:.0} ns");
}

/// A request with `token` to a service that remembers so many.
fn request(users: &TestUsers, verified_tokens: u64, token: &str) -> HttpRequest {
    let keys = UserKeys::own(&serde_json::from_value(users.jwks()).unwrap());
    let settings = AuthSettings { verified_tokens };
    let authenticator = Authenticator::new(keys, Revocations::new(), identity(), settings);
    TestRequest::get()
        .app_data(web::Data::new(authenticator))
        .insert_header(("authorization", format!("Bearer {token}")))
        .to_http_request()
}

fn identity() -> Identity {
    let secrets = vec!["a secret that is long enough for it".into()];
    Identity::new("course", &ServiceAuthSettings { secrets }).unwrap()
}

/// The best time of one extraction.
fn extract<T: FromRequest<Error: std::fmt::Debug>>(
    runtime: &Runtime,
    request: &HttpRequest,
) -> f64 {
    let round = |_| {
        let begun = Instant::now();
        for _ in 0..CALLS {
            black_box(runtime.block_on(T::extract(black_box(request)))).unwrap();
        }
        begun.elapsed()
    };
    let best = (0..ROUNDS).map(round).min().unwrap_or(Duration::MAX);
    best.as_secs_f64() * 1e9 / f64::from(CALLS)
}
