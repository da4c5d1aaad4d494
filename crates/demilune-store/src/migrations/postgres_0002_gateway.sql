-- A release that says nothing about the revision of a new zone must not start it where that of a removed one may be.
ALTER TABLE zones ALTER COLUMN revision SET DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;

ALTER TABLE operations ADD COLUMN route TEXT COLLATE "C", ADD COLUMN route_updated_at BIGINT;

-- References, so that a release that does not know these tables takes their rows along when it removes a zone.
CREATE TABLE origins (
    zone_id TEXT COLLATE "C" NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    host TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    host_header TEXT COLLATE "C",
    last_updated BIGINT NOT NULL,
    PRIMARY KEY (zone_id, host)
);

CREATE TABLE zone_settings (
    zone_id TEXT COLLATE "C" PRIMARY KEY REFERENCES zones (zone_id) ON DELETE CASCADE,
    unmatched TEXT COLLATE "C" NOT NULL,
    forward_path TEXT COLLATE "C" NOT NULL,
    head_as_get BIGINT NOT NULL,
    session_identifiers TEXT COLLATE "C" NOT NULL
);
