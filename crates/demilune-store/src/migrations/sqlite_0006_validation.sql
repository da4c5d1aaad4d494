-- References, here and below, so that a release that does not know these tables takes their rows along.
CREATE TABLE user_schemas (
    zone_id TEXT NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    schema_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    validation_enabled INTEGER NOT NULL,
    default_host TEXT,
    learned_from TEXT,
    source_bytes INTEGER NOT NULL,
    source BLOB NOT NULL,
    PRIMARY KEY (zone_id, schema_id),
    FOREIGN KEY (zone_id, learned_from) REFERENCES operations (zone_id, operation_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX user_schemas_by_time ON user_schemas (zone_id, created_at, schema_id);
CREATE INDEX user_schemas_by_operation ON user_schemas (zone_id, learned_from);

-- By the keys of operations, so that those are found that are added later.
CREATE TABLE user_schema_operations (
    zone_id TEXT NOT NULL,
    key_hash BLOB NOT NULL,
    schema_id TEXT NOT NULL,
    method TEXT NOT NULL,
    host TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    PRIMARY KEY (zone_id, key_hash, schema_id),
    FOREIGN KEY (zone_id, schema_id) REFERENCES user_schemas (zone_id, schema_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX user_schema_operations_by_host
    ON user_schema_operations (zone_id, schema_id, host, endpoint, method, key_hash);

CREATE TABLE validation_settings (
    zone_id TEXT PRIMARY KEY NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    default_action TEXT NOT NULL,
    is_off INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE operation_actions (
    zone_id TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    mitigation_action TEXT NOT NULL,
    PRIMARY KEY (zone_id, operation_id),
    FOREIGN KEY (zone_id, operation_id) REFERENCES operations (zone_id, operation_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
