//! The features of an operation, and how they are asked for (contract 2.5, 3.1).

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::envelope::Empty;

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
    api_routing: Option<Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence_intervals: Option<Empty>,
}

impl Features {
    /// The features asked for; none if none were.
    pub(crate) fn requested(requested: &[Feature]) -> Option<Self> {
        if requested.is_empty() {
            return None;
        }
        let mut features = Self::default();
        for feature in requested {
            let slot = match feature {
                Feature::Thresholds => &mut features.thresholds,
                Feature::ParameterSchemas => &mut features.parameter_schemas,
                Feature::SchemaInfo => &mut features.schema_info,
                Feature::ApiRouting => &mut features.api_routing,
                Feature::ConfidenceIntervals => &mut features.confidence_intervals,
            };
            *slot = Some(Empty {});
        }
        Some(features)
    }
}
