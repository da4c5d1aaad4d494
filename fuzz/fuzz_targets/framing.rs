//! Framing: what the guard passes, a real hyper server reads as the same requests, and a refused one at its place.
#![no_main]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use demilune_gateway::listen::framing::{Defect, FramingLimits, RequestStream, Stop};
use demilune_gateway::listen::guard::{ConnectionState, GuardLimits, Guarded, Refusal};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};

const LIMITS: FramingLimits =
    FramingLimits { head_bytes_max: 512, headers_max: 12, chunk_line_bytes_max: 40, trailer_bytes_max: 100 };
const HOUR: Duration = Duration::from_secs(3_600);

/// What the bytes above ASCII stand for in a short notation of requests, so that few changes lead to sound ones.
const WORDS: [&[u8]; 48] = [
    b"GET / HTTP/1.1\r\n",
    b"POST /a?b HTTP/1.1\r\n",
    b"HEAD / HTTP/1.0\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n",
    b"PUT http://a/b HTTP/1.1\r\n",
    b"Host: a\r\n",
    b"Host: a\r\n\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: ",
    b"chunked",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: upgrade\r\nUpgrade: a\r\n",
    b"Connection: ",
    b"Upgrade: websocket\r\n",
    b"Expect: 100-continue\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"3\r\nabc\r\n",
    b"0\r\n",
    b"0\r\n\r\n",
    b";a=\"b\"",
    b"A: b\r\n",
    b"http://",
    b"HTTPS://",
    b" HTTP/1.1\r\n",
    b" HTTP/1.0\r\n",
    b"HTTP/2.0",
    b"\n",
    b"\r",
    b"\0",
    b"\x7f",
    b"\xff",
    b"\xc3\xa4",
    b"\t",
    b"[::1]",
    b":80",
    b"close",
    b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    b"X-A: abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\r\n",
    b"ffffffffffffffff",
    b"Trailer: a\r\n",
];

thread_local! {
    /// Only for the timers of the guard, none of which ever fires.
    static RUNTIME: RefCell<Runtime> =
        RefCell::new(Builder::new_current_thread().enable_time().build().expect("a runtime can be built"));
}

fuzz_target!(|data: &[u8]| {
    let [mode, piece_bytes, data @ ..] = data else { return };
    let input = if mode & 1 == 0 { data.to_vec() } else { expand(data) };
    let expected = expect(&input);
    let ends = mode & 2 == 0;
    let seen = serve(&input, usize::from(*piece_bytes) + 1, ends);
    compare(&expected, &seen, ends);
});

fn expand(data: &[u8]) -> Vec<u8> {
    let word = |byte: &u8| WORDS.get(usize::from(*byte).wrapping_sub(0x80)).map(|word| word.to_vec());
    data.iter().flat_map(|byte| word(byte).unwrap_or_else(|| vec![*byte])).collect()
}

/// A request as the service saw it, or as it should see it.
#[derive(Debug, Default)]
struct Seen {
    method: String,
    target: String,
    is_http_10: bool,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
    end: End,
    refusal: Option<Refusal>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    Complete,
    Failed(Option<Defect>),
}

/// What the service should see: the passed bytes read in the plainest way, as they are known to be sound.
struct Expected {
    requests: Vec<Seen>,
    stop: Stop,
}

fn expect(input: &[u8]) -> Expected {
    let (passed, heads, stop) = pass(input);
    let mut rest = passed.as_slice();
    let mut requests = Vec::new();
    while !rest.is_empty() {
        requests.push(read_request(&mut rest));
    }
    assert_eq!(requests.len() as u64, heads);
    if let (Stop::Body(defect), Some(last)) = (stop, requests.last_mut()) {
        last.end = End::Failed(Some(defect));
    }
    Expected { requests, stop }
}

fn pass(input: &[u8]) -> (Vec<u8>, u64, Stop) {
    let mut stream = RequestStream::new(LIMITS);
    let (mut rest, mut passed) = (input, Vec::new());
    loop {
        let found = stream.pass(rest);
        passed.extend_from_slice(&rest[..found.bytes]);
        rest = &rest[found.bytes..];
        match found.stop {
            Stop::EmptyLine => {
                rest = &rest[2..];
                stream.line_dropped();
            }
            Stop::Upgrade => stream.not_upgraded(),
            stop => return (passed, stream.heads(), stop),
        }
    }
}

