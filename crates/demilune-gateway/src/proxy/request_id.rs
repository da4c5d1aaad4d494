//! A name for each request, by which log lines of the client, the gateway and the origin are found together.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use http::{HeaderName, HeaderValue};

/// The field that carries it.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id in bytes that is taken from a trusted peer.
const BYTES_MAX: usize = 128;

/// The id of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The id as a field value.
    pub(crate) fn value(&self) -> &HeaderValue {
        &self.0
    }

    /// Takes over the id that a trusted peer gave.
    pub(crate) fn given(value: &HeaderValue) -> Option<Self> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+/=".contains(&byte);
        let usable = (1..=BYTES_MAX).contains(&value.len()) && value.as_bytes().iter().copied().all(legal);
        usable.then(|| Self(value.clone()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// Makes ids that are unique over nodes and restarts: a random number of the process, and a count.
#[derive(Debug)]
pub(crate) struct RequestIds {
    process: u64,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(process: u64) -> Self {
        Self { process, count: AtomicU64::new(0) }
    }

    #[expect(clippy::expect_used, reason = "hex digits are visible ASCII")]
    pub(crate) fn next(&self) -> RequestId {
        let mut text = [0; 32];
        write_hex(&mut text[..16], self.process);
        write_hex(&mut text[16..], self.count.fetch_add(1, Ordering::Relaxed));
        RequestId(HeaderValue::from_bytes(&text).expect("hex digits"))
    }
}

fn write_hex(to: &mut [u8], mut number: u64) {
    for digit in to.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_up_behind_the_process() {
        let ids = RequestIds::new(0xab);
        assert_eq!(ids.next().to_string(), "00000000000000ab0000000000000000");
        assert_eq!(ids.next().to_string(), "00000000000000ab0000000000000001");
    }

    #[test]
    fn an_id_of_a_trusted_peer_is_taken_when_it_is_harmless() {
        let given = |text: &'static str| RequestId::given(&HeaderValue::from_static(text)).is_some();
        assert!(given("4bf92f3577b34da6-01"));
        assert!(!given(""));
        assert!(!given("a b"));
        assert!(!given("\"quoted\""));
    }
}
