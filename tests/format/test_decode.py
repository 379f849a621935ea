"""Each thing that docs/FORMAT.md says a reader refuses, with checksums that are right."""
import json
import unittest

import decode
from decode import FormatError, checksum

PACK, REPOSITORY, FILE_ID = bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48))
SEED = int.from_bytes(PACK[:8], 'little')


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def svarint(value):
    return varint((value << 1 ^ value >> 63) & 2**64 - 1)


def sized(data):
    return varint(len(data)) + data


def sealed(kind, content):
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return f'tsmfs {kind} {checksum(text):016x}\n'.encode() + text


class Cursor(unittest.TestCase):
    def test_varints_come_back(self):
        for value in (0, 1, 127, 128, 300, 2**32, 2**63, 2**64 - 1):
            self.assertEqual(decode.Cursor(varint(value)).varint(), value)

    def test_svarints_come_back(self):
        for value in (0, -1, 1, -64, 64, 2**63 - 1, -2**63):
            self.assertEqual(decode.Cursor(svarint(value)).svarint(), value)

    def test_refuses_other_varints(self):
        for data in (b'', b'\x80', b'\x80\x00', b'\xff\x80\x00', b'\xff' * 9 + b'\x02', b'\xff' * 10 + b'\x01', b'\xff' * 1000):
            with self.assertRaises(FormatError, msg=data):
                decode.Cursor(data).varint()


class SealedJson(unittest.TestCase):
    CONFIG = {'format': 1, 'id': PACK.hex(), 'created': '2026-01-01T00:00:00.000000000Z',
              'digest': {'type': 'xxh3-128-secret', 'secret': 'ab' * 192}, 'frame_bytes': 1, 'pack_bytes': 2}
    MANIFEST = {'version': 1, 'id': PACK.hex(), 'number': 1, 'time': CONFIG['created'], 'finished': CONFIG['created'],
                'server': 'db1', 'address': '', 'dialect': '', 'program': '', 'data': PACK.hex(), 'meta': PACK.hex(),
                'data_below': 0, 'meta_below': 0, 'databases': [], 'shards': 0, 'files': 0, 'bytes': 0, 'new_bytes': 0,
                'stored_bytes': 0, 'metastore_changed': False, 'problems': []}

    def refuses(self, function, kind, content):
        with self.assertRaises(FormatError, msg=content):
            function(sealed(kind, content))

    def test_reads_what_is_right_and_ignores_unknown_fields(self):
        decode.decode_config(sealed('config', self.CONFIG | {'later': [1]}))
        decode.decode_manifest(sealed('manifest', self.MANIFEST | {'parent': PACK.hex(), 'later': None}))

    def test_refuses_another_kind(self):
        self.refuses(decode.decode_config, 'manifest', self.CONFIG)

    def test_refuses_what_is_no_json_object(self):
        for content in (b'', b'{', b'[]', b'{"format": "\xff"}', b'{} {}'):
            self.refuses(decode.decode_config, 'config', content)

    def test_refuses_other_values_in_a_config(self):
        digest = self.CONFIG['digest']
        for change in ({'format': 2}, {'format': '1'}, {'id': 'AB' * 16}, {'digest': digest | {'type': 'sha-256'}},
                       {'digest': digest | {'secret': 'ab' * 191}}, {'created': 'yesterday'}, {'pack_bytes': -1}):
            self.refuses(decode.decode_config, 'config', self.CONFIG | change)

    def test_refuses_other_values_in_a_manifest(self):
        for change in ({'version': 2}, {'version': True}, {'data': ''}, {'parent': 'x'}, {'server': 'a/b'}, {'server': '..'},
                       {'server': '\ud800'}, {'files': 1.5}, {'problems': [{'severity': 'odd', 'path': '', 'what': ''}]}):
            self.refuses(decode.decode_manifest, 'manifest', self.MANIFEST | change)

    def test_refuses_a_missing_field(self):
        for name in self.CONFIG:
            self.refuses(decode.decode_config, 'config', {key: self.CONFIG[key] for key in self.CONFIG if key != name})
        for name in self.MANIFEST:
            self.refuses(decode.decode_manifest, 'manifest', {key: self.MANIFEST[key] for key in self.MANIFEST if key != name})


