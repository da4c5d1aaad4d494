//! The features of an operation, and how they are asked for (contract 2.5, 3.1).

use demilune_store::{Route, StoreFailure, StoredOperation, StoredThresholds};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    parameter_schemas::ParameterSchemas,
    schema_info::{SchemaInfoBody, SchemaInfos},
    thresholds::{ConfidenceIntervals, Thresholds},
};
use crate::schemas::LearnedSchema;

/// A feature that a request may ask for. The last two go beyond the published list of three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    Thresholds,
    ParameterSchemas,
    SchemaInfo,
    ApiRouting,
    ConfidenceIntervals,
}

impl Feature {
    /// The features that an operation has data for.
    pub(crate) fn filled(stored: &demilune_store::Features) -> Vec<Self> {
        let routing = stored.route.iter().map(|_| Self::ApiRouting);
        let thresholds = stored.thresholds.iter().flat_map(|_| [Self::Thresholds, Self::ConfidenceIntervals]);
        let schemas = stored.parameter_schemas.iter().map(|_| Self::ParameterSchemas);
        routing.chain(thresholds).chain(schemas).collect()
    }

    /// Reads a value of `feature`, in any letter case as Terraform sends it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text.to_ascii_lowercase().as_str() {
            "thresholds" => Ok(Self::Thresholds),
            "parameter_schemas" => Ok(Self::ParameterSchemas),
            "schema_info" => Ok(Self::SchemaInfo),
            "api_routing" => Ok(Self::ApiRouting),
            "confidence_intervals" => Ok(Self::ConfidenceIntervals),
            _ => Err(
                "A feature must be thresholds, parameter_schemas, schema_info, api_routing or confidence_intervals; \
                 repeat the parameter for several.",
            ),
        }
    }
}

/// Features by name. One that was asked for and has no data is an empty object, but for `schema_info`.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Features {
    #[serde(skip_serializing_if = "Option::is_none")]
    thresholds: Option<Thresholds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_schemas: Option<ParameterSchemas>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_info: Option<SchemaInfoBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_routing: Option<ApiRouting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence_intervals: Option<ConfidenceIntervals>,
}

/// Where the operation's requests are sent; empty while it has no route.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ApiRouting {
    /// When the route was last set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_updated: Option<String>,
    /// The target.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 8192)]
    route: Option<String>,
}

impl Features {
    /// The features asked for; none if none were.
    pub(crate) fn requested(
        requested: &[Feature],
        stored: &StoredOperation,
        infos: &SchemaInfos,
    ) -> Result<Option<Self>, StoreFailure> {
        if requested.is_empty() {
            return Ok(None);
        }
        let asked = |feature| requested.contains(&feature);
        let features = &stored.features;
        let thresholds = features.thresholds.as_ref().map(|StoredThresholds { thresholds, .. }| thresholds);
        let parameter_schemas = match learned(stored) {
            _ if !asked(Feature::ParameterSchemas) => None,
            Some(learned) => Some(learned?.into()),
            None => Some(ParameterSchemas::default()),
        };
        Ok(Some(Self {
            thresholds: asked(Feature::Thresholds).then(|| thresholds.map(Thresholds::from).unwrap_or_default()),
            parameter_schemas,
            schema_info: asked(Feature::SchemaInfo).then(|| infos.of(stored.operation.id)),
            api_routing: asked(Feature::ApiRouting).then(|| ApiRouting::of(features.route.as_ref())),
            confidence_intervals: asked(Feature::ConfidenceIntervals)
                .then(|| thresholds.map(ConfidenceIntervals::from).unwrap_or_default()),
        }))
    }
}

/// What was learned about an operation.
pub(super) fn learned(operation: &StoredOperation) -> Option<Result<LearnedSchema, StoreFailure>> {
    let stored = operation.features.parameter_schemas.as_ref()?;
    Some(LearnedSchema::read(operation.operation.id, stored))
}

/// Thresholds and their intervals, where they were asked for, by the names of the features.
pub(crate) fn threshold_members(features: &[Feature], stored: &StoredThresholds) -> Vec<(&'static str, Value)> {
    let mut members = Vec::new();
    if features.contains(&Feature::Thresholds) {
        members.push(("thresholds", json!(Thresholds::from(&stored.thresholds))));
    }
    if features.contains(&Feature::ConfidenceIntervals) {
        members.push(("confidence_intervals", json!(ConfidenceIntervals::from(&stored.thresholds))));
    }
    members
}

impl ApiRouting {
    fn of(route: Option<&Route>) -> Self {
        Self {
            last_updated: route.map(|route| route.last_updated.to_string()),
            route: route.map(|route| route.target.to_string()),
        }
    }
}
