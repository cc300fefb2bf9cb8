-- Version 1.
--
-- states_store has the columns that eGo's PostgreSQL table has, so that a person who knows one knows the other.
-- TEXT compares by bytes here (BINARY). WITHOUT ROWID: one tree to descend for a write instead of two.
CREATE TABLE states_store (
    persistence_id TEXT NOT NULL PRIMARY KEY,
    version_number INTEGER NOT NULL,
    state_payload BLOB NOT NULL,
    state_manifest TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    shard_number INTEGER NOT NULL,
    write_id BLOB
) STRICT, WITHOUT ROWID;

-- What is left of a deleted state: the version from which a later life goes on counting.
-- In a table of its own, so that nobody who reads states_store trips over one.
CREATE TABLE states_tombstones (
    persistence_id TEXT NOT NULL PRIMARY KEY,
    version_number INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    write_id BLOB
) STRICT, WITHOUT ROWID;
