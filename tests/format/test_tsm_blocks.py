"""The encoders of TSM blocks, where docs/FORMAT.md has a rule that decides over the bytes."""
import random
import struct
import unittest
import zlib

import tsm_blocks
from decode import Cursor

ONE = 1 << 62  # over 60 bits


def integers(values, batch=False):
    return tsm_blocks.encode_integers([value % 2**64 for value in values], batch).hex()


def selectors(values, batch):
    packed = tsm_blocks.simple8b(values, batch)
    return [word >> 60 for word in struct.unpack(f'>{len(packed) // 8}Q', packed)]


class Simple8b(unittest.TestCase):
    def test_a_word_takes_as_many_as_fit(self):
        self.assertEqual(tsm_blocks.simple8b([1, 0, 3], False).hex(), 'd000030000000001')
        self.assertEqual(tsm_blocks.simple8b([2**60 - 1], False).hex(), 'f' * 16)
        self.assertEqual(selectors([0] * 60 + [5] * 20, False), [2, 4])
        self.assertEqual(selectors([0] * 59, False), [3, 4, 8, 15])

    def test_runs_of_ones_to_the_end_are_words_of_either_encoder(self):
        for batch in (False, True):
            self.assertEqual(selectors([1] * 360, batch), [0, 1])
            self.assertEqual(tsm_blocks.simple8b([1] * 120, batch).hex(), '1' + 15 * '0')
            self.assertEqual(selectors([1] * 119, batch)[0], 2)

    def test_runs_of_ones_before_others_are_words_of_the_batch_encoder(self):
        for count, batch, stream in ((240, [0], [2] * 4), (120, [1], [2] * 2), (239, [1, 2, 3], [2, 2, 2, 3])):
            values = [1] * count + [9]
            self.assertEqual(selectors(values, True)[:len(batch)], batch)
            self.assertEqual(selectors(values, False)[:len(stream)], stream)


class Integers(unittest.TestCase):
    def test_runs(self):
        self.assertEqual(integers([5, 5, 5]), '20' '000000000000000a' '00' '02')
        self.assertEqual(integers([-1, 299, 599, 899]), '20' '0000000000000001' 'd804' '03')

    def test_two_values_are_no_run(self):
        self.assertEqual(integers([5, 5]), '10' '000000000000000a' 'f000000000000000')

    def test_a_run_comes_before_words(self):
        for batch in (False, True):
            self.assertEqual(integers([0, ONE, 2 * ONE], batch)[:2], '20')

    def test_words(self):
        self.assertEqual(integers([0, ONE]), '00' + '0' * 16 + '8' + '0' * 15)
        self.assertEqual(integers([0, 2**59 - 1])[:2], '10')
        self.assertEqual(integers([0, 2**59])[:2], '00')

    def test_the_first_value_counts_for_one_encoder_only(self):
        self.assertEqual(integers([ONE, ONE]), '00' '8000000000000000' '0000000000000000')
        self.assertEqual(integers([ONE, ONE], batch=True), '10' '8000000000000000' 'f000000000000000')
        self.assertEqual(integers([ONE]), '00' '8000000000000000')
        self.assertEqual(integers([ONE], batch=True), '10' '8000000000000000')

    def test_differences_wrap(self):
        self.assertEqual(integers([2**63 - 1, -2**63]), '00' 'fffffffffffffffe' '0000000000000002')