fn read_request(rest: &mut &[u8]) -> Seen {
    let text = String::from_utf8_lossy(take_line(rest).expect("a head is passed as a whole")).into_owned();
    let parts: Vec<_> = text.split(' ').collect();
    let mut seen = Seen {
        method: parts[0].to_owned(),
        target: parts[1].to_owned(),
        is_http_10: parts[2] == "HTTP/1.0",
        ..Seen::default()
    };
    seen.fields = take_fields(rest).expect("a head is passed as a whole");
    let value = |name: &str| seen.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    if value("transfer-encoding").is_some() {
        seen.end = if read_chunks(rest, &mut seen).is_some() { End::Complete } else { End::Open };
    } else {
        let length = value("content-length").map_or(0, |value| String::from_utf8(value).unwrap().parse().unwrap());
        seen.end = take_body(rest, length, &mut seen.body);
    }
    seen
}

/// A line without its end; `None` if the end is not there.
fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
        *rest = &[];
        return None;
    };
    let line = &rest[..end];
    *rest = &rest[end + 2..];
    Some(line)
}

fn take_fields(rest: &mut &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut fields = Vec::new();
    loop {
        let line = take_line(rest)?;
        if line.is_empty() {
            fields.sort_by(|(left, _): &(String, Vec<u8>), (right, _)| left.cmp(right));
            return Some(fields);
        }
        let colon = line.iter().position(|byte| *byte == b':').expect("a field has a colon");
        let name = String::from_utf8(line[..colon].to_ascii_lowercase()).expect("a name is ASCII");
        fields.push((name, line[colon + 1..].trim_ascii().to_vec()));
    }
}

fn take_body(rest: &mut &[u8], length: u64, body: &mut Vec<u8>) -> End {
    let bytes = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
    body.extend_from_slice(&rest[..bytes]);
    *rest = &rest[bytes..];
    if bytes as u64 == length { End::Complete } else { End::Open }
}

fn read_chunks(rest: &mut &[u8], seen: &mut Seen) -> Option<()> {
    loop {
        let line = String::from_utf8(take_line(rest)?.to_vec()).expect("a size line is ASCII");
        let digits = line.split(';').next().unwrap_or(&line);
        let size = u64::from_str_radix(digits, 16).expect("a size is hexadecimal");
        if size == 0 {
            seen.trailers = take_fields(rest)?;
            return Some(());
        }
        if take_body(rest, size, &mut seen.body) != End::Complete {
            return None;
        }
        if take_line(rest)? != b"" {
            panic!("data is longer than its size");
        }
    }
}

/// What a hyper server behind the guard sees of `input`, which arrives in pieces, and then ends or does not.
fn serve(input: &[u8], piece_bytes: usize, ends: bool) -> Vec<Seen> {
    RUNTIME.with_borrow(|runtime| {
        let _context = runtime.enter();
        let pieces = input.chunks(piece_bytes).map(<[u8]>::to_vec).collect();
        let io = Pieces { pieces, ends, wait: false };
        let state = Arc::new(ConnectionState::default());
        let limits = GuardLimits { framing: LIMITS, idle_max: HOUR, head_max: HOUR };
        let guarded = Guarded::new(io, Arc::clone(&state), limits);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let service = service_fn(|request| answer(Arc::clone(&state), Arc::clone(&seen), request));
        let mut server = http1::Builder::new();
        server.max_headers(LIMITS.headers_max).header_read_timeout(None).half_close(ends);
        run(server.serve_connection(TokioIo::new(guarded), service));
        std::mem::take(&mut *seen.lock().unwrap())
    })
}

/// Polls until nothing is left to do.
fn run(connection: impl Future) {
    let alarm = Arc::new(Alarm(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&alarm));
    let mut connection = pin!(connection);
    let mut polls = 0;
    while alarm.0.swap(false, Ordering::AcqRel) {
        if connection.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return;
        }
        polls += 1;
        assert!(polls < 1_000_000, "the connection spins");
    }
}

