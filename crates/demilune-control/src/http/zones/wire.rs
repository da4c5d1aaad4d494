//! Zones as they look on the wire: the members that API clients read.

use demilune_store::Zone;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::envelope::{Message, ResultInfo};

/// One zone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Zone)]
pub(crate) struct ZoneBody {
    #[schema(max_length = 32)]
    id: String,
    name: String,
    #[schema(value_type = String, example = "active")]
    status: &'static str,
    paused: bool,
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "full")]
    kind: &'static str,
    #[schema(format = DateTime)]
    created_on: String,
}

impl From<&Zone> for ZoneBody {
    fn from(zone: &Zone) -> Self {
        Self {
            id: zone.id.to_string(),
            name: zone.name.clone(),
            // A zone here is in force from its creation to its deletion.
            status: "active",
            paused: false,
            kind: "full",
            created_on: zone.created_at.to_string(),
        }
    }
}

/// The envelope around one zone, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<ZoneBody>` prints")]
pub(crate) struct ZoneAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: ZoneBody,
}

/// The envelope around a page of zones, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what a paged `Envelope<Vec<ZoneBody>>` prints")]
pub(crate) struct ZonePageAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<ZoneBody>,
    result_info: ResultInfo,
}
