#!/usr/bin/env python3
"""Writes Vectors.swift: bytes as another implementation of the protocol makes them.

    python3 -m venv /some/where && /some/where/bin/pip install 'cassandra-driver==3.30.1' lz4
    /some/where/bin/python generate.py > Vectors.swift

Requests, values, tokens, segments, compressed frames and replicas are the Python driver's own. The driver cannot write
responses: those are put together here from its primitives, and read back with its decoder before they are let through.
"""
import datetime
import decimal
import io
import random
import sys
import uuid

from cassandra import ConsistencyLevel as CL
from cassandra import cqltypes as t
from cassandra import protocol as p
from cassandra.connection import locally_supported_compressions
from cassandra.metadata import Murmur3Token, NetworkTopologyStrategy, SimpleStrategy
from cassandra.pool import Host
from cassandra.policies import SimpleConvictionPolicy
from cassandra.query import BatchType
from cassandra.segment import SegmentCodec
from cassandra.util import Date, Duration, Time, OrderedMapSerializedKey, sortedset

entries = []


def put(key, data):
    assert "=" not in key
    entries.append((key, data if isinstance(data, str) else bytes(data).hex()))


# Values.

UUID4 = uuid.UUID("f81d4fae-7dec-41d0-a765-00a0c91e6bf6")
UUID1 = uuid.UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
Address = t.UserType.make_udt_class("shop", "address", ("street", "zip", "tags"),
                                    (t.UTF8Type, t.Int32Type, t.SetType.apply_parameters((t.UTF8Type,))))
IntText = t.MapType.apply_parameters((t.Int32Type, t.UTF8Type))
TextIntText = t.MapType.apply_parameters((t.UTF8Type, IntText))


def value(key, cls, v):
    for version in (4, 5):
        data = cls.serialize(v, version)
        if version == 4:
            put("value." + key, data)
        else:
            assert cls.serialize(v, 4) == data


value("ascii", t.AsciiType, "ascii!")
value("text", t.UTF8Type, "h\u00e9llo \U0001f600")
value("text.empty", t.UTF8Type, "")
for n in (0, 1, -1, 2**63 - 1, -2**63, 1234567890123):
    value("bigint.%d" % n, t.LongType, n)
value("counter", t.CounterColumnType, 42)
value("blob", t.BytesType, bytes(range(256)))
value("boolean.true", t.BooleanType, True)
value("boolean.false", t.BooleanType, False)
for days in (0, 1, -1, 20000, -2**31, 2**31 - 1):
    value("date.%d" % days, t.SimpleDateType, Date(days))
for text in ("0", "1.5", "-1.5", "123456789012345678901234567890.123", "1E+10", "-0.001", "99.99"):
    value("decimal." + text, t.DecimalType, decimal.Decimal(text))
for n in (0.0, 1.5, -2.25, 1e300, float("inf")):
    value("double.%r" % n, t.DoubleType, n)
for n in (0.0, 1.5, -2.25):
    value("float.%r" % n, t.FloatType, n)
for m, d, n in ((0, 0, 0), (1, 2, 3), (-1, -2, -3), (13, 400, 86399999999999), (2**31 - 1, 2**31 - 1, 2**63 - 1),
                (-2**31, -2**31, -2**63), (64, 8192, 1048576), (-64, -8192, -1048576), (63, 8191, 134217728)):
    value("duration.%d.%d.%d" % (m, d, n), t.DurationType, Duration(m, d, n))
for address in ("127.0.0.1", "255.0.1.2", "::1", "2001:db8::ff00:42:8329"):
    value("inet." + address, t.InetAddressType, address)
for n in (0, 1, -1, 2**31 - 1, -2**31):
    value("int.%d" % n, t.Int32Type, n)
for n in (0, -1, 2**15 - 1, -2**15):
    value("smallint.%d" % n, t.ShortType, n)
for n in (0, -1, 127, -128):
    value("tinyint.%d" % n, t.ByteType, n)