class PackParts(unittest.TestCase):
    FRAME = decode.Frame(decode.CHUNKS, 10, 10, 1, 0, 64)

    def header(self, magic=b'TSMFSPAK', version=1, reserved=0):
        data = decode.PACK_HEADER.pack(magic, version, reserved, PACK, REPOSITORY, 7, 0)[:56]
        return data + checksum(data).to_bytes(8, 'little')

    def frame(self, magic=b'FRAM', kind=1, codec=0, reserved=0, raw_length=10, start=0):
        stored = bytes(10)
        data = decode.FRAME_HEADER.pack(magic, kind, codec, reserved, raw_length, len(stored), start, 0)[:24]
        return data + checksum(stored, checksum(data, SEED)).to_bytes(8, 'little') + stored

    def trailer(self, frame_table=b'', blob_table=b'', offset=64, frames=0, blobs=0, reserved=0, magic=b'TSMFSEND'):
        data = decode.PACK_TRAILER.pack(offset, len(frame_table), len(blob_table), checksum(frame_table, SEED),
                                        checksum(blob_table, SEED), frames, blobs, reserved, magic, 0)[:56]
        return data + checksum(data, SEED).to_bytes(8, 'little')

    def test_header(self):
        self.assertEqual(decode.decode_pack_header(self.header()), decode.PackHeader(PACK, REPOSITORY, 7))
        for wrong in ({'magic': b'TSMFSPAQ'}, {'version': 2}, {'version': 0}, {'reserved': 1}):
            with self.assertRaises(FormatError, msg=wrong):
                decode.decode_pack_header(self.header(**wrong))

    def test_frame(self):
        self.assertEqual(decode.decode_frame(self.frame(), self.FRAME, SEED), (decode.RAW, bytes(10)))
        for wrong in ({'magic': b'FRAN'}, {'kind': 2}, {'codec': 3}, {'reserved': 1}, {'raw_length': 11}, {'start': 1}):
            with self.assertRaises(FormatError, msg=wrong):
                decode.decode_frame(self.frame(**wrong), self.FRAME, SEED)

    def test_frame_of_another_pack(self):
        with self.assertRaises(FormatError):
            decode.decode_frame(self.frame(), self.FRAME, SEED + 1)

    def test_trailer(self):
        decode.decode_trailer(self.trailer(), 128, SEED)
        for wrong in ({'reserved': 1}, {'magic': b'TSMFSENE'}, {'offset': 65}, {'frame_table': b'x'}):
            with self.assertRaises(FormatError, msg=wrong):
                decode.decode_trailer(self.trailer(**wrong), 128, SEED)

    def frame_table(self, table, offset, frames, blobs):
        trailer = decode.decode_trailer(self.trailer(table, b'', offset, frames, blobs), offset + len(table) + 64, SEED)
        return decode.decode_frame_table(table, trailer, SEED)

    def test_frame_table(self):
        one, end = bytes([1, 10, 10, 1]), 64 + 42
        self.assertEqual(self.frame_table(one, end, 1, 1), [self.FRAME])
        for table, offset, frames, blobs in (
                (one, end + 1, 1, 1), (one, end, 1, 2), (one + b'\0', end, 1, 1), (one, end + 42, 2, 2),
                (bytes([4, 10, 10, 1]), end, 1, 1), (bytes([1, 0, 10, 1]), end, 1, 1), (bytes([1, 10, 10, 0]), end, 1, 0),
                (bytes([1]) + varint(2**26 + 1) + bytes([10, 1]), end, 1, 1),
                (bytes([2, 10, 10, 1]) + one, end + 42, 2, 2),
                ((bytes([1]) + varint(2**26) + bytes([10, 1])) * 17, 64 + 17 * 42, 17, 17)):
            with self.assertRaises(FormatError, msg=table):
                self.frame_table(table, offset, frames, blobs)

    def test_blob_table(self):
        def decoded(table, count):
            frame = decode.Frame(decode.CHUNKS, 10, 10, count, 0, 64)
            trailer = decode.Trailer(0, 0, len(table), 0, checksum(table, SEED), 1, count)
            return decode.decode_blob_table(table, trailer, [frame], SEED)
        self.assertEqual(decoded(PACK + FILE_ID + b'\x04\x06', 2),
                         [decode.Blob(PACK, 1, 0, 4), decode.Blob(FILE_ID, 1, 4, 6)])
        for table, count in ((PACK + b'\x09', 1), (PACK + b'\x0b', 1), (PACK + b'\x0a\x00', 1), (PACK, 1)):
            with self.assertRaises(FormatError, msg=table):
                decoded(table, count)


