//! A load generator on one thread: as many requests as will go, or so many a second, over kept connections.
//!
//! It is a plain loop over epoll rather than an async client, because it shares a core with the origin: what it costs
//! is missing there, and a timer of whole milliseconds would be most of the latency that it measures.

mod connection;
mod cpu;
mod load;
mod request;

use std::{
    io::{self, Read},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use clap::Parser;

use connection::Connector;
use load::{Load, Outcome};

/// Sends requests and measures
///
/// The file has one request a line: METHOD HOST PATH SESSION. They are sent in turn, over and over, and all answers must
/// be 200. The result is one JSON object.
#[derive(Parser)]
struct Arguments {
    /// Where to send them
    target: SocketAddr,
    /// The file with the requests
    requests: PathBuf,
    /// Speak TLS; any certificate will do
    #[arg(long)]
    tls: bool,
    /// Connections
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Requests a second, evenly spaced; each one's latency counts from the time it was due, sent or not. 0: each
    /// connection sends its next request when the last was answered
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// How long to measure
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How long to send before
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
    /// Size of the JSON body of each POST
    #[arg(long, default_value_t = 1024)]
    body_bytes: usize,
    /// Bodies with members of all kinds in place of one long text
    #[arg(long)]
    orders: bool,
    /// Processes whose CPU time to measure
    #[arg(long, value_delimiter = ',')]
    cpu_of: Vec<u32>,
    /// Send one request on each connection, print `idle`, hold them until standard input ends, and send one more
    #[arg(long)]
    idle: bool,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let body = request::body(arguments.body_bytes, arguments.orders);
    let requests = request::read(&arguments.requests, &body)?;
    let connector = Connector::new(arguments.target, arguments.tls);
    if arguments.idle {
        return hold(&connector, &requests, arguments.connections);
    }
    // The system rounds waits up to 50 µs otherwise.
    std::fs::write("/proc/self/timerslack_ns", "1")?;
    let load = Load {
        requests: &requests,
        rate: arguments.rate,
        warm_up: Duration::from_secs_f64(arguments.warm_up),
        duration: Duration::from_secs_f64(arguments.seconds),
        processes: &arguments.cpu_of,
    };
    print(&load.run(&connector, arguments.connections)?);
    Ok(())
}

fn hold(connector: &Connector, requests: &[Vec<u8>], count: usize) -> io::Result<()> {
    let mut held = Vec::with_capacity(count);
    for request in requests.iter().cycle().take(count) {
        let mut connection = connector.connect()?;
        connection.exchange(request)?;
        held.push(connection);
    }
    println!("idle");
    io::stdin().read_to_end(&mut Vec::new())?;
    // A connection that the proxy has closed in the meantime cost it nothing, and fails here.
    held.iter_mut().zip(requests.iter().cycle()).try_for_each(|(connection, request)| connection.exchange(request))
}

fn print(outcome: &Outcome) {
    let seconds = outcome.elapsed.as_secs_f64();
    println!(
        r#"{{"requests":{},"seconds":{seconds:.6},"cpu_seconds":{:.2},"p50_us":{:.1},"p99_us":{:.1}}}"#,
        outcome.latencies.len(),
        outcome.cpu.as_secs_f64(),
        outcome.quantile_us(0.5),
        outcome.quantile_us(0.99),
    );
}
