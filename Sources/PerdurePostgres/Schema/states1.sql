-- The table as eGo describes it. SCHEMA stands for the schema's name.
CREATE TABLE IF NOT EXISTS SCHEMA.states_store
(
    persistence_id  VARCHAR(255) PRIMARY KEY,
    version_number  BIGINT       NOT NULL,
    state_payload   BYTEA        NOT NULL,
    state_manifest  VARCHAR(255) NOT NULL,
    timestamp       BIGINT       NOT NULL,
    shard_number    BIGINT       NOT NULL
);
