//! Origins and clients that fail in the ways they do: what the other side gets, over real sockets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use demilune_gateway::GatewayOptions;
use demilune_policy::Ruleset;
use support::{Rules, TestGateway, TestOrigin, eventually, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// Times that tests wait out.
const SHORT: Duration = Duration::from_millis(200);

fn start(origin: &TestOrigin, change: impl FnOnce(&mut GatewayOptions)) -> TestGateway {
    TestGateway::start_with(Rules::to(origin.address), change)
}

/// The gateway in front of an origin that does this with each connection.
fn behind(
    serve: impl Fn(&mut support::Exchange, usize) + Send + Sync + 'static,
    change: impl FnOnce(&mut GatewayOptions),
) -> (TestGateway, TestOrigin) {
    let origin = TestOrigin::start(serve);
    (start(&origin, change), origin)
}

/// Answers one request, and closes the connection.
fn answers_once(exchange: &mut support::Exchange, _: usize) {
    if exchange.request().is_some() {
        exchange.send(OK);
    }
}

fn check_code(answer: &str, expected: u16, code: &str) {
    assert_eq!(status(answer), expected, "{answer}");
    assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
}

#[test]
fn an_origin_that_refuses_is_502() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = TestGateway::start(Rules::to(free));
    check_code(&gateway.ask("GET /", ""), 502, "origin_unreachable");
}

#[test]
fn a_name_without_an_address_is_502() {
    let mut rules = Rules::to("127.0.0.1:1".parse().unwrap());
    rules.0.origins[0].url = "http://nowhere.invalid".parse().unwrap();
    check_code(&TestGateway::start(rules).ask("GET /", ""), 502, "origin_unreachable");
}

#[test]
fn an_origin_that_closes_before_it_answers_is_502() {
    let (gateway, origin) = behind(|exchange, _| drop(exchange.head()), |_| {});
    check_code(&gateway.ask("GET /", ""), 502, "origin_closed");
    assert_eq!(origin.connections(), 1, "a new connection that dies is not tried again");
}

#[test]
fn an_origin_that_resets_before_it_answers_is_502() {
    let reset = |exchange: &mut support::Exchange, _| {
        exchange.head();
        exchange.reset();
    };
    let (gateway, _origin) = behind(reset, |_| {});
    check_code(&gateway.ask("GET /", ""), 502, "origin_closed");
}

#[test]
fn an_answer_that_breaks_off_in_its_head_is_502() {
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            exchange.send("HTTP/1.1 200 OK\r\nContent-Le");
        },
        |_| {},
    );
    check_code(&gateway.ask("GET /", ""), 502, "origin_closed");
}

#[test]
fn an_answer_shorter_than_its_length_cuts_the_client_off() {
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        },
        |_| {},
    );
    let answer = gateway.ask("GET /", "");
    assert!(answer.contains("content-length: 10\r\n") && answer.ends_with("half"), "{answer}");
}

#[test]
fn chunks_that_break_off_are_not_ended_for_the_client() {
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
        },
        |_| {},
    );
    let answer = gateway.ask("GET /", "");
    assert!(answer.contains("half") && !answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[test]
fn bytes_behind_an_answer_reach_nobody_else() {
    let (gateway, origin) = behind(
        |exchange, _| {
            while exchange.request().is_some() && exchange.send(format!("{OK}HTTP/1.1 200 OK\r\nX: evil\r\n\r\n")) {}
        },
        |_| {},
    );
    for _ in 0..4 {
        let answer = gateway.ask("GET /", "");
        assert!(status(&answer) == 200 && !answer.contains("evil"), "{answer}");
    }
    assert_eq!(origin.connections(), 4, "such a connection is not used again");
}

#[test]
fn garbage_for_an_answer_is_502() {
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            exchange.send("220 mail.example ESMTP\r\n\r\n");
        },
        |_| {},
    );
    check_code(&gateway.ask("GET /", ""), 502, "origin_answer_invalid");
}

#[test]
fn an_answer_with_two_framings_is_502() {
    let origin = TestOrigin::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
    check_code(&start(&origin, |_| {}).ask("GET /", ""), 502, "origin_answer_invalid");
}

#[test]
fn a_head_without_end_from_an_origin_is_502() {
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            exchange.send("HTTP/1.1 200 OK\r\n");
            while exchange.send(format!("X: {}\r\n", "a".repeat(1000))) {}
        },
        |_| {},
    );
    assert_eq!(status(&gateway.ask("GET /", "")), 502);
}

