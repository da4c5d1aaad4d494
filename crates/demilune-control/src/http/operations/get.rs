//! `GET …/operations/{operation_id}`: one operation (contract 3.2).

use axum::extract::State;
use demilune_inventory::{Operation, ZoneId};
use demilune_schema::document::{Descriptions, OperationText, Options};
use demilune_store::{Store, StoreFailure};

use super::{
    SchemaInfos,
    feature::Feature,
    wire::{OperationAnswer, OperationBody},
};
use crate::{
    http::{
        SharedState,
        auth::{OperationInPath, ReadableZone},
        envelope::Envelope,
        error::{ApiError, FailureBody},
        query::{self, Query},
    },
    reading,
};

/// One operation of a zone.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}", tag = "Operations", operation_id = "operation_get",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
        ("feature" = Option<Vec<String>>, Query, description = "Show these features, empty or not."),
        ("with_schemas" = Option<bool>, Query, description = "Show the schemas that speak of the operation."),
    ),
    responses(
        (status = 200, description = "The operation.", body = OperationAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn get(
    ReadableZone(zone): ReadableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<OperationBody>, ApiError> {
    let features = query.values("feature", Feature::parse);
    let with_schemas = query.value("with_schemas", query::boolean).unwrap_or(false);
    query.finish()?;
    let operation = state.operation(&zone, id).await?;
    let infos = SchemaInfos::read(&state, &zone, &features, [&operation]).await?;
    let body = OperationBody::new(&operation, &features, &infos)?;
    if !with_schemas {
        return Ok(Envelope::new(body));
    }
    let uploaded = uploaded(&state.store, &zone, &operation.operation).await?;
    Ok(Envelope::new(body.with_schemas(&operation, uploaded)?))
}

/// What the newest enabled schema that was uploaded says of the operation.
async fn uploaded(store: &Store, zone: &ZoneId, operation: &Operation) -> Result<Option<OperationText>, StoreFailure> {
    let Some(schema) = store.user_schema_of_operation(zone, operation.id).await? else { return Ok(None) };
    let key = operation.key.clone();
    reading::one_at_a_time(move || {
        let options = Options { host: schema.default_host, ..Options::default() };
        Descriptions::read(schema.source.unwrap_or_default().as_bytes(), &options).0?.of(&key)
    })
    .await
}
