-- Operations that requests speak for and nobody saved; with what people said about them. Ended with their zone. What
-- they are made from is in the file that records of traffic are in.
CREATE TABLE discovered_operations (
    zone_id TEXT NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    discovered_id TEXT NOT NULL,
    method TEXT NOT NULL,
    host TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    example_host TEXT NOT NULL,
    example_path TEXT NOT NULL,
    origins TEXT NOT NULL,
    is_ignored INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    period_seconds INTEGER NOT NULL,
    computed_at INTEGER NOT NULL,
    explanation TEXT NOT NULL,
    PRIMARY KEY (zone_id, discovered_id)
) STRICT, WITHOUT ROWID;
