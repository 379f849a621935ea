"""Small TSM files (InfluxDB 1.x) with blocks that are the same for the same seeds, and the metastore of their shards."""
import random
import struct
import zlib

from harness.protobuf import number, part

HEADER = struct.pack('>IB', 0x16D116D1, 1)


def block(seed):
    return random.Random(seed).randbytes(200 + seed % 900)


def tsm(seeds):
    """A sound file of one block a key; the keys follow from the places."""
    content, index = bytearray(HEADER), bytearray()
    for number, seed in enumerate(seeds):
        data = block(seed)
        key = b'cpu,host=%06d#!~#value' % number
        entry = struct.pack('>qqqI', number, number + 10, len(content), len(data) + 4)
        index += struct.pack('>H', len(key)) + key + struct.pack('>BH', 0, 1) + entry
        content += struct.pack('>I', zlib.crc32(data)) + data
    offset = len(content)
    return bytes(content + index + struct.pack('>Q', offset))


def meta_db(shards):
    """meta.db (docs/FORMAT.md names its fields) that knows shards by their paths, as 'db/policy/7'."""
    databases = {}
    for path in shards:
        database, policy, shard = path.split('/')
        group = number(1, int(shard)) + number(2, 1000) + number(3, 2000) + part(5, number(1, int(shard)))
        databases.setdefault(database, {}).setdefault(policy, []).append(part(5, group))
    content = number(1, 0) + number(2, 1) + number(3, 77)
    for database, policies in databases.items():
        content += part(5, part(1, database.encode()) + b''.join(
            part(3, part(1, policy.encode()) + b''.join(groups)) for policy, groups in policies.items()))
    return content
