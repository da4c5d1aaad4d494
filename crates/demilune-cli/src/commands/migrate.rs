//! `demilune migrate`: the schema brought up to this release, or what that would do.

use std::{fmt::Write, process::ExitCode, time::Duration};

use clap::Args;
use demilune_store::{Database, PendingMigration, Store};

use crate::{
    config::{Environment, RawStore, StoreConfig},
    data_folder,
    failure::Failure,
    logging, output, wiring,
};

/// How long to wait for a management command that holds the lock.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);

/// Create the database or bring its schema up to this release
#[derive(Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    store: RawStore,
    /// Print the statements that would run, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        logging::start_quiet();
        let config = StoreConfig::resolve(self.store, environment)?;
        let pending = wiring::runtime()?.block_on(async {
            if self.dry_run { Ok(Store::migrations_pending(&config.database).await?) } else { migrate(&config).await }
        });
        let text = describe(&pending?, self.dry_run);
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn migrate(config: &StoreConfig) -> Result<Vec<PendingMigration>, Failure> {
    let lock = match config.database {
        // PostgreSQL has a lock of its own for this, and nodes are upgraded one at a time while others serve.
        Database::Postgres(_) => None,
        Database::Sqlite(_) => {
            data_folder::create(&config.data).await?;
            Some(data_folder::lock(&config.data, LOCK_WAIT_MAX).await?)
        }
    };
    let pending = Store::migrations_pending(&config.database).await?;
    Store::open(&config.options(true)).await?.close().await;
    drop(lock);
    Ok(pending)
}

fn describe(pending: &[PendingMigration], dry_run: bool) -> String {
    if pending.is_empty() {
        return "the schema is up to date\n".to_owned();
    }
    let mut text = String::new();
    for migration in pending {
        // Writing to a string does not fail.
        let _ = if dry_run {
            writeln!(text, "-- schema {}: {}\n{}\n", migration.version, migration.name, migration.sql.trim())
        } else {
            writeln!(text, "migrated to schema {}: {}", migration.version, migration.name)
        };
    }
    text
}
