-- 1 where operation_schemas has a row, so that nobody looks for one where there is none.
ALTER TABLE operations ADD COLUMN has_parameter_schemas INTEGER NOT NULL DEFAULT 0;

-- A reference, so that a release that does not know this table takes its rows along.
CREATE TABLE operation_schemas (
    zone_id TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    evidence_end INTEGER NOT NULL,
    fragment TEXT NOT NULL,
    request_body TEXT,
    explanation TEXT NOT NULL,
    published BLOB NOT NULL,
    PRIMARY KEY (zone_id, operation_id),
    FOREIGN KEY (zone_id, operation_id) REFERENCES operations (zone_id, operation_id) ON DELETE CASCADE
) STRICT;
