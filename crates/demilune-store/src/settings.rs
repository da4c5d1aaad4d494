//! What a zone's gateway is told beside origins and routes: its settings, and what tells clients apart.

use demilune_inventory::ZoneId;
use demilune_policy::rule::{SessionIdentifier, ValidationLimits, ZoneSettings};

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Column, Row, Value, columns},
    zone,
};

/// One row of the table, which a zone only has once something was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredSettings {
    pub(crate) settings: ZoneSettings,
    /// In the order in which they are looked for.
    pub(crate) session_identifiers: Vec<SessionIdentifier>,
}

columns! { "zone_settings":
    UNMATCHED = 1 "unmatched",
    FORWARD_PATH = 2 "forward_path",
    HEAD_AS_GET = 3 "head_as_get",
    SESSION_IDENTIFIERS = 4 "session_identifiers",
    VALIDATED_BYTES_MAX = 5 "validated_bytes_max",
    SCHEMAS_MAX = 6 "schemas_max",
    SCHEMAS_BYTES_MAX = 7 "schemas_bytes_max",
}

fn stored(row: &Row) -> Result<StoredSettings, StoreFailure> {
    // The zone's id comes from another table, so that it is there when nothing was set.
    if row.is_null(UNMATCHED) {
        return Ok(StoredSettings::default());
    }
    let settings = ZoneSettings {
        unmatched: row.parse(UNMATCHED)?,
        forward_path: row.parse(FORWARD_PATH)?,
        head_as_get: row.flag(HEAD_AS_GET)?,
        limits: limits(row)?,
    };
    Ok(StoredSettings { settings, session_identifiers: row.parse_with(SESSION_IDENTIFIERS, parse_identifiers)? })
}

/// A limit that is null is the usual one: so are all that an earlier release wrote.
fn limits(row: &Row) -> Result<ValidationLimits, StoreFailure> {
    let number = |column: Column| {
        if row.is_null(column) { Ok(None) } else { row.count(column).map(|number| u32::try_from(number).ok()) }
    };
    let usual = ValidationLimits::default();
    Ok(ValidationLimits {
        validated_bytes_max: number(VALIDATED_BYTES_MAX)?,
        schemas_max: number(SCHEMAS_MAX)?.unwrap_or(usual.schemas_max),
        schemas_bytes_max: number(SCHEMAS_BYTES_MAX)?.unwrap_or(usual.schemas_bytes_max),
    })
}

/// One a line, as they print: no name holds a space or a line's end.
fn parse_identifiers(text: &str) -> Result<Vec<SessionIdentifier>, ()> {
    let parse = |line: &str| {
        let (kind, name) = line.split_once(' ').ok_or(())?;
        SessionIdentifier::parse(kind, name).map_err(|_| ())
    };
    text.lines().map(parse).collect()
}

fn print_identifiers(identifiers: &[SessionIdentifier]) -> String {
    let lines: Vec<_> = identifiers.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// What a zone's gateway is told; none if there is no such zone.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
) -> Result<Option<StoredSettings>, StoreFailure> {
    const SQL: &str = "SELECT z.zone_id, s.unmatched, s.forward_path, s.head_as_get, s.session_identifiers, \
                       s.validated_bytes_max, s.schemas_max, s.schemas_bytes_max FROM zones z LEFT JOIN zone_settings s ON s.zone_id = z.zone_id WHERE z.zone_id = $1";
    connection.query(SQL, vec![zone.as_str().into()]).await?.first().map(stored).transpose()
}

/// Changes it, in the transaction that is open; gives what it is then, and none if there is no such zone.
pub(crate) async fn change(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    change: impl FnOnce(&mut StoredSettings),
) -> Result<Option<StoredSettings>, QueryError> {
    if !zone::lock(connection, zone).await? {
        return Ok(None);
    }
    let before = get(connection, zone).await?.unwrap_or_default();
    let mut after = before.clone();
    change(&mut after);
    if after != before {
        put(connection, zone, &after).await?;
        zone::advance(connection, zone).await?;
    }
    Ok(Some(after))
}

async fn put(connection: &mut Connection<'_>, zone: &ZoneId, stored: &StoredSettings) -> Result<(), QueryError> {
    const SQL: &str = "INSERT INTO zone_settings (zone_id, unmatched, forward_path, head_as_get, session_identifiers, \
        validated_bytes_max, schemas_max, schemas_bytes_max) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (zone_id) DO UPDATE SET unmatched = excluded.unmatched, \
        forward_path = excluded.forward_path, head_as_get = excluded.head_as_get, \
        session_identifiers = excluded.session_identifiers, validated_bytes_max = excluded.validated_bytes_max, \
        schemas_max = excluded.schemas_max, schemas_bytes_max = excluded.schemas_bytes_max";
    let StoredSettings { settings, session_identifiers } = stored;
    let limits = settings.limits;
    let parameters = vec![
        zone.as_str().into(),
        settings.unmatched.as_str().into(),
        settings.forward_path.as_str().into(),
        Value::Integer(settings.head_as_get.into()),
        Value::Text(print_identifiers(session_identifiers)),
        Value::IntegerOrNull(limits.validated_bytes_max.map(i64::from)),
        Value::Integer(limits.schemas_max.into()),
        Value::Integer(limits.schemas_bytes_max.into()),
    ];
    connection.query(SQL, parameters).await.map(drop)
}
