//! What an import came to, for people and programs.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use demilune_control::manage::{RecomputedView, RowsStoredView, TrafficStoredView, ZoneView};
use demilune_discovery::DiscoveryOptions;
use demilune_inventory::Timestamp;
use serde::Serialize;

use super::{Broken, Counts, FileCounts, Stored};
use crate::{
    output::{self, Format as OutputFormat, OutputError, Table},
    traffic_log::Format,
};

/// What an import came to.
#[derive(Serialize)]
pub(crate) struct Summary {
    zone: ZoneView,
    #[serde(flatten)]
    counts: Counts,
    first_request: Option<String>,
    last_request: Option<String>,
    /// How many operations requests were counted of.
    operations: usize,
    #[serde(flatten)]
    rows: TrafficStoredView,
    /// What became of the evidence of what requests look like: by operation and hour.
    learned: RowsStoredView,
    /// What became of what was seen for discovery: by day.
    sightings: RowsStoredView,
    /// What became of the zone's thresholds.
    thresholds: Option<RecomputedView>,
    /// Why they were not computed.
    not_computed: Option<String>,
    /// How many discovered operations wait for review; absent where nobody looked for them.
    in_review: Option<u64>,
    files: Vec<FileReport>,
    #[serde(skip)]
    window: Option<(i64, i64)>,
    #[serde(skip)]
    seen: BTreeSet<u32>,
}

/// What a file came to.
#[derive(Serialize)]
pub(crate) struct FileReport {
    file: String,
    format: Option<&'static str>,
    #[serde(flatten)]
    counts: Counts,
    first_request: Option<String>,
    last_request: Option<String>,
    /// The first places that hold no record.
    broken_places: Vec<Broken>,
    #[serde(flatten)]
    rows: TrafficStoredView,
    /// Why nothing of it can be used, and what to do.
    problem: Option<String>,
    /// What it cannot be used for, and what to do.
    remark: Option<String>,
}

impl FileReport {
    /// Of a file that was counted.
    pub(crate) fn new(
        path: &Path,
        format: &Format,
        file: &FileCounts,
        problem: Option<String>,
        remark: Option<String>,
    ) -> Self {
        Self {
            format: Some(format.name()),
            counts: file.counts,
            first_request: file.window.and_then(|(first, _)| time(first)),
            last_request: file.window.and_then(|(_, last)| time(last)),
            broken_places: file.broken.clone(),
            problem,
            remark,
            ..Self::unread(path, String::new())
        }
    }

    /// Of a file that could not be read.
    pub(crate) fn unread(path: &Path, problem: String) -> Self {
        Self {
            file: path.display().to_string(),
            format: None,
            counts: Counts::default(),
            first_request: None,
            last_request: None,
            broken_places: Vec::new(),
            rows: TrafficStoredView::default(),
            problem: Some(problem),
            remark: None,
        }
    }

    /// Whether anything of it can be used.
    pub(crate) fn is_usable(&self) -> bool {
        self.problem.is_none()
    }

    /// Notes what became of its counts.
    pub(crate) fn stored(&mut self, rows: TrafficStoredView) {
        self.rows = rows;
    }
}

impl Summary {
    pub(crate) fn new(zone: &ZoneView) -> Self {
        Self {
            zone: zone.clone(),
            counts: Counts::default(),
            first_request: None,
            last_request: None,
            operations: 0,
            rows: TrafficStoredView::default(),
            learned: RowsStoredView::default(),
            sightings: RowsStoredView::default(),
            thresholds: None,
            not_computed: None,
            in_review: None,
            files: Vec::new(),
            window: None,
            seen: BTreeSet::new(),
        }
    }

    /// Adds what a file holds that can be used.
    pub(crate) fn count(&mut self, file: &FileCounts) {
        self.seen.extend(file.tally.operations());
        self.operations = self.seen.len();
        if let Some((first, last)) = file.window {
            let (earliest, latest) = self.window.unwrap_or((first, last));
            let window = (earliest.min(first), latest.max(last));
            (self.first_request, self.last_request) = (time(window.0), time(window.1));
            self.window = Some(window);
        }
    }

    /// Adds what became of a file.
    pub(crate) fn add(&mut self, report: FileReport) {
        self.counts.add(&report.counts);
        self.rows.add(report.rows);
        self.files.push(report);
    }

