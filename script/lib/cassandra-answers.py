"""Says whether a Cassandra node answers, in its own protocol: exit 0 if it does.

    cassandra-answers.py HOST PORT [--peers N] [--user NAME --password TEXT] [--authority FILE]

With --peers it must know that many other nodes as well.
"""
import argparse
import socket
import ssl
import struct
import sys

parser = argparse.ArgumentParser()
parser.add_argument("host")
parser.add_argument("port", type=int)
parser.add_argument("--peers", type=int)
parser.add_argument("--user")
parser.add_argument("--password")
parser.add_argument("--authority")
arguments = parser.parse_args()

ERROR, STARTUP, READY, AUTHENTICATE, QUERY, RESULT, AUTH_RESPONSE, AUTH_SUCCESS = 0, 1, 2, 3, 7, 8, 15, 16


def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            sys.exit(1)
        data += part
    return data


def ask(connection, opcode, body):
    connection.sendall(struct.pack(">BBhBi", 4, 0, 0, opcode, len(body)) + body)
    _, _, _, answer, length = struct.unpack(">BBhBi", exactly(connection, 9))
    return answer, exactly(connection, length)


def text(value):
    return struct.pack(">H", len(value)) + value.encode()


try:
    connection = socket.create_connection((arguments.host, arguments.port), timeout=5)
    if arguments.authority:
        context = ssl.create_default_context(cafile=arguments.authority)
        connection = context.wrap_socket(connection, server_hostname=arguments.host)
    answer, _ = ask(connection, STARTUP, struct.pack(">H", 1) + text("CQL_VERSION") + text("3.0.0"))
    if answer == AUTHENTICATE:
        token = b"\0" + (arguments.user or "").encode() + b"\0" + (arguments.password or "").encode()
        answer, _ = ask(connection, AUTH_RESPONSE, struct.pack(">i", len(token)) + token)
    if answer not in (READY, AUTH_SUCCESS):
        sys.exit(1)
    if arguments.peers is not None:
        query = b"SELECT peer FROM system.peers_v2"
        # Consistency ONE, and rows without the names of their columns: kind, flags, number of columns, number of rows.
        answer, body = ask(connection, QUERY, struct.pack(">i", len(query)) + query + struct.pack(">HB", 1, 2))
        if answer != RESULT or struct.unpack(">i", body[12:16])[0] < arguments.peers:
            sys.exit(1)
except OSError:
    sys.exit(1)
