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

-- That requests did not fit the schema of their operation. Its order within a zone is that of time, then of writing.
-- Questions about an action or a session look through the events of the zone, of which there is a most.
CREATE TABLE IF NOT EXISTS traffic_events (
    event_id INTEGER PRIMARY KEY NOT NULL,
    zone_id TEXT NOT NULL,
    time INTEGER NOT NULL,
    operation_id TEXT NOT NULL,
    action TEXT NOT NULL,
    schema_id TEXT NOT NULL,
    session INTEGER,
    request_id TEXT NOT NULL,
    has_more INTEGER NOT NULL,
    violations BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS traffic_events_by_time ON traffic_events (zone_id, time, event_id);
CREATE INDEX IF NOT EXISTS traffic_events_by_operation ON traffic_events (zone_id, operation_id, time, event_id);
CREATE INDEX IF NOT EXISTS traffic_events_by_request ON traffic_events (zone_id, request_id, time, event_id);

-- The keywords among the violations of an event, each once.
CREATE TABLE IF NOT EXISTS traffic_event_keywords (
    event_id INTEGER NOT NULL REFERENCES traffic_events (event_id) ON DELETE CASCADE,
    keyword TEXT NOT NULL,
    zone_id TEXT NOT NULL,
    PRIMARY KEY (event_id, keyword)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS traffic_event_keywords_by_zone ON traffic_event_keywords (zone_id, keyword, event_id);

-- How many events a zone has, so that nobody counts them in order to write one.
CREATE TABLE IF NOT EXISTS traffic_event_counts (
    zone_id TEXT PRIMARY KEY NOT NULL,
    events INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What each source saw in a day of the requests that no operation matches; a later snapshot replaces the earlier. With
-- row ids, since its rows are larger than pages.
CREATE TABLE IF NOT EXISTS traffic_sightings (
    zone_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    source TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    sightings BLOB NOT NULL,
    PRIMARY KEY (zone_id, day, source)
) STRICT;
