//! `lyceum-user rotate-keys`: makes the key that access tokens are signed with next.

use std::io::{self, Write};

use clap::Command;
use lyceum_chassis::cli::{self, ServiceCommand};
use lyceum_chassis::clock;
use lyceum_chassis::settings::Settings;

use super::rotation;
use crate::App;
use crate::settings::UserSettings;

/// The subcommand.
pub(crate) fn command() -> ServiceCommand<App> {
    ServiceCommand {
        command: Command::new("rotate-keys")
            .about("Make the key that access tokens are signed with six minutes from now"),
        run: |_, settings| Box::pin(run(settings)),
    }
}

async fn run(settings: Settings<UserSettings>) -> anyhow::Result<()> {
    let master = settings.service.tokens.key()?;
    let database = cli::database::<App>(&settings.platform).await?;
    let rotated = rotation::rotate_keys(&database, &master, clock::now()).await;
    database.close().await;
    writeln!(io::stdout(), "{}", rotated?)?;
    Ok(())
}
