"""Frames of codec 2, as docs/FORMAT.md, "Mixed frames", has them."""
import struct

import columns
from decode import Cursor, require

PLAIN, INDEX, BLOCKS = KINDS = range(3)
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


def sections(stored, count, decompress):
    cursor = Cursor(stored)
    found = [section(cursor, decompress) for _ in range(count)]
    cursor.expect_end()
    return found


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
    found = [Cursor(one) for one in sections(stored, 6, decompress)]
    keys, shapes, firsts, spans, lengths, offsets = found
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
    for one in found:
        one.expect_end()
    return bytes(out)


def plain(stored, decompress):
    return sections(stored, 1, decompress)[0]


def blocks(stored, decompress):
    return columns.decode(sections(stored, 8, decompress))


TAKE = {PLAIN: plain, INDEX: index_entries, BLOCKS: blocks}


def read_pieces(cursor):
    """[(kind, raw length)]"""
    pieces = []
    for _ in range(cursor.varint()):
        value = cursor.varint()
        kind, length = value & 3, value >> 2
        require(kind in KINDS and length, 'a piece that cannot be')
        require(not pieces or pieces[-1][0] != kind, 'two pieces that are one')
        pieces.append((kind, length))
    return pieces


def split(stored):
    """The pieces, and {kind: what is stored of it}."""
    cursor = Cursor(stored)
    pieces = read_pieces(cursor)
    there = {kind for kind, _ in pieces}
    parts = {kind: cursor.sized() for kind in KINDS if kind in there}
    cursor.expect_end()
    return pieces, parts


def decode(stored, raw_length, decompress):
    """The raw bytes; decompress(stored, length) takes one zstd frame."""
    pieces, parts = split(stored)
    require(sum(length for _, length in pieces) == raw_length, 'the pieces do not fill the frame')
    streams = {kind: Cursor(TAKE[kind](part, decompress)) for kind, part in parts.items()}
    raw = b''.join(streams[kind].take(length) for kind, length in pieces)
    for stream in streams.values():
        stream.expect_end()
    return raw
