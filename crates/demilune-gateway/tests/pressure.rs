//! Peers that stop half-way: whatever they hold of the gateway is given back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    io::{Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use demilune_gateway::GatewayOptions;
use support::{Exchange, PATIENCE, Rules, TestGateway, TestOrigin, eventually, status};

const SHORT: Duration = Duration::from_millis(200);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn behind(
    serve: impl Fn(&mut Exchange, usize) + Send + Sync + 'static,
    change: impl FnOnce(&mut GatewayOptions),
) -> (TestGateway, TestOrigin) {
    let origin = TestOrigin::start(serve);
    (TestGateway::start_with(Rules::to(origin.address), change), origin)
}

/// Client connections that are open, as the metrics say.
fn connections(gateway: &TestGateway) -> u64 {
    gateway.metric("gateway_connections")
}

#[test]
fn a_client_that_does_not_take_its_answer_is_cut_off() {
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
            while exchange.send(vec![b'x'; 1 << 20]) {}
        },
        |options| options.limits.client_stall_max = SHORT,
    );
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n");
    eventually("it is connected", || connections(&gateway) == 1);
    eventually("it is cut off", || connections(&gateway) == 0);
}

#[test]
fn a_client_that_takes_its_answer_slowly_gets_it() {
    const LENGTH: usize = 16 << 20;
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            exchange.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"));
            exchange.send(vec![b'x'; LENGTH]);
            exchange.head();
        },
        |options| options.limits.client_stall_max = SHORT * 3,
    );
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n");
    let begun = Instant::now();
    let (mut buffer, mut read) = (vec![0; 4 << 20], 0);
    while let Ok(bytes @ 1..) = client.stream.read(&mut buffer) {
        read += bytes;
        if begun.elapsed() < SHORT * 8 {
            thread::sleep(SHORT / 2);
        }
    }
    assert!(read > LENGTH, "{read}");
}

/// An origin that reads no more than a head, and closes nothing.
fn deaf(answer: &'static str) -> impl Fn(&mut Exchange, usize) {
    move |exchange, _| {
        exchange.head();
        exchange.send(answer);
        thread::sleep(PATIENCE * 3);
    }
}

fn upload(gateway: &TestGateway) -> support::Client {
    let client = gateway.connect();
    let mut sending = client.stream.try_clone().unwrap();
    thread::spawn(move || {
        let _ = sending.write_all(b"POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 1073741824\r\n\r\n");
        let chunk = vec![b'x'; 64 << 10];
        while sending.write_all(&chunk).is_ok() {}
    });
    client
}

#[test]
fn an_early_answer_is_passed_on_and_the_upload_ends() {
    let (gateway, _origin) = behind(deaf(OK), |_| {});
    let mut client = upload(&gateway);
    assert_eq!(status(&client.answer()), 200);
    eventually("the client's connection ends", || connections(&gateway) == 0);
}

#[test]
fn an_origin_that_does_not_read_is_504_and_let_go_of() {
    let (gateway, _origin) = behind(deaf(""), |options| options.limits.origin_answer_max = SHORT);
    let mut client = upload(&gateway);
    assert_eq!(status(&client.answer()), 504);
    eventually("the client's connection ends", || connections(&gateway) == 0);
}

#[test]
fn a_client_that_leaves_within_its_answer_ends_the_exchange() {
    let ended = Arc::new(AtomicBool::new(false));
    let noticed = Arc::clone(&ended);
    let (gateway, origin) = behind(
        move |exchange, _| {
            exchange.head();
            exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
            while exchange.send(vec![b'x'; 1 << 20]) {}
            noticed.store(true, Ordering::SeqCst);
        },
        |_| {},
    );
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n");
    client.stream.read_exact(&mut [0; 100]).unwrap();
    drop(client);
    eventually("the origin's connection ends", || ended.load(Ordering::SeqCst));
    eventually("the client's connection ends", || connections(&gateway) == 0);
    assert_eq!((origin.connections(), gateway.metric("gateway_origin_connections_idle")), (1, 0));
}

#[test]
fn a_client_that_waits_for_an_upgrade_and_leaves_ends_the_exchange() {
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
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    eventually("the origin has the request", || origin.requests() == 1);
    drop(client);
    eventually("the origin's connection ends", || ended.load(Ordering::SeqCst));
}

#[test]
fn a_tunnel_passes_a_mebibyte_each_way_and_ends_when_both_sides_did() {
    const LENGTH: usize = 1 << 20;
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            exchange.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
            let mut echo = exchange.stream.try_clone().unwrap();
            let _ = std::io::copy(&mut exchange.stream, &mut echo);
            let _ = echo.shutdown(std::net::Shutdown::Write);
        },
        |_| {},
    );
    let mut client = gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    assert_eq!(status(&client.answer()), 101);
    let sent: Vec<u8> = (0..LENGTH).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let mut sending = client.stream.try_clone().unwrap();
    let bytes = sent.clone();
    let sender = thread::spawn(move || {
        sending.write_all(&bytes).unwrap();
        sending.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut received = Vec::new();
    client.stream.read_to_end(&mut received).unwrap();
    sender.join().unwrap();
    assert!(received == sent, "{} bytes", received.len());
    assert_eq!(gateway.metric("gateway_origin_connections_idle"), 0);
    eventually("the client's connection ends", || connections(&gateway) == 0);
}

#[test]
fn connections_to_origins_need_not_be_kept() {
    let (gateway, origin) = behind(
        |exchange, _| while exchange.request().is_some() && exchange.send(OK) {},
        |options| {
            options.limits.origin_idle_max = Duration::ZERO;
            options.limits.origin_idle_connections_max = 0;
        },
    );
    for _ in 0..3 {
        assert_eq!(status(&gateway.ask("GET /", "")), 200);
    }
    assert_eq!(origin.connections(), 3);
}

/// Resident memory of this process in bytes: the gateway's and the test's.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn memory_stays_flat_while_an_origin_does_not_read() {
    let (gateway, _origin) = behind(deaf(""), |_| {});
    let before = resident();
    let _clients: Vec<_> = (0..8).map(|_| upload(&gateway)).collect();
    thread::sleep(SHORT * 3);
    let grown = resident().saturating_sub(before);
    assert!(grown < 32 << 20, "grew by {grown} bytes");
}

#[test]
fn memory_stays_flat_while_much_passes_through() {
    const LENGTH: usize = 200 << 20;
    let (gateway, _origin) = behind(
        |exchange, _| {
            exchange.head();
            assert!(exchange.discard(LENGTH), "the whole body arrives");
            exchange.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"));
            let chunk = vec![b'x'; 1 << 20];
            for _ in 0..LENGTH >> 20 {
                exchange.send(&chunk);
            }
            exchange.head();
        },
        |_| {},
    );
    let mut client = gateway.connect();
    let before = resident();
    client.send(format!("PUT / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nContent-Length: {LENGTH}\r\n\r\n"));
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..LENGTH >> 20 {
        client.stream.write_all(&chunk).unwrap();
    }
    let (mut buffer, mut read, mut most) = (vec![0; 1 << 20], 0, resident());
    while let Ok(bytes @ 1..) = client.stream.read(&mut buffer) {
        read += bytes;
        most = most.max(resident());
    }
    assert!(read > LENGTH, "{read}");
    let grown = most.saturating_sub(before);
    assert!(grown < 32 << 20, "grew by {grown} bytes");
}
