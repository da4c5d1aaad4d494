//! The way to the data for commands: through the running server where there is one, else straight to the store.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use demilune_control::{
    CredentialCache,
    manage::{CallError, Client, Command, ConnectError, ManageError, Manager, Reply, ServerStatus, StatusView},
};
use demilune_store::{Database, OpenError, Store};

use crate::{
    config::StoreConfig,
    data_folder::{self, DataFolderError, Lock},
    gateway::made_key,
};

/// How long to wait for a server that is starting or stopping, or for another command.
const BUSY_MAX: Duration = Duration::from_secs(10);
const BUSY_RETRY: Duration = Duration::from_millis(100);

/// Why a command could not be executed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessError {
    /// There is nothing to work on, and commands make nothing by accident.
    #[error(
        "there is no data folder {0}: name the right one with --data, or run `demilune serve` or `demilune migrate` first"
    )]
    NoFolder(PathBuf),
    /// The folder is there, the file is not.
    #[error(
        "there is no database {0}: name the right one with --data or --database, or run `demilune serve` or `demilune migrate` first"
    )]
    NoDatabase(PathBuf),
    /// Somebody holds the lock and does not listen.
    #[error("another demilune process works on the data folder {0} and does not answer: try again, or stop it")]
    Busy(PathBuf),
    /// The running server is the wrong one to ask.
    #[error(
        "the server that runs on the data folder works on {server}, not on {wanted}: leave --database out, or name another --data"
    )]
    OtherDatabase { server: String, wanted: String },
    /// No server runs, and the command needs one.
    #[error("no server runs on the data folder {0}: start one with `demilune serve`")]
    NoServer(PathBuf),
    /// What came back answers another question.
    #[error("the running server answered another question: use the same version for both")]
    Mismatch,
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The socket cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server did not execute it.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The command was not executed on the store.
    #[error(transparent)]
    Manage(#[from] ManageError),
}

/// A way to the data.
pub(crate) enum Access {
    /// Through the running server.
    Server(Client),
    /// Straight to the store, under the data folder's lock when the database is in a file.
    Store { manager: Manager, store: Store, lock: Option<Lock> },
}

impl Access {
    /// Finds the way.
    pub(crate) async fn open(config: &StoreConfig) -> Result<Self, AccessError> {
        if let Database::Sqlite(_) = config.database {
            return Self::open_sqlite(config).await;
        }
        match connect(config).await? {
            Some((client, _)) => Ok(Self::Server(client)),
            None => Self::open_store(config, None).await,
        }
    }

    async fn open_sqlite(config: &StoreConfig) -> Result<Self, AccessError> {
        let give_up = Instant::now() + BUSY_MAX;
        loop {
            if let Some((client, _)) = connect(config).await? {
                return Ok(Self::Server(client));
            }
            check_is_there(config).await?;
            if let Some(lock) = data_folder::try_lock(&config.data).await? {
                return Self::open_store(config, Some(lock)).await;
            }
            if Instant::now() >= give_up {
                return Err(AccessError::Busy(config.data.clone()));
            }
            tokio::time::sleep(BUSY_RETRY).await;
        }
    }

    async fn open_store(config: &StoreConfig, lock: Option<Lock>) -> Result<Self, AccessError> {
        let store = Store::open(&config.options(false)).await?;
        let manager = Manager::new(store.clone(), CredentialCache::default());
        let data = config.data.clone();
        let manager = match tokio::task::spawn_blocking(move || made_key(&data)).await {
            Ok(Some(key)) => manager.hashing_with(key),
            _ => manager,
        };
        Ok(Self::Store { manager, store, lock })
    }

    /// Executes a command.
    pub(crate) async fn call(&mut self, command: Command) -> Result<Reply, AccessError> {
        match self {
            Self::Server(client) => Ok(client.call(&command).await?),
            Self::Store { manager, .. } => Ok(manager.execute(command).await?),
        }
    }

    /// Waits until everything is written.
    pub(crate) async fn close(self) {
        if let Self::Store { store, lock, .. } = self {
            store.close().await;
            drop(lock);
        }
    }
}

/// The server that runs on the data folder, and what it says about itself; none if there is none.
pub(crate) async fn connect(config: &StoreConfig) -> Result<Option<(Client, ServerStatus)>, AccessError> {
    let mut client = match Client::connect(&config.data).await {
        Ok(client) => client,
        Err(ConnectError::NoServer) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(server) = server_status(&mut client).await? else { return Ok(None) };
    let wanted = config.database.to_string();
    if config.database_named && wanted != server.database {
        return Err(AccessError::OtherDatabase { server: server.database, wanted });
    }
    Ok(Some((client, server)))
}

/// What the server says about itself; none if it is just stopping.
async fn server_status(client: &mut Client) -> Result<Option<ServerStatus>, AccessError> {
    match client.call(&Command::Status {}).await {
        Ok(Reply::Status(StatusView { server: Some(server), .. })) => Ok(Some(server)),
        Ok(_) => Err(AccessError::Mismatch),
        Err(CallError::Broken(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The address of the server that runs on a data folder, if it answers.
pub(crate) async fn server_address(data: &Path) -> Option<String> {
    let mut client = Client::connect(data).await.ok()?;
    server_status(&mut client).await.ok()?.map(|server| server.address)
}

async fn check_is_there(config: &StoreConfig) -> Result<(), AccessError> {
    let Database::Sqlite(file) = &config.database else { return Ok(()) };
    if !data_folder::exists(config.data.clone()).await? {
        return Err(AccessError::NoFolder(config.data.clone()));
    }
    if data_folder::exists(file.clone()).await? { Ok(()) } else { Err(AccessError::NoDatabase(file.clone())) }
}