#[test]
fn an_origin_that_says_nothing_is_504() {
    let (gateway, _origin) =
        behind(|exchange, _| while exchange.head().is_some() {}, |options| options.limits.origin_answer_max = SHORT);
    let begun = Instant::now();
    check_code(&gateway.ask("GET /", ""), 504, "origin_answer_timeout");
    assert!((SHORT..SHORT * 10).contains(&begun.elapsed()));
}

#[test]
fn an_answer_that_stalls_cuts_the_client_off() {
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            exchange.head();
        },
        |options| options.limits.origin_stall_max = SHORT,
    );
    assert!(gateway.ask("GET /", "").ends_with("half"));
}

#[test]
fn interim_answers_are_dropped_and_the_final_one_comes() {
    let origin = TestOrigin::answering(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    let answer = start(&origin, |_| {}).ask("GET /", "");
    assert!(answer.starts_with("HTTP/1.1 200 OK") && !answer.contains("103"), "{answer}");
}

/// The origin answers once, and closes the connection when the next request comes.
fn closes_when_used_again(exchange: &mut support::Exchange, _: usize) {
    if exchange.request().is_some() && exchange.send(OK) {
        exchange.head();
    }
}

#[test]
fn a_request_that_may_be_repeated_survives_a_stale_connection() {
    let (gateway, origin) = behind(closes_when_used_again, |_| {});
    for _ in 0..4 {
        assert_eq!(status(&gateway.ask("GET /", "")), 200);
    }
    assert!(origin.connections() >= 4, "{}", origin.connections());
}

#[test]
fn a_request_that_may_not_be_repeated_is_sent_once() {
    let (gateway, origin) = behind(closes_when_used_again, |_| {});
    assert_eq!(status(&gateway.ask("GET /", "")), 200);
    check_code(&gateway.ask("POST /", "Content-Length: 2\r\n\r\nhi"), 502, "origin_closed");
    assert_eq!(origin.received().matches("POST / ").count(), 1, "{}", origin.received());
}

#[test]
fn a_connection_that_closed_while_it_was_kept_is_not_used() {
    let (gateway, origin) = behind(answers_once, |_| {});
    assert_eq!(status(&gateway.ask("GET /", "")), 200);
    thread::sleep(SHORT);
    assert_eq!(status(&gateway.ask("POST /", "Content-Length: 2\r\n\r\nhi")), 200);
    assert_eq!(origin.connections(), 2);
}

#[test]
fn a_client_that_leaves_ends_the_exchange_with_the_origin() {
    let ended = Arc::new(AtomicBool::new(false));
    let noticed = Arc::clone(&ended);
    let (gateway, origin) = behind(
        move |exchange, _| {
            exchange.head();
            noticed.store(exchange.head().is_none(), Ordering::SeqCst);
        },
        |_| {},
    );
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n");
    eventually("the origin has the request", || origin.requests() == 1);
    drop(client);
    eventually("the origin's connection ends", || ended.load(Ordering::SeqCst));
}

#[test]
fn a_client_that_leaves_within_its_body_ends_the_exchange_with_the_origin() {
    let (gateway, origin) = behind(|exchange, _| drop(exchange.request()), |_| {});
    let mut client = gateway.connect();
    client.send("POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 100\r\n\r\nhalf");
    eventually("the origin has the beginning", || origin.received().ends_with("half"));
    drop(client);
    let mut next = gateway.connect();
    next.send("GET / HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&next.rest()), 421, "others are served");
}

#[test]
fn a_head_that_takes_too_long_is_408() {
    let origin = TestOrigin::answering(OK);
    let gateway = start(&origin, |options| options.limits.head_time_max = SHORT);
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\nX-Slow: ");
    assert_eq!(status(&client.rest()), 408);
    assert_eq!(origin.connections(), 0);
}

#[test]
fn a_body_that_stalls_is_408() {
    let (gateway, _origin) =
        behind(|exchange, _| drop(exchange.request()), |options| options.limits.client_stall_max = SHORT);
    let mut client = gateway.connect();
    client.send("POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf");
    check_code(&client.rest(), 408, "body_stalled");
}

#[test]
fn an_idle_connection_is_closed() {
    let origin = TestOrigin::answering(OK);
    let gateway = start(&origin, |options| options.limits.idle_time_max = SHORT);
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n");
    let begun = Instant::now();
    assert_eq!(status(&client.rest()), 200);
    assert!(begun.elapsed() >= SHORT);
}

#[test]
fn a_head_that_is_too_large_is_431_and_can_be_read() {
    let origin = TestOrigin::answering(OK);
    let gateway = start(&origin, |options| options.limits.head_bytes_max = 4096);
    let answer = gateway.ask("GET /", &format!("X: {}\r\n", "a".repeat(200_000)));
    assert_eq!(status(&answer), 431, "{answer}");
    let many = "X: a\r\n".repeat(200);
    assert_eq!(status(&gateway.ask("GET /", &many)), 431);
    assert_eq!(origin.connections(), 0);
}

#[test]
fn a_body_that_is_declared_too_large_is_413_before_the_origin_hears_of_it() {
    let origin = TestOrigin::answering(OK);
    let gateway = start(&origin, |options| options.limits.body_bytes_max = 10);
    let fields = format!("Content-Length: 100000\r\n\r\n{}", "a".repeat(100_000));
    check_code(&gateway.ask("POST /", &fields), 413, "body_too_large");
    assert_eq!(origin.connections(), 0);
}

#[test]
fn a_chunked_body_that_grows_too_large_is_413_and_never_ends_at_the_origin() {
    let (gateway, origin) =
        behind(|exchange, _| drop(exchange.request()), |options| options.limits.body_bytes_max = 10);
    let fields = "Transfer-Encoding: chunked\r\n\r\n8\r\naaaaaaaa\r\n8\r\naaaaaaaa\r\n0\r\n\r\n";
    check_code(&gateway.ask("POST /", fields), 413, "body_too_large");
    assert!(!origin.received().ends_with("0\r\n\r\n"), "{}", origin.received());
}

#[test]
fn a_client_that_waits_for_leave_gets_it_when_the_body_is_wanted() {
    let (gateway, _origin) = behind(answers_once, |_| {});
    let mut client = gateway.connect();
    client.send(
        "POST / HTTP/1.1\r\nHost: api.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(client.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hi");
    assert_eq!(status(&client.rest()), 200);
}

#[test]
fn a_client_that_waits_for_leave_is_refused_without_it() {
    let origin = TestOrigin::answering(OK);
    let gateway = start(&origin, |options| options.limits.body_bytes_max = 1);
    let mut client = gateway.connect();
    client.send(
        "POST / HTTP/1.1\r\nHost: api.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(status(&client.rest()), 413);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (gateway, _origin) = behind(
        |exchange, _| {
            while let Some(request) = exchange.request() {
                let path = request.split(' ').nth(1).unwrap().to_owned();
                exchange.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len()));
            }
        },
        |_| {},
    );
    let request = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: api.test\r\n{more}\r\n");
    let all = [request("/1", ""), request("/2", ""), request("/3", "Connection: close\r\n")].concat();
    let answer = gateway.raw(all);
    let places: Vec<_> = ["/1", "/2", "/3"].map(|path| answer.find(&format!("\r\n\r\n{path}"))).to_vec();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{answer}");
}

