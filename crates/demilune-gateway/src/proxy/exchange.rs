//! One request and its answer, from the head's arrival to the answer's last byte: what is recorded and logged of it.

use std::{
    borrow::Cow,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use demilune_discovery::is_page;
use demilune_inventory::{Match, NormalizedPath, Timestamp, Variables};
use demilune_policy::{Decision, Ruleset, canonical_host, rule::OperationRule};
use demilune_traffic::SessionHash;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, uri::Authority};

use super::{forwarded::Client, request_body::Progress, request_id::RequestId};
use crate::{
    learn::{BodyCopy, Taken},
    listen::guard::Busy,
    observe::Observer,
};

/// One request and its answer. It is reported when it is dropped, however it ended.
pub(crate) struct Exchange {
    observer: Arc<Observer>,
    pub(crate) request_id: RequestId,
    pub(crate) client: IpAddr,
    /// The client, or whom it asks for where it is a trusted proxy.
    pub(crate) caller: IpAddr,
    pub(crate) method: Method,
    /// As the client sent it.
    pub(crate) host: Option<HeaderValue>,
    pub(crate) uri: Uri,
    pub(crate) ruleset: Option<Arc<Ruleset>>,
    pub(crate) operation: Option<Match>,
    pub(crate) preflight: bool,
    pub(crate) session: Option<SessionHash>,
    /// The normalized path, where it is not what the client sent.
    normalized: Option<Box<str>>,
    /// What the operation's variables took of the normalized path.
    pub(crate) taken: Taken,
    pub(crate) arrived: SystemTime,
    started: Instant,
    origin: Option<Duration>,
    body: Option<Arc<Progress>>,
    pub(crate) bytes_out: u64,
    pub(crate) status: Option<StatusCode>,
    pub(crate) outcome: Outcome,
    /// The answer is of a kind that browsers show or pages are made of, and APIs do not answer with; told of requests alone
    /// that no operation matches.
    pub(crate) answered_with_page: bool,
    complete: bool,
    busy: Option<Busy>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The origin's answer was passed on.
    Forwarded,
    /// The gateway answered as the policy says; the reason is a fixed word.
    Refused(&'static str),
    /// The gateway has no room for it now.
    GatewayFull(&'static str),
    /// The request could not be read, or was too large or too slow.
    ClientFailed(&'static str),
    /// The origin did not answer, or not to the end.
    OriginFailed(&'static str),
}

impl Exchange {
    pub(crate) fn new(
        observer: Arc<Observer>,
        request_id: RequestId,
        client: &Client,
        method: Method,
        uri: Uri,
    ) -> Self {
        Self {
            observer,
            request_id,
            client: client.address.ip(),
            caller: client.address.ip(),
            method,
            host: None,
            uri,
            ruleset: None,
            operation: None,
            preflight: false,
            session: None,
            normalized: None,
            taken: Taken::default(),
            arrived: SystemTime::now(),
            started: Instant::now(),
            origin: None,
            body: None,
            bytes_out: 0,
            status: None,
            outcome: Outcome::Forwarded,
            answered_with_page: false,
            complete: false,
            busy: None,
        }
    }

    /// Keeps the client's connection from counting as idle.
    pub(crate) fn keep_busy(&mut self, busy: Busy) {
        self.busy = Some(busy);
    }

    /// Notes what was decided.
    pub(crate) fn decided(&mut self, decision: &Decision<'_>, variables: &Variables) {
        self.ruleset = decision.ruleset.cloned();
        self.operation = decision.operation;
        self.preflight = decision.preflight;
        self.session = decision.session.map(|session| session.hash);
        self.taken = Taken::of(variables);
        let path = decision.path.as_ref().map(NormalizedPath::as_str);
        self.normalized = path.filter(|path| *path != self.uri.path()).map(Into::into);
    }

    /// The operation that fits, and the rules that say so.
    pub(crate) fn matched(&self) -> Option<(&Ruleset, &OperationRule)> {
        let ruleset = self.ruleset.as_deref()?;
        Some((ruleset, ruleset.operations().get(self.operation?.operation as usize)?))
    }

    /// The normalized path of a request that was decided about.
    pub(crate) fn path(&self) -> &str {
        self.normalized.as_deref().unwrap_or_else(|| self.uri.path())
    }

    /// When the request arrived; a clock that is far off says 1970.
    pub(crate) fn arrived_at(&self) -> Timestamp {
        let micros = self.arrived.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        i64::try_from(micros).ok().and_then(Timestamp::from_micros).unwrap_or(Timestamp::EPOCH)
    }

    /// Follows the request's body.
    pub(crate) fn follow(&mut self, body: Option<Arc<Progress>>) {
        self.body = body;
    }

    /// The origin's head is here.
    pub(crate) fn answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.status = Some(status);
        // Only discovery asks, and it looks at nothing that matched.
        if self.matched().is_none() {
            let media_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
            self.answered_with_page = is_page(media_type);
        }
        self.origin = Some(self.started.elapsed());
    }

    /// The gateway answers itself.
    pub(crate) fn answered_here(&mut self, status: StatusCode, outcome: Outcome) {
        self.status = Some(status);
        self.outcome = outcome;
    }

    /// Bytes of the answer's body went out.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes_out += bytes as u64;
    }

    /// The answer went out to its end.
    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    /// The origin broke off.
    pub(crate) fn origin_failed(&mut self, reason: &'static str) {
        self.outcome = Outcome::OriginFailed(reason);
    }

    /// The host as the inventory writes it.
    pub(crate) fn host(&self) -> Cow<'_, str> {
        let named = self.uri.authority().map(Authority::as_str);
        let host = || self.host.as_ref().and_then(|host| host.to_str().ok());
        canonical_host(named.or_else(host).unwrap_or_default())
    }

    /// Bytes of the request's body.
    pub(crate) fn bytes_in(&self) -> u64 {
        self.body.as_ref().map_or(0, |body| body.bytes())
    }

    /// The copy of the request's body, once, if one was made of all of it.
    pub(crate) fn take_body_copy(&self) -> Option<BodyCopy> {
        self.body.as_ref()?.take_copy()
    }

    /// From the head to now.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// From the head to the origin's head.
    pub(crate) fn origin_time(&self) -> Option<Duration> {
        self.origin
    }

    /// Whether the client went away before its answer was complete.
    pub(crate) fn client_left(&self) -> bool {
        !self.complete && !matches!(self.outcome, Outcome::OriginFailed(_))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let observer = Arc::clone(&self.observer);
        observer.finished(self);
    }
}
