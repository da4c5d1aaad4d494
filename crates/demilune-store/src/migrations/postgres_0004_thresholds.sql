-- 1 where operation_thresholds has a row, so that nobody looks for one where there is none.
ALTER TABLE operations ADD COLUMN has_thresholds BIGINT NOT NULL DEFAULT 0;

-- References, here and below, so that a release that does not know these tables takes their rows along.
CREATE TABLE operation_thresholds (
    zone_id TEXT COLLATE "C" NOT NULL,
    operation_id TEXT COLLATE "C" NOT NULL,
    window_end BIGINT NOT NULL,
    auth_id_tokens BIGINT NOT NULL,
    data_points BIGINT NOT NULL,
    p50 BIGINT NOT NULL,
    p90 BIGINT NOT NULL,
    p99 BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    anonymous BIGINT NOT NULL,
    suggested_threshold BIGINT NOT NULL,
    sessions_estimated DOUBLE PRECISION NOT NULL,
    interval_mean DOUBLE PRECISION NOT NULL,
    p90_lower DOUBLE PRECISION NOT NULL,
    p90_upper DOUBLE PRECISION NOT NULL,
    p95_lower DOUBLE PRECISION NOT NULL,
    p95_upper DOUBLE PRECISION NOT NULL,
    p99_lower DOUBLE PRECISION NOT NULL,
    p99_upper DOUBLE PRECISION NOT NULL,
    session_by TEXT COLLATE "C" NOT NULL,
    maxima BYTEA NOT NULL,
    PRIMARY KEY (zone_id, operation_id),
    FOREIGN KEY (zone_id, operation_id) REFERENCES operations (zone_id, operation_id) ON DELETE CASCADE
);

CREATE TABLE job_leases (
    name TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE job_state (
    zone_id TEXT COLLATE "C" NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (zone_id, name)
);

-- Like traffic_records, and no reference for the same reason. A row of five minutes is replaced every few seconds and
-- gone after two hours.
CREATE TABLE traffic_sessions (
    zone_id TEXT COLLATE "C" NOT NULL,
    operation_id TEXT COLLATE "C" NOT NULL,
    seconds BIGINT NOT NULL,
    start BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    sessions BYTEA NOT NULL,
    PRIMARY KEY (zone_id, operation_id, seconds, start, source)
);

-- What was imported, by content, so that importing it again does not count it again.
CREATE TABLE traffic_imports (
    zone_id TEXT COLLATE "C" NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    session_by TEXT COLLATE "C",
    imported_at BIGINT NOT NULL,
    PRIMARY KEY (zone_id, content_hash)
);
