"""TSM blocks as servers of InfluxDB 1.x encode them, byte for byte: docs/FORMAT.md, "How InfluxDB encodes values".

Values are integers from 0 to 2^64 - 1: the bits of floats, integers in two's complement, booleans as 0 and 1; those of
strings are bytes.
"""
import struct
import zlib

FLOAT, INTEGER, BOOLEAN, STRING, UNSIGNED = TYPES = range(5)
U64 = 2**64
RAW, PACKED, RUN, COMPRESSED = b'\x00', b'\x10', b'\x20', b'\x10'


def uvarint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def words(values):
    return struct.pack(f'>{len(values)}Q', *values)


# Integers

PACKINGS = ((60, 1), (30, 2), (20, 3), (15, 4), (12, 5), (10, 6), (8, 7), (7, 8), (6, 10), (5, 12), (4, 15), (3, 20),
            (2, 30), (1, 60))  # values, bits; by selector, from 2 on
RUNS_OF_ONES = ((240, 0), (120, 1))  # length, selector
PACKED_MAX = 2**60 - 1


def zigzag(value):
    """Of a value in two's complement."""
    return (value << 1 ^ -(value >> 63)) % U64


def run_of_ones(values, at, batch):
    """(length, selector) of the word that takes a run at `at`, if any does."""
    for length, selector in RUNS_OF_ONES:
        looked_at = values[at:at + length] if batch else values[at:]
        if len(looked_at) >= length and all(value == 1 for value in looked_at):
            return length, selector
    return None


def packed_word(values, at):
    """How many values the word at `at` takes, and the word."""
    for selector, (count, bits) in enumerate(PACKINGS, len(RUNS_OF_ONES)):
        taken = values[at:at + count]
        if len(taken) == count and max(taken) < 1 << bits:
            return count, selector << 60 | sum(value << bits * place for place, value in enumerate(taken))
    raise ValueError('a value is over 60 bits')


def simple8b(values, batch):
    found, at = [], 0
    while at < len(values):
        run = run_of_ones(values, at, batch)
        count, word = (run[0], run[1] << 60) if run else packed_word(values, at)
        found.append(word)
        at += count
    return words(found)


def encode_integers(values, batch):
    deltas = [zigzag((value - before) % U64) for before, value in zip([0, *values], values)]
    first, others = deltas[0], deltas[1:]
    if len(others) > 1 and len(set(others)) == 1:
        return RUN + words([first]) + uvarint(others[0]) + uvarint(len(others))
    if max(others if batch else deltas, default=0) > PACKED_MAX:
        return RAW + words(deltas)
    return PACKED + words([first]) + simple8b(others, batch)


# Floats, booleans

FLOATS_END = 0x7FF8000000000001


class Bits:
    """Bits from the highest of the first byte on; zero bits to the last byte."""

    def __init__(self):
        self.value = self.length = 0
        self.full = bytearray()

    def put(self, value, length):
        self.value, self.length = self.value << length | value, self.length + length
        whole = self.length // 8
        self.length %= 8
        self.full += (self.value >> self.length).to_bytes(whole, 'big')
        self.value &= (1 << self.length) - 1

    def end(self):
        self.put(0, -self.length % 8)
        return bytes(self.full)


def leading_and_trailing(value):
    """Zero bits of a value of 64 bits that is not 0; those in front as 5 bits hold them."""
    return 64 - value.bit_length() & 31, (value & -value).bit_length() - 1


def encode_floats(values, batch):
    del batch  # both dialects are one here
    bits, before, window = Bits(), values[0], None
    bits.put(before, 64)
    for value in [*values[1:], FLOATS_END]:
        difference, before = value ^ before, value
        if not difference:
            bits.put(0b0, 1)
            continue
        leading, trailing = leading_and_trailing(difference)
        if window and leading >= window[0] and trailing >= window[1]:
            bits.put(0b10, 2)
        else:
            window = leading, trailing
            bits.put(0b11, 2)
            bits.put(leading, 5)
            bits.put(64 - leading - trailing & 63, 6)
        bits.put(difference >> window[1], 64 - sum(window))
    return COMPRESSED + bits.end()