for n in (0, 1, 86399999999999):
    value("time.%d" % n, t.TimeType, Time(n))
for n in (0, 1, -1, 1700000000123):
    value("timestamp.%d" % n, t.DateType, n)
value("timeuuid", t.TimeUUIDType, UUID1)
value("uuid", t.UUIDType, UUID4)
for n in (0, 1, -1, 127, 128, 129, -128, -129, 255, 256, 2**63 - 1, -2**63, 2**63, 2**70, -2**70):
    value("varint.%d" % n, t.IntegerType, n)
value("list", t.ListType.apply_parameters((t.Int32Type,)), [1, -2, 3])
value("list.empty", t.ListType.apply_parameters((t.Int32Type,)), [])
value("list.nested", t.ListType.apply_parameters((t.ListType.apply_parameters((t.UTF8Type,)),)), [["a"], [], ["b", "c"]])
value("set", t.SetType.apply_parameters((t.UTF8Type,)), sortedset(["b", "a", "c"]))
m = OrderedMapSerializedKey(t.UTF8Type, 4)
value("map", TextIntText, {"one": {1: "x"}, "two": {}})
value("tuple", t.TupleType.apply_parameters((t.Int32Type, t.UTF8Type, t.BooleanType)), (1, None, True))
value("udt", Address, ("Main St", 12345, {"home"}))
value("udt.null", Address, ("Main St", None, None))

# Requests, without compression.

QID = bytes(range(16))
RID = bytes(range(100, 116))


def request(key, make, versions=(4, 5), stream=7, tracing=False):
    for version in versions:
        message = make(version)
        message.tracing = tracing
        put("request.v%d.%s" % (version, key),
            p.ProtocolHandler.encode_message(message, stream, version, None, False))


def query(text, params=None, **options):
    message = p.QueryMessage(text, **options)
    message.query_params = params
    return message


request("startup", lambda v: p.StartupMessage("3.0.0", {}))
request("options", lambda v: p.OptionsMessage(), stream=32767)
request("authResponse", lambda v: p.AuthResponseMessage(b"\x00cassandra\x00secret"))
request("register", lambda v: p.RegisterMessage(["TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"]))
request("query.plain", lambda v: query("SELECT * FROM system.local", consistency_level=CL.ONE))
request("query.all", lambda v: query(
    "SELECT a FROM t WHERE b = ?", [b"\x00\x00\x00\x01", None, p._UNSET_VALUE, b""], consistency_level=CL.QUORUM,
    serial_consistency_level=CL.LOCAL_SERIAL, fetch_size=500, paging_state=b"page", timestamp=1700000000000000),
    tracing=True)
request("query.keyspace", lambda v: query("SELECT * FROM t", consistency_level=CL.LOCAL_QUORUM, keyspace="shop"),
        versions=(5,))
request("prepare", lambda v: p.PrepareMessage("INSERT INTO t (a) VALUES (?)"))
request("prepare.keyspace", lambda v: p.PrepareMessage("INSERT INTO t (a) VALUES (?)", keyspace="shop"), versions=(5,))
request("execute", lambda v: p.ExecuteMessage(
    QID, [b"\x00\x00\x00\x05", None], CL.LOCAL_QUORUM, skip_meta=False, result_metadata_id=RID))
request("execute.cas", lambda v: p.ExecuteMessage(
    QID, [b"\x00\x00\x00\x05"], CL.LOCAL_QUORUM, serial_consistency_level=CL.SERIAL, timestamp=5,
    result_metadata_id=RID))
request("batch", lambda v: p.BatchMessage(
    BatchType.UNLOGGED, [(False, "INSERT INTO t (a) VALUES (1)", []), (True, QID, [b"\x00\x00\x00\x05", None])],
    CL.QUORUM, serial_consistency_level=CL.SERIAL, timestamp=9))
