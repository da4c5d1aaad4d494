//! A small bookshop API: something to put a gateway in front of.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// How many books there are; others are not found.
pub(super) const BOOKS: u32 = 40;

/// How many authors there are, of whom the inventory knows nothing.
pub(super) const AUTHORS: u32 = 30;

/// The operations of the sample API, as an inventory has them: method, endpoint.
pub(super) const OPERATIONS: [(&str, &str); 7] = [
    ("GET", "/books"),
    ("GET", "/books/{book_id}"),
    ("GET", "/books/{book_id}/reviews"),
    ("POST", "/orders"),
    ("GET", "/orders/{order_id}"),
    ("DELETE", "/cart/{item_id}"),
    ("GET", "/health"),
];

/// The sample API on a free port of this machine.
pub(crate) struct SampleApi {
    listener: TcpListener,
    address: SocketAddr,
}

impl SampleApi {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is cancelled.
    pub(crate) async fn serve(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => { tokio::spawn(connection(stream)); }
                    Err(error) => {
                        tracing::warn!(%error, "the sample API could not accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                () = stop.cancelled() => return,
            }
        }
    }
}

async fn connection(stream: TcpStream) {
    let service = service_fn(|request| async { Ok::<_, Infallible>(answer(request).await) });
    // A client that leaves is no matter here.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let (status, value) = match (&head.method, segments.as_slice()) {
        (&Method::GET, ["books"]) => (StatusCode::OK, (1..=10).map(book).collect()),
        // What the route of the demo leads to.
        (&Method::GET, ["books" | "catalogue", id]) => found(id, book),
        (&Method::GET, ["books", id, "reviews"]) => found(id, |book| json!([{ "book_id": book, "stars": 4 }])),
        (&Method::POST, ["orders"]) => order(body).await,
        (&Method::GET, ["orders", id]) => found(id, |order| json!({ "order_id": order, "status": "shipped" })),
        (&Method::DELETE, ["cart", _]) => (StatusCode::NO_CONTENT, Value::Null),
        (&Method::GET, ["health"]) => (StatusCode::OK, json!({ "status": "ok" })),
        (&Method::GET, ["authors", id]) => found(id, author),
        (&Method::GET, ["authors", id, "books"]) => found(id, |author| (author..author + 3).map(book).collect()),
        _ => (StatusCode::NOT_FOUND, json!({ "error": "not found" })),
    };
    respond(status, &value)
}

fn respond(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    let text = if value.is_null() { String::new() } else { value.to_string() };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn found(id: &str, make: impl Fn(u32) -> Value) -> (StatusCode, Value) {
    match id.parse() {
        Ok(id) if (1..=BOOKS).contains(&id) => (StatusCode::OK, make(id)),
        _ => (StatusCode::NOT_FOUND, json!({ "error": "not found" })),
    }
}

fn book(id: u32) -> Value {
    json!({ "book_id": id, "title": format!("Book {id}"), "price_cents": 900 + id * 25 })
}

fn author(id: u32) -> Value {
    json!({ "author_id": id, "name": format!("Author {id}") })
}

async fn order(body: Incoming) -> (StatusCode, Value) {
    let Ok(body) = body.collect().await else { return (StatusCode::BAD_REQUEST, json!({ "error": "no body" })) };
    match serde_json::from_slice::<Value>(&body.to_bytes()) {
        Ok(order) if order["book_id"].is_u64() => (StatusCode::CREATED, json!({ "order_id": order["book_id"] })),
        _ => (StatusCode::UNPROCESSABLE_ENTITY, json!({ "error": "book_id is missing" })),
    }
}