def encode_booleans(values, batch):
    del batch  # both dialects are one here
    bits = Bits()
    for value in values:
        bits.put(value, 1)
    return COMPRESSED + uvarint(len(values)) + bits.end()


# Strings

SNAPPY_PIECE = 2**16
SNAPPY_MARGIN = 15  # bytes at the end of a piece in which no match begins
SNAPPY_TABLE_BITS = range(8, 15)


def literal(data):
    if not data:
        return b''
    last = len(data) - 1
    if last < 60:
        return bytes([last << 2]) + data
    if last < 256:
        return bytes([60 << 2, last]) + data
    return struct.pack('<BH', 61 << 2, last) + data


def long_copy(distance, length):
    return struct.pack('<BH', length - 1 << 2 | 2, distance)


def copy(distance, length):
    out = b''
    while length >= 68:
        out, length = out + long_copy(distance, 64), length - 64
    if length > 64:
        out, length = out + long_copy(distance, 60), length - 60
    if length >= 12 or distance >= 2048:
        return out + long_copy(distance, length)
    return out + bytes([distance >> 8 << 5 | length - 4 << 2 | 1, distance & 0xFF])


class SnappyPiece:
    """Up to 64 KiB, compressed by themselves."""

    def __init__(self, data):
        self.data, self.out, self.written = data, bytearray(), 0
        bits = next((bits for bits in SNAPPY_TABLE_BITS if 1 << bits >= len(data)), SNAPPY_TABLE_BITS[-1])
        self.shift, self.places = 32 - bits, {}  # a place that nothing was put in is 0

    def four(self, at):
        return self.data[at:at + 4]

    def exchange(self, at):
        """Where four bytes of one hash with those at `at` stood last; `at` is now."""
        place = int.from_bytes(self.four(at), 'little') * 0x1E35A7BD % 2**32 >> self.shift
        found = self.places.get(place, 0)
        self.places[place] = at
        return found

    def find_match(self, at):
        """(at, candidate) of the next four bytes that stood before, if any did."""
        skip = 32
        while True:
            step = skip >> 5
            if at + step > len(self.data) - SNAPPY_MARGIN:
                return None
            candidate = self.exchange(at)
            if self.four(at) == self.four(candidate):
                return at, candidate
            at, skip = at + step, skip + step

    def match_length(self, at, candidate):
        length = 4
        while at + length < len(self.data) and self.data[at + length] == self.data[candidate + length]:
            length += 1
        return length

    def put_copies(self, at, candidate):
        """A copy, and those that follow it at once; the end of the last one. Nothing when the piece is at its end."""
        while True:
            length = self.match_length(at, candidate)
            self.out += copy(at - candidate, length)
            at = self.written = at + length
            if at >= len(self.data) - SNAPPY_MARGIN:
                return None
            self.exchange(at - 1)
            candidate = self.exchange(at)
            if self.four(at) != self.four(candidate):
                return at

    def compress(self):
        at = 0
        while len(self.data) > SNAPPY_MARGIN + 1 and at is not None:
            match = self.find_match(at + 1)
            if not match:
                break
            self.out += literal(self.data[self.written:match[0]])
            at = self.put_copies(*match)
        return bytes(self.out) + literal(self.data[self.written:])


def go_snappy(data):
    pieces = (data[at:at + SNAPPY_PIECE] for at in range(0, len(data), SNAPPY_PIECE))
    return uvarint(len(data)) + b''.join(SnappyPiece(piece).compress() for piece in pieces)


def encode_strings(values, batch):
    del batch  # both dialects are one here
    return COMPRESSED + go_snappy(b''.join(uvarint(len(value)) + value for value in values))


# Blocks

ENCODERS = {FLOAT: encode_floats, INTEGER: encode_integers, BOOLEAN: encode_booleans, STRING: encode_strings,
            UNSIGNED: encode_integers}


def encode_block(kind, batch, times, values):
    """`times` as they stand in the block; `batch` tells the encoder."""
    data = bytes([kind]) + uvarint(len(times)) + times + ENCODERS[kind](values, batch)
    return zlib.crc32(data).to_bytes(4, 'big') + data
