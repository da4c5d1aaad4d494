CREATE TABLE IF NOT EXISTS demilune_schema (version BIGINT NOT NULL, oldest_binary BIGINT NOT NULL);

CREATE TABLE IF NOT EXISTS traffic_records (
    zone_id TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    start INTEGER NOT NULL,
    source TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (zone_id, operation_id, seconds, start, source)
) STRICT, WITHOUT ROWID;

-- With row ids, since its rows are larger than pages.
CREATE TABLE IF NOT EXISTS traffic_sessions (
    zone_id TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    start INTEGER NOT NULL,
    source TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    sessions BLOB NOT NULL,
    PRIMARY KEY (zone_id, operation_id, seconds, start, source)
) STRICT;

-- What was imported, by content, so that importing it again does not count it again.
CREATE TABLE IF NOT EXISTS traffic_imports (
    zone_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    source TEXT NOT NULL,
    session_by TEXT,
    imported_at INTEGER NOT NULL,
    PRIMARY KEY (zone_id, content_hash)
) STRICT, WITHOUT ROWID;

-- With row ids, since its rows are larger than pages. A row of an hour is replaced every minute while the hour lasts,
-- and packed into one of a day a day later, which names its hours in the bits of `hours`.
CREATE TABLE IF NOT EXISTS traffic_learning (
    zone_id TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    start INTEGER NOT NULL,
    source TEXT NOT NULL,
    published INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    hours INTEGER NOT NULL,
    evidence BLOB NOT NULL,
    PRIMARY KEY (zone_id, operation_id, seconds, start, source, published)
) STRICT;
