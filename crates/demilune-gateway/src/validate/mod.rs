//! Requests held until it is known whether they fit the schema of their operation.

mod coding;
mod room;
mod trials;
mod violations;

use std::{ops::Range, sync::Arc, thread::available_parallelism};

use bytes::Bytes;
use demilune_policy::{Check, Fallbacks};
use demilune_schema::validate::{Content, RequestParts, Validator, Verdict, Violation};
use http::{HeaderMap, request::Parts};
use http_body::Body;
use tokio::{sync::Semaphore, task::spawn_blocking};

pub(crate) use room::{Reservation, Room};
pub use trials::{TrialCounts, Trials};
pub(crate) use violations::ViolationCounts;

use crate::{
    options::Limits,
    proxy::{BodyFailure, Hold, RequestBody},
};
use coding::CodingError;

/// Longest plain body that is checked where it arrived: at most some hundred microseconds of a core.
const INLINE_MAX: usize = 32 << 10;

/// Checks requests, within the bounds of this gateway.
pub(crate) struct Validation {
    limits: Limits,
    room: Arc<Room>,
    fallbacks: Arc<Fallbacks>,
    /// For content that takes longer: as many at a time as there are cores, since each may also hold a decoder's window.
    workers: Semaphore,
}

/// What is checked beside the head and the body.
pub(crate) struct Target<'r> {
    /// The normalized path.
    pub(crate) path: &'r str,
    /// What the variables of the endpoint took of it.
    pub(crate) variables: &'r [Range<usize>],
    /// The query without its `?`.
    pub(crate) query: Option<&'r str>,
    /// Most bytes of the body that are held; none for what the gateway itself says.
    pub(crate) bytes_max: Option<u32>,
}

/// Whether a request fits the schema in force, and the one that is tried, where there are such.
pub(crate) struct Verdicts {
    pub(crate) in_force: Option<Verdict>,
    pub(crate) on_trial: Option<Verdict>,
}

impl Verdicts {
    fn of(check: &Check, mut judge: impl FnMut(&Validator) -> Verdict) -> Self {
        Self {
            in_force: check.in_force.as_ref().map(|in_force| judge(&in_force.validator)),
            on_trial: check.on_trial.as_ref().map(|on_trial| judge(&on_trial.validator)),
        }
    }
}

/// Why there is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unjudged {
    /// The body did not come whole.
    Body(BodyFailure),
    /// There is no room to hold it.
    NoRoom,
}

impl Validation {
    pub(crate) fn new(limits: Limits) -> Self {
        let workers = available_parallelism().map_or(1, std::num::NonZero::get);
        let (room, workers) = (Room::new(limits.held_bytes_max), Semaphore::new(workers));
        Self { room, fallbacks: Arc::default(), workers, limits }
    }

    /// The learned schemas in force.
    pub(crate) fn fallbacks(&self) -> &Fallbacks {
        &self.fallbacks
    }

    /// Bytes that are held now.
    pub(crate) fn held(&self) -> usize {
        self.room.taken()
    }

    /// Whether a request fits; its body is read and held if a schema says something about it. Where there is no room
    /// for that, the request waits for nothing: there is no verdict.
    pub(crate) async fn judge(
        &self,
        check: &Arc<Check>,
        target: Target<'_>,
        head: &mut Parts,
        body: &mut RequestBody,
    ) -> Result<Verdicts, Unjudged> {
        if body.is_end_stream() {
            return Ok(validate(check, &target, &head.headers, Content::None));
        }
        if !check.validators().any(|validator| validator.reads_content(&head.headers)) {
            return Ok(validate(check, &target, &head.headers, Content::NotRead));
        }
        let bytes_max = target.bytes_max.map_or(self.limits.validated_bytes_max, |most| most as usize);
        match self.hold(body, bytes_max).await? {
            Hold::Whole(content) => self.judge_content(check, target, head, content).await,
            Hold::TooLong => Ok(unreadable(check, &target, &head.headers, "size")),
        }
    }

