-- Until when requests that do not fit a schema are logged where they would be blocked; null where it blocks from the start.
ALTER TABLE user_schemas ADD COLUMN log_until BIGINT;
-- The sessions that were answered with 2xx before it was added, as far as they are sampled; null for what was uploaded.
ALTER TABLE user_schemas ADD COLUMN known_sessions BYTEA;
