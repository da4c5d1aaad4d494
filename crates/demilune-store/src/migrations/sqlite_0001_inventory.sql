CREATE TABLE zones (
    zone_id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    operation_count INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE operations (
    zone_id TEXT NOT NULL,
    key_hash BLOB NOT NULL,
    operation_id TEXT NOT NULL,
    method TEXT NOT NULL,
    host TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    last_updated INTEGER NOT NULL,
    PRIMARY KEY (zone_id, key_hash)
) STRICT;
CREATE UNIQUE INDEX operations_by_id ON operations (zone_id, operation_id);
CREATE INDEX operations_by_host ON operations (zone_id, host, endpoint, method);

CREATE TABLE tokens (
    token_id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    token_id TEXT NOT NULL,
    permission_group TEXT NOT NULL,
    zone_id TEXT
) STRICT;
CREATE INDEX grants_by_token ON grants (token_id);
CREATE INDEX grants_by_zone ON grants (zone_id);

CREATE TABLE users (
    user_id TEXT PRIMARY KEY NOT NULL,
    email TEXT NOT NULL UNIQUE,
    key_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
