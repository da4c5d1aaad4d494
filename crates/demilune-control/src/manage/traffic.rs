//! The commands that bring in counts of requests that were served elsewhere.

use base64::{Engine, engine::general_purpose::STANDARD};
use demilune_discovery::Sightings;
use demilune_inventory::ZoneId;
use demilune_policy::rule::{SessionIdentifier, ZoneRules};
use demilune_schema::learn::Evidence;
use demilune_store::{LearningRow, SightingsRow, TrafficKey, TrafficRow, Zone};
use demilune_traffic::{Bucket, Hour, Record, SessionSample, Snapshot, Source};

use super::{
    LearningRowText, ManageError, Manager, OperationView, Reply, RowsStoredView, SessionIdentifierView,
    SightingsRowText, TrafficRowText, TrafficRulesView, TrafficStoredView,
};
use crate::{clock, jobs::discovery};

/// Where counts come from.
pub(super) struct Import {
    pub(super) source: String,
    pub(super) content: String,
    pub(super) session_by: Option<String>,
}

impl Manager {
    pub(super) async fn traffic_rules(&self, zone: Option<&str>) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?;
        let rules = self.store.zone_rules(&zone.id).await?.ok_or_else(|| ManageError::ZoneGone(zone.id.clone()))?;
        Ok(Reply::TrafficRules(self.rules_view(&zone, &rules)))
    }

    pub(super) async fn traffic_store(
        &self,
        zone: &str,
        import: Import,
        first: bool,
        rows: &[TrafficRowText],
    ) -> Result<Reply, ManageError> {
        let zone = self.zone_find(Some(zone)).await?.id;
        let source = source_named(&import.source)?;
        let rows = rows.iter().map(|row| decode(&zone, &source, row)).collect::<Result<Vec<_>, _>>()?;
        let mut replaced = false;
        if first {
            let Import { content, session_by, .. } = &import;
            let begun = self.store.import_begin(&zone, content, &source, session_by.as_deref(), clock::now()).await?;
            replaced = begun.replaced;
        }
        let written = self.store.traffic_write(rows, clock::now()).await?;
        Ok(Reply::TrafficStored(TrafficStoredView {
            stored: (written.stored - written.already_there) as u64,
            already_there: written.already_there as u64,
            refused_late: written.refused_late as u64,
            replaced,
        }))
    }

    pub(super) async fn learning_store(
        &self,
        zone: &str,
        source: &str,
        rows: &[LearningRowText],
    ) -> Result<Reply, ManageError> {
        let zone = self.zone_find(Some(zone)).await?.id;
        let source = source_named(source)?;
        let rows = rows.iter().map(|row| decode_evidence(&zone, &source, row)).collect::<Result<Vec<_>, _>>()?;
        let written = self.store.learning_write(rows, clock::now()).await?;
        Ok(Reply::LearningStored(RowsStoredView {
            stored: written.stored as u64,
            refused_late: written.refused_late as u64,
        }))
    }

    pub(super) async fn sightings_store(
        &self,
        zone: &str,
        source: &str,
        row: SightingsRowText,
    ) -> Result<Reply, ManageError> {
        let zone = self.zone_find(Some(zone)).await?.id;
        let source = source_named(source)?;
        let row = discovery::run(move || decode_sightings(zone, source, &row)).await??;
        let stored = self.store.sightings_write(row, clock::now()).await?;
        Ok(Reply::SightingsStored(RowsStoredView { stored: u64::from(stored), refused_late: u64::from(!stored) }))
    }

    /// Without the key's check where no server hashes sessions: a key that lies about need not be the right one.
    fn rules_view(&self, zone: &Zone, rules: &ZoneRules) -> TrafficRulesView {
        let key = self.session_key.as_ref().filter(|_| self.server.is_some());
        let hash = key.map(|key| key.hash_field(TrafficRulesView::KEY_CHECK, &[]).to_string());
        TrafficRulesView {
            zone: zone.into(),
            operations: rules.operations.iter().map(OperationView::from).collect(),
            origin_hosts: rules.origins.iter().map(|origin| origin.host.to_string()).collect(),
            session_identifiers: rules.session_identifiers.iter().map(SessionIdentifierView::from).collect(),
            head_as_get: rules.settings.head_as_get,
            key_check: hash,
        }
    }
}

impl From<&SessionIdentifier> for SessionIdentifierView {
    fn from(identifier: &SessionIdentifier) -> Self {
        Self { kind: identifier.kind().as_str().to_owned(), name: identifier.name().to_owned() }
    }
}

fn source_named(text: &str) -> Result<Source, ManageError> {
    text.parse().map_err(|error| ManageError::TrafficSource(text.to_owned(), error))
}

