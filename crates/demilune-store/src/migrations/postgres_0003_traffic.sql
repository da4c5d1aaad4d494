-- No reference to zones: records are written by many and may be of a zone that is being removed; maintenance takes them.
CREATE TABLE traffic_records (
    zone_id TEXT COLLATE "C" NOT NULL,
    operation_id TEXT COLLATE "C" NOT NULL,
    seconds BIGINT NOT NULL,
    start BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    record BYTEA NOT NULL,
    PRIMARY KEY (zone_id, operation_id, seconds, start, source)
);

CREATE INDEX traffic_records_time ON traffic_records (zone_id, start);
