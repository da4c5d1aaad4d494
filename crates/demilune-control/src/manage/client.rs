//! The caller's end of the management socket.

use std::{io, path::Path, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::spawn_blocking,
    time::timeout,
};

use super::{
    Command, Reply, SocketError,
    server::{Answer, LINE_BYTES_MAX},
    socket::connect_blocking,
};

/// How long a server may take to say that it is there.
const STATUS_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a command may take: a chunk of operations on a slow disk, with room to spare.
const CALL_TIME_MAX: Duration = Duration::from_mins(1);
/// How long a backup, or the thresholds and schemas of a large zone, may take on a slow disk.
const LONG_TIME_MAX: Duration = Duration::from_hours(1);
/// Longest answer in bytes: a list of every zone or token, or a document.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// A connection to a running server.
pub struct Client {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No server listens on the data folder's socket.
    #[error("no server runs on this data folder")]
    NoServer,
    /// Something else is in the way.
    #[error(transparent)]
    Socket(#[from] SocketError),
}

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server executed nothing; its sentence says why.
    #[error("{0}")]
    Refused(String),
    /// The command cannot be sent.
    #[error("the command cannot be sent to the server")]
    Unsendable(#[source] serde_json::Error),
    /// The command is longer than a server accepts.
    #[error("the command is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// Nothing came back in time.
    #[error("the running server did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// The connection broke.
    #[error("the running server went away before it answered")]
    Broken(#[source] io::Error),
    /// The answer could not be understood.
    #[error("the running server answered what this version does not understand: use the same version for both")]
    Unclear(#[source] serde_json::Error),
}

impl Client {
    /// Connects to the server that runs on a data folder.
    pub async fn connect(data: &Path) -> Result<Self, ConnectError> {
        let data = data.to_owned();
        let connected = spawn_blocking(move || {
            connect_blocking(&data).map_err(|error| match error {
                SocketError::Io(_, cause) if means_no_server(&cause) => ConnectError::NoServer,
                error => ConnectError::Socket(error),
            })
        });
        // A task that cannot finish means that this process is ending.
        let stream = connected.await.map_err(|_| ConnectError::NoServer)??;
        let stream = UnixStream::from_std(stream).map_err(|_| ConnectError::NoServer)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader: BufReader::new(reader), writer })
    }

    /// Sends one command and waits for its answer.
    pub async fn call(&mut self, command: &Command) -> Result<Reply, CallError> {
        let time_max = match command {
            Command::Status {} => STATUS_TIME_MAX,
            Command::Backup { .. }
            | Command::Recompute { .. }
            | Command::Discover { .. }
            | Command::Drift { .. }
            | Command::SchemaApplyLearned { .. } => LONG_TIME_MAX,
            _ => CALL_TIME_MAX,
        };
        let mut line = serde_json::to_vec(command).map_err(CallError::Unsendable)?;
        line.push(b'\n');
        if line.len() > LINE_BYTES_MAX {
            return Err(CallError::TooLong);
        }
        let exchanged = timeout(time_max, self.exchange(&line)).await;
        let answer = exchanged.map_err(|_| CallError::Silent(time_max))?.map_err(CallError::Broken)?;
        match serde_json::from_slice(&answer).map_err(CallError::Unclear)? {
            Answer::Reply(reply) => Ok(reply),
            Answer::Error(sentence) => Err(CallError::Refused(sentence)),
        }
    }

    async fn exchange(&mut self, line: &[u8]) -> io::Result<Vec<u8>> {
        self.writer.write_all(line).await?;
        let mut answer = Vec::new();
        (&mut self.reader).take(ANSWER_BYTES_MAX).read_until(b'\n', &mut answer).await?;
        if answer.ends_with(b"\n") { Ok(answer) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

fn means_no_server(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}
