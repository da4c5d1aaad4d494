-- 1 where operation_schemas has a row, so that nobody looks for one where there is none.
ALTER TABLE operations ADD COLUMN has_parameter_schemas BIGINT NOT NULL DEFAULT 0;

-- A reference, so that a release that does not know this table takes its rows along.
CREATE TABLE operation_schemas (
    zone_id TEXT COLLATE "C" NOT NULL,
    operation_id TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    evidence_end BIGINT NOT NULL,
    fragment TEXT COLLATE "C" NOT NULL,
    request_body TEXT COLLATE "C",
    explanation TEXT COLLATE "C" NOT NULL,
    published BYTEA NOT NULL,
    PRIMARY KEY (zone_id, operation_id),
    FOREIGN KEY (zone_id, operation_id) REFERENCES operations (zone_id, operation_id) ON DELETE CASCADE
);

-- Like traffic_sessions. A row of an hour is replaced every minute while the hour lasts, and packed into one of a day
-- a day later, which names its hours in the bits of `hours`.
CREATE TABLE traffic_learning (
    zone_id TEXT COLLATE "C" NOT NULL,
    operation_id TEXT COLLATE "C" NOT NULL,
    seconds BIGINT NOT NULL,
    start BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    published BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    hours BIGINT NOT NULL,
    evidence BYTEA NOT NULL,
    PRIMARY KEY (zone_id, operation_id, seconds, start, source, published)
);
