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
