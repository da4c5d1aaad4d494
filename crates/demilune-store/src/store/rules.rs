//! Questions about what a zone's ruleset is made from.

use std::collections::BTreeSet;

use demilune_inventory::{Host, OperationId, Timestamp, ZoneId};
use demilune_policy::rule::{Origin, RouteTarget, SessionIdentifier, ZoneRules, ZoneSettings};

use super::{
    Backend, Changes, Connection, QueryError, SqliteConnection, Store, StoreFailure, TRIES_MAX, ready, transaction,
};
use crate::{
    error::OriginSetError,
    origin::{self, OriginRecord},
    route::{self, Route},
    rules::{self, GatewayRules},
    settings,
    user_schema::SchemaId,
    zone,
};

impl Store {
    /// A zone's rules, all from one moment; none if there is no such zone.
    pub async fn zone_rules(&self, zone: &ZoneId) -> Result<Option<ZoneRules>, StoreFailure> {
        let zone = zone.clone();
        read!(self, transaction, |connection| rules::get(connection, &zone))
    }

    /// A zone's rules with what its gateways are told beside them, all from one moment, without the sources
    /// of the schemas that are `known`; none if there is no such zone.
    pub async fn gateway_rules(
        &self,
        zone: &ZoneId,
        known: BTreeSet<SchemaId>,
    ) -> Result<Option<GatewayRules>, StoreFailure> {
        let zone = zone.clone();
        read!(self, transaction, |connection| rules::get_for_gateway(connection, &zone, &known))
    }

    /// Every zone with its revision, by id. Cheap enough to be asked all the time.
    pub async fn zone_revisions(&self) -> Result<Vec<(ZoneId, u64)>, StoreFailure> {
        read!(self, |connection| zone::revisions(connection))
    }

    /// Tells from now on when a revision may have advanced.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.inner.announcer.subscribe()
    }

    /// What tells a zone's clients apart, in the order in which it is looked for, with the names as they were given;
    /// none if there is no such zone.
    pub async fn session_identifiers_get(&self, zone: &ZoneId) -> Result<Option<Vec<SessionIdentifier>>, StoreFailure> {
        let zone = zone.clone();
        let stored = read!(self, |connection| settings::get(connection, &zone))?;
        Ok(stored.map(|stored| stored.session_identifiers))
    }

    /// Replaces what tells a zone's clients apart; false if there is no such zone.
    pub async fn session_identifiers_set(
        &self,
        zone: &ZoneId,
        identifiers: Vec<SessionIdentifier>,
    ) -> Result<bool, StoreFailure> {
        let changed: Result<_, StoreFailure> = change!(self, (zone, identifiers), |connection| {
            settings::change(connection, &zone, |stored| stored.session_identifiers = identifiers)
        });
        Ok(changed?.is_some())
    }

    /// A zone's settings; none if there is no such zone.
    pub async fn zone_settings_get(&self, zone: &ZoneId) -> Result<Option<ZoneSettings>, StoreFailure> {
        let zone = zone.clone();
        let stored = read!(self, |connection| settings::get(connection, &zone))?;
        Ok(stored.map(|stored| stored.settings))
    }

    /// Replaces a zone's settings; false if there is no such zone.
    pub async fn zone_settings_set(&self, zone: &ZoneId, settings: ZoneSettings) -> Result<bool, StoreFailure> {
        Ok(self.zone_settings_change(zone, move |_| settings).await?.is_some())
    }

    /// Changes a zone's settings by what they are, and gives what they are then; none if there is no such zone. Of
    /// several changes at once, each sees what those before it have made.
    pub async fn zone_settings_change(
        &self,
        zone: &ZoneId,
        to: impl FnOnce(ZoneSettings) -> ZoneSettings + Clone + Send + 'static,
    ) -> Result<Option<ZoneSettings>, StoreFailure> {
        let changed: Result<_, StoreFailure> = change!(self, (zone, to), |connection| {
            settings::change(connection, &zone, |stored| stored.settings = to(stored.settings))
        });
        Ok(changed?.map(|stored| stored.settings))
    }

    /// Sets the route of an operation, whose endpoint the target was parsed for; none if there is no such operation.
    /// The route's `last_updated` becomes max(now, old + 1 µs).
    pub async fn route_set(
        &self,
        zone: &ZoneId,
        id: OperationId,
        target: RouteTarget,
        now: Timestamp,
    ) -> Result<Option<Route>, StoreFailure> {
        change!(self, (zone, target), |connection| route::set(connection, &zone, id, target, now))
    }

    /// Removes the route of an operation; false if there was none.
    pub async fn route_delete(&self, zone: &ZoneId, id: OperationId) -> Result<bool, StoreFailure> {
        change!(self, (zone), |connection| route::delete(connection, &zone, id))
    }

    /// A zone's origins by the bytes of their hosts; none if there is no such zone.
    pub async fn origin_list(&self, zone: &ZoneId) -> Result<Option<Vec<OriginRecord>>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| origin::list(connection, &zone))
    }

    /// Adds an origin, or replaces the one of its host. Its `last_updated` becomes max(now, old + 1 µs).
    pub async fn origin_set(
        &self,
        zone: &ZoneId,
        origin: Origin,
        now: Timestamp,
    ) -> Result<OriginRecord, OriginSetError> {
        let set: Result<_, StoreFailure> =
            change!(self, (zone, origin), |connection| origin::set(connection, &zone, &origin, now));
        set?
    }

    /// Removes the origin of a host, written as it was set; false if there was none.
    pub async fn origin_delete(&self, zone: &ZoneId, host: &Host) -> Result<bool, StoreFailure> {
        change!(self, (zone, host), |connection| origin::delete(connection, &zone, &host))
    }
}
