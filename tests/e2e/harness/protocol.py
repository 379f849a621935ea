"""The client's side of influxd's snapshot protocol, in both of its dialects."""
import json
import typing

MUX_HEADER = 0x03
REQUEST_BYTES_MAX = 1 << 16
NO_TIME = '0001-01-01'  # of a request for all of a shard
END_OF_TIME = '2262-04-11'  # of one for what has it write its cache out, and no more

# What the request type bytes (and the JSON field Type) mean.
NEWER_KINDS = {0: 'shard', 1: 'metastore', 3: 'database', 4: 'policy', 5: 'range'}  # 1.5 to 1.12
OLDER_KINDS = {0: 'shard', 1: 'metastore', 2: 'database', 3: 'policy'}  # 1.2 to 1.4


class Request(typing.NamedTuple):
    kind: str         # "shard", "later" (what a shard has since a time), "nothing" (since the end of time), "range", "metastore", "database", "policy", "unknown"
    shard: int        # 0 when the request is not about one
    older: bool       # in the dialect of 1.2 to 1.4
    body: dict
    raw: bytes


def shard_request(shard_id):
    """A request for a shard, which 1.5 and later answer; as for them, only the id matters."""
    return bytes([MUX_HEADER, 0]) + json.dumps({'ShardID': shard_id}).encode() + b'\n'


def metastore_request():
    """A request for the metastore, which 1.5 and later answer."""
    return bytes([MUX_HEADER, 1]) + b'{}\n'


def read_request(connection):
    """The request on a new connection, or None when the client leaves or does not speak the protocol."""
    raw = b''
    while len(raw) < REQUEST_BYTES_MAX:
        request = parse_request(raw)
        if request:
            return request
        piece = connection.recv(65536)
        if not piece:
            return None
        raw += piece
    return None


def parse_request(raw):
    """The request in these bytes, or None while it is not all there."""
    if len(raw) < 3 or raw[0] != MUX_HEADER:
        return None
    older = raw[1:2] == b'{'
    try:
        body, _ = json.JSONDecoder().raw_decode(raw[1 if older else 2:].decode())
    except ValueError:
        return None
    kinds = OLDER_KINDS if older else NEWER_KINDS
    kind = kinds.get(body.get('Type', 0) if older else raw[1], 'unknown')
    if kind == 'shard' and not body.get('Since', NO_TIME).startswith(NO_TIME):
        kind = 'nothing' if body['Since'].startswith(END_OF_TIME) else 'later'
    return Request(kind, body.get('ShardID', 0), older, body, raw)
