//! Takes what a file's requests sum up to to the store, a bounded part at a time.

use base64::{Engine, engine::general_purpose::STANDARD};
use demilune_control::manage::{
    Command, LearningRowText, Reply, RowsStoredView, SightingsRowText, TrafficRowText, TrafficStoredView,
};
use sha2::{Digest, Sha256};

use super::{
    FileCounts, Recognizer,
    lessons::Lessons,
    strays::Strays,
    tally::{Key, Merged, Sums, Tally},
};
use crate::{
    access::{Access, AccessError},
    failure::Failure,
};

/// Most rows in one command, which is one transaction of the store.
const CHUNK_ROWS_MAX: usize = 1_000;
/// Most bytes of rows in one command, which becomes one line of at most 8 MiB.
const CHUNK_BYTES_MAX: usize = 4 << 20;

/// Where counts come from, as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The zone's id.
    pub(crate) zone: String,
    /// SHA-256 of the file's content.
    pub(crate) content: String,
    /// `import:` and a hash of the content and of all else that the counts depend on.
    pub(crate) source: String,
    /// What told sessions apart, if not the zone's session identifiers.
    pub(crate) session_by: Option<String>,
}

impl Origin {
    /// Names where counts come from. `format` is what the content was read as.
    pub(crate) fn new(zone: &str, content: &str, format: &str, recognizer: &Recognizer) -> Self {
        let mut hasher = Sha256::new();
        for text in [content, format] {
            hasher.update(text);
            hasher.update([0]);
        }
        recognizer.hash_into(&mut hasher);
        Self {
            zone: zone.to_owned(),
            content: content.to_owned(),
            source: format!("import:{:x}", hasher.finalize()),
            session_by: recognizer.session_by().map(|by| by.as_str().to_owned()),
        }
    }
}

/// What became of what a file holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stored {
    /// Of its sums.
    pub(crate) rows: TrafficStoredView,
    /// Of what was learned: by operation and hour.
    pub(crate) learned: RowsStoredView,
    /// Of what was seen for discovery: by day.
    pub(crate) sightings: RowsStoredView,
}

/// Sends all that a file holds, and says what became of it: the sums first, with which what an earlier import has left
/// goes.
pub(crate) async fn send(
    access: &mut Access,
    origin: &Origin,
    file: FileCounts,
    recognizer: &Recognizer,
) -> Result<Stored, Failure> {
    Ok(Stored {
        rows: send_sums(access, origin, file.tally, recognizer).await?,
        learned: send_lessons(access, origin, file.lessons, recognizer).await?,
        sightings: send_strays(access, origin, file.strays).await?,
    })
}

/// Sends all sums, and says what became of them. At least one command is sent, so that what an earlier import of the
/// same content has left goes in any case.
async fn send_sums(
    access: &mut Access,
    origin: &Origin,
    tally: Tally,
    recognizer: &Recognizer,
) -> Result<TrafficStoredView, Failure> {
    let mut total = TrafficStoredView::default();
    let mut sums = tally.finish()?;
    let mut first = true;
    loop {
        let rows = next_rows(&mut sums, recognizer)?;
        if rows.is_empty() && !first {
            return Ok(total);
        }
        let Origin { zone, content, source, session_by } = origin.clone();
        let command = Command::TrafficStore { zone, source, content, session_by, first, rows };
        let Reply::TrafficStored(stored) = access.call(command).await? else {
            return Err(AccessError::Mismatch.into());
        };
        total.add(stored);
        first = false;
    }
}

/// Sends what was learned.
async fn send_lessons(
    access: &mut Access,
    origin: &Origin,
    mut lessons: Lessons,
    recognizer: &Recognizer,
) -> Result<RowsStoredView, Failure> {
    let mut total = RowsStoredView::default();
    loop {
        let rows = next_lessons(&mut lessons, recognizer)?;
        if rows.is_empty() {
            return Ok(total);
        }
        let command = Command::LearningStore { zone: origin.zone.clone(), source: origin.source.clone(), rows };
        let Reply::LearningStored(stored) = access.call(command).await? else {
            return Err(AccessError::Mismatch.into());
        };
        total.add(stored);
    }
}

/// Sends what was seen for discovery: a day in each command, whose bytes are hardly more than sightings may account for.
async fn send_strays(access: &mut Access, origin: &Origin, mut strays: Strays) -> Result<RowsStoredView, Failure> {
    let mut total = RowsStoredView::default();
    while let Some((day, sightings)) = strays.next() {
        let row =
            SightingsRowText { day, sequence: sightings.requests(), sightings: STANDARD.encode(sightings.encode()) };
        let command = Command::SightingsStore { zone: origin.zone.clone(), source: origin.source.clone(), row };
        let Reply::SightingsStored(stored) = access.call(command).await? else {
            return Err(AccessError::Mismatch.into());
        };
        total.add(stored);
    }
    Ok(total)
}

fn next_lessons(lessons: &mut Lessons, recognizer: &Recognizer) -> std::io::Result<Vec<LearningRowText>> {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while rows.len() < CHUNK_ROWS_MAX && bytes < CHUNK_BYTES_MAX {
        let Some(((hour, place), evidence)) = lessons.next()? else { break };
        let Some(operation) = recognizer.operation(place) else { continue };
        let row = LearningRowText {
            operation: operation.to_string(),
            hour: hour.start(),
            sequence: evidence.sequence(),
            evidence: STANDARD.encode(evidence.encode()),
        };
        bytes += row.evidence.len();
        rows.push(row);
    }
    Ok(rows)
}

fn next_rows(sums: &mut Merged, recognizer: &Recognizer) -> std::io::Result<Vec<TrafficRowText>> {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while rows.len() < CHUNK_ROWS_MAX && bytes < CHUNK_BYTES_MAX {
        let Some((key, sums)) = sums.next()? else { break };
        let row = row(key, &sums, recognizer);
        bytes += row.record.len() + row.sessions.len();
        rows.push(row);
    }
    Ok(rows)
}

fn row((bucket, operation): Key, sums: &Sums, recognizer: &Recognizer) -> TrafficRowText {
    let operation = operation.and_then(|place| recognizer.operation(place));
    TrafficRowText {
        operation: operation.map(|id| id.to_string()),
        bucket: bucket.start(),
        // As in a gateway: it grows with every request, so that more of them are a later state.
        sequence: sums.record.requests(),
        record: STANDARD.encode(sums.record.encode()),
        sessions: STANDARD.encode(sums.sessions.encode()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use demilune_control::manage::TrafficRulesView;

    use super::*;
    use crate::traffic_import::recognizer::tests::{recognizer, recognizer_of, rules};

    #[test]
    fn a_source_is_named_by_all_that_the_counts_depend_on() {
        let source = |content: &str, format: &str, by: Option<&str>, host: Option<&str>| {
            Origin::new("z1", content, format, &recognizer(by, host)).source
        };
        let first = source("a", "clf", None, None);
        assert_eq!(first, source("a", "clf", None, None));
        assert_eq!(first.len(), "import:".len() + 64);
        let with_origin = TrafficRulesView { origin_hosts: vec!["api.example.com".to_owned()], ..rules() };
        let all = [
            first,
            source("b", "clf", None, None),
            source("a", "jsonl", None, None),
            source("a", "clf", Some("remote_addr"), None),
            source("a", "clf", None, Some("api.example.com")),
            Origin::new("z1", "a", "clf", &recognizer_of(&with_origin, None, None)).source,
        ];
        assert_eq!(BTreeSet::from(all).len(), 6);
    }
}
