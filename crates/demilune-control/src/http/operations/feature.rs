//! The features of an operation, and how they are asked for (contract 2.5, 3.1).

use demilune_store::Route;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::Empty;

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

/// Features by name. One that was asked for and has no data yet is an empty object.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Features {
    #[serde(skip_serializing_if = "Option::is_none")]
    thresholds: Option<Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_schemas: Option<Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_info: Option<Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_routing: Option<ApiRouting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence_intervals: Option<Empty>,
}

/// Where the operation is sent (contract 2.5 C). Empty where it has no route.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ApiRouting {
    /// When the route was set last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_updated: Option<String>,
    /// The target.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
}

impl From<&Route> for ApiRouting {
    fn from(route: &Route) -> Self {
        Self { last_updated: Some(route.last_updated.to_string()), route: Some(route.target.to_string()) }
    }
}

impl Features {
    /// The features asked for; none if none were.
    pub(crate) fn requested(requested: &[Feature], known: &demilune_store::Features) -> Option<Self> {
        if requested.is_empty() {
            return None;
        }
        let mut features = Self::default();
        for feature in requested {
            match feature {
                Feature::Thresholds => features.thresholds = Some(Empty {}),
                Feature::ParameterSchemas => features.parameter_schemas = Some(Empty {}),
                Feature::SchemaInfo => features.schema_info = Some(Empty {}),
                Feature::ApiRouting => {
                    features.api_routing = Some(known.route.as_ref().map(ApiRouting::from).unwrap_or_default());
                }
                Feature::ConfidenceIntervals => features.confidence_intervals = Some(Empty {}),
            }
        }
        Some(features)
    }

    /// Every feature that has data; none if none has.
    pub(crate) fn known(known: &demilune_store::Features) -> Option<Self> {
        let route = known.route.as_ref()?;
        Some(Self { api_routing: Some(route.into()), ..Self::default() })
    }
}
