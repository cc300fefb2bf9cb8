-- What eGo does not know of and is not disturbed by: the write that made a row, and what is left of deleted ones.
ALTER TABLE SCHEMA.states_store ADD COLUMN IF NOT EXISTS write_id UUID;

CREATE TABLE IF NOT EXISTS SCHEMA.states_tombstones
(
    persistence_id  VARCHAR(255) PRIMARY KEY,
    version_number  BIGINT       NOT NULL,
    write_id        UUID,
    deleted_at      TIMESTAMPTZ  NOT NULL DEFAULT now()
);
