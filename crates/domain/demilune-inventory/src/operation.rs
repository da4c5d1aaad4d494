//! An operation: what it is made of and the record that is kept of it.

use crate::{Endpoint, Host, Method, OperationId, Timestamp};

/// What makes an operation unique in its zone. Ordered by host, endpoint, method: the default order of lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationKey {
    /// The host or host pattern.
    pub host: Host,
    /// The path template.
    pub endpoint: Endpoint,
    /// The request method.
    pub method: Method,
}

/// One saved operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Stable while the operation exists.
    pub id: OperationId,
    /// Method, host and endpoint.
    pub key: OperationKey,
    /// When the operation was last inserted (contract 2.3); no other write moves it.
    pub last_updated: Timestamp,
}
