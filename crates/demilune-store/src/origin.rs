//! Origins: where the requests for a host are sent, and with that, which zone they belong to.

use demilune_inventory::{Host, Timestamp, ZoneId};
use demilune_policy::rule::{HostHeader, Origin};

use crate::{
    connection::Connection,
    error::{OriginSetError, QueryError, StoreFailure},
    row::{Row, Value, columns},
    zone,
};

/// Most origins of a zone: each is compared with every new one, and all of them are in the memory of every gateway.
pub const ORIGINS_PER_ZONE_MAX: usize = 1_000;

/// Held while an origin is set, so that two processes cannot give one host to two zones. Any number will do that
/// differs from those of other locks, as long as every release uses the same.
const POSTGRES_LOCK: i64 = 0x64_65_6d_69_6f_72_69_67;

/// An origin as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRecord {
    /// The origin.
    pub origin: Origin,
    /// When it was last set.
    pub last_updated: Timestamp,
}

columns! { "origins":
    HOST = 0 "host",
    URL = 1 "url",
    HOST_HEADER = 2 "host_header",
    LAST_UPDATED = 3 "last_updated",
}

fn record(row: &Row) -> Result<OriginRecord, StoreFailure> {
    let host_header = row.parse_or_null(HOST_HEADER)?.unwrap_or(HostHeader::Client);
    let origin = Origin { host: row.parse(HOST)?, url: row.parse(URL)?, host_header };
    Ok(OriginRecord { origin, last_updated: row.time(LAST_UPDATED)? })
}

/// The origins of a zone by the bytes of their hosts; none if there is no such zone.
pub(crate) async fn list(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
) -> Result<Option<Vec<OriginRecord>>, StoreFailure> {
    const SQL: &str = "SELECT o.host, o.url, o.host_header, o.last_updated FROM zones z \
                       LEFT JOIN origins o ON o.zone_id = z.zone_id WHERE z.zone_id = $1 ORDER BY o.host";
    let rows = connection.query(SQL, vec![zone.as_str().into()]).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    // A zone without origins is one row of nulls.
    let filled = rows.iter().filter(|row| !row.is_null(HOST));
    filled.map(record).collect::<Result<_, _>>().map(Some)
}

/// Adds an origin or replaces the one of its host, in the transaction that is open.
pub(crate) async fn set(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    origin: &Origin,
    now: Timestamp,
) -> Result<Result<OriginRecord, OriginSetError>, QueryError> {
    const UPSERT: &str = "INSERT INTO origins (zone_id, host, url, host_header, last_updated) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (zone_id, host) DO UPDATE SET url = excluded.url, \
        host_header = excluded.host_header, last_updated = CASE WHEN excluded.last_updated > origins.last_updated \
        THEN excluded.last_updated ELSE origins.last_updated + 1 END \
        RETURNING host, url, host_header, last_updated";
    connection.lock(POSTGRES_LOCK).await?;
    if !zone::lock(connection, zone).await? {
        return Ok(Err(OriginSetError::ZoneUnknown));
    }
    if let Some((zone, host)) = owner(connection, zone, &origin.host).await? {
        return Ok(Err(OriginSetError::Overlap { zone, host }));
    }
    let there = list(connection, zone).await?.unwrap_or_default();
    let before = there.iter().find(|record| record.origin.host == origin.host);
    if before.is_none() && there.len() >= ORIGINS_PER_ZONE_MAX {
        return Ok(Err(OriginSetError::TooMany));
    }
    let host_header = match &origin.host_header {
        HostHeader::Client => None,
        HostHeader::Fixed(text) => Some(text.to_string()),
    };
    let parameters = vec![
        zone.as_str().into(),
        origin.host.as_str().into(),
        Value::Text(origin.url.to_string()),
        Value::TextOrNull(host_header),
        now.into(),
    ];
    let stored = connection.query(UPSERT, parameters).await?;
    let missing = || StoreFailure::Internal("an upsert answered without its row".into());
    let stored = record(stored.first().ok_or_else(missing)?)?;
    if before.is_none_or(|before| before.origin != stored.origin) {
        zone::advance(connection, zone).await?;
    }
    Ok(Ok(stored))
}

/// Removes the origin of a host, in the transaction that is open; false if there was none.
pub(crate) async fn delete(connection: &mut Connection<'_>, zone: &ZoneId, host: &Host) -> Result<bool, QueryError> {
    const SQL: &str = "DELETE FROM origins WHERE zone_id = $1 AND host = $2 RETURNING host";
    if !zone::lock(connection, zone).await? {
        return Ok(false);
    }
    let found = !connection.query(SQL, vec![zone.as_str().into(), host.as_str().into()]).await?.is_empty();
    if found {
        zone::advance(connection, zone).await?;
    }
    Ok(found)
}

/// Another zone, and its pattern that some host fits which fits this one too.
async fn owner(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    host: &Host,
) -> Result<Option<(ZoneId, Host)>, StoreFailure> {
    const SQL: &str = "SELECT host, zone_id FROM origins WHERE zone_id <> $1 ORDER BY zone_id, host";
    columns! { "origins": ZONE_ID = 1 "zone_id" }
    for row in connection.query(SQL, vec![zone.as_str().into()]).await? {
        let taken = row.parse(HOST)?;
        if hosts_overlap(host, &taken) {
            return Ok(Some((row.parse(ZONE_ID)?, taken)));
        }
    }
    Ok(None)
}

fn hosts_overlap(first: &Host, second: &Host) -> bool {
    let labels = |host: &Host| host.as_str().split('.').map(str::to_owned).collect::<Vec<_>>();
    let (first, second) = (labels(first), labels(second));
    let fits = |(one, other): (&String, &String)| one == other || one.starts_with('{') || other.starts_with('{');
    first.len() == second.len() && first.iter().zip(&second).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap_when_some_host_fits_both() {
        let check = |first: &str, second: &str, expected: bool| {
            let (first, second) = (first.parse().unwrap(), second.parse().unwrap());
            assert_eq!(hosts_overlap(&first, &second), expected, "{first} {second}");
            assert_eq!(hosts_overlap(&second, &first), expected, "{second} {first}");
        };
        check("a.example.com", "a.example.com", true);
        check("a.example.com", "b.example.com", false);
        check("{x}.example.com", "a.example.com", true);
        check("{x}.example.com", "example.com", false);
        check("{x}.b.example.com", "a.{y}.example.com", true);
        check("{x}.b.example.com", "a.c.example.com", false);
        check("{x}", "localhost", true);
    }
}