/// Reads a row; whatever it holds, what is accepted is what some requests could have left.
fn decode(zone: &ZoneId, source: &Source, row: &TrafficRowText) -> Result<TrafficRow, ManageError> {
    let refused = ManageError::TrafficRow;
    let operation = row.operation.as_deref().map(str::parse).transpose();
    let operation = operation.map_err(|_| refused("its operation is no id"))?;
    let bucket = Bucket::starting_at(row.bucket).ok_or(refused("its time is not the start of five minutes"))?;
    let bytes = |text: &str| STANDARD.decode(text).map_err(|_| refused("it is not in Base64"));
    let record = Record::decode(&bytes(&row.record)?).map_err(|_| refused("its record is damaged"))?;
    let sessions = SessionSample::decode(&bytes(&row.sessions)?).map_err(|_| refused("its sessions are damaged"))?;
    if row.sequence != record.requests() || sessions.requests() > record.requests() {
        return Err(refused("its parts contradict each other"));
    }
    if operation.is_none() && !sessions.is_empty() {
        return Err(refused("it has sessions without an operation"));
    }
    let snapshot = Snapshot { sequence: row.sequence, record, sessions };
    let key = TrafficKey { zone: zone.clone(), operation };
    Ok(TrafficRow { key, bucket, source: source.clone(), snapshot })
}

/// Reads evidence, in the same way.
fn decode_evidence(zone: &ZoneId, source: &Source, row: &LearningRowText) -> Result<LearningRow, ManageError> {
    let refused = ManageError::TrafficRow;
    let operation = row.operation.parse().map_err(|_| refused("its operation is no id"))?;
    let hour = Hour::starting_at(row.hour).ok_or(refused("its time is not the start of an hour"))?;
    let bytes = STANDARD.decode(&row.evidence).map_err(|_| refused("it is not in Base64"))?;
    let evidence = Evidence::decode(&bytes).map_err(|_| refused("its evidence is damaged"))?;
    if evidence.sequence() != row.sequence {
        return Err(refused("its parts contradict each other"));
    }
    let (zone, source) = (zone.clone(), source.clone());
    Ok(LearningRow { zone, operation, source, hour, published: 0, sequence: row.sequence, evidence: bytes })
}

/// Reads sightings, in the same way.
fn decode_sightings(zone: ZoneId, source: Source, row: &SightingsRowText) -> Result<SightingsRow, ManageError> {
    let refused = ManageError::TrafficRow;
    if Sightings::day_of(row.day) != row.day {
        return Err(refused("its time is not the start of a day"));
    }
    let bytes = STANDARD.decode(&row.sightings).map_err(|_| refused("it is not in Base64"))?;
    let sightings = Sightings::decode(&bytes).map_err(|_| refused("its sightings are damaged"))?;
    if sightings.requests() != row.sequence {
        return Err(refused("its parts contradict each other"));
    }
    Ok(SightingsRow { zone, source, day: row.day, sequence: row.sequence, sightings: bytes })
}

#[cfg(test)]
mod tests {
    use demilune_discovery::Sighting;
    use demilune_inventory::Method;
    use demilune_traffic::{Observation, SessionHash};

    use super::*;
    use crate::manage::{Command, testing};

    const OPERATION: &str = "0198f0a2-7c11-7000-8000-000000000001";

    fn row() -> TrafficRowText {
        let (mut record, mut sessions) = (Record::default(), SessionSample::default());
        let session = SessionHash::of(u64::MAX);
        for session in [None, Some(session), Some(session)] {
            record.observe(&Observation { status: Some(200), ..Observation::default() });
            sessions.observe(session);
        }
        let now = u64::try_from(clock::now().as_micros() / 1_000_000).unwrap();
        TrafficRowText {
            operation: Some(OPERATION.to_owned()),
            bucket: Bucket::of(now).start(),
            sequence: 3,
            record: STANDARD.encode(record.encode()),
            sessions: STANDARD.encode(sessions.encode()),
        }
    }

    fn command(rows: Vec<TrafficRowText>) -> Command {
        Command::TrafficStore {
            zone: "z1".to_owned(),
            source: "import:1".to_owned(),
            content: "0f".repeat(32),
            session_by: None,
            first: true,
            rows,
        }
    }

    #[tokio::test]
    async fn the_same_rows_twice_are_stored_once() {
        let (_folder, manager) = testing::manager(10).await;
        let stored = |stored: u64, already_there: u64| TrafficStoredView {
            stored,
            already_there,
            ..TrafficStoredView::default()
        };
        for expected in [stored(1, 0), stored(0, 1)] {
            let reply = manager.execute(command(vec![row()])).await.unwrap();
            assert_eq!(reply, Reply::TrafficStored(expected));
        }
    }

