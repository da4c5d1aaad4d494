//! Requests held until it is known whether they fit the schema of their operation.

mod coding;
mod room;
mod violations;

use std::{ops::Range, sync::Arc, thread::available_parallelism};

use bytes::Bytes;
use demilune_policy::Check;
use demilune_schema::validate::{Content, RequestParts, Verdict, Violation};
use http::{HeaderMap, request::Parts};
use http_body::Body;
use tokio::{sync::Semaphore, task::spawn_blocking};

pub(crate) use room::{Reservation, Room};
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
        Self { room: Room::new(limits.held_bytes_max), workers: Semaphore::new(workers), limits }
    }

    /// Bytes that are held now.
    pub(crate) fn held(&self) -> usize {
        self.room.taken()
    }

    /// Whether a request fits; its body is read and held if the schema says something about it. Where there is no room
    /// for that, the request waits for nothing: there is no verdict.
    pub(crate) async fn judge(
        &self,
        check: &Check,
        target: Target<'_>,
        head: &mut Parts,
        body: &mut RequestBody,
    ) -> Result<Verdict, Unjudged> {
        if body.is_end_stream() {
            return Ok(validate(check, &target, &head.headers, Content::None));
        }
        if !check.validator.reads_content(&head.headers) {
            return Ok(validate(check, &target, &head.headers, Content::NotRead));
        }
        match self.hold(body).await? {
            Hold::Whole(content) => self.judge_content(check, target, head, content).await,
            Hold::TooLong => Ok(unreadable(check, &target, &head.headers, "size")),
        }
    }

    async fn hold(&self, body: &mut RequestBody) -> Result<Hold, Unjudged> {
        let too_long = body.size_hint().lower() > self.limits.validated_bytes_max as u64;
        if too_long {
            return Ok(Hold::TooLong);
        }
        let holding = body.hold(self.limits.validated_bytes_max, self.room.reservation());
        match tokio::time::timeout(self.limits.held_time_max, holding).await {
            Ok(held) => held,
            Err(_) => Err(Unjudged::Body(BodyFailure::Stalled)),
        }
    }

    async fn judge_content(
        &self,
        check: &Check,
        target: Target<'_>,
        head: &mut Parts,
        content: Bytes,
    ) -> Result<Verdict, Unjudged> {
        let mut room = self.room.reservation();
        let bytes_max = self.limits.decoded_bytes_max;
        if content.len() <= INLINE_MAX && !coding::is_coded(&head.headers) {
            return judge_whole(check, &target, &head.headers, &content, bytes_max, &mut room);
        }
        // The semaphore is never closed.
        let Ok(_worker) = self.workers.acquire().await else { return Err(Unjudged::NoRoom) };
        let (check, headers) = (check.clone(), std::mem::take(&mut head.headers));
        let (path, query) = (target.path.to_owned(), target.query.map(str::to_owned));
        let variables = target.variables.to_owned();
        let judging = spawn_blocking(move || {
            let target = Target { path: &path, variables: &variables, query: query.as_deref() };
            let verdict = judge_whole(&check, &target, &headers, &content, bytes_max, &mut room);
            (headers, verdict)
        });
        // It fails only while the runtime ends.
        let Ok((headers, verdict)) = judging.await else { return Err(Unjudged::NoRoom) };
        head.headers = headers;
        verdict
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
) -> Result<Verdict, Unjudged> {
    match coding::decode(content, headers, bytes_max, room) {
        Ok(content) if content.is_empty() => Ok(validate(check, target, headers, Content::None)),
        Ok(content) => Ok(validate(check, target, headers, Content::Whole(&content))),
        Err(CodingError::NoRoom) => Err(Unjudged::NoRoom),
        Err(CodingError::TooLong) => Ok(unreadable(check, target, headers, "size")),
        Err(CodingError::Unknown | CodingError::Broken) => Ok(unreadable(check, target, headers, "contentEncoding")),
    }
}

/// The verdict on a request whose content cannot be read, for a reason that stands in the place of a keyword.
fn unreadable(check: &Check, target: &Target<'_>, headers: &HeaderMap, reason: &str) -> Verdict {
    let mut verdict = validate(check, target, headers, Content::NotRead);
    verdict.violations.truncate(Verdict::VIOLATIONS_MAX - 1);
    let violation =
        Violation { keyword: reason.to_owned(), request_place: "/body".to_owned(), document_place: String::new() };
    verdict.violations.push(violation);
    verdict
}

fn validate(check: &Check, target: &Target<'_>, headers: &HeaderMap, content: Content<'_>) -> Verdict {
    let variables: Vec<&str> = target.variables.iter().map(|range| &target.path[range.clone()]).collect();
    check.validator.validate(&RequestParts { variables: &variables, query: target.query, headers, content })
}
