//! `GET` and `PUT …/api_gateway/configuration`: what tells API clients apart (contract 6.1).

use axum::extract::State;
use demilune_policy::rule::{SessionIdentifier, SessionIdentifierError};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    SharedState,
    auth::{ReadableZone, WritableZone},
    body::JsonBody,
    envelope::{Envelope, Message},
    error::{ApiError, Defect, FailureBody},
    member::sentence,
    query::{self, Query},
};

/// The configuration of a zone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Configuration)]
pub(crate) struct ConfigurationBody {
    /// What tells one client from another: the first that a request carries counts.
    auth_id_characteristics: Vec<CharacteristicBody>,
}

/// A header or a cookie that tells clients apart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthIdCharacteristic)]
pub(crate) struct CharacteristicBody {
    /// The header's or cookie's name.
    #[schema(max_length = 128)]
    name: String,
    #[serde(rename = "type")]
    #[schema(value_type = String, pattern = "^(header|cookie)$")]
    kind: &'static str,
}

/// The envelope around a configuration, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<ConfigurationBody>` prints")]
pub(crate) struct ConfigurationAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: ConfigurationBody,
}

impl ConfigurationBody {
    fn new(identifiers: &[SessionIdentifier]) -> Self {
        let characteristics = identifiers.iter().map(|identifier| CharacteristicBody {
            name: identifier.name().to_owned(),
            kind: identifier.kind().as_str(),
        });
        Self { auth_id_characteristics: characteristics.collect() }
    }
}

/// What tells the zone's API clients apart.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/configuration", tag = "Settings", operation_id = "configuration_get",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("normalize" = Option<bool>, Query, description = "Show header names in lower case."),
        ("properties" = Option<Vec<String>>, Query, description = "What to show: auth_id_characteristics, the one there is."),
    ),
    responses(
        (status = 200, description = "The configuration.", body = ConfigurationAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn get(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<ConfigurationBody>, ApiError> {
    let normalize = read_query(&mut query);
    query.finish()?;
    let found = state.store.session_identifiers_get(&zone).await?;
    let identifiers = found.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    Ok(Envelope::new(ConfigurationBody::new(&normalized(identifiers, normalize))))
}

/// Replaces what tells the zone's API clients apart; an empty list clears it.
#[utoipa::path(put, path = "/zones/{zone_id}/api_gateway/configuration", tag = "Settings", operation_id = "configuration_put",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("normalize" = Option<bool>, Query, description = "Keep header names in lower case."),
    ),
    request_body = ConfigurationBody,
    responses(
        (status = 200, description = "The configuration as it is now.", body = ConfigurationAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn put(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    mut query: Query,
    JsonBody(body): JsonBody,
) -> Result<Envelope<ConfigurationBody>, ApiError> {
    let normalize = read_query(&mut query);
    query.finish()?;
    let identifiers = match read(&body) {
        Ok(identifiers) => normalized(identifiers, normalize),
        Err(defects) => return ApiError::collect(defects).and(Err(ApiError::internal())),
    };
    let answer = ConfigurationBody::new(&identifiers);
    if !state.store.session_identifiers_set(&zone, identifiers).await? {
        return Err(ApiError::zone_unknown(zone.as_str()));
    }
    Ok(Envelope::new(answer))
}

/// Whether names are wanted in normalized form. Older clients name the one property there is.
fn read_query(query: &mut Query) -> bool {
    query.values("properties", |text| {
        let known = text == "auth_id_characteristics";
        known.then_some(()).ok_or("The only property is auth_id_characteristics; leave the parameter out.")
    });
    query.value("normalize", query::boolean).unwrap_or(false)
}

fn normalized(identifiers: Vec<SessionIdentifier>, normalize: bool) -> Vec<SessionIdentifier> {
    if normalize { identifiers.iter().map(SessionIdentifier::normalized).collect() } else { identifiers }
}

const MEMBER: &str = "auth_id_characteristics";

fn read(body: &Value) -> Result<Vec<SessionIdentifier>, Vec<Defect>> {
    let pointer = format!("/{MEMBER}");
    let Some(Value::Array(entries)) = body.get(MEMBER) else {
        let message = format!("The member {MEMBER} must be an array of objects with the members name and type.");
        return Err(vec![Defect::at(pointer, message)]);
    };
    if entries.len() > SessionIdentifier::PER_ZONE_MAX {
        let message = format!("A zone has at most {} of these; leave some out.", SessionIdentifier::PER_ZONE_MAX);
        return Err(vec![Defect::at(pointer, message)]);
    }
    let (mut identifiers, mut defects) = (Vec::<SessionIdentifier>::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        match read_entry(entry, &pointer) {
            Ok(identifier) if identifiers.iter().any(|other| other.normalized() == identifier.normalized()) => {
                defects.push(Defect::at(pointer, format!("{identifier} stands in the list already; leave it out.")));
            }
            Ok(identifier) => identifiers.push(identifier),
            Err(found) => defects.extend(found),
        }
    }
    if defects.is_empty() { Ok(identifiers) } else { Err(defects) }
}

fn read_entry(entry: &Value, pointer: &str) -> Result<SessionIdentifier, Vec<Defect>> {
    let text = |name: &str| {
        let given = entry.get(name).and_then(Value::as_str);
        given.ok_or_else(|| Defect::at(format!("{pointer}/{name}"), format!("The member {name} must be a string.")))
    };
    match (text("type"), text("name")) {
        (Ok(kind), Ok(name)) => SessionIdentifier::parse(kind, name).map_err(|error| {
            let member = if matches!(error, SessionIdentifierError::Name(_)) { "name" } else { "type" };
            vec![Defect::at(format!("{pointer}/{member}"), sentence(&error))]
        }),
        (kind, name) => Err([kind.err(), name.err()].into_iter().flatten().collect()),
    }
}
