-- A document that is tried on the requests of a zone; one at a time. Ended with its zone.
CREATE TABLE schema_trials (
    zone_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    trial_id TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    name TEXT NOT NULL,
    default_host TEXT,
    operations TEXT NOT NULL,
    details TEXT NOT NULL,
    source BYTEA NOT NULL
);

-- What each gateway counted of each operation; a later snapshot replaces the earlier.
CREATE TABLE schema_trial_counts (
    zone_id TEXT COLLATE "C" NOT NULL REFERENCES schema_trials (zone_id) ON DELETE CASCADE,
    trial_id TEXT COLLATE "C" NOT NULL,
    operation_id TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    requests BIGINT NOT NULL,
    tally TEXT NOT NULL,
    PRIMARY KEY (zone_id, trial_id, operation_id, source)
);
