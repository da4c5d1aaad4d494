-- No reference to zones: records are written by many and may be of a zone that is being removed; maintenance takes them.
-- The primary key serves every question, one operation after the other. A snapshot is replaced many times over, which
-- room on its page makes cheap.
CREATE TABLE traffic_records (
    zone_id TEXT COLLATE "C" NOT NULL,
    operation_id TEXT COLLATE "C" NOT NULL,
    seconds BIGINT NOT NULL,
    start BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    record BYTEA NOT NULL,
    PRIMARY KEY (zone_id, operation_id, seconds, start, source)
) WITH (fillfactor = 70);
