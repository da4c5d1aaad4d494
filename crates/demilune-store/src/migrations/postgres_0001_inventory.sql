CREATE TABLE zones (
    zone_id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL DEFAULT 0,
    operation_count BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE operations (
    zone_id TEXT COLLATE "C" NOT NULL,
    key_hash BYTEA NOT NULL,
    operation_id TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    host TEXT COLLATE "C" NOT NULL,
    endpoint TEXT COLLATE "C" NOT NULL,
    last_updated BIGINT NOT NULL,
    PRIMARY KEY (zone_id, key_hash)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX operations_by_id ON operations (zone_id, operation_id);
CREATE INDEX operations_by_host ON operations (zone_id, host, substr(endpoint, 1, 255));

CREATE TABLE tokens (
    token_id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    secret_hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);

CREATE TABLE grants (
    token_id TEXT COLLATE "C" NOT NULL,
    permission_group TEXT COLLATE "C" NOT NULL,
    zone_id TEXT COLLATE "C"
);
CREATE INDEX grants_by_token ON grants (token_id);
CREATE INDEX grants_by_zone ON grants (zone_id);

CREATE TABLE users (
    user_id TEXT COLLATE "C" PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL UNIQUE,
    key_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