#[test]
fn an_upgrade_that_is_declined_leaves_the_connection_usable() {
    let origin = TestOrigin::answering(OK);
    let gateway = start(&origin, |_| {});
    let mut client = gateway.connect();
    client.send("GET /ws HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(status(&client.answer()), 200);
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&client.rest()), 200);
}

#[test]
fn a_silent_tunnel_is_closed() {
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            exchange.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
            exchange.head();
        },
        |options| options.limits.tunnel_idle_max = SHORT,
    );
    let begun = Instant::now();
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    assert_eq!(status(&client.answer()), 101);
    assert_eq!(client.rest(), "");
    assert!((SHORT..SHORT * 20).contains(&begun.elapsed()));
}

#[test]
fn further_connections_wait_for_a_place() {
    let origin = TestOrigin::answering(OK);
    let gateway = start(&origin, |options| options.limits.connections_max = 1);
    let mut first = gateway.connect();
    first.send("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert_eq!(status(&first.answer()), 200);
    let mut second = gateway.connect();
    second.send("GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n");
    second.stream.set_read_timeout(Some(SHORT)).unwrap();
    assert!(second.stream.read(&mut [0]).is_err(), "it waits");
    drop(first);
    second.stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
    assert_eq!(status(&second.rest()), 200);
}

/// Resident memory of this process in bytes: the gateway's and the test's.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn memory_stays_flat_when_one_side_does_not_read() {
    const SENT: usize = 256 << 20;
    let gone = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&gone);
    let (gateway, _origin) = behind(
        move |exchange, _| {
            exchange.head();
            exchange.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SENT}\r\n\r\n"));
            let chunk = vec![b'x'; 1 << 20];
            while sent.load(Ordering::SeqCst) < SENT && exchange.send(&chunk) {
                sent.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        },
        |_| {},
    );
    let before = resident();
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n");
    thread::sleep(SHORT * 3);
    assert!(gone.load(Ordering::SeqCst) < SENT / 2, "the origin was held back");
    let mut buffer = vec![0; 1 << 20];
    let (mut read, mut most) = (0, 0);
    while let Ok(bytes) = client.stream.read(&mut buffer) {
        if bytes == 0 {
            break;
        }
        read += bytes;
        most = most.max(resident());
    }
    assert!(read >= SENT, "{read}");
    assert!(most.saturating_sub(before) < 32 << 20, "grew by {} bytes", most - before);
}

