"""An eGo service's other half in Python: keeps samplepb.Account in each of the three databases with the statements and bytes that eGo's
stores use, and Google's own protobuf.

    exchange.py postgres URL SCHEMA                  write LAYOUT ID VERSION BALANCE
    exchange.py dynamodb ENDPOINT REGION TABLE       read ID
    exchange.py cassandra HOST PORT KEYSPACE TABLE   ...

LAYOUT is any (what eGo writes: a google.protobuf.Any) or message (what its instructions describe: the message's bytes under its name).
read prints the version, the manifest, and the account as it was unpacked, or none.
"""

import sys
import time

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

STRING, DOUBLE = descriptor_pb2.FieldDescriptorProto.TYPE_STRING, descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE


def account_type():
    """samplepb.Account, as generated code has it."""
    file = descriptor_pb2.FileDescriptorProto(name="account.proto", package="samplepb", syntax="proto3")
    message = file.message_type.add(name="Account")
    for number, (name, kind) in enumerate((("account_id", STRING), ("account_balance", DOUBLE)), start=1):
        message.field.add(name=name, number=number, type=kind, label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("samplepb.Account"))


class Postgres:
    def __init__(self, url, schema):
        import psycopg
        from psycopg import sql

        self.connection = psycopg.connect(url, autocommit=True)
        self.connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))

    def write(self, *row):
        self.connection.execute(
            "INSERT INTO states_store (persistence_id, version_number, state_payload, state_manifest, timestamp,"
            " shard_number) VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (persistence_id) DO UPDATE SET"
            " version_number = excluded.version_number, state_payload = excluded.state_payload,"
            " state_manifest = excluded.state_manifest, timestamp = excluded.timestamp,"
            " shard_number = excluded.shard_number", row)

    def read(self, identifier):
        return self.connection.execute(
            "SELECT version_number, state_payload, state_manifest FROM states_store WHERE persistence_id = %s",
            (identifier,)).fetchone()


class DynamoDB:
    def __init__(self, endpoint, region, table):
        import boto3

        self.table = boto3.resource(
            "dynamodb", endpoint_url=endpoint, region_name=region, aws_access_key_id="test",
            aws_secret_access_key="test").Table(table)

    def write(self, identifier, version, payload, manifest, timestamp, shard):
        self.table.put_item(Item={
            "PersistenceID": identifier, "VersionNumber": version, "StatePayload": payload, "StateManifest": manifest,
            "Timestamp": timestamp, "ShardNumber": shard})

    def read(self, identifier):
        item = self.table.get_item(Key={"PersistenceID": identifier}, ConsistentRead=True).get("Item")
        return item and (item["VersionNumber"], item["StatePayload"].value, item["StateManifest"])


class Cassandra:
    def __init__(self, host, port, keyspace, table):
        from cassandra.cluster import Cluster

        # A server on a small machine is slow at times, also to say what it is.
        self.session = Cluster(
            [host], port=int(port), connect_timeout=60, control_connection_timeout=60).connect(keyspace)
        self.session.default_timeout = 60
        self.insert = self.session.prepare(
            f'INSERT INTO "{table}" (persistence_id, version_number, state_payload, state_manifest, timestamp,'
            " shard_number) VALUES (?, ?, ?, ?, ?, ?)")
        self.select = self.session.prepare(
            f'SELECT version_number, state_payload, state_manifest FROM "{table}" WHERE persistence_id = ?')

    def write(self, *row):
        self.session.execute(self.insert, row)

    def read(self, identifier):
        return self.session.execute(self.select, (identifier,)).one()


KINDS = {"postgres": (Postgres, 2), "dynamodb": (DynamoDB, 3), "cassandra": (Cassandra, 4)}
kind, parameter_count = KINDS[sys.argv[1]]
Account = account_type()
table = kind(*sys.argv[2:2 + parameter_count])
action, *arguments = sys.argv[2 + parameter_count:]
if action == "write":
    layout, identifier, version, balance = arguments
    message = Account(account_id=identifier, account_balance=float(balance))
    if layout == "any":
        packed = any_pb2.Any()
        packed.Pack(message)
        message = packed
    table.write(identifier, int(version), message.SerializeToString(), message.DESCRIPTOR.full_name, time.time_ns(), 3)
elif action == "read":
    row = table.read(arguments[0])
    if row is None:
        print("none")
    else:
        version, payload, manifest = row
        if manifest == any_pb2.Any.DESCRIPTOR.full_name:
            packed = any_pb2.Any.FromString(bytes(payload))
            message = Account()
            if not packed.Unpack(message):
                sys.exit(f"another type: {packed.type_url}")
        elif manifest == Account.DESCRIPTOR.full_name:
            message = Account.FromString(bytes(payload))
        else:
            sys.exit(f"another manifest: {manifest}")
        print(int(version), manifest, message.account_id, format(message.account_balance, "g"))
else:
    sys.exit(f"unknown action {action}")
