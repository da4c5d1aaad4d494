//! Bodies that an answer left unread: they are read and dropped for a moment, so that the client gets to read the
//! answer. A client still writing when the connection closes may lose what it was sent.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header,
};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;

/// How much is read and dropped.
const DRAIN_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);

/// Lends the body of a request to whoever handles it; none if it has no body.
pub(super) fn lend(request: Request) -> (Request, Option<Unread>) {
    if request.body().is_end_stream() {
        return (request, None);
    }
    let (back, unread) = oneshot::channel();
    let asks_first = request.headers().contains_key(header::EXPECT);
    let lend = |body| Body::new(Lent { body, back: Some(back), is_awaited: asks_first });
    (request.map(lend), Some(Unread(unread)))
}

/// What came back of a body that was lent.
pub(super) struct Unread(oneshot::Receiver<Left>);

/// What is left of a body.
enum Left {
    Readable(Body),
    /// The client asked first and was not told to go on: it has sent nothing, and reads the answer at once.
    Unsent,
}

impl Unread {
    /// Reads the rest, and says whether that was all of it: if not, the connection cannot carry another request.
    pub(super) async fn finish(mut self) -> bool {
        match self.0.try_recv() {
            Ok(Left::Readable(mut body)) => {
                tokio::time::timeout(DRAIN_TIME_MAX, drain(&mut body)).await.unwrap_or(false)
            }
            Ok(Left::Unsent) => false,
            // It was read to its end.
            Err(_) => true,
        }
    }
}

async fn drain(body: &mut Body) -> bool {
    let mut dropped = 0;
    while dropped < DRAIN_BYTES_MAX {
        match body.frame().await {
            Some(Ok(frame)) => dropped += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) => return false,
            None => return true,
        }
    }
    false
}

/// A body that goes back to its lender when it is dropped before its end.
struct Lent {
    body: Body,
    back: Option<oneshot::Sender<Left>>,
    /// Whether the client waits to be told to go on, which reading does.
    is_awaited: bool,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_awaited = false;
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() {
            self.back = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(back) = self.back.take().filter(|_| !self.body.is_end_stream()) else { return };
        let left = if self.is_awaited { Left::Unsent } else { Left::Readable(std::mem::take(&mut self.body)) };
        // The lender may be gone, and with it the connection.
        drop(back.send(left));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    /// Whether a connection can go on whose request had a body of so many mebibytes, of which a handler read so many
    /// pieces of one mebibyte.
    async fn goes_on(mebibytes: usize, read: usize, asks_first: bool) -> bool {
        static PIECE: [u8; 1024 * 1024] = [0; 1024 * 1024];
        let pieces = stream::iter((0..mebibytes).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&PIECE))));
        let request = Request::builder();
        let request = if asks_first { request.header(header::EXPECT, "100-continue") } else { request };
        let (request, unread) = lend(request.body(Body::from_stream(pieces)).unwrap());
        let mut body = request.into_body();
        for _ in 0..read {
            body.frame().await;
        }
        drop(body);
        unread.unwrap().finish().await
    }

    #[tokio::test]
    async fn what_is_left_of_a_body_is_read_within_limits() {
        assert!(goes_on(3, 4, false).await, "read to its end");
        assert!(goes_on(3, 1, false).await);
        assert!(goes_on(3, 0, false).await);
        assert!(!goes_on(12, 1, false).await);
    }

    #[tokio::test]
    async fn a_client_that_asked_first_is_not_told_to_go_on() {
        assert!(!goes_on(3, 0, true).await);
        assert!(goes_on(3, 1, true).await);
    }

    #[tokio::test]
    async fn a_request_without_a_body_lends_none() {
        assert!(lend(Request::new(Body::empty())).1.is_none());
    }
}
