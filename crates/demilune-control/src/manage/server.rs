//! The server's end of the management socket: one line of JSON in, one line of JSON out.

use std::{io, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Command, Manager, Reply};

/// Longest line in bytes: a chunk of operations with room to spare.
pub(super) const LINE_BYTES_MAX: usize = 8 << 20;
/// Most connections at once: people and scripts of one operator.
const CONNECTIONS_MAX: usize = 16;
/// How long a caller may take to send a line, or to read an answer.
const LINE_TIME_MAX: Duration = Duration::from_secs(30);
/// How long to wait after a failed accept, which usually means that the process is out of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// How long commands in flight may take to finish after a stop was asked for.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// What stands in a line that goes back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Reply(Reply),
    Error(String),
}

/// Executes the commands that come in over the socket until `stop` is cancelled, then lets those in flight finish.
/// Only the user that runs this process, and root, are listened to.
pub async fn listen(manager: Manager, listener: UnixListener, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let connections = TaskTracker::new();
    loop {
        let accepting = async {
            // Nobody closes the semaphore, so the only outcome is a place.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepting => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a management connection could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        let (manager, stop) = (manager.clone(), stop.clone());
        connections.spawn(async move {
            if let Err(error) = converse(&manager, stream, &stop).await {
                tracing::debug!(%error, "a management connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    if timeout(DRAIN_TIME_MAX, connections.wait()).await.is_err() {
        tracing::warn!("management commands still in flight after the time to drain were cut off");
    }
}

async fn converse(manager: &Manager, stream: UnixStream, stop: &CancellationToken) -> io::Result<()> {
    let trusted = is_trusted(&stream)?;
    let (reader, mut writer) = stream.into_split();
    if !trusted {
        return send(&mut writer, &Answer::Error("only the user that runs the server may manage it".to_owned())).await;
    }
    let mut reader = BufReader::new(reader);
    loop {
        let line = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            line = timeout(LINE_TIME_MAX, read_line(&mut reader)) => line??,
        };
        let answer = match line {
            Line::End => return Ok(()),
            Line::TooLong => {
                let answer = Answer::Error(format!("a management command has at most {LINE_BYTES_MAX} bytes"));
                return send(&mut writer, &answer).await;
            }
            Line::Text(text) => answer(manager, &text).await,
        };
        send(&mut writer, &answer).await?;
    }
}

/// Whether the peer is the user of this process or root. The permissions of the socket say the same, but only once
/// they are set.
fn is_trusted(stream: &UnixStream) -> io::Result<bool> {
    let own = UnixStream::pair()?.0.peer_cred()?.uid();
    let peer = stream.peer_cred()?.uid();
    Ok(peer == own || peer == 0)
}

async fn answer(manager: &Manager, line: &[u8]) -> Answer {
    let command: Command = match serde_json::from_slice(line) {
        Ok(command) => command,
        Err(error) => {
            return Answer::Error(format!(
                "this is no command that version {} knows: {error}",
                env!("CARGO_PKG_VERSION")
            ));
        }
    };
    match manager.execute(command).await {
        Ok(reply) => Answer::Reply(reply),
        Err(error) => Answer::Error(error.chain()),
    }
}

async fn send(writer: &mut OwnedWriteHalf, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    timeout(LINE_TIME_MAX, writer.write_all(&line)).await?
}

enum Line {
    Text(Vec<u8>),
    TooLong,
    End,
}

async fn read_line(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Line> {
    let mut text = Vec::new();
    let limit = LINE_BYTES_MAX as u64 + 1;
    reader.take(limit).read_until(b'\n', &mut text).await?;
    Ok(match text.last() {
        Some(b'\n') => Line::Text(text),
        Some(_) if text.len() > LINE_BYTES_MAX => Line::TooLong,
        // Nothing, or the caller left in the middle of a line.
        _ => Line::End,
    })
}