#[test]
fn a_long_upload_passes_through() {
    const SENT: usize = 16 << 20;
    let (gateway, _origin) = behind(
        |exchange, _| {
            let request = exchange.request().unwrap();
            assert!(request.contains(&format!("content-length: {SENT}\r\n")) && request.len() > SENT);
            exchange.send(OK);
        },
        |_| {},
    );
    let mut client = gateway.connect();
    client.send(format!("PUT / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nContent-Length: {SENT}\r\n\r\n"));
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..SENT >> 20 {
        if client.stream.write_all(&chunk).is_err() {
            break;
        }
    }
    assert_eq!(status(&client.rest()), 200);
}

#[test]
fn a_thousand_changes_of_rules_fail_no_request() {
    let origin = TestOrigin::answering(OK);
    let rules = Rules::to(origin.address).operation("GET", "/users/{id}");
    let gateway = TestGateway::start(rules.clone());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = gateway.connect();
                    let mut answered = 0;
                    while !done.load(Ordering::SeqCst) {
                        client.send("GET /users/7 HTTP/1.1\r\nHost: api.test\r\n\r\n");
                        assert_eq!(status(&client.answer()), 200);
                        answered += 1;
                    }
                    answered
                })
            })
            .collect();
        for revision in 2..1_002 {
            let mut changed = rules.clone();
            changed.0.revision = revision;
            gateway.gateway.board().publish(vec![Arc::new(Ruleset::compile(changed.0))]);
        }
        thread::sleep(SHORT);
        done.store(true, Ordering::SeqCst);
        assert!(clients.into_iter().all(|client| client.join().unwrap() > 0));
    });
    assert_eq!(gateway.gateway.board().revisions()[0].1, 1_001);
}

#[test]
fn a_stop_lets_what_is_in_flight_come_to_its_end() {
    let (mut gateway, origin) = behind(
        |exchange, _| {
            exchange.request();
            thread::sleep(SHORT * 2);
            exchange.send(OK);
        },
        |_| {},
    );
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n");
    eventually("the origin has the request", || origin.requests() == 1);
    gateway.stop();
    let answer = client.rest();
    assert!(status(&answer) == 200 && answer.contains("connection: close\r\n"), "{answer}");
}

#[test]
fn a_stop_waits_no_longer_than_it_may() {
    let (mut gateway, origin) =
        behind(|exchange, _| while exchange.head().is_some() {}, |options| options.limits.drain_max = SHORT * 2);
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n");
    eventually("the origin has the request", || origin.requests() == 1);
    let begun = Instant::now();
    gateway.stop();
    assert!(begun.elapsed() < SHORT * 20);
    client.stream.shutdown(Shutdown::Both).unwrap();
}

#[test]
fn the_documentation_lists_every_test() {
    let page = include_str!("../../../docs/reliability.md");
    let files = [
        include_str!("faults.rs"),
        include_str!("answers.rs"),
        include_str!("pressure.rs"),
        include_str!("tls.rs"),
        include_str!("reports.rs"),
    ];
    let tests = files.iter().flat_map(|file| file.split("#[test]\nfn ").skip(1));
    let names = tests.filter_map(|rest| rest.split('(').next());
    let missing: Vec<_> =
        names.filter(|name| !name.starts_with("the_doc") && !page.contains(&format!("| `{name}` |"))).collect();
    assert!(missing.is_empty(), "docs/reliability.md lacks {missing:?}");
}
