//! An origin that costs little: a small JSON body to any GET, a body of any length, and a sink that counts.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt, Either, Full};
use hyper::{
    Method, Request, Response,
    body::{Body, Frame, Incoming, SizeHint},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;

/// A small origin
///
/// It answers a GET with 200 bytes of JSON, and a POST too, once its body was read. GET /bytes/N has N bytes, and POST
/// /sink answers how many bytes it got.
#[derive(Parser)]
struct Origin {
    /// The address to listen on
    #[arg(long)]
    listen: SocketAddr,
    /// Threads that serve
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

fn main() -> io::Result<()> {
    let origin = Origin::parse();
    demilune_bench_gateway::serve(origin.listen, origin.workers, |stream| async {
        // A connection that breaks is the load generator's to report.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
    })
}

const SMALL: &[u8; 200] = br#"{"id":12345678,"name":"An answer of two hundred bytes","description":"What an API often answers: one object, some text, two numbers and a flag","private":false,"state":"open","labels":["a","b"],"n":7}"#;

async fn answer(request: Request<Incoming>) -> Result<Response<Either<Full<Bytes>, Filler>>, hyper::Error> {
    if let Some(length) = request.uri().path().strip_prefix("/bytes/").and_then(|length| length.parse().ok()) {
        return Ok(Response::new(Either::Right(Filler { left: length })));
    }
    let mut body = Bytes::from_static(SMALL);
    if request.method() != Method::GET {
        let sink = request.uri().path() == "/sink";
        let length = count(request.into_body()).await?;
        if sink {
            body = Bytes::from(length.to_string());
        }
    }
    let mut response = Response::new(Either::Left(Full::new(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

async fn count(mut body: Incoming) -> Result<usize, hyper::Error> {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(length)
}

/// A body of a known length that nobody reads for its content.
struct Filler {
    left: u64,
}

/// More than a TLS record holds, and more than the buffers of the proxies do.
const CHUNK: &[u8] = &[b'x'; 64 << 10];

impl Body for Filler {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = usize::try_from(self.left).map_or(CHUNK.len(), |left| left.min(CHUNK.len()));
        self.left -= length as u64;
        Poll::Ready((length > 0).then(|| Ok(Frame::data(Bytes::from_static(&CHUNK[..length])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
