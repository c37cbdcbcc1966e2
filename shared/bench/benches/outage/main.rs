//! Three services in a row, the last one dead for half a minute: what the first one's callers see.
//!
//! Each hop calls the next through `lyceum-client` with the settings it has by default. The load
//! comes at its own pace, whatever the answers do. Ends with an error when a claim does not hold:
//! the last hop is sent at most 1.35 times the calls, nobody waits past the deadline, and after
//! recovery there are no more probes than allowed, a ramp that does not fall back, and no second
//! trip. `make outage` runs it; words after `--` choose scenes.
#![expect(
    clippy::print_stdout,
    reason = "a check of the whole reports on standard output"
)]

mod claims;
mod load;
mod plot;
mod record;
mod scene;
mod services;
mod svg;

use std::process::ExitCode;

use crate::scene::{SCENES, Scene};

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|name| !name.starts_with('-'))
        .collect();
    let chosen = |scene: &&Scene| named.is_empty() || named.contains(&scene.name);
    let telemetry = services::telemetry()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut broken = 0;
    for scene in SCENES.iter().filter(chosen) {
        let record = runtime.block_on(scene.play())?;
        println!("\n{}: {}\n\n{record}", scene.name, scene.title);
        println!("{}", plot::terminal(&record));
        svg::write(scene, &record)?;
        for (holds, claim) in claims::of(scene, &record) {
            println!("{} {claim}", if holds { "holds " } else { "BROKEN" });
            broken += u32::from(!holds);
        }
    }
    telemetry.shutdown()?;
    Ok(if broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
