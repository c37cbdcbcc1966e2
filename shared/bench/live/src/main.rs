//! Open streams by the thousand: what an idle one costs, how fast many are told, how fast letters
//! leave.
//!
//! `make bench-live` builds the notification service and this, and runs it. One process conducts;
//! every other part is a process of its own: the service (`stage`), a stand-in for the user service
//! (`users`), the listeners, five thousand each (`listener`), a mail server that takes everything
//! (`sink`), and the limits: a bare actix-ws loop (`bare`), and whoever writes the same rows with
//! sqlx alone (`rows`). `docs/BENCHMARKS.md` says what is compared.
#![expect(
    clippy::disallowed_methods,
    reason = "neither the limits nor who sets the scene is a service of the platform"
)]

mod bare;
mod conduct;
mod crowd;
mod figures;
mod listener;
mod publisher;
mod report;
mod rows;
mod sink;
mod stage;
mod table;
mod token;
mod users;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next();
    let done = match role.as_deref() {
        Some("bare") => bare::run(),
        Some("listener") => listener::run(),
        Some("rows") => rows::run(),
        Some("sink") => sink::run(),
        Some("users") => users::run(),
        _ => conduct::run(role, arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            table::complain(&error);
            ExitCode::FAILURE
        }
    }
}
