ALTER TABLE operations ADD COLUMN route TEXT;
ALTER TABLE operations ADD COLUMN route_updated_at INTEGER;

-- References, so that a release that does not know these tables takes their rows along when it removes a zone.
CREATE TABLE origins (
    zone_id TEXT NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    url TEXT NOT NULL,
    host_header TEXT,
    last_updated INTEGER NOT NULL,
    PRIMARY KEY (zone_id, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE zone_settings (
    zone_id TEXT PRIMARY KEY NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    unmatched TEXT NOT NULL,
    forward_path TEXT NOT NULL,
    head_as_get INTEGER NOT NULL,
    session_identifiers TEXT NOT NULL
) STRICT, WITHOUT ROWID;
