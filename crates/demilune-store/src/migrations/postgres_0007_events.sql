-- That requests did not fit the schema of their operation. Its order within a zone is that of time, then of writing.
-- Questions about an action or a session look through the events of the zone, of which there is a most. No reference to
-- zones, like traffic_records; maintenance takes those of a zone that is gone.
CREATE TABLE traffic_events (
    event_id BIGINT PRIMARY KEY,
    zone_id TEXT COLLATE "C" NOT NULL,
    time BIGINT NOT NULL,
    operation_id TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    schema_id TEXT COLLATE "C" NOT NULL,
    session BIGINT,
    request_id TEXT COLLATE "C" NOT NULL,
    has_more BIGINT NOT NULL,
    violations BYTEA NOT NULL
);
CREATE INDEX traffic_events_by_time ON traffic_events (zone_id, time, event_id);
CREATE INDEX traffic_events_by_operation ON traffic_events (zone_id, operation_id, time, event_id);
CREATE INDEX traffic_events_by_request ON traffic_events (zone_id, request_id, time, event_id);

-- The keywords among the violations of an event, each once.
CREATE TABLE traffic_event_keywords (
    event_id BIGINT NOT NULL REFERENCES traffic_events (event_id) ON DELETE CASCADE,
    keyword TEXT COLLATE "C" NOT NULL,
    zone_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (event_id, keyword)
);
CREATE INDEX traffic_event_keywords_by_zone ON traffic_event_keywords (zone_id, keyword, event_id);

-- How many events a zone has, so that nobody counts them in order to write one.
CREATE TABLE traffic_event_counts (
    zone_id TEXT COLLATE "C" PRIMARY KEY,
    events BIGINT NOT NULL
);
