//! Batches of writes: many callers, one commit.
//!
//! Both backends hand what is waiting to [`Batches::write`], which commits it in one transaction and answers each
//! caller after the commit. A request that cannot be granted fails alone: the transaction is taken back, and its zone
//! is written apart for a moment, one request at a time, so that it does not slow the others.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use demilune_inventory::{OperationId, ZoneId};
use tokio::sync::oneshot;

use crate::{
    changes::Announcer,
    connection::Connection,
    error::{OperationUpsertError, QueryError, StoreFailure},
    operation::{self, Refusal, UpsertRequest, Upserted},
    stats::Counters,
};

/// Most writes waiting for their turn; one more is refused.
pub(crate) const WAITING_MAX: usize = 4096;
/// Most requests in one transaction. Larger batches gain little (the commit is a few statements' worth) and make
/// everyone in them wait longer.
pub(crate) const BATCH_REQUESTS_MAX: usize = 128;
/// How long the requests of a zone are written apart after one of them was refused.
const APART: Duration = Duration::from_secs(1);
/// Most zones remembered as such.
const APART_ZONES_MAX: usize = 1024;
/// How often a transaction is tried when another process is in its way.
pub(crate) const TRIES_MAX: usize = 4;

/// Runs an expression between BEGIN and COMMIT, or ROLLBACK if it fails.
macro_rules! transaction {
    ($connection:ident, $work:expr) => {
        async {
            $connection.begin().await?;
            match $work {
                Ok(done) => match $connection.commit().await {
                    Ok(()) => Ok(done),
                    Err(error) => {
                        // A full disk leaves the transaction open.
                        $connection.rollback().await;
                        Err(error.into())
                    }
                },
                Err(error) => {
                    $connection.rollback().await;
                    Err(error)
                }
            }
        }
        .await
    };
}
pub(crate) use transaction;

type UpsertAnswer = oneshot::Sender<Result<Vec<Upserted>, OperationUpsertError>>;

/// A write that can share a transaction with others.
pub(crate) enum WriteRequest {
    Upsert { request: UpsertRequest, answer: UpsertAnswer },
    Delete { zone: ZoneId, ids: Vec<OperationId>, answer: oneshot::Sender<Result<Vec<OperationId>, StoreFailure>> },
}

impl WriteRequest {
    /// Tells the caller that the database is away.
    pub(crate) fn fail(self, cause: &str) {
        let failure = StoreFailure::Unavailable(cause.into());
        match self {
            Self::Upsert { answer, .. } => drop(answer.send(Err(failure.into()))),
            Self::Delete { answer, .. } => drop(answer.send(Err(failure))),
        }
    }
}

/// Writes batches, and remembers which zones to write apart.
pub(crate) struct Batches {
    operations_per_zone_max: u32,
    counters: Arc<Counters>,
    announcer: Arc<Announcer>,
    apart: BTreeMap<ZoneId, Instant>,
    /// Whether the database went away since this was last asked.
    lost: bool,
}

impl Batches {
    pub(crate) fn new(operations_per_zone_max: u32, counters: Arc<Counters>, announcer: Arc<Announcer>) -> Self {
        Self { operations_per_zone_max, counters, announcer, apart: BTreeMap::new(), lost: false }
    }

    /// Whether the database went away in a batch since this was last asked, so that the connection may be broken.
    pub(crate) fn take_lost(&mut self) -> bool {
        std::mem::take(&mut self.lost)
    }

    fn failure(&mut self, error: impl Into<StoreFailure>) -> StoreFailure {
        let failure = error.into();
        self.lost |= failure.is_unavailable();
        failure
    }

