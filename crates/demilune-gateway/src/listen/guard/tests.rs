//! The guard in front of a real hyper server: what the client gets, and what the service sees.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use super::*;
use crate::listen::framing::Defect;

const LIMITS: GuardLimits = GuardLimits {
    framing: FramingLimits { head_bytes_max: 1_024, headers_max: 20, chunk_line_bytes_max: 32, trailer_bytes_max: 128 },
    idle_max: Duration::from_mins(1),
    head_max: Duration::from_secs(10),
};

/// Serves one connection; half-closed ones are read to their end only when `half_close`.
async fn serve<I: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: I, half_close: bool) {
    let state = Arc::new(ConnectionState::default());
    let guarded = Guarded::new(io, Arc::clone(&state), LIMITS);
    let service = service_fn(move |request| answer(Arc::clone(&state), request));
    let mut builder = http1::Builder::new();
    builder.max_headers(LIMITS.framing.headers_max).header_read_timeout(None).half_close(half_close);
    // Its errors are the client's: an end of input within a request.
    let _ = builder.serve_connection(TokioIo::new(guarded), service).with_upgrades().await;
}

async fn answer(
    state: Arc<ConnectionState>,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if let Some(refusal) = state.next_request() {
        return Ok(respond(refusal.status(), &refusal.to_string()));
    }
    let _busy = state.busy();
    match request.uri().path() {
        "/slow" => sleep(Duration::from_mins(10)).await,
        "/early" => return Ok(respond(StatusCode::PAYLOAD_TOO_LARGE, "early")),
        "/tunnel" => {
            let granted = state.tunnel();
            if granted {
                tokio::spawn(echo(hyper::upgrade::on(&mut request)));
            }
            let status = if granted { StatusCode::SWITCHING_PROTOCOLS } else { StatusCode::BAD_REQUEST };
            return Ok(respond(status, ""));
        }
        "/wait" => {
            sleep(Duration::from_secs(1)).await;
            state.no_tunnel();
        }
        _ => {}
    }
    let seen = format!("{} {}", request.method(), request.uri());
    match request.into_body().collect().await {
        Ok(body) => {
            let trailers = body.trailers().map_or(0, HeaderMap::len);
            let body = String::from_utf8(body.to_bytes().to_vec()).unwrap();
            Ok(respond(StatusCode::OK, &format!("{seen} {body:?} {trailers}")))
        }
        Err(_) => match state.body_defect() {
            Some(defect) => Ok(respond(defect.status(), &defect.to_string())),
            None => Ok(respond(StatusCode::INTERNAL_SERVER_ERROR, "")),
        },
    }
}

fn respond(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text.to_owned())));
    *response.status_mut() = status;
    response
}

async fn echo(upgrade: hyper::upgrade::OnUpgrade) {
    let mut io = TokioIo::new(upgrade.await.unwrap());
    let mut buffer = [0; 64];
    while let Ok(bytes @ 1..) = io.read(&mut buffer).await {
        io.write_all(&buffer[..bytes]).await.unwrap();
    }
}

fn connect(half_close: bool) -> DuplexStream {
    let (client, server) = duplex(1 << 20);
    tokio::spawn(serve(server, half_close));
    client
}

/// Everything the server sends until it closes, as statuses and bodies.
async fn read_answers(client: &mut (impl AsyncRead + Unpin)) -> Vec<(u16, String)> {
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    let mut rest = text.as_str();
    let mut answers = Vec::new();
    while let Some((head, tail)) = rest.split_once("\r\n\r\n") {
        let status = head["HTTP/1.1 ".len()..][..3].parse().unwrap();
        let length =
            head.split("content-length: ").nth(1).map_or(0, |end| end.split("\r\n").next().unwrap().parse().unwrap());
        let (body, next) = tail.split_at(length);
        answers.push((status, body.to_owned()));
        rest = next;
    }
    assert_eq!(rest, "", "in {text:?}");
    answers
}

