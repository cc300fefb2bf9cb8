"""Exchanges rows with the store through cassandra-driver: `write` makes a row as eGo does, `check` reads ours.

    python exchange.py write|check HOST PORT KEYSPACE TABLE [SHARD]

With SHARD the table's key is (shard_number, persistence_id), and reads name the shard.
"""

import base64
import sys

from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import RoundRobinPolicy

action, host, port, keyspace, table = sys.argv[1:6]
shard = sys.argv[6] if len(sys.argv) > 6 else None
golden = base64.b64decode("CiR0eXBlLmdvb2dsZWFwaXMuY29tL3NhbXBsZXBiLkFjY291bnQSFQoKYWNjb3VudC00MhEAAAAAAGiwQA==")
profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), consistency_level=ConsistencyLevel.QUORUM, request_timeout=60)
# A server on a small machine is slow at times, also to say what it is.
cluster = Cluster(
    [host], port=int(port), execution_profiles={EXEC_PROFILE_DEFAULT: profile}, connect_timeout=60,
    control_connection_timeout=60)
session = cluster.connect(keyspace)
columns = "persistence_id, version_number, state_payload, state_manifest, timestamp, shard_number"

if action == "write":
    insert = session.prepare(f'INSERT INTO "{table}" ({columns}) VALUES (?, ?, ?, ?, ?, ?)')
    session.execute(insert, ("python-42", 7, golden, "google.protobuf.Any", 1700000000123456789, int(shard or 3)))
    session.execute(insert, ("python-wrapped", -1, b"", "a.B", 1700000000, int(shard or 3)))
else:
    where = "shard_number = ? AND persistence_id = ?" if shard else "persistence_id = ?"
    select = session.prepare(f'SELECT {columns} FROM "{table}" WHERE {where}')

    def read(id):
        return session.execute(select, (int(shard), id) if shard else (id,)).one()

    row = read("swift-42")
    assert tuple(row) == ("swift-42", 9, golden, "google.protobuf.Any", 1700000000123, int(shard or 5)), row
    assert read("swift-gone") is None, read("swift-gone")
cluster.shutdown()
print("ok")
