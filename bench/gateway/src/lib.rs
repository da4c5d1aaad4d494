//! What the origin and the bare proxy share: a runtime with the product's shape, and the loop that accepts connections.

use std::{future::Future, io, net::SocketAddr};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
};

/// Accepts connections at `address` for ever, each served by a task of its own on a multi-threaded runtime of `workers`
/// threads, which is what the product runs on.
///
/// # Errors
///
/// If the address cannot be listened on.
pub fn serve<F, Served>(address: SocketAddr, workers: usize, connection: F) -> io::Result<()>
where
    F: Fn(TcpStream) -> Served,
    Served: Future<Output = ()> + Send + 'static,
{
    Builder::new_multi_thread().worker_threads(workers).enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(connection(stream));
        }
    })
}