request("batch.keyspace", lambda v: p.BatchMessage(BatchType.LOGGED, [(True, QID, [b"\x00\x00\x00\x05"])], CL.ONE,
                                                    keyspace="shop"), versions=(5,))

# Frames with a compressed body, and segments.

compress, decompress = locally_supported_compressions["lz4"]
long_query = "SELECT " + ", ".join("column%d" % i for i in range(200)) + " FROM t"
put("lz4.v4.query", p.ProtocolHandler.encode_message(query(long_query, consistency_level=CL.ONE), 3, 4, compress, False))
put("lz4.v4.options", p.ProtocolHandler.encode_message(p.OptionsMessage(), 3, 4, compress, False))


def segments(key, codec, messages):
    buffer = io.BytesIO()
    codec.encode(buffer, messages)
    return buffer.getvalue()


plain, packed = SegmentCodec(), SegmentCodec(compress, decompress)
two = (p.ProtocolHandler.encode_message(query("SELECT 1", consistency_level=CL.ONE), 1, 5, None, False)
       + p.ProtocolHandler.encode_message(query(long_query, consistency_level=CL.ONE), 2, 5, None, False))
put("segment.plain", segments("two", plain, two))
put("segment.lz4", segments("two", packed, two))
short = p.ProtocolHandler.encode_message(p.OptionsMessage(), 4, 5, None, False)
put("segment.lz4.incompressible", segments("short", packed, short))
# A message of three segments: zeros, so that it compresses well; of the plain form the checksums only.
big = p.ProtocolHandler.encode_message(
    p.ExecuteMessage(QID, [bytes(300000)], CL.ONE, result_metadata_id=RID), 9, 5, None, False)
put("segment.lz4.big", segments("big", packed, big))
plain_big = segments("big", plain, big)
step = 6 + 131071 + 4
for i in range(3):
    part = plain_big[i * step:(i + 1) * step]
    put("segment.plain.big.%d" % i, part[:6] + part[-4:])

# Responses.


def response(key, opcode, write, version=5, flags=0, stream=5, check=None):
    body = io.BytesIO()
    write(body)
    body = body.getvalue()
    message = p.ProtocolHandler.decode_message(version, {}, stream, flags, opcode, body, None, None)
    if check:
        assert check(message), (key, vars(message))
    head = io.BytesIO()
    p.ProtocolHandler._write_header(head, version | 0x80, flags, stream, opcode, len(body))
    put("response.v%d.%s" % (version, key), head.getvalue() + body)


def error(key, code, write=lambda f, v: None, versions=(4, 5), check=lambda m: True):
    for version in versions:
        def body(f):
            p.write_int(f, code)
            p.write_string(f, "why")
            write(f, version)
        response("error." + key, 0x00, body, version, check=lambda m: m.code == code and check(m))


def progress(f, cl, received, required):
    p.write_consistency_level(f, cl)
    p.write_int(f, received)
    p.write_int(f, required)


def reasons(f, v):
    if v < 5:
        return p.write_int(f, 2)
    p.write_int(f, 2)
    p.write_byte(f, 4)
    f.write(bytes([10, 0, 0, 1]))
    p.write_short(f, 1)
    p.write_byte(f, 16)
    f.write(bytes(15) + b"\x01")
    p.write_short(f, 258)


for name, code in (("server", 0), ("protocol", 0x0A), ("credentials", 0x100), ("overloaded", 0x1001),
                   ("bootstrapping", 0x1002), ("truncate", 0x1003), ("cdc", 0x1600), ("syntax", 0x2000),
                   ("unauthorized", 0x2100), ("invalid", 0x2200), ("config", 0x2300)):
    error(name, code, versions=(5,))
error("unavailable", 0x1000, lambda f, v: progress(f, CL.QUORUM, 2, 1), check=lambda m: m.info["alive_replicas"] == 1)
error("writeTimeout", 0x1100, lambda f, v: (progress(f, CL.QUORUM, 1, 2), p.write_string(f, "SIMPLE")),
      check=lambda m: m.info["received_responses"] == 1)
