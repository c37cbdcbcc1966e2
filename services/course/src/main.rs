//! The course service as a process; see the library for what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    lyceum_chassis::cli::run::<lyceum_course::App>()
}