class Recipes(unittest.TestCase):
    def recipe(self, version=1, defect=b'', size=0, packs=(), runs=(), end=b''):
        return (bytes([version]) + FILE_ID + sized(defect) + varint(size) + varint(len(packs)) + b''.join(packs)
                + varint(len(runs)) + b''.join(runs) + end)

    @staticmethod
    def copy(length, pack, distance):
        return varint(length << 1) + varint(pack) + svarint(distance)

    @staticmethod
    def literal(data):
        return varint(len(data) << 1 | 1) + data

    def test_copies_are_relative_to_the_last_one_of_their_pack(self):
        runs = [self.copy(10, 0, 5), self.copy(3, 1, 0), self.literal(b'ab'), self.copy(10, 0, -15), self.copy(1, 1, 2)]
        decoded = decode.decode_recipe(self.recipe(size=26, packs=[PACK, REPOSITORY], runs=runs))
        self.assertEqual(decoded.runs, [decode.Copy(PACK, 5, 10), decode.Copy(REPOSITORY, 0, 3), b'ab',
                                        decode.Copy(PACK, 0, 10), decode.Copy(REPOSITORY, 5, 1)])

    def test_an_empty_file_has_no_runs(self):
        self.assertEqual(decode.decode_recipe(self.recipe()).runs, [])

    def test_refuses(self):
        one = self.copy(10, 0, 0)
        for wrong in ({'version': 2}, {'defect': b'x' * 1001}, {'size': 1}, {'end': b'\0'},
                      {'size': 10, 'runs': [one]}, {'size': 11, 'packs': [PACK], 'runs': [one]},
                      {'size': 10, 'packs': [PACK], 'runs': [self.copy(10, 0, -1)]},
                      {'packs': [PACK], 'runs': [self.copy(0, 0, 0)]}, {'runs': [self.literal(b'')]},
                      {'size': 256, 'runs': [self.literal(bytes(256))]}):
            with self.assertRaises(FormatError, msg=wrong):
                decode.decode_recipe(self.recipe(**wrong))


class TreeNodes(unittest.TestCase):
    @staticmethod
    def file(name, kind=1, mode=0o644, mtime=-5):
        return bytes([kind]) + sized(name) + varint(mode) + svarint(mtime) + varint(10) + FILE_ID

    @staticmethod
    def directory(name, mtime=0, below=3):
        return b'\x02' + sized(name) + varint(0o755) + svarint(mtime) + varint(10) + varint(below) + FILE_ID

    @staticmethod
    def node(*entries, version=1):
        return bytes([version]) + varint(len(entries)) + b''.join(entries)

    def test_entries_come_back(self):
        self.assertEqual(decode.decode_tree(self.node()), [])
        self.assertEqual(decode.decode_tree(self.node(self.file(b'a'), self.directory(b'\xff'))),
                         [decode.Entry(1, b'a', 0o644, -5, 10, 0, FILE_ID), decode.Entry(2, b'\xff', 0o755, 0, 10, 3, FILE_ID)])

    def test_refuses_other_entries(self):
        for node in (self.node(version=2), self.node(self.file(b'a', kind=3)), self.node(self.file(b'a', mode=0o10000)),
                     self.node(self.directory(b'a', mtime=1)), self.node(self.directory(b'a', below=2**32)),
                     self.node(self.file(b'a')) + b'\0', self.node(self.file(b'a'))[:-1]):
            with self.assertRaises(FormatError, msg=node):
                decode.decode_tree(node)

    def test_refuses_names_that_cannot_be(self):
        for name in (b'', b'.', b'..', b'a/b', b'a\0', b'n' * 256):
            with self.assertRaises(FormatError, msg=name):
                decode.decode_tree(self.node(self.file(name)))

    def test_refuses_names_out_of_order(self):
        for names in ((b'b', b'a'), (b'a', b'a'), (b'aa', b'a'), (b'\xff', b'a')):
            with self.assertRaises(FormatError, msg=names):
                decode.decode_tree(self.node(*map(self.file, names)))


if __name__ == '__main__':
    unittest.main()