struct Alarm(AtomicBool);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

async fn answer(
    state: Arc<ConnectionState>,
    seen: Arc<Mutex<Vec<Seen>>>,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let refusal = state.next_request();
    let _busy = state.busy();
    let (head, mut body) = request.into_parts();
    let index = seen.lock().unwrap().len();
    seen.lock().unwrap().push(Seen {
        method: head.method.to_string(),
        target: target(&head.method, &head.uri),
        is_http_10: head.version == Version::HTTP_10,
        fields: fields(&head.headers),
        refusal,
        ..Seen::default()
    });
    while let Some(frame) = body.frame().await {
        let seen = &mut seen.lock().unwrap()[index];
        match frame.map(|frame| frame.into_data().map_err(|frame| frame.into_trailers())) {
            Ok(Ok(data)) => seen.body.extend_from_slice(&data),
            Ok(Err(trailers)) => seen.trailers = fields(&trailers.expect("a frame is data or trailers")),
            Err(_) => {
                seen.end = End::Failed(state.body_defect());
                return Ok(respond(StatusCode::BAD_REQUEST));
            }
        }
    }
    seen.lock().unwrap()[index].end = End::Complete;
    // Not a success, which would turn a CONNECT into a tunnel.
    Ok(respond(StatusCode::METHOD_NOT_ALLOWED))
}

fn respond(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}

fn target(method: &Method, uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if method == Method::CONNECT {
        return authority.to_owned();
    }
    let scheme = uri.scheme_str().map(|scheme| format!("{scheme}://")).unwrap_or_default();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}{authority}{}{query}", uri.path())
}

fn fields(map: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let mut fields: Vec<_> =
        map.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    fields.sort_by(|(left, _), (right, _)| left.cmp(right));
    fields
}

fn compare(expected: &Expected, seen: &[Seen], ends: bool) {
    for (seen, expected) in seen.iter().zip(&expected.requests) {
        assert_eq!(seen.refusal, None);
        assert_eq!(seen.method, expected.method);
        assert_eq!(seen.target, absolute(&expected.target));
        assert_eq!(seen.is_http_10, expected.is_http_10);
        assert_eq!(seen.fields, expected.fields);
        assert_eq!(seen.body, expected.body);
        assert_eq!(seen.trailers, expected.trailers);
        let end = if ends && expected.end == End::Open { End::Failed(None) } else { expected.end };
        assert_eq!(seen.end, end);
    }
    let closed = expected.requests.iter().take(seen.len()).any(|request| closes(request));
    match (expected.stop, seen.get(expected.requests.len())) {
        (Stop::Head(defect), Some(refused)) => {
            assert_eq!(seen.len(), expected.requests.len() + 1);
            assert_eq!(refused.refusal, Some(Refusal::Malformed(defect)));
        }
        (Stop::Head(_), None) => assert!(closed, "the refusal does not show"),
        (_, Some(_)) => panic!("hyper sees more requests than passed"),
        (_, None) => assert!(closed || seen.len() == expected.requests.len(), "hyper sees fewer requests than passed"),
    }
}

/// The target in the spelling of `Uri`: the scheme in lower case, and a path.
fn absolute(target: &str) -> String {
    let Some((scheme, rest)) = target.split_once("://").filter(|(scheme, _)| !scheme.starts_with('/')) else {
        return target.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{}://{authority}{slash}{path}", scheme.to_lowercase())
}

/// Whether the connection may end with this request: hyper then reads no further ones.
fn closes(request: &Seen) -> bool {
    let options = request.fields.iter().filter(|(name, _)| name == "connection").map(|(_, value)| value);
    // Of HTTP/1.0 requests only some close; which ones does not matter here.
    request.is_http_10
        || options
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// A client's end of a connection: what it sends arrives piece by piece, and what it gets is dropped.
struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    ends: bool,
    wait: bool,
}

impl AsyncRead for Pieces {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.wait = !self.wait;
        if self.pieces.is_empty() {
            return if self.ends { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        if self.wait {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(mut piece) = self.pieces.pop_front() else { return Poll::Pending };
        let rest = piece.split_off(piece.len().min(buf.remaining()));
        buf.put_slice(&piece);
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
