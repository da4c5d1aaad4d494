-- Limits of validation; null for the usual ones.
ALTER TABLE zone_settings ADD COLUMN validated_bytes_max BIGINT;
ALTER TABLE zone_settings ADD COLUMN schemas_max BIGINT;
ALTER TABLE zone_settings ADD COLUMN schemas_bytes_max BIGINT;
