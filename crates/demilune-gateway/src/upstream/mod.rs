//! Requests to origins: connections kept for use again, made when there is none, and tried once more when one was stale.

mod connect;
mod connection;
mod pool;

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use demilune_policy::Destination;
use http::{Request, Response, StatusCode, request::Parts};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

pub(crate) use connect::ConnectError;
use connect::Connector;
pub use connect::OriginTrust;
use connection::Connection;
use pool::Pool;

use crate::{
    options::{GatewayOptions, Limits},
    proxy::{Progress, RequestBody},
};

/// An interval must not be zero; and nobody notices a connection that stays for this much longer.
const SWEEP_EVERY_MIN: Duration = Duration::from_millis(100);

/// The way to all origins.
pub(crate) struct Upstream {
    connector: Connector,
    pool: Arc<Pool>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The exchange failed on the connection.
    #[error("the exchange with the origin failed")]
    Exchange(#[source] hyper::Error),
}

impl Upstream {
    pub(crate) fn new(options: &GatewayOptions, trust: OriginTrust) -> Self {
        let Limits { origin_idle_max, origin_idle_connections_max, .. } = options.limits;
        Self {
            connector: Connector::new(options, trust),
            pool: Arc::new(Pool::new(origin_idle_max, origin_idle_connections_max)),
        }
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// A kept connection may have been closed by the origin a moment ago. When nothing was sent on it, or when `again`
    /// holds the head of a request that has no body and may be repeated, the request is sent once more on a new one.
    pub(crate) async fn send(
        &self,
        destination: &Arc<Destination>,
        request: Request<RequestBody>,
        again: Option<Parts>,
        body: Option<&Arc<Progress>>,
    ) -> Result<Response<OriginBody>, UpstreamError> {
        let Some(mut kept) = self.pool.take(destination).await else {
            return self.send_fresh(destination, request, body).await;
        };
        let mut failed = match kept.sender.try_send_request(request).await {
            Ok(answer) => return Ok(self.answered(answer, kept, destination, body)),
            Err(failed) => failed,
        };
        let unsent = failed.take_message();
        let request = unsent.or_else(|| {
            let lost = is_lost(failed.error());
            again.filter(|_| lost).map(|head| Request::from_parts(head, RequestBody::Empty))
        });
        match request {
            Some(request) => self.send_fresh(destination, request, body).await,
            None => Err(UpstreamError::Exchange(failed.into_error())),
        }
    }

    async fn send_fresh(
        &self,
        destination: &Arc<Destination>,
        request: Request<RequestBody>,
        body: Option<&Arc<Progress>>,
    ) -> Result<Response<OriginBody>, UpstreamError> {
        let mut fresh = self.connector.connect(destination).await?;
        let answer = fresh.sender.send_request(request).await.map_err(UpstreamError::Exchange)?;
        Ok(self.answered(answer, fresh, destination, body))
    }

    fn answered(
        &self,
        answer: Response<Incoming>,
        connection: Connection,
        destination: &Arc<Destination>,
        body: Option<&Arc<Progress>>,
    ) -> Response<OriginBody> {
        let (destination, pool) = (Arc::clone(destination), Arc::clone(&self.pool));
        let switched = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        let lease = Lease { connection, destination, pool, body: body.cloned() };
        answer.map(
            |incoming| if switched { OriginBody::switched(incoming, lease) } else { OriginBody::new(incoming, lease) },
        )
    }

    /// Closes kept connections that were not used for too long.
    pub(crate) fn sweep(&self) {
        self.pool.sweep();
    }

    /// How often [`Self::sweep`] should be called.
    pub(crate) fn sweep_every(&self) -> Duration {
        (self.pool.idle_max() / 2).max(SWEEP_EVERY_MIN)
    }

    /// How many connections are kept.
    pub(crate) fn idle(&self) -> usize {
        self.pool.len()
    }
}

/// Whether the connection ended before a byte of an answer came.
fn is_lost(error: &hyper::Error) -> bool {
    let broken = |error: &(dyn std::error::Error + 'static)| {
        error.downcast_ref::<std::io::Error>().is_some_and(|error| {
            use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
            matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
        })
    };
    error.is_incomplete_message()
        || error.is_closed()
        || error.is_canceled()
        || std::error::Error::source(error).is_some_and(broken)
}

/// A connection that goes back to the pool when the answer was read to its end.
struct Lease {
    connection: Connection,
    destination: Arc<Destination>,
    pool: Arc<Pool>,
    body: Option<Arc<Progress>>,
}

/// The body of an origin's answer.
pub(crate) struct OriginBody {
    incoming: Incoming,
    lease: Option<Lease>,
}

impl OriginBody {
    fn new(incoming: Incoming, lease: Lease) -> Self {
        let mut body = Self { incoming, lease: Some(lease) };
        body.give_back_at_end();
        body
    }

    /// Of an answer behind which the connection belongs to another protocol.
    fn switched(incoming: Incoming, lease: Lease) -> Self {
        lease.connection.let_go();
        Self { incoming, lease: None }
    }

    pub(crate) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = std::pin::Pin::new(&mut self.incoming).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Err(_))) => self.lease = None,
            Poll::Ready(None) => self.give_back(),
            Poll::Ready(Some(Ok(_))) => self.give_back_at_end(),
            Poll::Pending => {}
        }
        polled
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }

    fn give_back_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        // An origin may answer before it has read all. The rest would be in the way of the next request, and what is left
        // of the body is the client's to keep: the connection ends.
        if lease.body.is_none_or(|body| body.ended()) {
            lease.pool.give_back(lease.destination, lease.connection);
        }
    }
}
