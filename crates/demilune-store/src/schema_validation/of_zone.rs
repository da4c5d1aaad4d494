//! All that a gateway needs of a zone to validate requests, read from one moment.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{OperationId, ZoneId};

use super::{MitigationAction, ValidationSettings, actions, get_settings};
use crate::{
    connection::Connection,
    error::StoreFailure,
    trial::{self, Trial},
    user_schema::{self, SchemaId, UserSchema},
};

/// All that a gateway needs of a zone to validate requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneValidation {
    /// What the zone says.
    pub settings: ValidationSettings,
    /// The operations with an action of their own.
    pub actions: BTreeMap<OperationId, MitigationAction>,
    /// The enabled schemas, the newest first: of those that describe an operation, the first is in force. A schema never
    /// changes, so that the source is left out of those that the caller knows.
    pub schemas: Vec<UserSchema>,
    /// The document that is tried on requests, with its source as with theirs.
    pub trial: Option<Trial>,
}

/// All that a gateway needs of a zone, with the sources of the schemas that it does not know, in the transaction that is
/// open.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    known: &BTreeSet<SchemaId>,
) -> Result<ZoneValidation, StoreFailure> {
    let settings = get_settings(connection, zone).await?.unwrap_or_default();
    let actions = actions::all(connection, zone).await?;
    let mut schemas = user_schema::enabled(connection, zone).await?;
    for schema in schemas.iter_mut().filter(|schema| !known.contains(&schema.id)) {
        let whole = user_schema::get(connection, zone, schema.id, true).await?;
        schema.source = whole.and_then(|whole| whole.source);
    }
    let mut trial = trial::get(connection, zone, false).await?;
    if trial.as_ref().is_some_and(|trial| !known.contains(&trial.id)) {
        trial = trial::get(connection, zone, true).await?;
    }
    Ok(ZoneValidation { settings, actions, schemas, trial })
}