error("writeTimeout.cas", 0x1100,
      lambda f, v: (progress(f, CL.SERIAL, 1, 2), p.write_string(f, "CAS"), v == 5 and p.write_short(f, 3)))
error("readTimeout", 0x1200, lambda f, v: (progress(f, CL.QUORUM, 2, 2), p.write_byte(f, 0)),
      check=lambda m: m.info["data_retrieved"] is False)
error("readFailure", 0x1300, lambda f, v: (progress(f, CL.QUORUM, 0, 2), reasons(f, v), p.write_byte(f, 1)),
      check=lambda m: m.info["failures"] == 2 and m.info["data_retrieved"])
error("functionFailure", 0x1400,
      lambda f, v: (p.write_string(f, "shop"), p.write_string(f, "f"), p.write_stringlist(f, ["int", "text"])))
error("writeFailure", 0x1500,
      lambda f, v: (progress(f, CL.QUORUM, 0, 2), reasons(f, v), p.write_string(f, "BATCH")),
      check=lambda m: m.info["failures"] == 2)
error("casWriteUnknown", 0x1700, lambda f, v: progress(f, CL.SERIAL, 1, 2), versions=(5,))
error("alreadyExists", 0x2400, lambda f, v: (p.write_string(f, "shop"), p.write_string(f, "orders")))
error("unprepared", 0x2500, lambda f, v: p.write_string(f, QID), check=lambda m: m.info == QID)

response("ready", 0x02, lambda f: None)
response("authenticate", 0x03, lambda f: p.write_string(f, "org.apache.cassandra.auth.PasswordAuthenticator"),
         check=lambda m: m.authenticator.endswith("PasswordAuthenticator"))
response("authChallenge", 0x0E, lambda f: p.write_longstring(f, b"\x01\x02"), check=lambda m: m.challenge == b"\x01\x02")
response("authSuccess", 0x10, lambda f: p.write_longstring(f, b""))
response("supported", 0x06, lambda f: p.write_stringmultimap(
    f, {"CQL_VERSION": ["3.4.7"], "COMPRESSION": ["snappy", "lz4"], "PROTOCOL_VERSIONS": ["3/v3", "4/v4", "5/v5"]}))
response("void", 0x08, lambda f: p.write_int(f, 1))
response("setKeyspace", 0x08, lambda f: (p.write_int(f, 3), p.write_string(f, "shop")),
         check=lambda m: m.new_keyspace == "shop")
response("schemaChange", 0x08, lambda f: (p.write_int(f, 5), [p.write_string(f, s) for s in ("CREATED", "TABLE", "shop", "orders")]),
         check=lambda m: m.schema_change_event["table"] == "orders")


def event(key, write, check):
    response("event." + key, 0x0C, write, stream=-1, check=check)


def node_event(kind, change):
    return lambda f: (p.write_string(f, kind), p.write_string(f, change), p.write_inet(f, ("127.0.0.2", 9042)))


for kind, change in (("TOPOLOGY_CHANGE", "NEW_NODE"), ("TOPOLOGY_CHANGE", "REMOVED_NODE"), ("STATUS_CHANGE", "UP"),
                     ("STATUS_CHANGE", "DOWN")):
    event(change, node_event(kind, change), lambda m: m.event_args["address"] == ("127.0.0.2", 9042))
event("keyspace", lambda f: [p.write_string(f, s) for s in ("SCHEMA_CHANGE", "DROPPED", "KEYSPACE", "shop")],
      lambda m: m.event_args["keyspace"] == "shop")
event("function", lambda f: ([p.write_string(f, s) for s in ("SCHEMA_CHANGE", "CREATED", "FUNCTION", "shop", "f")],
                             p.write_stringlist(f, ["int"])), lambda m: m.event_args["function"].name == "f")


def type_list(f):
    p.write_short(f, 0x20)
    p.write_short(f, 0x09)


