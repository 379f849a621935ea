"""TSM blocks in columns: what docs/FORMAT.md says of them, each form by itself, and what a reader refuses."""
import struct
import unittest

import columns
import mixed_frame
import tsm_blocks
from decode import FormatError
from test_decode import sized, svarint, varint
from tsm_blocks import BOOLEAN, FLOAT, INTEGER, STRING, UNSIGNED

BATCH, AS_BEFORE = 8, 16
TIMES = b'\x1c' + bytes(8)
DECIMAL_0, DECIMAL_2, DICTIONARY, BITS = 0, 2, 15, 16
NO_BITS = b'\0\0'  # a group of width 0


def bits_of(*values):
    return list(struct.unpack(f'<{len(values)}Q', struct.pack(f'<{len(values)}d', *values)))


def words(*values):
    return struct.pack(f'<{len(values)}Q', *values)


def head(count, *parts):
    return varint(count) + varint(len(TIMES)) + b''.join(parts)


def sections(kinds, heads, groups=b'', bits=b'', floats=b'', lengths=b'', text=b'', times=TIMES):
    return [bytes(kinds), heads, times, groups, bits, floats, lengths, text]


def in_order(order):
    return order << 5


class Sections(unittest.TestCase):
    def gives(self, given, *blocks):
        self.assertEqual(columns.decode(given), b''.join(tsm_blocks.encode_block(*block) for block in blocks))

    def refuses(self, *many):
        for given in many:
            with self.assertRaises(FormatError, msg=given):
                columns.decode(given)


class Columns(Sections):
    def test_no_blocks_are_no_bytes(self):
        self.gives(sections([], b'', times=b''))

    def test_order_0(self):
        self.gives(sections([INTEGER], head(3, varint(10), svarint(-7)), b'\x02\0', b'\x24'),
                   (INTEGER, False, TIMES, [2**64 - 7, 3, 13]))

    def test_order_1(self):
        self.gives(sections([UNSIGNED | in_order(1)], head(3, varint(5), svarint(3)), b'\x04\0', b'\x21'),
                   (UNSIGNED, False, TIMES, [3, 2**64 - 2, 3]))

    def test_order_2(self):
        self.gives(sections([INTEGER | in_order(2)], head(4, varint(1), svarint(10), svarint(13)), b'\x02\0', b'\x08'),
                   (INTEGER, False, TIMES, [10, 13, 16, 20]))

    def test_values_wrap(self):
        self.gives(sections([INTEGER], head(1, varint(2**63 - 1), svarint(-1)), b'\x40\0', words(2**64 - 1)),
                   (INTEGER, False, TIMES, [(2**64 - 1) * (2**63 - 1) - 1 & 2**64 - 1]))

    def test_groups_have_128_codes_and_the_last_one_what_is_left(self):
        self.gives(sections([BOOLEAN | in_order(1)], head(129, varint(1), svarint(1)), NO_BITS),
                   (BOOLEAN, False, TIMES, [1] * 129))
        self.gives(sections([BOOLEAN], head(130, varint(1), svarint(0)), b'\0\0\x01\0', b'\x02'),
                   (BOOLEAN, False, TIMES, [0] * 129 + [1]))

    def test_exceptions_have_higher_bits(self):
        groups = b'\x04\x02' b'\x02\x01' b'\x00\x03'
        self.gives(sections([INTEGER], head(3, varint(1), svarint(0)), groups, b'\x21\x05'),
                   (INTEGER, False, TIMES, [1 + 3 * 16, 2, 5 + 16]))

    def test_refuses_columns_that_cannot_be(self):
        one = head(1, varint(1), svarint(0))
        self.refuses(
            sections([INTEGER | in_order(3)], one, NO_BITS), sections([5], one, NO_BITS),
            sections([INTEGER | in_order(1)], one), sections([INTEGER | in_order(2)], one + svarint(0)),
            sections([INTEGER], head(1, varint(0), svarint(0)), NO_BITS),
            sections([INTEGER], head(1, varint(2**63), svarint(0)), NO_BITS),
            sections([INTEGER], head(0, varint(1), svarint(0))),
            sections([BOOLEAN], head(1, varint(1), svarint(2)), NO_BITS))

    def test_refuses_groups_that_cannot_be(self):
        one = head(1, varint(1), svarint(0))
        self.refuses(*(sections([INTEGER], one, groups, bytes(bits)) for groups, bits in (
            (b'\x41\0', 9), (b'\x08\0', 0), (b'\x08\0', 2), (b'\x08\x01\x01\x01', 1), (b'\x08\x02\0\x01\0\x02', 1),
            (b'\x40\x01\0\x01', 8), (b'\x3c\x01\0\x10', 8), (b'\x00', 0), (NO_BITS * 2, 0))))


