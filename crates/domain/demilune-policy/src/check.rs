//! What requests to an operation are checked for.

use std::sync::Arc;

use demilune_schema::validate::Validator;

use crate::rule::MitigationAction;

/// What requests to an operation are checked for, and what happens to those that do not fit. Operations whose requests
/// nobody looks at have none.
#[derive(Clone, Debug)]
pub struct Check {
    /// Log or block.
    pub action: MitigationAction,
    /// Names the schema, a UUID, in events.
    pub schema: Arc<str>,
    /// Checks a request.
    pub validator: Validator,
}
