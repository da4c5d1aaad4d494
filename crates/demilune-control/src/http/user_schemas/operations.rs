//! `GET …/user_schemas/{schema_id}/operations`: what a schema describes (contract 6.7).

use axum::extract::State;
use demilune_inventory::{Host, Method};
use demilune_store::{SchemaOperation, SchemaOperationQuery};

use super::wire::{NewOperationBody, SchemaOperationBody, SchemaOperationPageAnswer};
use crate::http::{
    SharedState,
    auth::{ReadableZone, SchemaInPath},
    envelope::Envelope,
    error::{ApiError, FailureBody},
    input::sentence,
    operations::{Feature, OperationBody, SchemaInfos},
    query::Query,
};

/// What a schema describes, by host, endpoint and method: operations of the zone whole, others by their key alone.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/user_schemas/{schema_id}/operations", tag = "Validation", operation_id = "user_schema_operations",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("schema_id" = String, Path, description = "The schema.", min_length = 36, max_length = 36),
        ("page" = Option<i64>, Query, description = "The page, counted from 1."),
        ("per_page" = Option<i64>, Query, description = "Items on a page: 5 to 50, 20 unless told."),
        ("host" = Option<Vec<String>>, Query, description = "Keep these hosts."),
        ("method" = Option<Vec<String>>, Query, description = "Keep these methods."),
        ("endpoint" = Option<String>, Query, description = "Keep endpoints that contain this text."),
        ("feature" = Option<Vec<String>>, Query, description = "Show these features of the zone's operations, empty or not."),
        ("operation_status" = Option<String>, Query, description = "`existing` keeps what the zone has, `new` what it does not have."),
    ),
    responses(
        (status = 200, description = "A page; empty past the last one.", body = SchemaOperationPageAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn operations(
    ReadableZone(zone): ReadableZone,
    SchemaInPath(id): SchemaInPath,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<Vec<SchemaOperationBody>>, ApiError> {
    let features = query.values("feature", Feature::parse);
    let hosts = query.values("host", |text| text.parse::<Host>().map_err(|error| sentence(&error)));
    let methods = query.values("method", |text| text.parse::<Method>().map_err(|error| sentence(&error)));
    let endpoint_contains = query.text("endpoint").filter(|text| !text.is_empty()).map(str::to_owned);
    let is_saved = query.value("operation_status", is_saved);
    let page = query.page();
    query.finish()?;

    let (offset, limit) = (page.offset(), page.limit());
    let wanted = SchemaOperationQuery { hosts, methods, endpoint_contains, is_saved, offset, limit };
    let Some(found) = state.store.user_schema_operations(&zone, id, wanted).await? else {
        return Err(state.missing(&zone, ApiError::schema_unknown()).await?);
    };
    let saved = found.operations.iter().filter_map(|found| found.saved.as_ref());
    let infos = SchemaInfos::read(&state, &zone, &features, saved).await?;
    let info = page.info(found.operations.len(), found.total_count);
    let bodies = found.operations.iter().map(|found| body(found, &features, &infos));
    Ok(Envelope::new(bodies.collect::<Result<_, ApiError>>()?).with_page(info))
}

fn is_saved(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "existing" => Ok(true),
        "new" => Ok(false),
        _ => Err("The operation_status must be new or existing."),
    }
}

fn body(found: &SchemaOperation, features: &[Feature], infos: &SchemaInfos) -> Result<SchemaOperationBody, ApiError> {
    let Some(saved) = &found.saved else {
        return Ok(SchemaOperationBody::New(NewOperationBody {
            method: found.key.method.as_str(),
            host: found.key.host.to_string(),
            endpoint: found.key.endpoint.to_string(),
        }));
    };
    Ok(SchemaOperationBody::Saved(Box::new(OperationBody::new(saved, features, infos)?)))
}
