//! Actions of operations as they look on the wire (contract 6.4, 6.10).

use std::collections::BTreeMap;

use demilune_inventory::OperationId;
use demilune_store::{MitigationAction, OperationAction};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::envelope::{Message, ResultInfo};

/// An operation and its own action.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OperationAction)]
pub(crate) struct ActionBody {
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    operation_id: String,
    /// What happens to requests that do not fit the operation's schema; null where the zone's default holds.
    #[schema(value_type = Option<String>, pattern = "^(none|log|block)$")]
    mitigation_action: Option<&'static str>,
}

impl From<OperationAction> for ActionBody {
    fn from(OperationAction { operation, action }: OperationAction) -> Self {
        Self { operation_id: operation.to_string(), mitigation_action: action.map(MitigationAction::as_str) }
    }
}

impl From<(OperationId, MitigationAction)> for ActionBody {
    fn from((operation, action): (OperationId, MitigationAction)) -> Self {
        Self { operation_id: operation.to_string(), mitigation_action: Some(action.as_str()) }
    }
}

/// The action of an operation.
#[derive(ToSchema)]
#[schema(as = OperationActionInput)]
#[expect(dead_code, reason = "describes the body; `input` reads it")]
pub(super) struct ActionInput {
    /// `none`, `log` or `block`; null has the zone's default hold.
    #[schema(required = true, pattern = "^(none|log|block)$")]
    mitigation_action: Option<String>,
}

/// Actions by operation ids; what names no action stays as it is.
#[derive(ToSchema)]
#[schema(as = OperationActionsInput)]
#[expect(dead_code, reason = "describes the body; `input` reads it")]
pub(in crate::http::schema_validation) struct ActionsInput(BTreeMap<String, ActionChangeInput>);

/// The action of one of several operations.
#[derive(ToSchema)]
#[schema(as = OperationActionChange)]
#[expect(dead_code, reason = "describes the body; `input` reads it")]
struct ActionChangeInput {
    /// `none`, `log` or `block`; null has the zone's default hold.
    #[schema(required = false, pattern = "^(none|log|block)$")]
    mitigation_action: Option<String>,
}

/// The operation whose action was taken away.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RemovedOperationAction)]
pub(crate) struct RemovedBody {
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    pub(super) operation_id: String,
}

/// The envelope around one action, for the API description.
#[derive(ToSchema)]
#[schema(as = OperationActionAnswer)]
#[expect(dead_code, reason = "describes what `Envelope<ActionBody>` prints")]
pub(super) struct ActionAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: ActionBody,
}

/// The envelope around a page of actions, for the API description.
#[derive(ToSchema)]
#[schema(as = OperationActionPageAnswer)]
#[expect(dead_code, reason = "describes what a paged `Envelope<Vec<ActionBody>>` prints")]
pub(super) struct ActionPageAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<ActionBody>,
    result_info: ResultInfo,
}

/// The envelope around actions by operation ids, for the API description.
#[derive(ToSchema)]
#[schema(as = OperationActionsAnswer)]
#[expect(dead_code, reason = "describes what `Envelope<BTreeMap<String, ActionBody>>` prints")]
pub(super) struct ActionsAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: BTreeMap<String, ActionBody>,
}

/// The envelope around an operation whose action was taken away, for the API description.
#[derive(ToSchema)]
#[schema(as = RemovedOperationActionAnswer)]
#[expect(dead_code, reason = "describes what `Envelope<RemovedBody>` prints")]
pub(super) struct RemovedAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: RemovedBody,
}
