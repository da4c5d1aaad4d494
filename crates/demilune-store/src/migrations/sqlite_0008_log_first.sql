-- Until when requests that do not fit a schema are logged where they would be blocked; null where it blocks from the start.
ALTER TABLE user_schemas ADD COLUMN log_until INTEGER;
