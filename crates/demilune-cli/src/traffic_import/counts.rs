//! Goes through the records of a file and counts them.

use std::{collections::BTreeSet, io, path::PathBuf};

use demilune_discovery::{Sighting, is_page};
use demilune_inventory::NormalizedPath;
use demilune_schema::learn::learns_body;
use demilune_traffic::{Bucket, Hour, Observation, SessionHash};
use serde::Serialize;

use super::{
    Recognizer,
    lessons::{Lesson, Lessons},
    recognizer::{NOBODY, Standing},
    strays::{Strays, nonce},
    tally::Tally,
};
use crate::traffic_log::{Defect, Format, Input, LogRecord, Place, ReadLog};

/// Places without a record that are named; the others are counted.
const BROKEN_NAMED_MAX: usize = 5;
/// Examples that a sentence about what went wrong names.
const EXAMPLES_MAX: usize = 5;
const EXAMPLE_CHARS_MAX: usize = 200;
/// How long after an hour's end its records are taken.
const AGE_SECONDS_MAX: u64 = 168 * 3_600;
/// How far ahead of ours another clock may be.
const AHEAD_SECONDS_MAX: u64 = 300;

/// How many requests were what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Lines that are not empty, or entries.
    pub(crate) lines: u64,
    /// Those that hold no record.
    pub(crate) broken: u64,
    /// Records that name a host, or were given one.
    pub(crate) with_host: u64,
    /// Records to a host of the zone.
    pub(crate) to_the_zone: u64,
    /// Of these, those of too old a time.
    pub(crate) too_old: u64,
    /// Of these, those of a time to come.
    pub(crate) in_the_future: u64,
    /// Of the others, those that an operation fits.
    pub(crate) matched: u64,
    /// Of these, those with a session.
    pub(crate) with_session: u64,
    /// Of these, with a session or without, those that were answered 2xx, which count for thresholds.
    pub(crate) counted: u64,
    /// Of those that no operation fits, those that one may be discovered by.
    pub(crate) for_discovery: u64,
    /// Of these, those with a session.
    pub(crate) discovery_with_session: u64,
    /// Of these, those that tell who sent them, by a session or an address.
    pub(crate) discovery_with_caller: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.broken += other.broken;
        self.with_host += other.with_host;
        self.to_the_zone += other.to_the_zone;
        self.too_old += other.too_old;
        self.in_the_future += other.in_the_future;
        self.matched += other.matched;
        self.with_session += other.with_session;
        self.counted += other.counted;
        self.for_discovery += other.for_discovery;
        self.discovery_with_session += other.discovery_with_session;
        self.discovery_with_caller += other.discovery_with_caller;
    }

    /// Whether no request that can be used has a session.
    pub(crate) fn without_session(&self) -> bool {
        self.with_session == 0 && self.discovery_with_session == 0
    }

    /// Records whose time and host fit, which are stored.
    pub(crate) fn usable(&self) -> u64 {
        self.to_the_zone - self.too_old - self.in_the_future
    }
}

/// A place without a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Broken {
    pub(crate) place: String,
    pub(crate) reason: String,
}

/// What a file holds.
pub(crate) struct FileCounts {
    pub(crate) counts: Counts,
    /// The first places without a record.
    pub(crate) broken: Vec<Broken>,
    /// The times of the first and the last request that is stored, in microseconds since the epoch.
    pub(crate) window: Option<(i64, i64)>,
    /// Hosts that are none of the zone's.
    pub(crate) other_hosts: BTreeSet<String>,
    /// The first request that no operation fits.
    pub(crate) unmatched: Option<String>,
    pub(crate) tally: Tally,
    /// What those that count for thresholds look like.
    pub(crate) lessons: Lessons,
    /// What those look like that no operation fits.
    pub(crate) strays: Strays,
    /// SHA-256 of the content.
    pub(crate) content_hash: String,
}