class Floats(unittest.TestCase):
    def bits(self, *values):
        """Behind the first value, without what ends them."""
        encoded = tsm_blocks.encode_floats(list(values), False)
        self.assertEqual(encoded[:9], b'\x10' + values[0].to_bytes(8, 'big'))
        return f'{int.from_bytes(encoded[9:], "big"):0{8 * len(encoded) - 72}b}'

    def test_the_end_is_a_value_like_another(self):
        self.assertEqual(self.bits(1 << 63 | 1), '11' '00000' '001101' + '1' * 13 + '0' * 6)

    def test_equal_values_are_a_bit_each(self):
        self.assertTrue(self.bits(7, 7, 7).startswith('00' '11'))

    def test_leading_zeros_wrap(self):
        self.assertTrue(self.bits(0, 1 << 8).startswith('11' '10111' '100001'))  # 55 is 23; 64 - 23 - 8
        self.assertTrue(self.bits(0, 1 << 31).startswith('11' '00000' '100001'))  # 32 is 0

    def test_the_window_is_used_again(self):
        window = '11' '10100' '000100' '1111'
        self.assertTrue(self.bits(0, 0xF << 40, (0xF ^ 0x6) << 40).startswith(window + '10' '0110'))
        self.assertTrue(self.bits(0, 0xF << 40, (0xF ^ 0x1F) << 40).startswith(window + '11' '10011'))

    def test_64_bits_are_written_as_0(self):
        self.assertTrue(self.bits(0, 1 << 63 | 1).startswith('11' '00000' '000000' '1' + '0' * 62 + '1'))


class Booleans(unittest.TestCase):
    def test_bits_from_the_highest(self):
        self.assertEqual(tsm_blocks.encode_booleans([1, 0, 1], False).hex(), '10' '03' 'a0')
        self.assertEqual(tsm_blocks.encode_booleans([1] * 300, False).hex(), '10' 'ac02' + 'ff' * 37 + 'f0')


def unsnap(data):
    """What any reader of snappy makes of it."""
    cursor = Cursor(data)
    length, out = cursor.varint(), bytearray()
    while cursor.at < len(data):
        tag = cursor.u8()
        if not tag & 3:
            count = tag >> 2
            count = 1 + (count if count < 60 else int.from_bytes(cursor.take(count - 59), 'little'))
            out += cursor.take(count)
            continue
        count, distance = (4 + (tag >> 2 & 7), tag >> 5 << 8 | cursor.u8()) if tag & 3 == 1 else (
            1 + (tag >> 2), int.from_bytes(cursor.take(2), 'little'))
        for _ in range(count):
            out.append(out[-distance])
    assert len(out) == length
    return bytes(out)


class Strings(unittest.TestCase):
    def snapped(self, data):
        found = tsm_blocks.go_snappy(data)
        self.assertEqual(unsnap(found), data)
        return found.hex()

    def test_short_pieces_are_literals(self):
        self.assertEqual(self.snapped(b''), '00')
        self.assertEqual(self.snapped(b'a' * 16), '10' '3c' + '61' * 16)

    def test_copies_are_cut(self):
        self.assertEqual(self.snapped(b'a' * 17), '11' '0061' '3e0100')
        self.assertEqual(self.snapped(b'a' * 65), '41' '0061' 'fe0100')
        self.assertEqual(self.snapped(b'a' * 66), '42' '0061' 'ee0100' '0501')
        self.assertEqual(self.snapped(b'a' * 69), '45' '0061' 'fe0100' '0101')
        self.assertEqual(self.snapped(b'a' * 100), '64' '0061' 'fe0100' '8a0100')

    def test_pieces_stand_for_themselves(self):
        piece = random.Random(1).randbytes(1000)
        first = self.snapped(piece.ljust(2**16))
        self.assertEqual(self.snapped(piece.ljust(2**16) * 2)[6:], first[6:] * 2)

    def test_whatever_it_is_it_comes_back(self):
        drawn = random.Random(2)
        for length in (17, 61, 62, 257, 300, 5000, 70_000):
            noise = drawn.randbytes(length)
            twice, nine = noise[:length // 2] * 2, noise[:9] * (length // 9)
            two_letters = bytes(drawn.choices(b'ab', k=length))
            for data in (noise, twice, two_letters, nine):
                self.snapped(data)

    def test_each_string_has_its_length(self):
        self.assertEqual(tsm_blocks.encode_strings([b'ab', b''], False).hex(), '10' '04' '0c' '02' '6162' '00')


class Blocks(unittest.TestCase):
    def test_crc_type_times_values(self):
        block = tsm_blocks.encode_block(tsm_blocks.BOOLEAN, False, b'times', [1])
        self.assertEqual(block[4:], b'\x02\x05times' b'\x10\x01\x80')
        self.assertEqual(block[:4], zlib.crc32(block[4:]).to_bytes(4, 'big'))


if __name__ == '__main__':
    unittest.main()
