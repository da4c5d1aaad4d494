//! `GET …/schemas`: a zone's operations as OpenAPI documents (contract 6.3).

use axum::extract::State;
use demilune_inventory::Host;
use demilune_store::StoredThresholds;
use serde_json::{Map, Value};

use super::wire::{SchemasAnswer, SchemasBody};
use crate::{
    clock,
    export::{BYTES_MAX, ExportError, Extensions, Selection, documents},
    http::{
        SharedState,
        auth::ReadableZone,
        envelope::Envelope,
        error::{ApiError, Defect, FailureBody},
        input::sentence,
        operations::{Feature, threshold_members},
        query::Query,
    },
};

/// The operations of a zone as OpenAPI documents, one for each host.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/schemas", tag = "Schemas", operation_id = "schema_list",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("host" = Option<Vec<String>>, Query, description = "Keep these hosts."),
        ("feature" = Option<Vec<String>>, Query, description = "Add these features: `parameter_schemas` as parameters and bodies; `thresholds` and `confidence_intervals` as `x-demilune-thresholds` and `x-demilune-confidence-intervals`."),
        ("include_schema_kind" = Option<Vec<String>>, Query, description = "`learned` adds parameters and bodies, as the feature `parameter_schemas` does."),
    ),
    responses(
        (status = 200, description = "The documents; none where no operation is saved.", body = SchemasAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn list(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<SchemasBody>, ApiError> {
    let hosts = query.values("host", |text| text.parse::<Host>().map_err(|error| sentence(&error)));
    let features = query.values("feature", Feature::parse);
    let learned = !query.values("include_schema_kind", kind).is_empty();
    query.finish()?;

    let learned = learned || features.contains(&Feature::ParameterSchemas);
    let extensions = |stored: &StoredThresholds| extensions(&features, stored);
    let wanted = [Feature::Thresholds, Feature::ConfidenceIntervals].iter().any(|feature| features.contains(feature));
    let extensions = wanted.then_some(&extensions as &Extensions<'_>);
    let schemas = documents(&state.store, &zone, &Selection { hosts, learned, extensions }).await?;
    Ok(Envelope::new(SchemasBody { schemas, timestamp: clock::now().to_string() }))
}

/// The one kind of schema that there is; true.
fn kind(text: &str) -> Result<bool, &'static str> {
    if text.eq_ignore_ascii_case("learned") { Ok(true) } else { Err("The kind of schemas must be learned.") }
}

/// Thresholds and their intervals as members of an operation object.
fn extensions(features: &[Feature], stored: &StoredThresholds) -> Map<String, Value> {
    let members = threshold_members(features, stored).into_iter();
    members.map(|(name, value)| (format!("x-demilune-{name}").replace('_', "-"), value)).collect()
}

impl From<ExportError> for ApiError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::ZoneNotFound(zone) => Self::zone_unknown(zone.as_str()),
            ExportError::TooLarge => {
                let mebibytes = BYTES_MAX >> 20;
                let message = format!(
                    "The documents come to more than {mebibytes} MiB; ask for fewer hosts, or for less of them."
                );
                Defect::at("/host", message).into()
            }
            ExportError::Store(failure) => failure.into(),
        }
    }
}