/// Why a file cannot be counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    /// It is damaged, or its disk is.
    #[error("it cannot be read to its end")]
    Read(#[from] io::Error),
    /// Sums without room in memory had to be kept in a file.
    #[error("what was counted cannot be kept in the data folder")]
    Spill(#[source] io::Error),
}

/// The time by which records are too old or of a time to come, in seconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(pub(crate) u64);

/// Goes through a file. Sums that have no room in memory are kept in `folder` for a while.
pub(crate) fn count(
    input: Input,
    format: &Format,
    recognizer: &mut Recognizer,
    clock: Clock,
    folder: PathBuf,
) -> Result<FileCounts, CountError> {
    let mut file = FileCounts {
        counts: Counts::default(),
        broken: Vec::new(),
        window: None,
        other_hosts: BTreeSet::new(),
        unmatched: None,
        lessons: Lessons::new(recognizer.learn_key(), folder.clone()),
        strays: Strays::default(),
        tally: Tally::new(folder),
        content_hash: String::new(),
    };
    let ReadLog { content_hash } = input.read(format, |place, record| {
        file.counts.lines += 1;
        match record {
            Ok(record) => file.take(&record, recognizer, clock),
            Err(defect) => {
                file.take_broken(place, defect);
                Ok(())
            }
        }
    })?;
    file.content_hash = content_hash;
    Ok(file)
}

impl FileCounts {
    fn take(&mut self, record: &LogRecord, recognizer: &mut Recognizer, clock: Clock) -> Result<(), CountError> {
        let (operation, preflight, session) = match recognizer.standing(record) {
            Standing::NoHost => return Ok(()),
            Standing::OtherHost(host) => {
                self.counts.with_host += 1;
                if self.other_hosts.len() < EXAMPLES_MAX {
                    self.other_hosts.insert(shown(&host));
                }
                return Ok(());
            }
            Standing::Known { operation, preflight, session } => (operation, preflight, session),
        };
        self.counts.with_host += 1;
        self.counts.to_the_zone += 1;
        let Some(bucket) = self.bucket(record.time_micros, clock) else { return Ok(()) };
        let (first, last) = self.window.unwrap_or((record.time_micros, record.time_micros));
        self.window = Some((first.min(record.time_micros), last.max(record.time_micros)));
        let observation = observation(record, operation.is_some(), session);
        self.counts.matched += u64::from(operation.is_some());
        self.counts.with_session += u64::from(operation.is_some() && session.is_some());
        self.counts.counted += u64::from(observation.counts_for_thresholds());
        if operation.is_none() && self.unmatched.is_none() {
            self.unmatched = Some(shown(&format!("{} {}", record.method, record.path_only())));
        }
        self.tally.add((bucket, operation), &observation).map_err(CountError::Spill)?;
        match operation {
            Some(operation) if observation.counts_for_thresholds() => {
                self.learn(record, recognizer, (bucket.hour(), operation), session).map_err(CountError::Spill)
            }
            None if observation.may_be_discovered() && !preflight && !answered_with_page(record) => {
                self.discover(record, recognizer, session);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Sees a request that succeeded, and that no operation fits.
    fn discover(&mut self, record: &LogRecord, recognizer: &Recognizer, session: Option<SessionHash>) {
        let Ok(path) = NormalizedPath::from_live(record.path_only().as_bytes()) else { return };
        let (Ok(method), Some(host)) = (record.method.as_str().parse(), recognizer.host(record)) else { return };
        let supporter = recognizer.supporter(record, session);
        let sighting = Sighting {
            method,
            host: &host,
            path: path.as_str(),
            caller: supporter.0,
            has_session: recognizer.carries_session(session),
            nonce: nonce(self.counts.lines, &host, path.as_str(), record.time_micros),
            seconds: seconds(record.time_micros),
        };
        if self.strays.take(&sighting) {
            self.counts.for_discovery += 1;
            self.counts.discovery_with_session += u64::from(session.is_some());
            self.counts.discovery_with_caller += u64::from(supporter != NOBODY);
        }
    }

    /// Learns what a request looks like that was just recognized.
    fn learn(
        &mut self,
        record: &LogRecord,
        recognizer: &Recognizer,
        key: (Hour, u32),
        session: Option<SessionHash>,
    ) -> io::Result<()> {
        let Ok(path) = NormalizedPath::from_live(record.path_only().as_bytes()) else { return Ok(()) };
        let body = record.request_body.as_deref().filter(|_| learns_body(&record.method, &record.headers));
        self.lessons.take(&Lesson {
            key,
            supporter: recognizer.supporter(record, session),
            variables: &recognizer.values(&path),
            query: record.path.split_once('?').map(|(_, query)| query),
            body,
        })
    }

    fn take_broken(&mut self, place: Place, defect: Defect) {
        self.counts.broken += 1;
        if self.broken.len() < BROKEN_NAMED_MAX {
            self.broken.push(Broken { place: place.to_string(), reason: defect.to_string() });
        }
    }

    /// The five minutes of a time, if it is neither too old nor to come.
    fn bucket(&mut self, time_micros: i64, clock: Clock) -> Option<Bucket> {
        let seconds = seconds(time_micros);
        let bucket = Bucket::of(seconds);
        if seconds > clock.0.saturating_add(AHEAD_SECONDS_MAX) {
            self.counts.in_the_future += 1;
            return None;
        }
        if bucket.hour().end().saturating_add(AGE_SECONDS_MAX) <= clock.0 {
            self.counts.too_old += 1;
            return None;
        }
        Some(bucket)
    }
}

/// Seconds since the epoch.
fn seconds(time_micros: i64) -> u64 {
    u64::try_from(time_micros).unwrap_or(0) / 1_000_000
}

/// Whether the log knows that the answer was a page, or a part of one.
fn answered_with_page(record: &LogRecord) -> bool {
    record.response_type.as_ref().is_some_and(|media_type| is_page(media_type.as_bytes()))
}

/// The beginning of a text of the log, as it may be shown: whoever sent the request chose it.
fn shown(text: &str) -> String {
    text.chars().take(EXAMPLE_CHARS_MAX).flat_map(char::escape_debug).collect()
}

fn observation(record: &LogRecord, matched: bool, session: Option<SessionHash>) -> Observation {
    Observation {
        status: record.status,
        blocked: record.blocked,
        origin_error: record.origin_error,
        bytes_in: record.bytes_in(),
        bytes_out: record.response_bytes.unwrap_or(0),
        duration_us: record.duration_us.unwrap_or(0),
        matched,
        session,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic_import::recognizer::tests::recognizer;

    const NOW: u64 = 1_795_426_200;

    /// Time, method, path, host, status and API key.
    type Line<'l> = (u64, &'l str, &'l str, Option<&'l str>, u16, &'l str);

    /// What lines of JSON come to.
    fn counted(lines: &[Line<'_>]) -> FileCounts {
        let lines = lines.iter().map(|(time, method, path, host, status, key)| {
            let host = host.map_or("null".to_owned(), |host| format!("{host:?}"));
            format!(
                r#"{{"time":{time},"method":"{method}","path":"{path}","host":{host},"status":{status},"request_headers":{{"X-Api-Key":"{key}"}}}}"#
            )
        });
        counted_text(lines.collect::<Vec<_>>().join("\n") + "\nwords")
    }

    fn counted_text(text: String) -> FileCounts {
        let input = Input::of(io::Cursor::new(text.into_bytes())).unwrap();
        let folder = std::env::temp_dir();
        count(input, &Format::JsonLines, &mut recognizer(None, None), Clock(NOW), folder).unwrap()
    }

    const API: Option<&str> = Some("api.example.com");

    #[test]
    fn every_record_is_counted_in_all_it_was() {
        let file = counted(&[
            (NOW, "GET", "/orders/7", API, 200, "k1"),
            (NOW - 600, "POST", "/orders", API, 201, ""),
            (NOW, "POST", "/orders", API, 422, "k2"),
            (NOW, "GET", "/elsewhere", API, 404, "k1"),
            (NOW, "GET", "/orders/7", None, 200, "k1"),
            (NOW, "GET", "/orders/7", Some("www.example.com"), 200, "k1"),
            (NOW - 169 * 3_600, "GET", "/orders/7", API, 200, "k1"),
            (NOW + 301, "GET", "/orders/7", API, 200, "k1"),
        ]);
        let expected = Counts {
            lines: 9,
            broken: 1,
            with_host: 7,
            to_the_zone: 6,
            too_old: 1,
            in_the_future: 1,
            matched: 3,
            with_session: 2,
            counted: 2,
            ..Counts::default()
        };
        assert_eq!((file.counts, file.counts.usable()), (expected, 4));
        assert_eq!(file.broken, [Broken { place: "line 9".to_owned(), reason: "it is no JSON object".to_owned() }]);
        let micros = |seconds: u64| i64::try_from(seconds * 1_000_000).unwrap();
        assert_eq!(file.window, Some((micros(NOW - 600), micros(NOW))));
        assert_eq!(Vec::from_iter(file.other_hosts), ["www.example.com"]);
        assert_eq!(file.unmatched.as_deref(), Some("GET /elsewhere"));
        assert_eq!(Vec::from_iter(file.tally.operations()), [&0, &1]);
    }

    #[test]
    fn only_what_was_answered_2xx_counts_for_thresholds() {
        let file = counted(&[
            (NOW, "GET", "/orders/7", API, 200, "k1"),
            (NOW, "GET", "/orders/8", API, 204, ""),
            (NOW, "GET", "/orders/9", API, 404, "k1"),
            (NOW, "GET", "/elsewhere", API, 200, "k1"),
        ]);
        let mut merged = file.tally.finish().unwrap();
        let (key, unmatched) = merged.next().unwrap().unwrap();
        assert_eq!((key.1, unmatched.record.requests(), unmatched.sessions.requests()), (None, 1, 0));
        let (key, sums) = merged.next().unwrap().unwrap();
        assert_eq!((key.1, sums.record.requests()), (Some(0), 3));
        assert_eq!((sums.sessions.requests(), sums.sessions.anonymous()), (2, 1));
        assert!(merged.next().unwrap().is_none());
    }

    /// A request that no operation fits.
    fn stray(path: &str, rest: &str) -> String {
        format!(
            r#"{{"time":{NOW},"method":"GET","path":"{path}","host":"Api.example.com:443","status":200,"remote_addr":"192.0.2.7"{rest}}}"#
        )
    }

    fn seen(file: &mut FileCounts) -> Vec<(u64, Vec<u8>)> {
        std::iter::from_fn(|| file.strays.next()).map(|(day, sightings)| (day, sightings.encode())).collect()
    }

    #[test]
    fn what_succeeds_and_no_operation_fits_is_seen_for_discovery() {
        let check = |line: &str, counts: (u64, u64, u64)| {
            let Counts { for_discovery, discovery_with_session, discovery_with_caller, .. } =
                counted_text(line.to_owned()).counts;
            assert_eq!((for_discovery, discovery_with_session, discovery_with_caller), counts, "{line}");
        };
        let answered = |media_type: &str| format!(r#","response_headers":{{"Content-Type":"{media_type}"}}"#);
        let asks = r#","request_headers":{"Origin":"https://a","Access-Control-Request-Method":"GET"}"#;
        check(&stray("/users/7?x=1", ""), (1, 0, 1));
        check(&stray("/users/7", r#","request_headers":{"X-Api-Key":"k"}"#), (1, 1, 1));
        check(&stray("/users/7", "").replace("192.0.2.7", "unix:"), (1, 0, 0));
        check(&stray("/users/7", &answered("application/json")), (1, 0, 1));
        check(&stray("/users/7", &answered("text/html; charset=utf-8")), (0, 0, 0));
        check(&stray("/logo.png", ""), (0, 0, 0));
        check(&stray("/users/7", asks).replace("GET\",\"path", "OPTIONS\",\"path"), (0, 0, 0));
        check(&stray("/users/7", "").replace("200", "404"), (0, 0, 0));
        check(&stray("/users/7", "").replace("200", "301"), (0, 0, 0));
        check(&stray("/orders/7", ""), (0, 0, 0));
    }

    #[test]
    fn the_same_file_gives_the_same_sightings_byte_for_byte() {
        let text =
            |name: &str| (0..50).map(|number| stray(&format!("/{name}/{number}/x"), "") + "\n").collect::<String>();
        let first = seen(&mut counted_text(text("users")));
        assert_eq!(first.len(), 1);
        assert_eq!(seen(&mut counted_text(text("users"))), first);
        assert_ne!(seen(&mut counted_text(text("people"))), first);
        let mut sightings = demilune_discovery::Sightings::decode(&first[0].1).unwrap();
        assert_eq!((first[0].0, sightings.requests()), (NOW - NOW % 86_400, 50));
        // Equal lines are so many requests, each with a number of its own.
        let equal = seen(&mut counted_text((stray("/users/7/x", "") + "\n").repeat(50)));
        sightings = demilune_discovery::Sightings::decode(&equal[0].1).unwrap();
        assert!(sightings.bytes() > 3 * 96, "they lie on several levels");
    }

    #[test]
    fn what_is_shown_of_a_log_moves_no_cursor() {
        let file = counted(&[(NOW, "GET", "/\\u001b[2J", API, 404, ""), (NOW, "GET", "/", Some("a\\nb"), 404, "")]);
        assert_eq!(file.unmatched.as_deref(), Some("GET /\\u{1b}[2J"));
        assert!(file.other_hosts.iter().all(|host| !host.contains('\n')), "{:?}", file.other_hosts);
        assert_eq!(shown(&"x".repeat(999)).len(), EXAMPLE_CHARS_MAX);
    }

    #[test]
    fn an_hour_is_taken_until_a_week_after_its_end() {
        let hour_end = NOW - NOW % 3_600 - AGE_SECONDS_MAX;
        let check = |time: u64, too_old: u64| {
            let file = counted(&[(time, "GET", "/orders/7", API, 200, "k1")]);
            assert_eq!((file.counts.too_old, file.counts.in_the_future), (too_old, 0), "{time}");
        };
        check(hour_end - 1, 1);
        check(hour_end, 0);
        check(NOW + AHEAD_SECONDS_MAX, 0);
    }
}