    async fn hold(&self, body: &mut RequestBody, bytes_max: usize) -> Result<Hold, Unjudged> {
        let too_long = body.size_hint().lower() > bytes_max as u64;
        if too_long {
            return Ok(Hold::TooLong);
        }
        let holding = body.hold(bytes_max, self.room.reservation());
        match tokio::time::timeout(self.limits.held_time_max, holding).await {
            Ok(held) => held,
            Err(_) => Err(Unjudged::Body(BodyFailure::Stalled)),
        }
    }

    async fn judge_content(
        &self,
        check: &Arc<Check>,
        target: Target<'_>,
        head: &mut Parts,
        content: Bytes,
    ) -> Result<Verdicts, Unjudged> {
        let mut room = self.room.reservation();
        let bytes_max = target.bytes_max.map_or(0, |most| most as usize).max(self.limits.decoded_bytes_max);
        if content.len() <= INLINE_MAX && !coding::is_coded(&head.headers) {
            return judge_whole(check, &target, &head.headers, &content, bytes_max, &mut room);
        }
        // The semaphore is never closed.
        let Ok(_worker) = self.workers.acquire().await else { return Err(Unjudged::NoRoom) };
        let (check, headers) = (Arc::clone(check), std::mem::take(&mut head.headers));
        let (path, query) = (target.path.to_owned(), target.query.map(str::to_owned));
        let variables = target.variables.to_owned();
        let judging = spawn_blocking(move || {
            let target = Target { path: &path, variables: &variables, query: query.as_deref(), bytes_max: None };
            let verdicts = judge_whole(&check, &target, &headers, &content, bytes_max, &mut room);
            (headers, verdicts)
        });
        // It fails only while the runtime ends.
        let Ok((headers, verdicts)) = judging.await else { return Err(Unjudged::NoRoom) };
        head.headers = headers;
        verdicts
    }
}

/// Judges a request whose content is here.
fn judge_whole(
    check: &Check,
    target: &Target<'_>,
    headers: &HeaderMap,
    content: &[u8],
    bytes_max: usize,
    room: &mut Reservation,
) -> Result<Verdicts, Unjudged> {
    match coding::decode(content, headers, bytes_max, room) {
        Ok(content) if content.is_empty() => Ok(validate(check, target, headers, Content::None)),
        Ok(content) => Ok(validate(check, target, headers, Content::Whole(&content))),
        Err(CodingError::NoRoom) => Err(Unjudged::NoRoom),
        Err(CodingError::TooLong) => Ok(unreadable(check, target, headers, "size")),
        Err(CodingError::Unknown | CodingError::Broken) => Ok(unreadable(check, target, headers, "contentEncoding")),
    }
}

/// The verdicts on a request whose content cannot be read, for a reason that stands in the place of a keyword. A schema
/// that says nothing of content of this type has nothing against it.
fn unreadable(check: &Check, target: &Target<'_>, headers: &HeaderMap, reason: &str) -> Verdicts {
    Verdicts::of(check, |validator| {
        let mut verdict = verdict(validator, target, headers, Content::NotRead);
        if validator.reads_content(headers) {
            verdict.violations.truncate(Verdict::VIOLATIONS_MAX - 1);
            let (keyword, request_place) = (reason.to_owned(), "/body".to_owned());
            verdict.violations.push(Violation { keyword, request_place, document_place: String::new() });
        }
        verdict
    })
}

fn validate(check: &Check, target: &Target<'_>, headers: &HeaderMap, content: Content<'_>) -> Verdicts {
    Verdicts::of(check, |validator| {
        let content = match content {
            Content::Whole(_) if !validator.reads_content(headers) => Content::NotRead,
            content => content,
        };
        verdict(validator, target, headers, content)
    })
}

fn verdict(validator: &Validator, target: &Target<'_>, headers: &HeaderMap, content: Content<'_>) -> Verdict {
    let variables: Vec<&str> = target.variables.iter().map(|range| &target.path[range.clone()]).collect();
    validator.validate(&RequestParts { variables: &variables, query: target.query, headers, content })
}
