//! What happens to requests that do not fit the schema of their operation: by zone, and by operation.

mod actions;
mod info;
mod of_zone;

use demilune_inventory::ZoneId;
pub use demilune_policy::rule::{MitigationAction, MitigationActionError, ValidationSettings};

pub use actions::{ActionChange, OperationAction, OperationActionPage};
pub(crate) use actions::{change as change_actions, get as action, list as actions};
pub(crate) use info::get as info;
pub use info::{ActiveSchema, SchemaInfo};
pub use of_zone::ZoneValidation;
pub(crate) use of_zone::get as of_zone;

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Column, Row, Value, columns},
    zone,
};

columns! { "validation_settings": DEFAULT_ACTION = 1 "default_action", IS_OFF = 2 "is_off" }

/// Reads both columns of settings; the defaults where they are null.
fn settings(row: &Row, default_action: Column, is_off: Column) -> Result<ValidationSettings, StoreFailure> {
    if row.is_null(default_action) {
        return Ok(ValidationSettings::default());
    }
    Ok(ValidationSettings { default_action: row.parse(default_action)?, is_off: row.flag(is_off)? })
}

/// What a zone says of validation; none if there is no such zone.
pub(crate) async fn get_settings(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
) -> Result<Option<ValidationSettings>, StoreFailure> {
    const SQL: &str = "SELECT z.zone_id, v.default_action, v.is_off FROM zones z \
                       LEFT JOIN validation_settings v ON v.zone_id = z.zone_id WHERE z.zone_id = $1";
    let rows = connection.query(SQL, vec![zone.as_str().into()]).await?;
    rows.first().map(|row| settings(row, DEFAULT_ACTION, IS_OFF)).transpose()
}

/// Changes what a zone says, in the transaction that is open; gives what it is then, and none if there is no such zone.
pub(crate) async fn change_settings(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    change: impl FnOnce(ValidationSettings) -> ValidationSettings,
) -> Result<Option<ValidationSettings>, QueryError> {
    const UPSERT: &str = "INSERT INTO validation_settings (zone_id, default_action, is_off) VALUES ($1, $2, $3) \
        ON CONFLICT (zone_id) DO UPDATE SET default_action = excluded.default_action, is_off = excluded.is_off";
    if !zone::lock(connection, zone).await? {
        return Ok(None);
    }
    let before = get_settings(connection, zone).await?.unwrap_or_default();
    let after = change(before);
    if after != before {
        let parameters =
            vec![zone.as_str().into(), after.default_action.as_str().into(), Value::Integer(after.is_off.into())];
        connection.query(UPSERT, parameters).await?;
        zone::advance(connection, zone).await?;
    }
    Ok(Some(after))
}