def type_map(f):
    p.write_short(f, 0x21)
    p.write_short(f, 0x0D)
    p.write_short(f, 0x03)


def type_udt(f):
    p.write_short(f, 0x30)
    p.write_string(f, "shop")
    p.write_string(f, "address")
    p.write_short(f, 2)
    p.write_string(f, "street")
    p.write_short(f, 0x0D)
    p.write_string(f, "zip")
    p.write_short(f, 0x09)


def type_tuple(f):
    p.write_short(f, 0x31)
    p.write_short(f, 2)
    p.write_short(f, 0x0C)
    p.write_short(f, 0x15)


def rows(f, new_id=None, columns=True, count=3):
    p.write_int(f, 2)
    p.write_int(f, 0x01 | 0x02 | (0x08 if new_id else 0) if columns else 0x04)
    p.write_int(f, 6)
    if columns:
        p.write_longstring(f, b"next page")
        if new_id:
            p.write_string(f, new_id)
        p.write_string(f, "shop")
        p.write_string(f, "orders")
        for name, typ in (("id", 0x0D), ("version", 0x02), ("payload", 0x03), ("items", type_list), ("address", type_udt),
                          ("pair", type_tuple)):
            p.write_string(f, name)
            p.write_short(f, typ) if isinstance(typ, int) else typ(f)
    p.write_int(f, count)
    Small = t.UserType.make_udt_class("shop", "address", ("street", "zip"), (t.UTF8Type, t.Int32Type))
    for i in range(count):
        p.write_value(f, ("order-%d" % i).encode())
        p.write_value(f, t.LongType.serialize(i + 1, 5))
        p.write_value(f, bytes([i] * 10) if i else None)
        p.write_value(f, t.ListType.apply_parameters((t.Int32Type,)).serialize([i, i + 1], 5))
        p.write_value(f, Small.serialize(("Main St", i), 5))
        p.write_value(f, t.TupleType.apply_parameters((t.UUIDType, t.DurationType)).serialize(
            (UUID4, Duration(1, 2, i)), 5))


response("rows", 0x08, rows, check=lambda m: len(m.parsed_rows) == 3 and m.paging_state == b"next page")
response("rows", 0x08, rows, version=4, check=lambda m: len(m.parsed_rows) == 3)
response("rows.changed", 0x08, lambda f: rows(f, new_id=RID), check=lambda m: m.result_metadata_id == RID)
body = io.BytesIO()
rows(body, columns=False)
head = io.BytesIO()
p.ProtocolHandler._write_header(head, 0x85, 0, 5, 0x08, len(body.getvalue()))
put("response.v5.rows.skipped", head.getvalue() + body.getvalue())


def prepared(f, version):
    p.write_int(f, 4)
    p.write_string(f, QID)
    if version >= 5:
        p.write_string(f, RID)
    p.write_int(f, 0x01)
    p.write_int(f, 3)
    p.write_int(f, 2)
    p.write_short(f, 2)
    p.write_short(f, 0)
    p.write_string(f, "shop")
    p.write_string(f, "orders")
    for name, typ in (("shard", 0x02), ("payload", 0x03), ("id", 0x0D)):
        p.write_string(f, name)
        p.write_short(f, typ)
    p.write_int(f, 0)
    p.write_int(f, 1)
    p.write_string(f, "shop")
    p.write_string(f, "orders")
    p.write_string(f, "tags")
    type_map(f)


for version in (4, 5):
    response("prepared", 0x08, lambda f: prepared(f, version), version=version,
             check=lambda m: m.query_id == QID and m.pk_indexes == [2, 0] and len(m.bind_metadata) == 3)
response("decorated", 0x08, lambda f: (
    f.write(UUID4.bytes), p.write_stringlist(f, ["careful", "slow"]), p.write_bytesmap(f, {"k": b"v", "n": None}),
    p.write_int(f, 1)), flags=0x0E, check=lambda m: m.warnings == ["careful", "slow"] and m.trace_id == UUID4)

