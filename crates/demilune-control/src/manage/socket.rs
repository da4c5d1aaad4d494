//! The socket in the data folder: its name, its permissions, and the way to it when the folder's path is long.

use std::{
    fs::{self, File, Permissions},
    io,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{FileTypeExt, PermissionsExt},
            net as blocking,
        },
    },
    path::{Path, PathBuf},
};

use tokio::{net::UnixListener, task::spawn_blocking};

/// The socket's file name in the data folder.
pub const SOCKET_NAME: &str = "control.sock";

/// Longest path in bytes that is handed to the kernel as it is: the address of a Unix socket holds 107 on Linux and
/// 103 on other systems.
const PATH_BYTES_MAX: usize = 100;

/// Only the owner may connect.
const MODE: u32 = 0o600;

/// Why the socket could not be made or reached.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The path does not fit, and this system has no way round.
    #[error("the path {0} is too long for a socket: choose a data folder with a path of at most 80 characters")]
    TooLong(PathBuf),
    /// Something else has the socket's name.
    #[error("{0} is in the way of the management socket: it is no socket, move it away")]
    InTheWay(PathBuf),
    /// The operating system refused.
    #[error("the management socket {0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
}

/// Makes the socket in a data folder. The caller holds the folder's lock, so a socket that is already there was left
/// behind by a server that died, and is replaced.
pub async fn bind(data: &Path) -> Result<UnixListener, SocketError> {
    let data = data.to_owned();
    let shown = data.join(SOCKET_NAME);
    let listener = spawn_blocking(move || bind_blocking(&data)).await.map_err(|error| failed(&shown, error))??;
    UnixListener::from_std(listener).map_err(|error| failed(&shown, error))
}

fn bind_blocking(data: &Path) -> Result<blocking::UnixListener, SocketError> {
    let reachable = Reachable::new(data)?;
    let path = &reachable.path;
    let refused = |error| failed(&data.join(SOCKET_NAME), error);
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path).map_err(refused)?,
        Ok(_) => return Err(SocketError::InTheWay(data.join(SOCKET_NAME))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(refused(error)),
    }
    let listener = blocking::UnixListener::bind(path).map_err(refused)?;
    // Until this line others might connect where the folder lets them; the server also asks for the peer's user.
    fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

/// Connects to the socket in a data folder.
pub(super) fn connect_blocking(data: &Path) -> Result<blocking::UnixStream, SocketError> {
    let reachable = Reachable::new(data)?;
    let refused = |error| failed(&data.join(SOCKET_NAME), error);
    let stream = blocking::UnixStream::connect(&reachable.path).map_err(refused)?;
    stream.set_nonblocking(true).map_err(refused)?;
    Ok(stream)
}

fn failed(path: &Path, error: impl Into<io::Error>) -> SocketError {
    SocketError::Io(path.to_owned(), error.into())
}

/// A path to the socket that is short enough for the kernel.
struct Reachable {
    path: PathBuf,
    /// The open data folder, which a short path goes through.
    _folder: Option<File>,
}

impl Reachable {
    fn new(data: &Path) -> Result<Self, SocketError> {
        let path = data.join(SOCKET_NAME);
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(data).map_err(|error| failed(&path, error))?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        if !short.exists() {
            return Err(SocketError::TooLong(path));
        }
        Ok(Self { path: short.join(SOCKET_NAME), _folder: Some(folder) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_socket_is_for_its_owner() {
        let data = tempfile::tempdir().unwrap();
        let _listener = bind(data.path()).await.unwrap();
        let mode = fs::metadata(data.path().join(SOCKET_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_socket_that_was_left_behind_is_replaced() {
        let data = tempfile::tempdir().unwrap();
        drop(bind(data.path()).await.unwrap());
        assert!(data.path().join(SOCKET_NAME).exists());
        let _listener = bind(data.path()).await.unwrap();
        assert!(connect_blocking(data.path()).is_ok());
    }

    #[tokio::test]
    async fn a_file_with_the_name_of_the_socket_is_left_alone() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(SOCKET_NAME), "precious").unwrap();
        assert!(matches!(bind(data.path()).await, Err(SocketError::InTheWay(_))));
        assert_eq!(fs::read_to_string(data.path().join(SOCKET_NAME)).unwrap(), "precious");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_data_folder_with_a_long_path_has_a_socket_too() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("x".repeat(120));
        fs::create_dir(&data).unwrap();
        let _listener = bind(&data).await.unwrap();
        assert!(data.join(SOCKET_NAME).exists());
        assert!(connect_blocking(&data).is_ok());
    }
}
