"""A peer of a node's port that can also behave badly: connections, frames and hellos written byte by byte.

Only what the tests need of proto/wire/wire_frame.h, rpc.proto and admin.proto.
"""

import ctypes
import ctypes.util
import socket
import ssl
import struct

MAGIC, VERSION, PROTOCOL_VERSION = 0xC1EA, 1, 1
REQUEST, REPLY, ONE_WAY, HELLO = 1, 2, 3, 4
HEADER_SIZE = 32
BODY_SIZE_MAX = 32 * 1024 * 1024
ROLE_NODE, ROLE_COORDINATOR, ROLE_TOOL = 0, 1, 2
METHOD_HELLO, METHOD_NODE_STATUS = 1, 60
ST_OK, ST_WRONG_CLUSTER, ST_VERSION, ST_FORGOTTEN, ST_DENIED = 0, -20, -21, -22, -23

_xxhash = ctypes.CDLL(ctypes.util.find_library("xxhash") or "libxxhash.so.0")
_xxhash.XXH3_64bits_withSeed.restype = ctypes.c_uint64
_xxhash.XXH3_64bits_withSeed.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64)


def frame(kind, method, body=b"", version=VERSION, magic=MAGIC, announced=None, call_id=0, spoiled=False):
    """The bytes of a frame; announced is a body size that need not be true, spoiled a checksum that is not."""
    size = len(body) if announced is None else announced
    first = struct.pack(">HBBI", magic, version, kind, size)
    rest = struct.pack(">HhIQ", method, 0, 5000, call_id) + body
    checksum = _xxhash.XXH3_64bits_withSeed(rest, len(rest), int.from_bytes(first, "big"))
    return first + struct.pack(">Q", checksum ^ spoiled) + rest


def _varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes_field(number, value):
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _number_field(number, value):
    return _varint(number << 3) + _varint(value) if value else b""


def hello(cluster_id, role, node_id=0, incarnation=bytes(16), protocol_version=PROTOCOL_VERSION):
    """A whole hello frame."""
    body = _number_field(1, protocol_version) + _bytes_field(2, cluster_id) + _number_field(3, role)
    return frame(HELLO, METHOD_HELLO, body + _number_field(4, node_id) + _bytes_field(5, incarnation))


def tls_connection(port, authority=None, certificate=None, key=None, host="127.0.0.1"):
    """A TLS connection to a node, with or without a certificate of our own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if authority else ssl.CERT_NONE
    if authority:
        context.load_verify_locations(authority)
    if certificate:
        context.load_cert_chain(certificate, key)
    return context.wrap_socket(plain_connection(port, host))


def plain_connection(port, host="127.0.0.1"):
    connection = socket.create_connection((host, port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_exactly(connection, size):
    """size bytes, or less if the other side closed."""
    data = b""
    while len(data) < size:
        some = connection.recv(size - len(data))
        if not some:
            break
        data += some
    return data


def read_frame(connection):
    """(type, method, status, body) of the next frame, or None when the other side closed or reset the connection."""
    try:
        header = read_exactly(connection, HEADER_SIZE)
        if len(header) < HEADER_SIZE:
            return None
        _, _, kind, size, _, method, status, _, _ = struct.unpack(">HBBIQHhIQ", header)
        return kind, method, status, read_exactly(connection, size)
    except (ConnectionError, ssl.SSLError):
        return None


def is_closed_by_peer(connection):
    """Wait for the other side's end; what it says before does not matter."""
    try:
        while connection.recv(65536):
            pass
    except (ConnectionError, ssl.SSLError):
        return True
    except TimeoutError:
        return False
    return True


# --- reading a NodeStatusReply ---


def _fields(message):
    """(number, value) of each field of a protobuf message: int for numbers, bytes for the rest."""
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = number()
        if tag & 7 == 0:
            yield tag >> 3, number()
        else:
            size = number()
            at += size
            yield tag >> 3, message[at - size : at]


REPLICA_FIELDS = {
    1: "partition_id",
    2: "table_id",
    3: "replica_id",
    4: "state",
    5: "leader_node_id",
    6: "term",
    7: "applied_index",
    8: "commit_index",
    9: "last_index",
    10: "first_index",
}


def _replica(message):
    replica = dict.fromkeys(REPLICA_FIELDS.values(), 0)
    for number, value in _fields(message):
        if number in REPLICA_FIELDS:
            replica[REPLICA_FIELDS[number]] = value.decode() if isinstance(value, bytes) else value
    return replica


def node_status(port, cluster_id, authority, certificate, key, host="127.0.0.1"):
    """The replicas that a node hosts, by partition id, as the node itself tells an operator's tool."""
    with tls_connection(port, authority, certificate, key, host) as connection:
        connection.sendall(hello(cluster_id, ROLE_TOOL))
        answer = read_frame(connection)
        if answer is None or answer[0] != HELLO or answer[2] != ST_OK:
            raise ConnectionError(f"the node refused our hello: {answer}")
        connection.sendall(frame(REQUEST, METHOD_NODE_STATUS, call_id=1))
        answer = read_frame(connection)
        if answer is None or answer[0] != REPLY or answer[2] != ST_OK:
            raise ConnectionError(f"the node refused our question: {answer}")
    replicas = [_replica(value) for number, value in _fields(answer[3]) if number == 4]
    return {replica["partition_id"]: replica for replica in replicas}
