"""Small TSM files (InfluxDB 1.x) with blocks that are the same for the same seeds."""
import random
import struct
import zlib

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
