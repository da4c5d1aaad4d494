-- Operations that requests speak for and nobody saved; with what people said about them. Ended with their zone.
CREATE TABLE discovered_operations (
    zone_id TEXT COLLATE "C" NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    discovered_id TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    host TEXT COLLATE "C" NOT NULL,
    endpoint TEXT COLLATE "C" NOT NULL,
    example_host TEXT NOT NULL,
    example_path TEXT NOT NULL,
    origins TEXT NOT NULL,
    is_ignored BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    period_seconds BIGINT NOT NULL,
    computed_at BIGINT NOT NULL,
    explanation TEXT NOT NULL,
    PRIMARY KEY (zone_id, discovered_id)
);

-- What each source saw in a day of the requests that no operation matches; a later snapshot replaces the earlier. No
-- reference to zones, like traffic_records.
CREATE TABLE traffic_sightings (
    zone_id TEXT COLLATE "C" NOT NULL,
    day BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    sightings BYTEA NOT NULL,
    PRIMARY KEY (zone_id, day, source)
);