    #[tokio::test]
    async fn what_was_not_encoded_here_is_refused() {
        let (_folder, manager) = testing::manager(10).await;
        let empty = STANDARD.encode(SessionSample::default().encode());
        let nothing = STANDARD.encode(Record::default().encode());
        let damaged = [
            TrafficRowText { operation: Some("x".to_owned()), ..row() },
            TrafficRowText { bucket: row().bucket + 1, ..row() },
            TrafficRowText { sequence: 4, ..row() },
            TrafficRowText { record: "?".to_owned(), ..row() },
            TrafficRowText { record: STANDARD.encode([0xff]), ..row() },
            TrafficRowText { sessions: STANDARD.encode([0xff]), ..row() },
            TrafficRowText { record: nothing, sequence: 0, ..row() },
            TrafficRowText { operation: None, ..row() },
        ];
        for row in damaged {
            let refused = manager.execute(command(vec![row.clone()])).await;
            assert!(matches!(refused, Err(ManageError::TrafficRow(_))), "{row:?}");
        }
        let unmatched = TrafficRowText { operation: None, sessions: empty, ..row() };
        assert!(manager.execute(command(vec![unmatched])).await.is_ok());
    }

    fn sightings_row(requests: u64) -> SightingsRowText {
        let day = Sightings::day_of(u64::try_from(clock::now().as_micros() / 1_000_000).unwrap());
        let mut sightings = Sightings::default();
        for number in 0..requests {
            sightings.observe(&Sighting {
                method: Method::Get,
                host: "a.example",
                path: &format!("/users/{number}"),
                // Callers are told apart by bits in the middle.
                caller: u32::try_from(number % 7).unwrap() << 16,
                has_session: false,
                nonce: number,
                seconds: day + number,
            });
        }
        SightingsRowText { day, sequence: requests, sightings: STANDARD.encode(sightings.encode()) }
    }

    fn sightings_command(row: SightingsRowText) -> Command {
        Command::SightingsStore { zone: "z1".to_owned(), source: "import:1".to_owned(), row }
    }

    #[tokio::test]
    async fn operations_are_discovered_in_what_was_imported() {
        let (_folder, manager) = testing::manager(10).await;
        let recomputed = async || {
            let command = Command::Recompute { zone: None, at: None, keep_newer: true };
            let Reply::Recomputed(view) = manager.execute(command).await.unwrap() else { panic!() };
            view.in_review
        };
        let day = sightings_row(1).day;
        let old = SightingsRowText { day: day - 12 * Sightings::DAY_SECONDS, ..sightings_row(600) };
        let late = manager.execute(sightings_command(old)).await.unwrap();
        assert_eq!(late, Reply::SightingsStored(RowsStoredView { stored: 0, refused_late: 1 }));
        assert_eq!(recomputed().await, 0);
        // What has fewer requests is an earlier state.
        for requests in [600, 3] {
            let stored = manager.execute(sightings_command(sightings_row(requests))).await.unwrap();
            assert_eq!(stored, Reply::SightingsStored(RowsStoredView { stored: 1, refused_late: 0 }));
            assert_eq!(recomputed().await, 1);
        }
    }

    #[tokio::test]
    async fn sightings_that_were_not_encoded_here_are_refused() {
        let (_folder, manager) = testing::manager(10).await;
        let row = sightings_row(2);
        let damaged = [
            SightingsRowText { day: row.day + 1, ..row.clone() },
            SightingsRowText { sequence: 3, ..row.clone() },
            SightingsRowText { sightings: "?".to_owned(), ..row.clone() },
            SightingsRowText { sightings: STANDARD.encode([0xff]), ..row },
        ];
        for row in damaged {
            let refused = manager.execute(sightings_command(row.clone())).await;
            assert!(matches!(refused, Err(ManageError::TrafficRow(_))), "{row:?}");
        }
    }

    #[tokio::test]
    async fn rules_are_those_of_the_zone() {
        let (_folder, manager) = testing::manager(10).await;
        let (host, url) = ("{x}.Example.com".to_owned(), "http://127.0.0.1:9".to_owned());
        let origin = Command::OriginSet { zone: None, host, url, host_header: None };
        manager.execute(origin).await.unwrap();
        let Ok(Reply::TrafficRules(rules)) = manager.execute(Command::TrafficRules { zone: None }).await else {
            panic!()
        };
        assert_eq!((rules.zone.id.as_str(), rules.operations.len(), rules.key_check), ("z1", 0, None));
        assert_eq!(rules.origin_hosts, ["{hostVar1}.example.com"]);
        let missing = manager.execute(Command::TrafficRules { zone: Some("nowhere".to_owned()) }).await;
        assert!(matches!(missing, Err(ManageError::ZoneNotFound(_))));
    }
}
