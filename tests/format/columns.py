"""Whole TSM blocks from columns, as docs/FORMAT.md, "Mixed frames", has them."""
import struct
from dataclasses import dataclass

from decode import Cursor, require
from tsm_blocks import BOOLEAN, FLOAT, STRING, TYPES, U64, encode_block

BATCH, AS_BEFORE, ORDER_SHIFT, ORDER_MAX = 8, 16, 5, 2
POINTS_MAX = 2**16
GROUP_VALUES, WIDTH_MAX = 128, 64
DECIMAL_MAX, DICTIONARY, BITS = 14, 15, 16
SIGN = 1 << 63


@dataclass(frozen=True)
class Sections:
    kinds: Cursor
    heads: Cursor
    times: Cursor
    groups: Cursor
    bits: Cursor
    words: Cursor
    lengths: Cursor
    text: Cursor

    def word(self):
        return int.from_bytes(self.words.take(8), 'little')

    def expect_end(self):
        for section in vars(self).values():
            section.expect_end()


# Columns

def exceptions_of_group(sections, count):
    found = [(sections.groups.u8(), sections.groups.varint()) for _ in range(count)]
    require(len({place for place, _ in found}) == count, 'a value is an exception twice')
    return found


def group(sections, count):
    """The codes of a group."""
    width, exceptions = sections.groups.u8(), sections.groups.u8()
    require(width <= WIDTH_MAX, 'a group is too wide')
    packed = int.from_bytes(sections.bits.take((count * width + 7) // 8), 'little')
    codes = [packed >> width * place & (1 << width) - 1 for place in range(count)]
    for place, higher in exceptions_of_group(sections, exceptions):
        require(place < count, 'an exception lies outside of its group')
        require(width < WIDTH_MAX and higher < 1 << WIDTH_MAX - width, 'a code is over 64 bits')
        codes[place] += higher << width
    return codes


def all_codes(sections, count):
    codes = []
    while len(codes) < count:
        codes += group(sections, min(GROUP_VALUES, count - len(codes)))
    return codes


def unzigzag(code):
    return code >> 1 ^ -(code & 1)


def column(sections, order, count):
    """Its values, from 0 to 2^64 - 1."""
    require(order < count, 'a column of too few values')
    divisor = sections.heads.varint()
    require(1 <= divisor < SIGN, 'a divisor that cannot be')
    first = sections.heads.svarint()
    if not order:
        return [(first + code * divisor) % U64 for code in all_codes(sections, count)]
    values = [first] if order == 1 else [first, sections.heads.svarint()]
    for code in all_codes(sections, count - order):
        expected = values[-1] if order == 1 else 2 * values[-1] - values[-2]
        values.append((expected + unzigzag(code) * divisor) % U64)
    return [value % U64 for value in values]


# Floats

def signed(value):
    return value - U64 if value & SIGN else value


def exceptions_of_decimals(sections, count):
    """{place: bits}"""
    found, at = {}, 0
    for number in range(sections.heads.varint()):
        distance = sections.heads.varint()
        require(distance or not number, 'a value is an exception twice')
        at += distance
        require(at < count, 'an exception lies outside of its block')
        found[at] = sections.word()
    return found


def decimal(value, exponent):
    """The bits of the double; division rounds once, as hardware does."""
    return struct.unpack('<Q', struct.pack('<d', float(signed(value)) / float(10**exponent)))[0]


def decimals(sections, exponent, order, count):
    apart = exceptions_of_decimals(sections, count)
    return [apart[place] if place in apart else decimal(value, exponent)
            for place, value in enumerate(column(sections, order, count))]


def in_dictionary(sections, order, count):
    length = sections.heads.varint()
    require(length <= count, 'a dictionary has more words than values')
    words = [sections.word() for _ in range(length)]
    numbers = column(sections, order, count)
    require(max(numbers) < len(words), 'a value is not in the dictionary')
    return [words[number] for number in numbers]


def ordered_bits(value):
    return value ^ SIGN - 1 if value & SIGN else value


def floats(sections, order, count):
    kind = sections.heads.u8()
    if kind <= DECIMAL_MAX:
        return decimals(sections, kind, order, count)
    require(kind in (DICTIONARY, BITS), 'a block of floats that cannot be')
    if kind == DICTIONARY:
        return in_dictionary(sections, order, count)
    return [ordered_bits(value) for value in column(sections, order, count)]


# Blocks

def strings(sections, order, count):
    require(not order, 'strings have no order')
    return [sections.text.take(sections.lengths.varint()) for _ in range(count)]


def booleans(sections, order, count):
    values = column(sections, order, count)
    require(max(values) <= 1, 'a boolean is neither 0 nor 1')
    return values


VALUES = {FLOAT: floats, BOOLEAN: booleans, STRING: strings}  # of the others their column


def points_and_times(sections):
    count, length = sections.heads.varint(), sections.heads.varint()
    require(1 <= count <= POINTS_MAX, 'a block of too many points, or of none')
    return count, sections.times.take(length)


def blocks(sections):
    times = None
    while sections.kinds.at < len(sections.kinds.data):
        kind = sections.kinds.u8()
        value_type, order = kind & 7, kind >> ORDER_SHIFT
        require(value_type in TYPES and order <= ORDER_MAX, 'a block of a kind that cannot be')
        if not kind & AS_BEFORE:
            times = points_and_times(sections)
        require(times, 'times as before, and no block is before')
        count, encoded_times = times
        values = VALUES.get(value_type, column)(sections, order, count)
        yield encode_block(value_type, kind & BATCH, encoded_times, values)
    sections.expect_end()


def decode(stored_sections):
    """The blocks, end to end."""
    return b''.join(blocks(Sections(*map(Cursor, stored_sections))))
