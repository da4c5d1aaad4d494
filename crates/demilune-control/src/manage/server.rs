//! The server's end of the management socket: one line of JSON in, one line of JSON out.

use std::{io, sync::Arc, time::Duration};

use demilune_store::USER_SCHEMA_BYTES_MAX;
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

/// Longest line in bytes: a document that is written as a JSON text gains a byte for each quote and each line's end.
pub(super) const LINE_BYTES_MAX: usize = 2 * USER_SCHEMA_BYTES_MAX + (64 << 10);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manage::{CallError, Client, bind, testing};

    /// A socket with its server, until the guard is dropped.
    async fn start() -> (tempfile::TempDir, tokio_util::sync::DropGuard) {
        let (folder, manager) = testing::manager(10).await;
        let listener = bind(folder.path()).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(listen(manager, listener, stop.clone()));
        (folder, stop.drop_guard())
    }

    /// What comes back for raw bytes.
    async fn exchange(folder: &tempfile::TempDir, bytes: &[u8]) -> String {
        let stream = UnixStream::connect(folder.path().join(crate::manage::SOCKET_NAME)).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        // The server may answer and close before it has read everything.
        let _ = writer.write_all(bytes).await;
        let mut answer = String::new();
        BufReader::new(&mut reader).read_line(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn commands_are_answered_one_after_another() {
        let (folder, _stop) = start().await;
        let mut client = Client::connect(folder.path()).await.unwrap();
        let create = Command::ZoneCreate { name: "shop".to_owned(), id: None };
        assert!(matches!(client.call(&create).await, Ok(Reply::Zone(zone)) if zone.name == "shop"));
        assert!(
            matches!(client.call(&create).await, Err(CallError::Refused(sentence)) if sentence.contains("already a zone"))
        );
        assert!(matches!(client.call(&Command::ZoneList {}).await, Ok(Reply::Zones(zones)) if zones.len() == 2));
    }

    #[tokio::test]
    async fn what_is_no_command_is_refused() {
        let (folder, _stop) = start().await;
        for line in ["nonsense\n", "{\"command\":\"reboot\"}\n", "{\"command\":\"zone_list\",\"more\":1}\n"] {
            assert!(exchange(&folder, line.as_bytes()).await.contains("no command"), "{line}");
        }
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_refused() {
        let (folder, _stop) = start().await;
        let answer = exchange(&folder, &vec![b' '; LINE_BYTES_MAX + 1]).await;
        assert!(answer.contains("at most"), "{answer}");
    }

    #[tokio::test]
    async fn more_callers_than_places_wait_for_their_turn() {
        let (folder, _stop) = start().await;
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            idle.push(Client::connect(folder.path()).await.unwrap());
            // Connected callers take their place in order.
            assert!(idle.last_mut().unwrap().call(&Command::Status {}).await.is_ok());
        }
        let mut late = Client::connect(folder.path()).await.unwrap();
        let command = Command::Status {};
        let call = late.call(&command);
        tokio::pin!(call);
        assert!(timeout(Duration::from_millis(100), &mut call).await.is_err());
        idle.pop();
        assert!(call.await.is_ok());
    }

    #[tokio::test]
    async fn callers_that_say_nothing_do_not_hold_up_a_stop() {
        let (folder, manager) = testing::manager(10).await;
        let listener = bind(folder.path()).await.unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(listen(manager, listener, stop.clone()));
        let mut client = Client::connect(folder.path()).await.unwrap();
        client.call(&Command::Status {}).await.unwrap();
        stop.cancel();
        timeout(Duration::from_secs(2), server).await.unwrap().unwrap();
        assert!(matches!(client.call(&Command::Status {}).await, Err(CallError::Broken(_))));
    }
}