/// The answers to `input`, sent in pieces of each of three sizes, with hyper reading ahead or not.
async fn check(input: impl AsRef<[u8]>, expected: &[(u16, &str)]) {
    let input = input.as_ref();
    for half_close in [false, true] {
        for bytes in [usize::MAX, 100, 1] {
            let mut client = connect(half_close);
            for piece in input.chunks(bytes) {
                client.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            let answers = read_answers(&mut client).await;
            let answers: Vec<_> = answers.iter().map(|(status, body)| (*status, body.as_str())).collect();
            assert_eq!(answers, expected, "pieces of {bytes}, half close {half_close}");
        }
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn last(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
}

fn chunked(body: &str) -> String {
    format!("POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

#[tokio::test(start_paused = true)]
async fn sound_requests_are_served_in_order() {
    let sized = "PUT /sized HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    let chunks = chunked("3\r\nabc\r\nA;b=\"c\"\r\n0123456789\r\n0\r\nX: y\r\n\r\n");
    let input = [&get("/1"), sized, "\r\n", &chunks, &get("/2?b"), &last("/3")].concat();
    let expected = [
        (200, "GET /1 \"\" 0"),
        (200, "PUT /sized \"abc\" 0"),
        (200, "POST /chunked \"abc0123456789\" 1"),
        (200, "GET /2?b \"\" 0"),
        (200, "GET /3 \"\" 0"),
    ];
    check(input, &expected).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_larger_than_every_buffer_passes() {
    let body = "a".repeat(300_000);
    let mut client = connect(false);
    let sized = format!("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let chunks = chunked(&format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
    client.write_all([sized, chunks, last("/")].concat().as_bytes()).await.unwrap();
    let answers = read_answers(&mut client).await;
    let bodies = answers.iter().map(|(_, answer)| answer.matches('a').count());
    assert_eq!(bodies.collect::<Vec<_>>(), [body.len(), body.len(), 0]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_head_is_answered_after_what_came_before() {
    let heads = [
        ("GET / HTTP/1.1\r\n\r\n", Defect::HostMissing),
        ("GET / HTTP/1.1\nHost: a\n\n", Defect::BareLineFeed),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Defect::EmptyLines),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", Defect::Version),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Defect::Version),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            Defect::LengthAndCoding,
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Defect::TransferEncodingUnknown),
        ("\x16\x03\x01", Defect::Method),
    ];
    for (head, defect) in heads {
        let message = defect.to_string();
        let refused = (defect.status().as_u16(), message.as_str());
        check(head, &[refused]).await;
        let input = [&get("/1"), &chunked("0\r\n\r\n"), head].concat();
        check(input, &[(200, "GET /1 \"\" 0"), (200, "POST /chunked \"\" 0"), refused]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn too_large_a_head_is_refused() {
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}", "b".repeat(2_000));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}", "A: b\r\n".repeat(30));
    check(long, &[(431, &Defect::HeadTooLarge.to_string())]).await;
    check(many, &[(431, &Defect::TooManyFields.to_string())]).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_body_is_answered_and_nothing_behind_it_is_read() {
    let bodies = [
        ("3\r\nabcd\r\n0\r\n\r\n", Defect::ChunkEnd),
        ("3\nabc\r\n0\r\n\r\n", Defect::ChunkSize),
        ("3\r\nabc\r\n0\r\nHost: b\r\n\r\n", Defect::TrailerForbidden),
        ("1;\r\na\r\n0\r\n\r\n", Defect::ChunkExtension),
    ];
    for (body, defect) in bodies {
        let message = defect.to_string();
        let input = [get("/1"), chunked(body), last("/smuggled")].concat();
        check(input, &[(200, "GET /1 \"\" 0"), (400, &message)]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_waits_for_slow_answers() {
    let input = [&get("/slow"), "GET / HTTP/1.1\r\n\r\n"].concat();
    check(input, &[(200, "GET /slow \"\" 0"), (400, &Defect::HostMissing.to_string())]).await;
}

#[tokio::test(start_paused = true)]
async fn a_late_head_is_refused() {
    for half_close in [false, true] {
        for begun in ["G", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r"] {
            let mut client = connect(half_close);
            client.write_all(get("/1").as_bytes()).await.unwrap();
            sleep(LIMITS.idle_max / 2).await;
            let begin = Instant::now();
            for byte in begun.bytes() {
                client.write_all(&[byte]).await.unwrap();
                sleep(Duration::from_millis(100)).await;
            }
            let answers = read_answers(&mut client).await;
            assert_eq!(answers[0].0, 200);
            assert_eq!(answers[1..], [(408, Refusal::HeadLate.to_string())]);
            let waited = begin.elapsed().as_secs_f64();
            // The close lingers for a second.
            assert!((10.0..11.1).contains(&waited), "{waited} s");
        }
    }
}

/// What is sent after 45 seconds of silence gets so many answers, and the connection ends in this second.
async fn check_end(input: &str, answers: usize, second: u64) {
    for half_close in [false, true] {
        let mut client = connect(half_close);
        let begin = Instant::now();
        sleep(Duration::from_secs(45)).await;
        client.write_all(input.as_bytes()).await.unwrap();
        assert_eq!(read_answers(&mut client).await.len(), answers, "half close {half_close}");
        assert_eq!(begin.elapsed().as_secs(), second, "half close {half_close}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_without_a_word() {
    check_end("", 0, 60).await;
    check_end("\r\n", 0, 60).await;
    check_end(&get("/1"), 1, 45 + 60).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_answer_is_awaited_is_not_idle() {
    check_end(&get("/slow"), 1, 45 + 600 + 60).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_the_connection() {
    let mut client = connect(true);
    client.write_all(format!("{}GET / HT", get("/1")).as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(read_answers(&mut client).await.len(), 1);
}

fn upgrade(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_passes_everything() {
    for half_close in [false, true] {
        let mut client = connect(half_close);
        client.write_all(upgrade("/tunnel").as_bytes()).await.unwrap();
        client.write_all(b"\0early").await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"));
        client.write_all(b"\r\n\r\nlate\xff").await.unwrap();
        let mut echoed = [0; 15];
        client.read_exact(&mut echoed).await.unwrap();
        assert_eq!(&echoed, b"\0early\r\n\r\nlate\xff");
    }
}

#[tokio::test(start_paused = true)]
async fn a_declined_upgrade_goes_on_with_the_next_request() {
    let expected = [(200, "GET /wait \"\" 0"), (200, "GET /forgotten \"\" 0"), (200, "GET /1 \"\" 0")];
    check([upgrade("/wait"), upgrade("/forgotten"), last("/1")].concat(), &expected).await;
    let refused = Defect::Method.to_string();
    check([&upgrade("/wait"), "\0"].concat(), &[(200, "GET /wait \"\" 0"), (400, &refused)]).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_a_tunnel_who_did_not_ask() {
    check([get("/tunnel"), last("/1")].concat(), &[(400, ""), (200, "GET /1 \"\" 0")]).await;
    check(
        [get("/tunnel"), upgrade("/1"), last("/2")].concat(),
        &[(400, ""), (200, "GET /1 \"\" 0"), (200, "GET /2 \"\" 0")],
    )
    .await;
}

#[tokio::test]
async fn an_answer_given_early_stays_readable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            tokio::spawn(serve(listener.accept().await.unwrap().0, false));
        }
    });
    let large = "a".repeat(200_000);
    let early = format!("PUT /early HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{large}", large.len());
    let refused = format!("GET / HTTP/1.1\r\nHost: a\r\nA: {large}");
    let broken = chunked(&format!("x{large}"));
    for (input, status) in [(early, 413), (refused, 431), (broken, 400)] {
        for _ in 0..10 {
            let mut client = TcpStream::connect(address).await.unwrap();
            // The whole request is sent before anything is read, as simple clients do.
            for half in input.as_bytes().chunks(input.len() / 2) {
                client.write_all(half).await.unwrap();
                sleep(Duration::from_millis(5)).await;
            }
            assert_eq!(read_answers(&mut client).await[0].0, status);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lingering_ends_by_its_bounds() {
    let (mut client, server) = duplex(1 << 20);
    client.write_all(&vec![0; 1 << 20]).await.unwrap();
    let begin = Instant::now();
    linger(server).await.unwrap();
    assert_eq!(begin.elapsed(), Duration::ZERO);
    let (_client, server) = duplex(1);
    linger(server).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_holds_no_memory() {
    let (mut client, server) = duplex(1 << 20);
    let mut guarded = Guarded::new(server, Arc::default(), LIMITS);
    let head = get("/1");
    let mut buffer = [0; 1_024];
    for piece in [&head[..5], &head[5..]] {
        client.write_all(piece.as_bytes()).await.unwrap();
        let read = tokio::time::timeout(Duration::from_secs(1), guarded.read(&mut buffer)).await;
        assert_eq!(guarded.held.capacity() > 0, read.is_err());
    }
}
