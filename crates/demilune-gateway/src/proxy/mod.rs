//! One request through its phases: decide, prepare the head, send it on, pass the answer back.

mod exchange;
mod forwarded;
mod hop_by_hop;
mod patience;
mod present;
mod problem;
mod request_body;
mod request_id;
mod response_body;
mod tunnel;

use std::{
    cell::RefCell,
    net::SocketAddr,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::UNIX_EPOCH,
};

use demilune_inventory::Variables;
use demilune_policy::{
    Check, Destination, Facts, Footing, Verdict as PolicyVerdict, canonical_host, decide, rule::MitigationAction,
};
use demilune_schema::validate::Verdict;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, request::Parts,
    uri::PathAndQuery,
};
use http_body::Body;
use hyper::body::Incoming;
use tokio_util::task::TaskTracker;

use crate::{
    board::Board,
    learn::BodyCopy,
    listen::{
        framing::FramingLimits,
        guard::{ConnectionState, GuardLimits},
    },
    observe::Observer,
    options::{GatewayOptions, Limits},
    upstream::{ConnectError, OriginBody, OriginTrust, Upstream, UpstreamError},
    validate::{Target, Unjudged, Validation, Verdicts},
};

pub(crate) use exchange::{Exchange, Outcome};
pub(crate) use forwarded::Client;
pub(crate) use request_body::{BodyFailure, Hold, Pause, Progress, RequestBody};
pub use response_body::ResponseBody;

use forwarded::Via;
use hop_by_hop::Wanted;
use patience::Patience;
use present::Present;
use problem::Problem;
use request_id::{RequestId, RequestIds, X_REQUEST_ID};

/// Most fields that a head gets on its way: making room once is cheaper than growing.
const FIELDS_ADDED: usize = 7;

thread_local! {
    /// Scratch space of the matcher: used within one call, kept so that no request allocates it.
    static VARIABLES: RefCell<Variables> = RefCell::default();
}

/// Everything that requests share.
pub(crate) struct Proxy {
    options: GatewayOptions,
    board: Arc<Board>,
    observer: Arc<Observer>,
    upstream: Upstream,
    validation: Validation,
    via: Via,
    request_ids: RequestIds,
    tunnels: TaskTracker,
    stopping: AtomicBool,
}

/// What a connection's requests share.
pub(crate) struct ClientConnection {
    pub(crate) client: Client,
    pub(crate) state: Arc<ConnectionState>,
    patience: Patience,
}

impl ClientConnection {
    pub(crate) fn new(client: Client, state: Arc<ConnectionState>) -> Self {
        Self { client, state, patience: Patience::default() }
    }
}

/// What is left of a decision once the rules are let go of.
struct Plan {
    destination: Arc<Destination>,
    target: PathAndQuery,
    /// What the request is checked for, with what the variables of its endpoint took of the normalized path.
    check: Option<(Arc<Check>, Vec<Range<usize>>)>,
}

