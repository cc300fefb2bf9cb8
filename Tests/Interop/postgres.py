"""Another client of the states_store table: reads and writes rows as eGo does, with psycopg.

    postgres.py URL SCHEMA read ID                                   prints the row: version, payload in hex, manifest, shard
    postgres.py URL SCHEMA upsert ID VERSION PAYLOAD_HEX MANIFEST    writes a row by eGo's statement, timestamp in nanoseconds
"""

import sys
import time

import psycopg
from psycopg import sql

url, schema, action, identifier = sys.argv[1:5]
with psycopg.connect(url) as connection:
    connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
    if action == "read":
        row = connection.execute(
            "SELECT version_number, state_payload, state_manifest, shard_number FROM states_store"
            " WHERE persistence_id = %s", (identifier,)).fetchone()
        print("none" if row is None else f"{row[0]} {row[1].hex()} {row[2]} {row[3]}")
    elif action == "upsert":
        version, payload, manifest = sys.argv[5:8]
        connection.execute(
            "INSERT INTO states_store (persistence_id, version_number, state_payload, state_manifest, timestamp,"
            " shard_number) VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (persistence_id) DO UPDATE SET"
            " version_number = excluded.version_number, state_payload = excluded.state_payload,"
            " state_manifest = excluded.state_manifest, timestamp = excluded.timestamp,"
            " shard_number = excluded.shard_number",
            (identifier, int(version), bytes.fromhex(payload), manifest, time.time_ns(), 3))
    else:
        sys.exit(f"unknown action {action}")