# Tokens: the server's own quirk shows with bytes over 127 in the tail.

random.seed(20261121)
for length in list(range(1, 34)) + [64, 100, 255]:
    key = bytes(random.randrange(256) for _ in range(length))
    put("token." + key.hex(), str(Murmur3Token.from_key(key).value))
for key in (b"order-7", "h\u00e9llo".encode(), b"\xff" * 15, b"\x80" * 17):
    put("token." + key.hex(), str(Murmur3Token.from_key(key).value))

# Replicas: hosts as `name dc rack tokens…`; then for each keyspace and ring token the hosts.


def cluster(key, layout, per_host, keyspaces):
    hosts, owners = {}, {}
    for i, (dc, rack) in enumerate(layout):
        host = Host("10.0.0.%d" % (i + 1), SimpleConvictionPolicy, host_id=uuid.UUID(int=i + 1))
        host.set_location_info(dc, rack)
        hosts[host] = i
        for _ in range(per_host):
            owners[random.randrange(-2**63, 2**63)] = host
    ring = sorted(owners)
    put("ring.%s.hosts" % key, " ".join("%s/%s" % x for x in layout))
    put("ring.%s.tokens" % key, " ".join("%d:%d" % (token, hosts[owners[token]]) for token in ring))
    for name, strategy in keyspaces:
        replicas = strategy.make_token_replica_map(owners, ring)
        put("ring.%s.replicas.%s" % (key, name),
            # Driver 3.30 names a node twice, and forgets another, where a node it passed over has several tokens in a row:
            # such ranges say nothing.
            " ".join(",".join(str(hosts[h]) for h in replicas[token])
                     if len(set(replicas[token])) == len(replicas[token]) else "?" for token in ring))


two_dcs = [("dc1", "r1"), ("dc1", "r1"), ("dc1", "r2"), ("dc1", "r2"), ("dc1", "r3"), ("dc2", "r1"), ("dc2", "r1"),
           ("dc2", "r2")]
cluster("two", two_dcs, 4, [
    ("simple1", SimpleStrategy({"replication_factor": "1"})),
    ("simple3", SimpleStrategy({"replication_factor": "3"})),
    ("simple9", SimpleStrategy({"replication_factor": "9"})),
    ("dc1.3,dc2.2", NetworkTopologyStrategy({"dc1": "3", "dc2": "2"})),
    ("dc1.4,dc2.3", NetworkTopologyStrategy({"dc1": "4", "dc2": "3"})),
    ("dc1.5", NetworkTopologyStrategy({"dc1": "5"})),
    ("dc1.2,dc3.3", NetworkTopologyStrategy({"dc1": "2", "dc3": "3"})),
])
cluster("one", [("dc1", "rack1")] * 3, 16, [
    ("simple2", SimpleStrategy({"replication_factor": "2"})),
    ("dc1.3", NetworkTopologyStrategy({"dc1": "3"})),
    ("dc1.2", NetworkTopologyStrategy({"dc1": "2"})),
])

# Text: `key = value`, long values go on in lines that begin with a space.

out = sys.stdout
out.write("// Made by generate.py with the Python driver %s; do not edit.\n\n" % __import__("cassandra").__version__)
out.write("/// `key = value`, one a line; a line that begins with a space goes on with the value before.\n")
out.write('let vectorText = #"""\n')
for key, data in entries:
    line = "    %s = " % key
    if len(line) + len(data) <= 118:
        out.write((line + data).rstrip() + "\n")
        continue
    out.write(line.rstrip() + "\n")
    if " " in data:
        words, row = data.split(" "), ""
        for word in words:
            if len(row) + len(word) > 105:
                out.write("     " + row.rstrip() + "\n")
                row = ""
            row += word + " "
        out.write("     " + row.rstrip() + "\n")
    else:
        for i in range(0, len(data), 110):
            out.write("     " + data[i:i + 110] + "\n")
out.write('    """#\n')
