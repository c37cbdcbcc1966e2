//! The user service under load, beside the least that could answer the same.
//!
//! `make bench-user` builds the services and this, and runs it. One process conducts; every other
//! part is a process of its own, so that none shares a heap or a thread with what is measured: the
//! three services, the minimal service (`minimal`), a receiver of traces (`collector`) and, per
//! turn, a load generator (`load`). Ours and the minimal one take turns, and the median of the
//! rounds counts, because a machine is seldom quiet. `docs/BENCHMARKS.md` says what is compared.
#![expect(
    clippy::disallowed_methods,
    reason = "neither the minimal service nor who sets the scene is a service of the platform"
)]

mod bulk;
mod collector;
mod conduct;
mod load;
mod minimal;
mod platform;
mod seed;
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next();
    // Nobody else chooses one in this process; no address here is an https one.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let done = match role.as_deref() {
        Some("collector") => collector::run(),
        Some("minimal") => minimal::run(),
        Some("load") => load::run(),
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
