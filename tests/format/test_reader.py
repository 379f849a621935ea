"""The reader, which knows tsmfs by docs/FORMAT.md only, and tsmfs agree: on the stored images and on a repository of today.

TSMFS_MAKE_IMAGE names the program make_image; without it the repository of today is left out.
"""
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import columns
import decode
import mixed_frame
import reader
import tsm_blocks

HERE = Path(__file__).resolve().parent
MAKE_IMAGE = os.environ.get('TSMFS_MAKE_IMAGE')
FLIP_STRIDE = 13  # of the bytes in a pack's frames and tables; each byte of a header and a trailer is flipped


def output(*arguments):
    out = io.BytesIO()
    status = reader.main([str(argument) for argument in arguments], out)
    if status:
        raise AssertionError(f'{arguments} ended with {status}')
    return out.getvalue()


def expected_digests(path):
    """{snapshot: {path: SHA-256}} of a list beside an image."""
    found = {}
    for line in path.read_bytes().splitlines():
        digest, snapshot, name = line[:64].decode(), line[66:98].decode(), line[99:]
        found.setdefault(snapshot, {})[name] = digest
    return found


class Image:
    """What holds for each image; `root` is the repository."""

    def setUp(self):
        self.expected = expected_digests(self.root.with_name(self.root.name + '.sha256'))

    def listed(self, snapshot):
        """[(mode and kind, size, mtime, id, path)]"""
        return [line.split(b'\t') for line in output('ls', self.root, snapshot).splitlines()]

    def test_lists_the_snapshots(self):
        lines = [line.split('\t') for line in output('list', self.root).decode().splitlines()]
        self.assertEqual([line[0] for line in lines], list(self.expected))
        self.assertEqual([line[1] for line in lines], ['1', '2'])
        self.assertEqual([line[6] for line in lines], self.tags)

    def test_names_each_file_and_no_other(self):
        for snapshot, files in self.expected.items():
            names = {line[4] for line in self.listed(snapshot) if line[0].startswith(b'-')}
            self.assertEqual(names, {reader.printable(path) for path in files})

    def test_extracts_each_file_byte_for_byte(self):
        for snapshot, files in self.expected.items():
            for path, digest in files.items():
                content = output('cat', self.root, snapshot, os.fsdecode(path))
                self.assertEqual(hashlib.sha256(content).hexdigest(), digest, path)

    def test_verifies(self):
        self.assertEqual(reader.verify(self.root), [])


class StoredV1(Image, unittest.TestCase):
    root = HERE / 'v1'
    tags = ['', '']

    def test_has_every_form_of_the_format(self):
        repository = reader.Repository(self.root)
        recipes = [repository.recipe(file) for file in repository.recipes]
        runs = [run for recipe in recipes for run in recipe.runs]
        copies = [run for run in runs if isinstance(run, decode.Copy)]
        self.assertGreaterEqual(len(repository.packs), 3)
        self.assertEqual({frame.kind for pack in repository.packs.values() for frame in pack.frames},
                         {decode.CHUNKS, decode.RECIPES, decode.TREE_NODES})
        self.assertEqual(self.codecs(repository), {decode.RAW, decode.ZSTD})
        self.assertTrue(any(recipe.defect for recipe in recipes))
        self.assertTrue(any(not recipe.runs for recipe in recipes))
        self.assertTrue(any(len(recipe.packs) > 1 for recipe in recipes))
        self.assertTrue(any(isinstance(run, bytes) for run in runs))
        self.assertTrue(any(len(list(repository.packs[run.pack].read(run.start, run.length))) > 1 for run in copies))
        self.assertTrue(any(not repository.tree(node) for node in repository.trees))

    @staticmethod
    def codecs(repository):
        return {decode.FRAME_HEADER.unpack_from(pack.data, frame.offset)[2]
                for pack in repository.packs.values() for frame in pack.frames}

    def test_works_as_a_program(self):
        snapshot, files = next(iter(self.expected.items()))
        path = next(path for path in files if b'\xff' not in path and files[path])
        command = [sys.executable, '-B', str(HERE / 'reader.py')]
        done = subprocess.run([*command, 'cat', str(self.root), snapshot[:6], path], stdout=subprocess.PIPE, check=True)
        self.assertEqual(hashlib.sha256(done.stdout).hexdigest(), files[path])
        self.assertEqual(subprocess.run([*command, 'cat', str(self.root)], stderr=subprocess.DEVNULL).returncode, 2)
        self.assertEqual(subprocess.run([*command, 'verify', '/dev/null'], stderr=subprocess.DEVNULL).returncode, 1)


class StoredV2(StoredV1):
    root = HERE / 'v2'
    tags = ['', 'keep,größe 1']

    def test_has_every_form_of_the_format(self):
        super().test_has_every_form_of_the_format()
        self.assertEqual(len(list(self.root.glob('amendments/*'))), 2)
        self.assertEqual([path.name for path in self.root.glob('forgotten/*')], ['3'])


class FreshImage(Image):
    tags = StoredV2.tags
    options = []

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix='tsmfs-format-')
        cls.addClassCleanup(directory.cleanup)
        cls.root = Path(directory.name) / 'fresh'
        subprocess.run([MAKE_IMAGE, *cls.options, cls.root], check=True)


