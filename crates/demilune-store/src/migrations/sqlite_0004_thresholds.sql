-- 1 where operation_thresholds has a row, so that nobody looks for one where there is none.
ALTER TABLE operations ADD COLUMN has_thresholds INTEGER NOT NULL DEFAULT 0;

-- References, here and below, so that a release that does not know these tables takes their rows along.
CREATE TABLE operation_thresholds (
    zone_id TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    window_end INTEGER NOT NULL,
    auth_id_tokens INTEGER NOT NULL,
    data_points INTEGER NOT NULL,
    p50 INTEGER NOT NULL,
    p90 INTEGER NOT NULL,
    p99 INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    anonymous INTEGER NOT NULL,
    suggested_threshold INTEGER NOT NULL,
    sessions_estimated REAL NOT NULL,
    interval_mean REAL NOT NULL,
    p90_lower REAL NOT NULL,
    p90_upper REAL NOT NULL,
    p95_lower REAL NOT NULL,
    p95_upper REAL NOT NULL,
    p99_lower REAL NOT NULL,
    p99_upper REAL NOT NULL,
    session_by TEXT NOT NULL,
    maxima BLOB NOT NULL,
    PRIMARY KEY (zone_id, operation_id),
    FOREIGN KEY (zone_id, operation_id) REFERENCES operations (zone_id, operation_id) ON DELETE CASCADE
) STRICT;

CREATE TABLE job_leases (
    name TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job_state (
    zone_id TEXT NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (zone_id, name)
) STRICT, WITHOUT ROWID;
