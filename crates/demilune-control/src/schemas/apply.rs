//! Puts what was learned about an operation in force: learned anew, on the terms of what is enforced.

use std::time::Duration;

use demilune_inventory::{Operation, OperationKey, Timestamp, ZoneId};
use demilune_schema::{
    document::{Document as ReadDocument, Options},
    learn::{Evidence, Learned, Profile},
};
use demilune_store::{NewUserSchema, Store, StoreFailure, UserSchema, UserSchemaAddError};
use demilune_traffic::Hour;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::{EvidenceWindow, sum};
use crate::{
    clock::unix_seconds,
    export::{of_operation, variables},
};

/// How long a learned schema logs what it would block, unless told otherwise: a day shows every hour's clients.
const LOGS_FIRST: Duration = Duration::from_hours(24);

/// For how many days clients are known that were answered with 2xx: as long as those that it was learned from.
const KNOWN_DAYS: u32 = 8;

/// From when on a learned schema blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// After its first 24 hours, in which it logs what it would block.
    AfterADay,
    /// From the start.
    AtOnce,
}

/// Why no schema was put in force; `Display` is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// There is too little evidence.
    #[error(
        "{requests} of {} requests were seen in the last seven days; send more that are answered with 2xx through the \
         gateway, or import a log of them, and apply the schema then",
        Learned::REQUESTS_MIN
    )]
    TooFew {
        /// Requests that were answered with 2xx.
        requests: u64,
    },
    /// The requests have neither parameters nor bodies that anything could be said about.
    #[error(
        "{requests} requests were seen in the last seven days, but no parameter and no body that enough of them share; \
         upload a schema that says what they must look like"
    )]
    Empty {
        /// Requests that were answered with 2xx.
        requests: u64,
    },
    /// `OpenAPI` has no words for the operation.
    #[error("an OpenAPI document cannot describe {0} operations, so that there is no schema to enforce")]
    Unwritable(&'static str),
    /// The operation, or its zone, has gone.
    #[error("there is no such operation any more; list the operations of the zone to find it")]
    Gone,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Learns from the last seven days of an operation and puts the schema in force, in the place of one that was learned
/// from it before.
pub(crate) async fn apply(
    store: &Store,
    zone: &ZoneId,
    operation: &Operation,
    blocks: Blocks,
    now: Timestamp,
) -> Result<UserSchema, ApplyError> {
    let source = learned_source(store, zone, operation, now).await?;
    let end = Hour::of(unix_seconds(now) + Hour::SECONDS);
    let known = store.sessions_seen(zone, operation.id, end, KNOWN_DAYS).await?;
    let new = NewUserSchema {
        name: name(operation, now),
        validation_enabled: true,
        learned_from: Some(operation.id),
        log_for: (blocks == Blocks::AfterADay).then_some(LOGS_FIRST),
        known_sessions: Some(known),
        default_host: None,
        source,
        operations: vec![operation.key.clone()],
    };
    Ok(store.user_schema_add(zone, new, now).await?)
}

/// The document that would be put in force now.
pub(crate) async fn learned_source(
    store: &Store,
    zone: &ZoneId,
    operation: &Operation,
    now: Timestamp,
) -> Result<String, ApplyError> {
    let evidence = sum(store, zone, operation.id, EvidenceWindow::of_week(now)).await?;
    let key = operation.key.clone();
    // Milliseconds, not where requests are answered.
    let writing = spawn_blocking(move || source(&evidence, &key));
    writing.await.map_err(|error| StoreFailure::Internal(Box::new(error)))?
}

/// `learned-{operation}-{day of UTC}`.
fn name(operation: &Operation, now: Timestamp) -> String {
    let now = now.to_string();
    let day = now.split('T').next().unwrap_or_default();
    format!("learned-{}-{day}", operation.id)
}

/// The document of an operation, which says what this evidence allows to enforce.
fn source(evidence: &Evidence, key: &OperationKey) -> Result<String, ApplyError> {
    let requests = evidence.requests();
    let learned = Learned::of(evidence, &variables(&key.endpoint), Profile::Enforce);
    let learned = learned.ok_or(ApplyError::TooFew { requests })?;
    let parameters = match learned.fragment()["parameters"].take() {
        Value::Array(parameters) => parameters,
        _ => Vec::new(),
    };
    if parameters.is_empty() && learned.request_body().is_none() {
        return Err(ApplyError::Empty { requests });
    }
    let document = of_operation(key, parameters, learned.request_body().cloned());
    let source = serde_json::to_string_pretty(&document).map_err(|error| StoreFailure::Internal(Box::new(error)))?;
    if describes(&source, key) { Ok(source) } else { Err(ApplyError::Unwritable(key.method.as_str())) }
}

/// Whether those who read a document find this operation in it.
fn describes(source: &str, key: &OperationKey) -> bool {
    let read = ReadDocument::read(source.as_bytes(), &Options::default());
    read.document.is_some_and(|document| document.operations.iter().any(|operation| operation.key == *key))
}

impl From<UserSchemaAddError> for ApplyError {
    fn from(error: UserSchemaAddError) -> Self {
        match error {
            UserSchemaAddError::Store(failure) => Self::Store(failure),
            // Limits are those of uploaded schemas.
            _ => Self::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use demilune_schema::learn::{LearnKey, Supporter};

    fn key(text: &str) -> OperationKey {
        let [method, host, endpoint] = text.split(' ').collect::<Vec<_>>().try_into().unwrap();
        OperationKey {
            method: method.parse().unwrap(),
            host: host.parse().unwrap(),
            endpoint: endpoint.parse().unwrap(),
        }
    }

    /// Requests of many callers, each with these variables and this query.
    fn evidence(requests: u32, variables: &[&str], query: Option<&str>) -> Evidence {
        let mut evidence = Evidence::new(Arc::default());
        let key = LearnKey::new([7; 16]);
        for number in 0..requests {
            evidence.observe(&key, Hour::of(0), Supporter(number % 60 * 70_000_000), variables, query);
        }
        evidence
    }

    #[test]
    fn the_source_describes_the_operation_and_can_be_read() {
        let check = |text: &str, variables: &[&str]| {
            let key = key(text);
            let source = source(&evidence(1_000, variables, Some("page=1")), &key).unwrap();
            let read = ReadDocument::read(source.as_bytes(), &Options::default());
            assert_eq!(read.problems, [], "{source}");
            let keys: Vec<_> = read.document.unwrap().operations.into_iter().map(|operation| operation.key).collect();
            assert_eq!(keys, [key], "{source}");
        };
        check("GET a.example /users/{id}", &["7"]);
        check("POST {tenant}.a.example /", &[]);
        check("DELETE {a}.{b}.example /{x}/{y}.json", &["1", "2"]);
        check("TRACE a.example /x", &[]);
    }

    #[test]
    fn where_there_is_no_schema_a_sentence_says_what_to_do() {
        let check = |text: &str, requests: u32, query: Option<&str>, part: &str| {
            let sentence = source(&evidence(requests, &[], query), &key(text)).unwrap_err().to_string();
            assert!(sentence.contains(part), "{sentence}");
        };
        check("GET a.example /", 0, None, "0 of 1000 requests were seen");
        check("GET a.example /", 999, Some("page=1"), "999 of 1000 requests were seen");
        check("GET a.example /", 1_000, None, "no parameter and no body");
        check("CONNECT a.example /", 1_000, Some("page=1"), "cannot describe CONNECT operations");
    }
}