@unittest.skipUnless(MAKE_IMAGE, 'TSMFS_MAKE_IMAGE is not set')
class Fresh(FreshImage, unittest.TestCase):
    def test_has_frames_of_every_codec(self):
        self.assertEqual(StoredV1.codecs(reader.Repository(self.root)), {decode.RAW, decode.ZSTD, decode.MIXED})

    def test_holds_what_the_stored_image_holds(self):
        """Digests and tree nodes are the same in both; how files are cut and packed may differ."""
        for image in ('v1', 'v2'):
            self.assertEqual(self.expected, expected_digests(HERE / (image + '.sha256')))
            for snapshot in self.expected:
                self.assertEqual(output('ls', self.root, snapshot), output('ls', HERE / image, snapshot))


@unittest.skipUnless(MAKE_IMAGE, 'TSMFS_MAKE_IMAGE is not set')
class FreshInColumns(FreshImage, unittest.TestCase):
    options = ['--compression', 'columns']

    def test_has_columns_of_every_kind(self):
        kinds = {kind for sections in self.sections_of_columns() for kind in sections[0]}
        batch = {kind & 7 for kind in kinds if kind & columns.BATCH}
        stream = {kind & 7 for kind in kinds if not kind & columns.BATCH}
        self.assertEqual(stream, set(tsm_blocks.TYPES))
        self.assertEqual(batch, {tsm_blocks.INTEGER, tsm_blocks.UNSIGNED})
        self.assertEqual({kind >> columns.ORDER_SHIFT for kind in kinds}, {0, 1, 2})
        self.assertEqual({kind & columns.AS_BEFORE for kind in kinds}, {0, columns.AS_BEFORE})

    def test_has_floats_of_every_kind(self):
        seen = set()

        def floats(sections, order, count):
            seen.add(sections.heads.data[sections.heads.at])
            return columns.floats(sections, order, count)
        with unittest.mock.patch.dict(columns.VALUES, {tsm_blocks.FLOAT: floats}):
            for sections in self.sections_of_columns():
                columns.decode(sections)
        self.assertGreaterEqual(seen, {0, 2, 3, columns.DICTIONARY, columns.BITS})

    def sections_of_columns(self):
        """The eight sections of each frame that has columns."""
        for pack in reader.Repository(self.root).packs.values():
            for frame in pack.frames:
                header = pack.data[frame.offset:frame.offset + decode.FRAME_HEADER.size + frame.stored_length]
                codec, stored = decode.decode_frame(header, frame, pack.header.seed)
                part = mixed_frame.split(stored)[1].get(mixed_frame.BLOCKS) if codec == decode.MIXED else None
                if part:
                    yield mixed_frame.sections(part, 8, reader.unzip)


class Damage(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix='tsmfs-format-')
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name) / 'v2'
        shutil.copytree(HERE / 'v2', self.root)
        self.packs = sorted(self.root.glob('packs/*/*'), key=lambda path: path.stat().st_size)
        self.assertEqual(reader.verify(self.root), [])

    def assert_refused(self, path, content, what):
        path.chmod(0o600)
        path.write_bytes(content)
        self.assertTrue(reader.verify(self.root), f'{path.name}: {what}')

    @staticmethod
    def flipped(content, at):
        return content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1:]

    def test_refuses_each_flipped_byte_of_a_pack(self):
        path = self.packs[0]
        content = path.read_bytes()
        ends = {*range(64), *range(len(content) - 64, len(content))}
        for at in sorted(ends | {*range(0, len(content), FLIP_STRIDE)}):
            with self.assertRaises(decode.FormatError, msg=at):
                pack = reader.Pack(self.flipped(content, at))
                for frame in range(len(pack.frames)):
                    pack.frame_bytes(frame)
                self.assertEqual(pack.header.id.hex(), path.name)

    def test_verify_names_the_damaged_pack(self):
        content = self.packs[0].read_bytes()
        self.assert_refused(self.packs[0], self.flipped(content, 100), 'a frame')
        self.assertIn(self.packs[0].name, ' '.join(reader.verify(self.root)))

    def test_refuses_each_flipped_byte_of_the_sealed_files(self):
        for path, function in ((self.root / 'config', decode.decode_config),
                               (next(self.root.glob('snapshots/*')), decode.decode_manifest),
                               (next(self.root.glob('amendments/*')), decode.decode_amendment)):
            content = path.read_bytes()
            for at in range(len(content)):
                with self.assertRaises(decode.FormatError, msg=at):
                    function(self.flipped(content, at))

    def test_refuses_what_is_no_amendment(self):
        path = next(self.root.glob('amendments/*'))
        for name in ('note.txt', path.name[:32], path.name[:32] + '.01', '0' * 32 + '.7'):
            other = path.with_name(name)
            shutil.copy(path, other)
            self.assertTrue(reader.verify(self.root), name)
            other.unlink()

    def test_refuses_a_pack_cut_short_or_grown(self):
        content = self.packs[0].read_bytes()
        for wrong in (b'', content[:63], content[:127], content[:-1], content + b'\0'):
            self.assert_refused(self.packs[0], wrong, f'{len(wrong)} bytes')

    def test_refuses_frames_of_another_pack(self):
        first, second = (path.read_bytes() for path in self.packs[:2])
        self.assert_refused(self.packs[0], first[:64] + second[64:], 'another pack behind the header')
        self.assert_refused(self.packs[0], second, 'another pack under its name')

    def test_finds_a_missing_pack(self):
        for path in self.packs:
            aside = self.root / 'aside'
            path.rename(aside)
            self.assertTrue(reader.verify(self.root), path.name)
            aside.rename(path)

    def test_refuses_a_manifest_under_another_name(self):
        path = next(self.root.glob('snapshots/*'))
        path.rename(path.with_name('0' * 32))
        self.assertTrue(reader.verify(self.root))


if __name__ == '__main__':
    unittest.main()
