-- References, here and below, so that a release that does not know these tables takes their rows along.
CREATE TABLE user_schemas (
    zone_id TEXT COLLATE "C" NOT NULL REFERENCES zones (zone_id) ON DELETE CASCADE,
    schema_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    validation_enabled BIGINT NOT NULL,
    default_host TEXT COLLATE "C",
    learned_from TEXT COLLATE "C",
    source_bytes BIGINT NOT NULL,
    source BYTEA NOT NULL,
    PRIMARY KEY (zone_id, schema_id),
    FOREIGN KEY (zone_id, learned_from) REFERENCES operations (zone_id, operation_id) ON DELETE CASCADE
);
CREATE INDEX user_schemas_by_time ON user_schemas (zone_id, created_at, schema_id);
CREATE INDEX user_schemas_by_operation ON user_schemas (zone_id, learned_from);

-- By the keys of operations, so that those are found that are added later.
CREATE TABLE user_schema_operations (
    zone_id TEXT COLLATE "C" NOT NULL,
    key_hash BYTEA NOT NULL,
    schema_id TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    host TEXT COLLATE "C" NOT NULL,
    endpoint TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (zone_id, key_hash, schema_id),
    FOREIGN KEY (zone_id, schema_id) REFERENCES user_schemas (zone_id, schema_id) ON DELETE CASCADE
);
CREATE INDEX user_schema_operations_by_host
    ON user_schema_operations (zone_id, schema_id, host, substr(endpoint, 1, 255));

CREATE TABLE validation_settings (
    zone_id TEXT COLLATE "C" PRIMARY KEY REFERENCES zones (zone_id) ON DELETE CASCADE,
    default_action TEXT COLLATE "C" NOT NULL,
    is_off BIGINT NOT NULL
);

CREATE TABLE operation_actions (
    zone_id TEXT COLLATE "C" NOT NULL,
    operation_id TEXT COLLATE "C" NOT NULL,
    mitigation_action TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (zone_id, operation_id),
    FOREIGN KEY (zone_id, operation_id) REFERENCES operations (zone_id, operation_id) ON DELETE CASCADE
);