    /// Writes a batch and answers every caller in it.
    pub(crate) async fn write(&mut self, connection: &mut Connection<'_>, batch: Vec<WriteRequest>) {
        let mut upserts = Vec::with_capacity(batch.len());
        let mut deletes = Vec::new();
        for request in batch {
            match request {
                WriteRequest::Upsert { request, answer } => upserts.push((request, answer)),
                WriteRequest::Delete { zone, ids, answer } => deletes.push((zone, ids, answer)),
            }
        }
        self.apart.retain(|_, since| since.elapsed() < APART);
        let (mut apart, mut together): (Vec<_>, Vec<_>) =
            upserts.into_iter().partition(|(request, _)| self.apart.contains_key(&request.zone));
        while !together.is_empty() {
            let requests: Vec<_> = together.iter().map(|(request, _)| request).collect();
            match self.upsert(connection, &requests).await {
                Ok(answers) => {
                    for ((_, answer), upserted) in together.drain(..).zip(answers) {
                        // The caller may have gone; the write stands all the same.
                        let _ = answer.send(upserted.map_err(Into::into));
                    }
                }
                Err(Refusal::ZoneNotFound(zone) | Refusal::LimitReached(zone)) => {
                    let (refused, others) = together.into_iter().partition(|(request, _)| request.zone == zone);
                    apart.extend::<Vec<_>>(refused);
                    together = others;
                    if self.apart.len() < APART_ZONES_MAX {
                        self.apart.insert(zone, Instant::now());
                    }
                }
                Err(Refusal::Query(error)) => {
                    let failure = Arc::new(self.failure(error));
                    for (_, answer) in together.drain(..) {
                        let _ = answer.send(Err(shared(&failure).into()));
                    }
                }
            }
        }
        for (request, answer) in apart {
            let upserted = self.upsert(connection, &[&request]).await;
            let max = self.operations_per_zone_max;
            let upserted = match upserted {
                Ok(mut answers) => answers.pop().unwrap_or_else(|| Ok(Vec::new())).map_err(Into::into),
                Err(Refusal::ZoneNotFound(zone)) => Err(OperationUpsertError::ZoneNotFound(zone)),
                Err(Refusal::LimitReached(_)) => Err(OperationUpsertError::LimitReached { max }),
                Err(Refusal::Query(error)) => Err(self.failure(error).into()),
            };
            let _ = answer.send(upserted);
        }
        for (zone, ids, answer) in deletes {
            let outcome = delete(connection, &zone, &ids).await;
            if outcome.as_ref().is_ok_and(|removed| !removed.is_empty()) {
                self.announcer.announce();
            }
            let _ = answer.send(outcome.map_err(|error| self.failure(error)));
        }
    }

    /// One transaction of upserts, tried again when another process is in its way.
    async fn upsert(
        &self,
        connection: &mut Connection<'_>,
        requests: &[&UpsertRequest],
    ) -> Result<Vec<Result<Vec<Upserted>, StoreFailure>>, Refusal> {
        let mut tries = 0;
        loop {
            tries += 1;
            let started = Instant::now();
            let max = self.operations_per_zone_max;
            let outcome: Result<_, Refusal> =
                transaction!(connection, operation::upsert(connection, requests, max).await);
            match outcome {
                Err(Refusal::Query(QueryError::Conflict(_))) if tries < TRIES_MAX => {}
                Ok(answers) => {
                    self.counters.write_seconds.observe_duration(started.elapsed());
                    #[expect(clippy::cast_precision_loss, reason = "at most BATCH_REQUESTS_MAX")]
                    self.counters.batch_requests.observe(requests.len() as f64);
                    if answers.iter().flatten().flatten().any(|upserted| upserted.added) {
                        self.announcer.announce();
                    }
                    return Ok(answers);
                }
                refused => return refused,
            }
        }
    }
}

/// One transaction that removes operations, tried again when another process is in its way.
async fn delete(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
) -> Result<Vec<OperationId>, QueryError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let outcome = transaction!(connection, operation::delete(connection, zone, ids).await);
        match outcome {
            Err(QueryError::Conflict(_)) if tries < TRIES_MAX => {}
            outcome => return outcome,
        }
    }
}

/// The same failure for each caller of a batch.
fn shared(failure: &Arc<StoreFailure>) -> StoreFailure {
    let cause = Box::new(Arc::clone(failure));
    if failure.is_unavailable() { StoreFailure::Unavailable(cause) } else { StoreFailure::Internal(cause) }
}
