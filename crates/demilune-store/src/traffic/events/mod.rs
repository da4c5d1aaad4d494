//! Events: that a request did not fit the schema of its operation, and where; kept for a month.

mod list;
mod tidy;
mod violations;
mod write;

use demilune_inventory::{OperationId, Timestamp};
use demilune_traffic::SessionHash;

pub(crate) use list::list;
pub(crate) use tidy::{EventsTidied, forget, shrink, tidy, zones};
pub(crate) use write::{check, write};

use crate::{connection::Connection, error::QueryError, schema_validation::MitigationAction, user_schema::SchemaId};

/// A request that did not fit the schema of its operation. It holds nothing that the request held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationEvent {
    /// When the request arrived.
    pub time: Timestamp,
    /// The operation.
    pub operation: OperationId,
    /// What was done: log or block.
    pub action: MitigationAction,
    /// The schema that it did not fit.
    pub schema: SchemaId,
    /// The session, where the request carried one.
    pub session: Option<SessionHash>,
    /// What names the request in the answer and the access log, too; at most 128 bytes.
    pub request_id: String,
    /// What did not fit, 1 to 16.
    pub violations: Vec<EventViolation>,
    /// Whether more did not fit.
    pub has_more: bool,
}

/// One thing that did not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventViolation {
    /// The keyword of the schema, or what stands in its place; at most 64 bytes.
    pub keyword: String,
    /// Where in the request, as a JSON Pointer. Only the first 1,024 bytes are kept, here and below.
    pub request_place: String,
    /// Where in the document, as a JSON Pointer.
    pub document_place: String,
}

/// Which events are wanted; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this operation.
    pub operation: Option<OperationId>,
    /// With this action.
    pub action: Option<MitigationAction>,
    /// With this keyword among their violations.
    pub keyword: Option<String>,
    /// Of this session.
    pub session: Option<SessionHash>,
    /// Of the request with this id.
    pub request_id: Option<String>,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// One page of events, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events of the page.
    pub events: Vec<ValidationEvent>,
    /// Matches of the filter over all pages.
    pub total_count: u64,
    /// Events of the page that cannot be read, and are left out. The log names them.
    pub damaged: u64,
}

/// How long events are kept: a month, in which a change of a client shows.
const KEPT_SECONDS: i64 = 30 * 24 * 3_600;

/// Any number will do, as long as every release uses the same.
const POSTGRES_LOCK: i64 = 0x65_76_65_6e_74_73;

/// Keeps all others out who write or take out events, until the transaction ends: they number and count them.
async fn lock(connection: &mut Connection<'_>) -> Result<(), QueryError> {
    connection.lock(POSTGRES_LOCK).await
}