    /// Adds what became of a file's evidence, and of what was seen in it for discovery.
    pub(crate) fn stored(&mut self, stored: Stored) {
        self.learned.add(stored.learned);
        self.sightings.add(stored.sightings);
    }

    /// The time of the last request that could be used, in seconds since the epoch.
    pub(crate) fn last_stored(&self) -> Option<u64> {
        let (_, last) = self.window?;
        u64::try_from(last / 1_000_000).ok()
    }

    /// Notes what became of the zone's thresholds and discovered operations, or why they were not computed.
    pub(crate) fn computed(&mut self, outcome: Result<RecomputedView, String>) {
        match outcome {
            Ok(recomputed) => {
                self.in_review = Some(recomputed.in_review);
                self.thresholds = Some(recomputed);
            }
            Err(sentence) => self.not_computed = Some(sentence),
        }
    }

    /// The files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &FileReport> {
        self.files.iter()
    }

    /// Prints all, and remarks about single files beside it.
    pub(crate) fn print(&self, format: OutputFormat) -> Result<(), OutputError> {
        match format {
            OutputFormat::Json => output::print_json(self)?,
            OutputFormat::Table => output::print(&self.text())?,
        }
        for file in &self.files {
            for sentence in file.problem.iter().chain(&file.remark) {
                output::note(&format!("{}: {sentence}", file.file));
            }
        }
        Ok(())
    }

    fn text(&self) -> String {
        let Self { zone, counts, rows, .. } = self;
        let none = || "-".to_owned();
        let mut text = Table::of_members(&[
            ("zone", &format!("{} ({})", zone.name, zone.id)),
            ("lines", &counts.lines.to_string()),
            ("broken", &counts.broken.to_string()),
            ("with a host", &counts.with_host.to_string()),
            ("to the zone", &counts.to_the_zone.to_string()),
            ("too old", &counts.too_old.to_string()),
            ("in the future", &counts.in_the_future.to_string()),
            ("matched", &counts.matched.to_string()),
            ("with a session", &counts.with_session.to_string()),
            ("counted (2xx)", &counts.counted.to_string()),
            ("for discovery", &counts.for_discovery.to_string()),
            ("first request", &self.first_request.clone().unwrap_or_else(none)),
            ("last request", &self.last_request.clone().unwrap_or_else(none)),
            ("operations", &self.operations.to_string()),
            ("stored", &rows.stored.to_string()),
            ("there already", &rows.already_there.to_string()),
            ("refused as late", &rows.refused_late.to_string()),
            ("hours learned", &self.learned.stored.to_string()),
            ("thresholds", &self.thresholds_text()),
            ("discovered", &self.discovered_text()),
        ])
        .render();
        if rows.replaced {
            text.push_str("  what was stored of the same content, read in another way, is gone\n");
        }
        for file in &self.files {
            for Broken { place, reason } in &file.broken_places {
                // Writing to a string does not fail.
                let _ = writeln!(text, "  {} {place}: {reason}", file.file);
            }
        }
        text
    }

    fn thresholds_text(&self) -> String {
        match (&self.thresholds, &self.not_computed) {
            (Some(RecomputedView { window_end, operations, with_thresholds, .. }), _) => {
                format!("{with_thresholds} of {operations} operations, of the day until {window_end}")
            }
            (None, Some(sentence)) => format!("not computed: {sentence}"),
            (None, None) => "not computed, since nothing was stored".to_owned(),
        }
    }

    fn discovered_text(&self) -> String {
        match self.in_review {
            None => "not looked for".to_owned(),
            Some(0) if self.counts.for_discovery > 0 => {
                let DiscoveryOptions { requests_min, callers_min, .. } = DiscoveryOptions::default();
                format!(
                    "nothing in review: an operation takes {requests_min} requests with success in ten days, by \
                     {callers_min} callers or with sessions"
                )
            }
            Some(0) => "nothing in review".to_owned(),
            Some(1) => "1 operation in review; see `demilune discover`".to_owned(),
            Some(operations) => format!("{operations} operations in review; see `demilune discover`"),
        }
    }
}

fn time(micros: i64) -> Option<String> {
    Timestamp::from_micros(micros).map(|time| time.to_string())
}
