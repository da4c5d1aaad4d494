//! What a gateway is told when it starts: limits with their defaults, whom it trusts, and its name.

use std::time::Duration;

use demilune_policy::SessionKey;
use ipnet::IpNet;

/// What a gateway is told when it starts.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// Every bound on what peers may take.
    pub limits: Limits,
    /// Networks whose `Forwarded`, `X-Forwarded-*` and `X-Request-Id` fields are believed.
    pub trusted_networks: Vec<IpNet>,
    /// Whether routes may lead to loopback and private addresses.
    pub allow_private_targets: bool,
    /// The key of the hashes that stand for sessions.
    pub session_key: SessionKey,
    /// Whether the answer to a request that does not fit its schema says where and why.
    pub name_violations: bool,
    /// The name in `Via`, by which a request that comes round again is known.
    pub node: NodeName,
}

/// The pseudonym of a node in `Via` fields: `demilune-` and 16 hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName(String);

impl NodeName {
    /// Makes a name from a random number.
    #[must_use]
    pub fn new(random: u64) -> Self {
        Self(format!("demilune-{random:016x}"))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bounds on what clients and origins may take. Each default says why it has its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest request head in bytes; also that of an origin's answer. 64 KiB: what large cookies and tokens need
    /// together, several times over.
    pub head_bytes_max: usize,
    /// Most header fields of a request. 100, as other servers have it.
    pub headers_max: usize,
    /// Largest request body in bytes. 1 GiB; bodies stream, so this bounds time and traffic rather than memory.
    pub body_bytes_max: u64,
    /// Longest request body in bytes that is held to be validated, as it arrives; a longer one does not fit its schema.
    /// 1 MiB: far above what JSON APIs take.
    pub validated_bytes_max: usize,
    /// Longest such body without its content codings. 8 MiB: JSON shrinks to an eighth or so.
    pub decoded_bytes_max: usize,
    /// Most bytes of such bodies at once, coded and decoded; where a request finds no room, it is answered 503 if it might
    /// be blocked, and is not validated otherwise. 128 MiB.
    pub held_bytes_max: usize,
    /// Longest time until such a body is whole. 60 s: 1 MiB at the speed of a slow phone.
    pub held_time_max: Duration,
    /// Most client connections at once; more wait to be accepted. 10,240: within the file descriptors that a service
    /// usually has, with an origin's connection for each.
    pub connections_max: usize,
    /// Longest time from a head's first byte to its last, and of a TLS handshake. 10 s: a slow phone, not a slow attack.
    pub head_time_max: Duration,
    /// Longest time without a request on a connection. 75 s: longer than the 60 s after which most balancers give up.
    pub idle_time_max: Duration,
    /// Longest pause within a request body, and of a client that does not take its answer. 30 s.
    pub client_stall_max: Duration,
    /// Longest time to connect to an origin, with TLS. 5 s.
    pub origin_connect_max: Duration,
    /// Longest time an origin may take to begin its answer once it has the request. 60 s, as other proxies have it.
    pub origin_answer_max: Duration,
    /// Longest pause within an origin's answer. 60 s.
    pub origin_stall_max: Duration,
    /// Longest time an unused connection to an origin is kept. 50 s: shorter than the 60 s that many servers wait.
    pub origin_idle_max: Duration,
    /// Most unused connections kept for each destination. 256.
    pub origin_idle_connections_max: usize,
    /// Longest time without a byte in either direction of an upgraded connection. 5 min: several WebSocket pings.
    pub tunnel_idle_max: Duration,
    /// Longest time that requests in flight may take after a stop was asked for.
    pub drain_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes_max: 64 << 10,
            headers_max: 100,
            body_bytes_max: 1 << 30,
            validated_bytes_max: 1 << 20,
            decoded_bytes_max: 8 << 20,
            held_bytes_max: 128 << 20,
            held_time_max: Duration::from_mins(1),
            connections_max: 10_240,
            head_time_max: Duration::from_secs(10),
            idle_time_max: Duration::from_secs(75),
            client_stall_max: Duration::from_secs(30),
            origin_connect_max: Duration::from_secs(5),
            origin_answer_max: Duration::from_mins(1),
            origin_stall_max: Duration::from_mins(1),
            origin_idle_max: Duration::from_secs(50),
            origin_idle_connections_max: 256,
            tunnel_idle_max: Duration::from_mins(5),
            drain_max: Duration::from_secs(8),
        }
    }
}
