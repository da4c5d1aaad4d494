-- A document that is tried on the requests of a zone; one at a time. Ended with its zone.
CREATE TABLE schema_trials (
    zone_id TEXT PRIMARY KEY NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    trial_id TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    default_host TEXT,
    operations TEXT NOT NULL,
    details TEXT NOT NULL,
    source BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What each gateway counted of each operation; a later snapshot replaces the earlier.
CREATE TABLE schema_trial_counts (
    zone_id TEXT NOT NULL REFERENCES schema_trials (zone_id) ON DELETE CASCADE,
    trial_id TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    source TEXT NOT NULL,
    requests INTEGER NOT NULL,
    tally TEXT NOT NULL,
    PRIMARY KEY (zone_id, trial_id, operation_id, source)
) STRICT, WITHOUT ROWID;
