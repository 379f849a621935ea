"""Frames of codec 2, as docs/FORMAT.md, "Mixed frames", has them."""
import struct

from decode import Cursor, require

PLAIN, INDEX = 0, 1
KINDS = (PLAIN, INDEX)
ENTRY = struct.Struct('>QQQI')
U64 = 2**64


def section(cursor, decompress):
    length = cursor.varint()
    if not length:
        return b''
    stored = cursor.sized()
    raw = decompress(stored, length) if stored else cursor.take(length)
    require(len(raw) == length, 'a section has another length')
    return raw


class Expected:
    """What an entry is expected to be, from those before it."""

    def __init__(self):
        self.before, self.current, self.end = [], [], 0

    def next_key(self):
        self.before, self.current = self.current, []

    def first_and_span(self):
        number = len(self.current)
        if number < len(self.before):
            return self.before[number]
        if not number:
            return 0, 0
        first, span = self.current[-1]
        return (first + span) % U64, span

    def add(self, first, span, offset, length):
        self.current.append((first, span))
        self.end = (offset + length) % U64


def index_entries(stored, decompress):
    whole = Cursor(stored)
    keys, shapes, firsts, spans, lengths, offsets = sections = [Cursor(section(whole, decompress)) for _ in range(6)]
    whole.expect_end()
    expected, key, out = Expected(), b'', bytearray()
    while keys.at < len(keys.data):
        shared = keys.varint()
        require(shared <= len(key), 'a key shares more than there is')
        key = key[:shared] + keys.sized()
        kind, count = shapes.u8(), shapes.varint()
        out += struct.pack('>H', len(key)) + key + struct.pack('>BH', kind, count)
        expected.next_key()
        for _ in range(count):
            first, span = expected.first_and_span()
            first, span = (first + firsts.svarint()) % U64, (span + spans.svarint()) % U64
            offset, length = (expected.end + offsets.svarint()) % U64, lengths.varint()
            out += ENTRY.pack(first, (first + span) % U64, offset, length)
            expected.add(first, span, offset, length)
    for one in sections:
        one.expect_end()
    return bytes(out)


def plain(stored, decompress):
    cursor = Cursor(stored)
    raw = section(cursor, decompress)
    cursor.expect_end()
    return raw


def decode(stored, raw_length, decompress):
    """The raw bytes; decompress(stored, length) takes one zstd frame."""
    cursor = Cursor(stored)
    pieces = []
    for _ in range(cursor.varint()):
        value = cursor.varint()
        kind, length = value & 3, value >> 2
        require(kind in KINDS and length, 'a piece that cannot be')
        require(not pieces or pieces[-1][0] != kind, 'two pieces that are one')
        pieces.append((kind, length))
    require(sum(length for _, length in pieces) == raw_length, 'the pieces do not fill the frame')
    streams = {}
    for kind, take in ((PLAIN, plain), (INDEX, index_entries)):
        wanted = sum(length for piece, length in pieces if piece == kind)
        if not wanted:
            continue
        streams[kind] = Cursor(take(cursor.sized(), decompress))
        require(len(streams[kind].data) == wanted, 'the bytes of a kind have another length')
    cursor.expect_end()
    return b''.join(streams[kind].take(length) for kind, length in pieces)
