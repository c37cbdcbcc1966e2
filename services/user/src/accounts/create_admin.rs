//! `lyceum-user create-admin`: makes somebody an admin without asking one, on the machine itself.

use std::io;

use anyhow::{Context, anyhow, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use lyceum_chassis::cli::{self, ServiceCommand};
use lyceum_chassis::clock;
use lyceum_chassis::database::Database;
use lyceum_chassis::idempotency::Keyed;
use lyceum_chassis::settings::Settings;
use lyceum_contracts::event::Event;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_outbox::Waker;
use sea_orm::{IntoActiveModel, Set};
use time::OffsetDateTime;

use super::commands::{NewAccount, register_user};
use super::domain::{Email, FullName};
use super::store;
use crate::App;
use crate::audit::{self, Action, Record};
use crate::password::{Hasher, NewPassword};
use crate::settings::UserSettings;

/// The subcommand.
pub(crate) fn command() -> ServiceCommand<App> {
    let command = Command::new("create-admin")
        .about("Make an admin: a new account, or that of the address if it has one")
        .arg(text("email", "EMAIL", "Address of the account").required(true))
        .arg(text("full-name", "NAME", "Name of a new account"))
        .arg(
            Arg::new("password-stdin")
                .long("password-stdin")
                .action(ArgAction::SetTrue)
                .help("Read the password of a new account from standard input, one line"),
        );
    ServiceCommand {
        command,
        run: |given, settings| Box::pin(run(given, settings)),
    }
}

fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

async fn run(given: ArgMatches, settings: Settings<UserSettings>) -> anyhow::Result<()> {
    let argument = |name: &str| given.get_one::<String>(name);
    let email = argument("email").context("--email is missing")?;
    let email = Email::parse(email).map_err(|error| anyhow!("--email {error}"))?;
    let full_name = argument("full-name").cloned().map(FullName::parse);
    let full_name = full_name.transpose();
    let full_name = full_name.map_err(|error| anyhow!("--full-name {error}"))?;
    let password = given.get_flag("password-stdin").then(read_password);
    let password = password.transpose()?;

    let database = cli::database::<App>(&settings.platform).await?;
    let outcome = if let Some(outcome) = promote(&database, &email, clock::now()).await? {
        outcome
    } else {
        let account = NewAccount {
            email,
            full_name: full_name.context("the address has no account: give --full-name")?,
            password_hash: Hasher::new(&settings.service.passwords)
                .hash(password.context("the address has no account: give --password-stdin")?)
                .await?,
            role: Role::Admin,
        };
        // A relay looks for events by itself; this process has none to wake.
        let (keyed, nobody) = (Keyed::none(), Waker::default());
        register_user(&database, &nobody, keyed, account, clock::now()).await?;
        Outcome::Created
    };
    database.close().await;
    tracing::info!(
        event = "admin.made",
        outcome = outcome.as_str(),
        "the address has an admin account"
    );
    Ok(())
}

/// What there was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Created,
    Promoted,
    AdminAlready,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Promoted => "promoted",
            Self::AdminAlready => "admin_already",
        }
    }
}

/// Makes the account of this address an admin's, its password and name as they are; `None` when
/// there is none.
async fn promote(
    database: &Database,
    email: &Email,
    now: OffsetDateTime,
) -> anyhow::Result<Option<Outcome>> {
    let Some(found) = store::find_by_email(database, email).await? else {
        return Ok(None);
    };
    let transaction = database.begin_write().await?;
    let user = store::lock(&transaction, found.id).await?;
    let Some(user) = user else {
        return Ok(None);
    };
    if !user.may_sign_in() {
        bail!("account {} is {} and cannot sign in", user.id, user.status);
    }
    if user.role == Role::Admin {
        return Ok(Some(Outcome::AdminAlready));
    }
    let id: UserId = user.id;
    let (version, token_version) = (user.version + 1, user.token_version + 1);
    let mut row = user.into_active_model();
    row.role = Set(Role::Admin);
    row.version = Set(version);
    row.token_version = Set(token_version);
    row.updated_at = Set(now);
    store::update(&transaction, row).await?;
    lyceum_outbox::push(&transaction, &Event::UserUpdated { user_id: id }).await?;
    let record = Record {
        actor: None,
        subject: Some(id),
        action: Action::RoleChanged,
    };
    audit::record(&transaction, record, now).await?;
    transaction.commit().await?;
    Ok(Some(Outcome::Promoted))
}

/// One line of standard input, without its end.
fn read_password() -> anyhow::Result<NewPassword> {
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    read.context("cannot read the password from standard input")?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password).to_owned();
    NewPassword::parse(password).map_err(|error| anyhow!("the password {error}"))
}