class Floats(Sections):
    def floats(self, kind, count, before_column, column, floats, values):
        heads, groups, bits = column
        self.gives(sections([FLOAT], head(count, bytes([kind]), before_column, heads), groups, bits, words(*floats)),
                   (FLOAT, False, TIMES, values))

    def test_decimals(self):
        self.floats(DECIMAL_2, 2, varint(0), (varint(7) + svarint(-5), b'\x01\0', b'\x02'), [], bits_of(-0.05, 0.02))

    def test_a_decimal_is_divided_as_doubles_are(self):
        number = 2**53 + 1  # the nearest double is 2^53; that of the quotient would be another
        self.floats(DECIMAL_2, 1, varint(0), (varint(1) + svarint(number), NO_BITS, b''), [], bits_of(2.0**53 / 100))

    def test_exceptions_of_decimals(self):
        self.floats(DECIMAL_0, 4, varint(2) + varint(1) + varint(2), (varint(1) + svarint(3), NO_BITS, b''),
                    bits_of(-0.0, float('inf')), bits_of(3.0, -0.0, 3.0, float('inf')))

    def test_dictionary(self):
        values = bits_of(1 / 3, 1e300)
        self.floats(DICTIONARY, 3, varint(2), (varint(1) + svarint(0), b'\x01\0', b'\x05'), values,
                    [values[1], values[0], values[1]])

    def test_bits(self):
        for value in bits_of(1.5, -1.5, 0.0, -0.0):
            ordered = value if value < 2**63 else value - 2**64 ^ 2**63 - 1
            self.floats(BITS, 1, b'', (varint(1) + svarint(ordered), NO_BITS, b''), [], [value])

    def test_refuses(self):
        column = varint(1) + svarint(0)
        self.refuses(*(sections([FLOAT], head(2, parts, column), NO_BITS, b'', bytes(8 * count)) for parts, count in (
            (b'\x11', 0), (b'\0\x01\x02', 1), (b'\0\x02\x01\0', 2), (b'\0\0', 1), (b'\0\x01\0', 0),
            (b'\x0f\0', 0), (b'\x0f\x03', 3), (b'\x0f\x02', 1))))


class Blocks(Sections):
    def test_times_as_in_the_block_before(self):
        column = varint(1) + svarint(4)
        self.gives(sections([INTEGER, INTEGER | AS_BEFORE, STRING | AS_BEFORE, BOOLEAN],
                            head(2, column) + column + head(1, varint(1) + svarint(1)), NO_BITS * 3,
                            lengths=varint(2) + varint(0), text=b'ab', times=TIMES * 2),
                   (INTEGER, False, TIMES, [4, 4]), (INTEGER, False, TIMES, [4, 4]),
                   (STRING, False, TIMES, [b'ab', b'']), (BOOLEAN, False, TIMES, [1]))

    def test_the_encoder_is_told(self):
        first = 2**62
        column = varint(1) + svarint(first)
        for kind, batch in ((INTEGER, False), (INTEGER | BATCH, True)):
            self.gives(sections([kind], head(2, column), NO_BITS), (INTEGER, batch, TIMES, [first] * 2))

    def test_refuses(self):
        column = varint(1) + svarint(0)
        one = head(1, column)
        self.refuses(sections([INTEGER | AS_BEFORE], column, NO_BITS, times=b''),
                     sections([INTEGER], one, NO_BITS, times=b''), sections([INTEGER], one + b'\0', NO_BITS),
                     sections([INTEGER], one, NO_BITS, floats=b'\0'), sections([INTEGER], one, NO_BITS, text=b'a'),
                     sections([STRING], head(1), lengths=varint(2), text=b'a'),
                     sections([STRING | in_order(1)], head(1), lengths=varint(0)),
                     sections([STRING], head(2**16 + 1), lengths=bytes(2**16 + 1)))


class Frames(unittest.TestCase):
    COLUMNS = sections([BOOLEAN, BOOLEAN | AS_BEFORE], head(1, b'\x01', svarint(1), b'\x01', svarint(0)), NO_BITS * 2)

    @staticmethod
    def section(data):
        return varint(len(data)) + (b'\0' + data if data else b'')

    def test_pieces_of_all_kinds(self):
        blocks = columns.decode(self.COLUMNS)
        half = len(blocks) // 2
        lengths = [(half, 2), (3, 0), (half, 2)]
        frame = (varint(3) + b''.join(varint(length << 2 | kind) for length, kind in lengths)
                 + sized(self.section(b'abc')) + sized(b''.join(map(self.section, self.COLUMNS))))
        self.assertEqual(mixed_frame.decode(frame, len(blocks) + 3, None), blocks[:half] + b'abc' + blocks[half:])

    def test_refuses(self):
        blocks, stored = columns.decode(self.COLUMNS), sized(b''.join(map(self.section, self.COLUMNS)))
        one = varint(1) + varint(len(blocks) << 2 | 2)
        mixed_frame.decode(one + stored, len(blocks), None)
        for frame, length in ((one + stored + b'\0', len(blocks)), (one + stored, len(blocks) + 1),
                              (varint(1) + varint(len(blocks) + 1 << 2 | 2) + stored, len(blocks) + 1),
                              (varint(1) + varint(len(blocks) - 1 << 2 | 2) + stored, len(blocks) - 1),
                              (varint(1) + varint(len(blocks) << 2 | 3) + stored, len(blocks)), (one, len(blocks))):
            with self.assertRaises(FormatError, msg=frame):
                mixed_frame.decode(frame, length, None)


if __name__ == '__main__':
    unittest.main()