impl Proxy {
    pub(crate) fn new(
        options: GatewayOptions,
        process: u64,
        trust: OriginTrust,
        board: Arc<Board>,
        observer: Arc<Observer>,
    ) -> Self {
        Self {
            upstream: Upstream::new(&options, trust),
            validation: Validation::new(options.limits),
            via: Via::new(&options.node),
            request_ids: RequestIds::new(process),
            tunnels: TaskTracker::new(),
            stopping: AtomicBool::new(false),
            options,
            board,
            observer,
        }
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(crate) fn validation(&self) -> &Validation {
        &self.validation
    }

    pub(crate) fn tunnels(&self) -> &TaskTracker {
        &self.tunnels
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// How a connection is read.
    pub(crate) fn guard_limits(&self) -> GuardLimits {
        let Limits { head_bytes_max, headers_max, head_time_max, idle_time_max, .. } = self.options.limits;
        let framing = FramingLimits { head_bytes_max, headers_max, ..FramingLimits::default() };
        GuardLimits { framing, head_max: head_time_max, idle_max: idle_time_max }
    }

    /// Who is at the other end of a connection.
    pub(crate) fn client(&self, address: SocketAddr, tls: bool) -> Client {
        Client::new(address, tls, &self.options.trusted_networks)
    }

    /// From now on each answer is the last of its connection.
    pub(crate) fn stop_keeping_connections(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Answers one request.
    pub(crate) async fn handle(
        &self,
        connection: &ClientConnection,
        request: Request<Incoming>,
    ) -> Response<ResponseBody> {
        let mut answer = self.answer(connection, request).await;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            connection.state.no_tunnel();
            if self.stopping.load(Ordering::Relaxed) {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
        }
        answer
    }

    async fn answer(&self, connection: &ClientConnection, request: Request<Incoming>) -> Response<ResponseBody> {
        let request_id = self.request_id(&connection.client, request.headers());
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let observer = Arc::clone(&self.observer);
        let mut exchange = Box::new(Exchange::new(observer, request_id, &connection.client, method, uri));
        let refusal = connection.state.next_request();
        exchange.keep_busy(connection.state.busy());
        if let Some(refusal) = refusal {
            return problem::unreadable(refusal.status(), &refusal.to_string(), exchange);
        }
        let plan = match self.decide(&request, &mut exchange) {
            Ok(plan) => plan,
            Err(problem) => return problem.answer(exchange),
        };
        self.forward(connection, request, plan, exchange).await
    }

    fn request_id(&self, client: &Client, headers: &HeaderMap) -> RequestId {
        let given = headers.get(X_REQUEST_ID).filter(|_| client.trusted);
        given.and_then(RequestId::given).unwrap_or_else(|| self.request_ids.next())
    }

    /// What to do with a request; the rules in force are held for no longer than this.
    fn decide(&self, request: &Request<Incoming>, exchange: &mut Exchange) -> Result<Plan, Problem> {
        if self.via.came_round(request.headers()) {
            return Err(problem::LOOP);
        }
        let host = canonical_host(authority(request));
        exchange.host = request.headers().get(header::HOST).cloned();
        let facts =
            Facts { method: request.method(), host: &host, path: request.uri().path(), headers: request.headers() };
        let rules = self.board.current();
        let (decision, check) = VARIABLES.with_borrow_mut(|variables| {
            let decision = decide(&rules, &facts, &self.options.session_key, variables);
            exchange.decided(&decision, variables);
            let operation = decision.operation.filter(|_| !decision.preflight);
            let check = decision.ruleset.zip(operation).and_then(|(ruleset, found)| ruleset.check(found.operation));
            let check = check.map(|check| (Arc::clone(check), variables.iter().collect()));
            (decision, check)
        });
        match decision.verdict {
            PolicyVerdict::Refuse(refusal) => Err(refusal.into()),
            PolicyVerdict::Forward { destination, path, log_unmatched } => {
                if log_unmatched {
                    self.observer.unmatched(exchange);
                }
                let target = target(request.uri(), &path).ok_or(problem::PATH_INVALID)?;
                Ok(Plan { destination: Arc::clone(destination), target, check })
            }
        }
    }

    async fn forward(
        &self,
        connection: &ClientConnection,
        mut request: Request<Incoming>,
        plan: Plan,
        mut exchange: Box<Exchange>,
    ) -> Response<ResponseBody> {
        let limits = &self.options.limits;
        if request.body().size_hint().lower() > limits.body_bytes_max {
            return problem::BODY_TOO_LARGE.answer(exchange);
        }
        if connection.client.trusted && exchange.session.is_none() {
            exchange.caller = forwarded::caller(request.headers(), &connection.client, &self.options.trusted_networks);
        }
        let copy = self.body_copy(&request, &exchange);
        let client_side = request.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
        let (mut head, incoming) = request.into_parts();
        let wanted = self.prepare(&mut head, &connection.client, &plan, &exchange.request_id);
        let (mut body, progress) = RequestBody::new(incoming, limits.body_bytes_max, limits.client_stall_max, copy);
        exchange.follow(progress.clone());
        if let Some((check, variables)) = &plan.check {
            let path = exchange.path();
            let bytes_max = exchange.ruleset.as_ref().and_then(|rules| rules.settings().limits.validated_bytes_max);
            let target = Target { path, variables, query: exchange.uri.query(), bytes_max };
            match self.validation.judge(check, target, &mut head, &mut body).await {
                Ok(verdicts) => {
                    if let Some(on_trial) = &check.on_trial {
                        self.observer.tried(on_trial, verdicts.on_trial.as_ref(), &exchange);
                    }
                    if let Some(verdict) = self.blocks(check, &verdicts, &exchange) {
                        let shown = self.options.name_violations.then_some(verdict);
                        return problem::schema_violation(shown, exchange);
                    }
                }
                Err(Unjudged::NoRoom) if may_block(check, &exchange) => return problem::NO_ROOM.answer(exchange),
                Err(Unjudged::NoRoom) => self.observer.unjudged(check, &exchange),
                Err(Unjudged::Body(failure)) => return body_failed(connection, failure, exchange),
            }
        }
        if progress.is_some() && body.size_hint().exact().is_none() {
            // hyper would leave out the body of a GET or HEAD otherwise.
            head.headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let again = (progress.is_none() && is_idempotent(&head.method)).then(|| head.clone());
        let mut request = Request::from_parts(head, body);
        let observer = Arc::clone(&self.observer);
        hyper::ext::on_informational(&mut request, move |_| observer.informational_dropped());
        let sending = self.upstream.send(&plan.destination, request, again, progress.as_ref());
        let answer = match connection.patience.wait(sending, limits.origin_answer_max, progress.as_deref()).await {
            Ok(Ok(answer)) if !is_ambiguous(&answer) => answer,
            Ok(Ok(_)) => return problem::ORIGIN_ANSWER_INVALID.answer(exchange),
            failed => {
                if let Some(failure) = progress.as_ref().and_then(|progress| progress.failure()) {
                    return body_failed(connection, failure, exchange);
                }
                let error = failed.ok().and_then(Result::err);
                return self.origin_failed(error.as_ref(), &plan, &exchange).answer(exchange);
            }
        };
        exchange.answered(answer.status(), answer.headers());
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let allowed = wanted.allows(answer.headers().get(header::UPGRADE));
            return match client_side.filter(|_| allowed && connection.state.tunnel()) {
                Some(client_side) => self.tunnel(answer, client_side, exchange),
                None => problem::ORIGIN_ANSWER_INVALID.answer(exchange),
            };
        }
        self.pass_back(answer, exchange)
    }

    /// What a request must not go on with; what does not fit is recorded, whatever happens to it.
    fn blocks<'v>(&self, check: &Check, verdicts: &'v Verdicts, exchange: &Exchange) -> Option<&'v Verdict> {
        let (in_force, verdict) = (check.in_force.as_ref()?, verdicts.in_force.as_ref()?);
        let mut action = in_force.action_at(exchange.arrived_at());
        if in_force.may_fall_back() {
            let second = exchange.arrived.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let fallbacks = self.validation.fallbacks();
            let footing = fallbacks.judged(&in_force.schema, exchange.session, verdict.is_valid(), second);
            if footing != Footing::Stands {
                action = MitigationAction::Log;
            }
            if footing == Footing::FallsBack {
                self.observer.fell_back(in_force, exchange);
            }
        }
        if verdict.is_valid() {
            return None;
        }
        self.observer.violated(in_force, action, verdict, exchange);
        (action == MitigationAction::Block).then_some(verdict)
    }

    /// A copy to be made of the body, if it may be learned from.
    fn body_copy(&self, request: &Request<Incoming>, exchange: &Exchange) -> Option<BodyCopy> {
        let learner = self.observer.learner.as_ref()?;
        if exchange.operation.is_none() || exchange.preflight || request.body().is_end_stream() {
            return None;
        }
        let arrived = exchange.arrived.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let supporter = || learner.supporter(exchange.session, exchange.caller);
        learner.copy(request.method(), request.headers(), request.body().size_hint().exact(), supporter, arrived)
    }

    /// Writes the head for the next hop.
    fn prepare(&self, head: &mut Parts, client: &Client, plan: &Plan, request_id: &RequestId) -> Wanted {
        // An absolute target's authority takes the place of the Host field (RFC 9112 section 3.2.2).
        let named = head.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
        let sent = named.or_else(|| head.headers.get(header::HOST).cloned());
        let host = sent.unwrap_or_else(|| HeaderValue::from_static(""));
        let present = Present::of(&head.headers);
        let mut wanted = hop_by_hop::strip(&mut head.headers, present);
        if head.version == Version::HTTP_10 {
            // It has no upgrades (RFC 9110 section 7.8).
            wanted.upgrade = None;
        }
        if present.any(Present::CONTENT_LENGTH.or(Present::EXPECT)) {
            // hyper writes the length anew, and has asked for the body itself.
            head.headers.remove(header::CONTENT_LENGTH);
            head.headers.remove(header::EXPECT);
        }
        if present.any(Present::ALIAS) {
            hop_by_hop::strip_aliases(&mut head.headers);
        }
        head.headers.reserve(FIELDS_ADDED);
        forwarded::tell(&mut head.headers, present, client, &host);
        forwarded::add_via(&mut head.headers, present, head.version, &self.via);
        head.headers.insert(header::HOST, plan.destination.host().cloned().unwrap_or(host));
        head.headers.insert(X_REQUEST_ID, request_id.value().clone());
        if let Some(protocol) = &wanted.upgrade {
            head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            head.headers.insert(header::UPGRADE, protocol.clone());
        } else if wanted.trailers {
            head.headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
            head.headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        head.uri = Uri::from(plan.target.clone());
        head.version = Version::HTTP_11;
        wanted
    }

    /// What to answer when there is none from the origin, by an error or because the time for it is over, and a log line
    /// that says what the answer does not.
    fn origin_failed(&self, error: Option<&UpstreamError>, plan: &Plan, exchange: &Exchange) -> Problem {
        let problem = error.map_or(problem::ORIGIN_ANSWER_TIMEOUT, origin_problem);
        let error = error.map(|error| error as &(dyn std::error::Error + 'static));
        self.observer.origin_failed(problem.code, error, plan.destination.server(), exchange);
        problem
    }

    fn pass_back(&self, answer: Response<OriginBody>, exchange: Box<Exchange>) -> Response<ResponseBody> {
        let request_id = exchange.request_id.value().clone();
        let pause = Pause::new(self.options.limits.origin_stall_max);
        let (mut head, body) = answer.into_parts();
        let present = Present::of(&head.headers);
        hop_by_hop::strip(&mut head.headers, present);
        forwarded::add_via(&mut head.headers, present, head.version, &self.via);
        head.headers.insert(X_REQUEST_ID, request_id);
        head.version = Version::HTTP_11;
        head.extensions.clear();
        let head_only = exchange.method == Method::HEAD;
        let mut body = ResponseBody::of_origin(body, pause, exchange);
        if head_only {
            body.complete();
        }
        Response::from_parts(head, body)
    }

    fn tunnel(
        &self,
        mut answer: Response<OriginBody>,
        client_side: hyper::upgrade::OnUpgrade,
        exchange: Box<Exchange>,
    ) -> Response<ResponseBody> {
        let origin_side = hyper::upgrade::on(&mut answer);
        let (mut head, _) = answer.into_parts();
        let protocol = head.headers.get(header::UPGRADE).cloned();
        let present = Present::of(&head.headers);
        hop_by_hop::strip(&mut head.headers, present);
        head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        if let Some(protocol) = protocol {
            head.headers.insert(header::UPGRADE, protocol);
        }
        forwarded::add_via(&mut head.headers, present, head.version, &self.via);
        head.headers.insert(X_REQUEST_ID, exchange.request_id.value().clone());
        head.extensions.clear();
        self.tunnels.spawn(tunnel::run(client_side, origin_side, self.options.limits.tunnel_idle_max, exchange));
        Response::from_parts(head, ResponseBody::none())
    }
}

/// Whether a request that does not fit would be blocked.
fn may_block(check: &Check, exchange: &Exchange) -> bool {
    let action = check.in_force.as_ref().map(|in_force| in_force.action_at(exchange.arrived_at()));
    action == Some(MitigationAction::Block)
}

/// The answer to a request whose body did not come to its end.
fn body_failed(connection: &ClientConnection, failure: BodyFailure, exchange: Box<Exchange>) -> Response<ResponseBody> {
    if let Some(defect) = connection.state.body_defect() {
        return problem::unreadable(defect.status(), &defect.to_string(), exchange);
    }
    let problem = match failure {
        BodyFailure::TooLarge => problem::BODY_TOO_LARGE,
        BodyFailure::Stalled => problem::BODY_STALLED,
        BodyFailure::Broken => problem::BODY_BROKEN,
    };
    problem.answer(exchange)
}

/// The host a request is for: its target's where it names one, else that of the one `Host` field.
fn authority(request: &Request<Incoming>) -> &str {
    let named = request.uri().authority().map(http::uri::Authority::as_str);
    let host = || request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    named.or_else(host).unwrap_or_default()
}

/// The target for the origin: the decided path, and the client's query.
fn target(uri: &Uri, path: &str) -> Option<PathAndQuery> {
    let sent = uri.path_and_query()?;
    if sent.path() == path {
        return Some(sent.clone());
    }
    let target = match sent.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    PathAndQuery::try_from(target).ok()
}

/// RFC 9110 section 9.2.2.
fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE)
}

/// An answer that two readers could frame in two ways, or whose body is in a coding that is taken off nowhere (RFC 9112
/// sections 6.1 and 6.3).
fn is_ambiguous(answer: &Response<OriginBody>) -> bool {
    let mut codings = answer.headers().get_all(header::TRANSFER_ENCODING).into_iter();
    let mut lengths = answer.headers().get_all(header::CONTENT_LENGTH).into_iter();
    match (codings.next(), lengths.next()) {
        (None, None) => false,
        (Some(coding), None) => codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (None, Some(length)) => lengths.next().is_some() || !length.as_bytes().iter().all(u8::is_ascii_digit),
        (Some(_), Some(_)) => true,
    }
}

fn origin_problem(error: &UpstreamError) -> Problem {
    match error {
        UpstreamError::Connect(ConnectError::Timeout) => problem::ORIGIN_CONNECT_TIMEOUT,
        UpstreamError::Connect(ConnectError::Address(_)) => problem::ORIGIN_FORBIDDEN,
        UpstreamError::Connect(_) => problem::ORIGIN_UNREACHABLE,
        UpstreamError::Exchange(error) if error.is_parse() || error.is_parse_too_large() => {
            problem::ORIGIN_ANSWER_INVALID
        }
        UpstreamError::Exchange(_) => problem::ORIGIN_CLOSED,
    }
}
