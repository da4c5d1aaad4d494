//! The body of an answer on its way to the client: counted, and given up on when the origin stalls.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{exchange::Exchange, request_body::Pause};
use crate::upstream::OriginBody;

/// The body of an answer. When it is dropped, the exchange is over.
pub struct ResponseBody {
    source: Source,
    exchange: Option<Box<Exchange>>,
}

enum Source {
    Own(Option<Bytes>),
    Origin { body: OriginBody, pause: Pause },
}

/// Why an answer was not passed on to its end; the connection is closed, so that the client notices.
#[derive(Debug, thiserror::Error)]
pub enum AnswerFailure {
    /// The origin broke it off.
    #[error("the origin broke off its answer")]
    Broken(#[source] hyper::Error),
    /// The origin paused for too long.
    #[error("the origin paused for too long within its answer")]
    Stalled,
}

impl ResponseBody {
    /// An answer of our own.
    pub(crate) fn own(bytes: Bytes, mut exchange: Box<Exchange>) -> Self {
        exchange.complete();
        exchange.sent(bytes.len());
        Self { source: Source::Own(Some(bytes)), exchange: Some(exchange) }
    }

    /// An origin's answer. One without a body is complete with its head.
    pub(crate) fn of_origin(body: OriginBody, pause: Pause, mut exchange: Box<Exchange>) -> Self {
        if body.is_end_stream() {
            exchange.complete();
        }
        Self { source: Source::Origin { body, pause }, exchange: Some(exchange) }
    }

    /// Nothing, where somebody else keeps the exchange.
    pub(crate) fn none() -> Self {
        Self { source: Source::Own(None), exchange: None }
    }

    /// Nothing of it will be asked for, and that is as it should be.
    pub(crate) fn complete(&mut self) {
        if let Some(exchange) = &mut self.exchange {
            exchange.complete();
        }
    }

    fn origin_failed(&mut self, reason: &'static str) {
        if let Some(exchange) = &mut self.exchange {
            exchange.origin_failed(reason);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = AnswerFailure;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerFailure>>> {
        let this = self.get_mut();
        let (body, pause) = match &mut this.source {
            Source::Own(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Source::Origin { body, pause } => (body, pause),
        };
        match body.poll_frame(context) {
            Poll::Pending if pause.is_over(context) => {
                this.origin_failed("stalled");
                Poll::Ready(Some(Err(AnswerFailure::Stalled)))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => {
                this.complete();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                this.origin_failed("broken_answer");
                Poll::Ready(Some(Err(AnswerFailure::Broken(error))))
            }
            Poll::Ready(Some(Ok(frame))) => {
                pause.end();
                // hyper does not ask again behind the last byte of a known length.
                let ended = body.is_end_stream();
                if let Some(exchange) = &mut this.exchange {
                    exchange.sent(frame.data_ref().map_or(0, Bytes::len));
                    if ended {
                        exchange.complete();
                    }
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Own(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Source::Origin { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Source::Origin { body, .. } => body.size_hint(),
        }
    }
}
