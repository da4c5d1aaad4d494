//! `GET …/operations`: a page of a zone's operations (contract 3.1).

use axum::extract::State;
use demilune_inventory::{Host, Method};
use demilune_store::{OperationOrder, OperationQuery, ThresholdKey};

use super::{
    SchemaInfos,
    feature::Feature,
    wire::{OperationBody, OperationPageAnswer},
};
use crate::http::{
    SharedState,
    auth::ReadableZone,
    envelope::Envelope,
    error::{ApiError, FailureBody},
    input::sentence,
    query::{Query, direction},
};

/// The members of the feature `thresholds` that a list can be ordered by (contract 2.5 A).
const THRESHOLD_KEYS: [(&str, ThresholdKey); 9] = [
    ("auth_id_tokens", ThresholdKey::AuthIdTokens),
    ("data_points", ThresholdKey::DataPoints),
    ("last_updated", ThresholdKey::LastUpdated),
    ("p50", ThresholdKey::P50),
    ("p90", ThresholdKey::P90),
    ("p99", ThresholdKey::P99),
    ("period_seconds", ThresholdKey::PeriodSeconds),
    ("requests", ThresholdKey::Requests),
    ("suggested_threshold", ThresholdKey::SuggestedThreshold),
];

/// The operations of a zone, page by page. Different filters combine; values of one are alternatives.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/operations", tag = "Operations", operation_id = "operation_list",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("page" = Option<i64>, Query, description = "The page, counted from 1."),
        ("per_page" = Option<i64>, Query, description = "Items on a page: 5 to 50, 20 unless told."),
        ("order" = Option<String>, Query, description = "Sort by `host`, `endpoint`, `method`, or `thresholds.` and a member of that feature, which must then be asked for. Unless told: host, endpoint, method."),
        ("direction" = Option<String>, Query, description = "`asc` or `desc`."),
        ("host" = Option<Vec<String>>, Query, description = "Keep these hosts."),
        ("method" = Option<Vec<String>>, Query, description = "Keep these methods."),
        ("endpoint" = Option<String>, Query, description = "Keep endpoints that contain this text."),
        ("feature" = Option<Vec<String>>, Query, description = "Show these features, empty or not."),
    ),
    responses(
        (status = 200, description = "A page; empty past the last one.", body = OperationPageAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn list(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<Vec<OperationBody>>, ApiError> {
    let features = query.values("feature", Feature::parse);
    let order = order(&mut query, &features);
    let descending = query.value("direction", direction).unwrap_or(false);
    let hosts = query.values("host", |text| text.parse::<Host>().map_err(|error| sentence(&error)));
    let methods = query.values("method", |text| text.parse::<Method>().map_err(|error| sentence(&error)));
    let endpoint_contains = query.text("endpoint").filter(|text| !text.is_empty()).map(str::to_owned);
    let page = query.page();
    query.finish()?;

    let (offset, limit) = (page.offset(), page.limit());
    let query = OperationQuery { hosts, methods, endpoint_contains, order, descending, offset, limit };
    let found = if features.contains(&Feature::ParameterSchemas) {
        state.store.operation_list_with_schemas(&zone, query).await?
    } else {
        state.store.operation_list(&zone, query).await?
    };
    let found = found.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    let info = page.info(found.operations.len(), found.total_count);
    let infos = SchemaInfos::read(&state, &zone, &features, &found.operations).await?;
    let bodies = found.operations.iter().map(|operation| OperationBody::new(operation, &features, &infos));
    Ok(Envelope::new(bodies.collect::<Result<_, _>>()?).with_page(info))
}

/// What to sort by.
fn order(query: &mut Query, features: &[Feature]) -> OperationOrder {
    let text = query.text("order").unwrap_or_default().to_ascii_lowercase();
    match text.as_str() {
        "" | "host" => return OperationOrder::Host,
        "endpoint" => return OperationOrder::Endpoint,
        "method" => return OperationOrder::Method,
        _ => {}
    }
    let Some(member) = text.strip_prefix("thresholds.") else {
        query.reject("order", "The order must be host, endpoint, method or thresholds.<member>.");
        return OperationOrder::Host;
    };
    let Some((_, key)) = THRESHOLD_KEYS.iter().find(|(name, _)| *name == member) else {
        let names = THRESHOLD_KEYS.map(|(name, _)| name).join(", ");
        query.reject("order", format!("The feature thresholds has these members: {names}."));
        return OperationOrder::Host;
    };
    if !features.contains(&Feature::Thresholds) {
        query.reject("order", "To sort by a member of thresholds, ask for it with feature=thresholds.");
    }
    OperationOrder::Thresholds(*key)
}
