//! Where a request is sent, made ready so that nothing of it is parsed again for each request.

use std::hash::{Hash, Hasher};

use http::HeaderValue;
use siphasher::sip::SipHasher13;

use crate::rule::{HostHeader, Origin, RouteTarget, Server};

/// Who chose a destination. Operators may name any server; who may edit a zone may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DestinationKind {
    /// The origin of the host.
    Origin,
    /// The route of an operation.
    Route,
}

/// A server to send requests to. Two are equal when a connection to one may serve the other: what `Host` says does not
/// matter for that, who chose it does.
#[derive(Clone, Debug)]
pub struct Destination {
    server: Server,
    kind: DestinationKind,
    host: Option<HeaderValue>,
    /// Of kind and server: destinations are looked up twice for each request.
    hash: u64,
}

impl Destination {
    pub(crate) fn of_origin(origin: &Origin) -> Self {
        let host = match &origin.host_header {
            HostHeader::Client => None,
            HostHeader::Fixed(text) => Some(header_value(text)),
        };
        Self::new(origin.url.server().clone(), DestinationKind::Origin, host)
    }

    pub(crate) fn of_route(target: &RouteTarget) -> Self {
        let server = target.server().clone();
        let host = Some(header_value(&server.authority()));
        Self::new(server, DestinationKind::Route, host)
    }

    fn new(server: Server, kind: DestinationKind, host: Option<HeaderValue>) -> Self {
        let mut hasher = SipHasher13::new();
        (kind, &server).hash(&mut hasher);
        Self { server, kind, host, hash: hasher.finish() }
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Who chose it.
    #[must_use]
    pub fn kind(&self) -> DestinationKind {
        self.kind
    }

    /// The `Host` field for it; none where the client's is kept.
    #[must_use]
    pub fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }
}

impl PartialEq for Destination {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.kind == other.kind && self.server == other.server
    }
}

impl Eq for Destination {}

impl Hash for Destination {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

#[expect(clippy::expect_used, reason = "a canonical name and port are visible ASCII")]
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a canonical authority is a field value")
}
