#!/usr/bin/python3
"""Reads a tsmfs repository. Written from docs/FORMAT.md alone, it shares no code with tsmfs.

usage: reader.py list REPO                 the snapshots: id, number, time, server, files, bytes, tags
       reader.py ls REPO SNAPSHOT          its files and directories: mode, size, mtime in ns, id, path
       reader.py cat REPO SNAPSHOT PATH    the bytes of a file, such as data/telegraf/autogen/2/000000001-000000001.tsm
       reader.py verify REPO               every checksum, every digest

SNAPSHOT is an id or its beginning. Exit status: 0, 1 when the repository is not as it should be, 2 for wrong usage.
"""
import mmap
import sys
from bisect import bisect_right
from functools import lru_cache
from pathlib import Path

import zstandard

import mixed_frame
import xxh3
from decode import (CHUNKS, DIRECTORY, FRAME_HEADER, MIXED, PACK_HEADER, PACK_TRAILER, RAW, RECIPES, TREE_NODES, Copy, FormatError,
                    decode_amendment, decode_amendment_name, decode_blob_table, decode_config, decode_frame,
                    decode_frame_table, decode_manifest, decode_pack_header,
                    decode_recipe, decode_trailer, decode_tree, require)

FRAMES_CACHED = 16


class UsageError(Exception):
    pass


def decompress(codec, stored, raw_length):
    if codec == RAW:
        require(len(stored) == raw_length, 'a raw frame has another length stored')
        return stored
    if codec == MIXED:
        return mixed_frame.decode(stored, raw_length, unzip)
    return unzip(stored, raw_length)


def unzip(stored, raw_length):
    """One zstd frame."""
    try:
        require(zstandard.frame_content_size(stored) in (-1, raw_length), 'a frame has another length inside')
        frame = zstandard.ZstdDecompressor().decompressobj()
        raw = frame.decompress(stored)
    except zstandard.ZstdError as error:
        raise FormatError(f'a frame cannot be decompressed: {error}') from error
    require(frame.eof and not frame.unused_data, 'a frame is not one zstd frame')
    require(len(raw) == raw_length, 'a frame has another length decompressed')
    return raw


class Pack:
    """A pack, its tables read and checked; frames are checked when they are read."""

    def __init__(self, data):
        require(len(data) >= PACK_HEADER.size + PACK_TRAILER.size, 'too short for a pack')
        self.data = data
        self.header = decode_pack_header(data[:PACK_HEADER.size])
        seed = self.header.seed
        trailer = decode_trailer(data[-PACK_TRAILER.size:], len(data), seed)
        blob_table = trailer.tables_offset + trailer.frame_table_length
        self.frames = decode_frame_table(data[trailer.tables_offset:blob_table], trailer, seed)
        self.blobs = decode_blob_table(data[blob_table:-PACK_TRAILER.size], trailer, self.frames, seed)
        self.starts = [frame.logical_start for frame in self.frames]
        self.length = self.frames[-1].logical_end if self.frames else 0
        self.frame_bytes = lru_cache(FRAMES_CACHED)(self._frame_bytes)

    def _frame_bytes(self, number):
        frame = self.frames[number]
        stored = self.data[frame.offset:frame.offset + FRAME_HEADER.size + frame.stored_length]
        return decompress(*decode_frame(stored, frame, self.header.seed), frame.raw_length)

    def read(self, start, length):
        """Logical bytes, in as many pieces as they have frames."""
        require(start + length <= self.length, 'a range lies outside of its pack')
        number = bisect_right(self.starts, start) - 1
        while length:
            within = start - self.starts[number]
            piece = self.frame_bytes(number)[within:within + length]
            yield piece
            start, length, number = start + len(piece), length - len(piece), number + 1

    def blob_bytes(self, blob):
        return b''.join(self.read(blob.start, blob.length))


def map_file(path):
    with open(path, 'rb') as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b''


def about(path, function, *arguments):
    """function(*arguments), a failure naming the path."""
    try:
        return function(*arguments)
    except FormatError as error:
        raise FormatError(f'{path}: {error}') from error


class Repository:
    """Opening reads the config, the tables of every pack, and every manifest."""

    def __init__(self, root):
        self.root = Path(root)
        self.config = about(self.root / 'config', decode_config, (self.root / 'config').read_bytes())
        self.packs, self.manifests = {}, {}
        self.recipes, self.trees = {}, {}  # id: [(pack, blob)], the pack of the highest sequence first
        for path in sorted(self.root.glob('packs/*/*')):
            about(path, self._add_pack, path)
        for path in sorted(self.root.glob('snapshots/*')):
            about(path, self._add_manifest, path)
        for path in self._amendments_in_force():
            about(path, self._amend, path)
        self._note_blobs()

    def _add_pack(self, path):
        pack = Pack(map_file(path))
        require(path.name == pack.header.id.hex(), 'the id is not the name of the file')
        require(path.parent.name == path.name[:2], 'the directory is not named by the first two digits')
        require(pack.header.repository.hex() == self.config['id'], 'the pack is of another repository')
        self.packs[pack.header.id] = pack

    def _add_manifest(self, path):
        manifest = decode_manifest(path.read_bytes())
        require(path.name == manifest['id'], 'the id is not the name of the file')
        self.manifests[manifest['id']] = manifest

    def _amendments_in_force(self):
        last = {}  # by the id of the snapshot
        for path in self.root.glob('amendments/*'):
            snapshot, number = about(path, decode_amendment_name, path.name)
            last[snapshot] = max(last.get(snapshot, (0, path)), (number, path))
        return [path for _, path in last.values()]

    def _amend(self, path):
        amendment = decode_amendment(path.read_bytes())
        require(amendment['snapshot'] == decode_amendment_name(path.name)[0], 'it is of another snapshot than its name says')
        if amendment['snapshot'] in self.manifests:
            self.manifests[amendment['snapshot']]['tags'] = amendment['tags']

    def _note_blobs(self):
        maps = {RECIPES: self.recipes, TREE_NODES: self.trees}
        for pack in sorted(self.packs.values(), key=lambda pack: -pack.header.sequence):
            for blob in pack.blobs:
                if blob.kind in maps:
                    maps[blob.kind].setdefault(blob.id, []).append((pack, blob))

    def digest(self, data):
        return xxh3.digest(data, self.config['digest']['secret'])

    def tree(self, node):
        require(node in self.trees, f'tree node {node.hex()} is missing')
        pack, blob = self.trees[node][0]
        data = pack.blob_bytes(blob)
        require(self.digest(data) == node, f'tree node {node.hex()} has another digest')
        return decode_tree(data)

    def recipe(self, file):
        """The newest recipe of a file whose packs are all there."""
        for pack, blob in self.recipes.get(file, []):
            recipe = decode_recipe(pack.blob_bytes(blob))
            require(recipe.file == file, f'the recipe of file {file.hex()} is of another')
            if all(needed in self.packs for needed in recipe.packs):
                return recipe
        raise FormatError(f'file {file.hex()} has no recipe whose packs are all there')

    def file(self, file):
        """The content of a file."""
        pieces = []
        for run in self.recipe(file).runs:
            pieces.extend(self.packs[run.pack].read(run.start, run.length) if isinstance(run, Copy) else [run])
        content = b''.join(pieces)
        require(self.digest(content) == file, f'file {file.hex()} has another digest')
        return content

    def walk(self, node, path):
        """(path, entry) of everything below a tree node, a directory before what is in it."""
        for entry in self.tree(node):
            below = path + b'/' + entry.name
            yield below, entry
            if entry.kind == DIRECTORY:
                yield from self.walk(entry.id, below)

    def entries(self, manifest):
        for root in ('data', 'meta'):
            yield from self.walk(bytes.fromhex(manifest[root]), root.encode())

    def find(self, manifest, path):
        """The entry of a path such as data/telegraf."""
        root, *names = path.split(b'/')
        if root not in (b'data', b'meta') or not names:
            raise UsageError('a path begins with data/ or meta/')
        node, entry = bytes.fromhex(manifest[root.decode()]), None
        for name in names:
            entry = next((entry for entry in self.tree(node) if entry.name == name), None) if node else None
            if entry is None:
                raise UsageError(f'there is no {path.decode(errors="replace")}')
            node = entry.id if entry.kind == DIRECTORY else None
        return entry


class Verification:
    """Reads everything; `damages` has what is wrong, in words."""

    def __init__(self, repository):
        self.repository, self.damages = repository, []
        self.sizes = {}  # of the files that were read, by id; None for a damaged one
        for pack in repository.packs.values():
            self._attempt(f'pack {pack.header.id.hex()}', self._pack, pack)
        for manifest in repository.manifests.values():
            self._attempt(f'snapshot {manifest["id"]}', self._snapshot, manifest)
        self._attempt('packs', self._distinct, [pack.header.sequence for pack in repository.packs.values()])
        self._attempt('snapshots', self._distinct, [manifest['number'] for manifest in repository.manifests.values()])

    def _attempt(self, what, function, *arguments):
        try:
            return function(*arguments)
        except FormatError as error:
            self.damages.append(f'{what}: {error}')
            return None

    @staticmethod
    def _distinct(numbers):
        require(len(set(numbers)) == len(numbers), 'a number was given twice')

    def _pack(self, pack):
        for blob in pack.blobs:
            data = pack.blob_bytes(blob)
            if blob.kind == RECIPES:
                require(decode_recipe(data).file == blob.id, f'the recipe of file {blob.id.hex()} is of another')
                continue
            what = 'chunk' if blob.kind == CHUNKS else 'tree node'
            require(self.repository.digest(data) == blob.id, f'{what} {blob.id.hex()} has another digest')
            if blob.kind == TREE_NODES:
                decode_tree(data)

    def _snapshot(self, manifest):
        totals = {root: self._directory(bytes.fromhex(manifest[root])) for root in ('data', 'meta')}
        for root, (_, below) in totals.items():
            require(manifest[f'{root}_below'] == below, f'{root}_below is not the count of entries')
        require(manifest['bytes'] == totals['data'][0], 'bytes is not the sum of the sizes')
        paths = list(self.repository.walk(bytes.fromhex(manifest['data']), b''))
        shards = [path for path, entry in paths if entry.kind == DIRECTORY and path.count(b'/') == 3]
        require(manifest['shards'] == len(shards), 'shards is not the count of shards')
        require(manifest['files'] == len([path for path, entry in paths if entry.kind != DIRECTORY]),
                'files is not the count of files')

    def _directory(self, node):
        """Size and count of entries below a tree node, each of its files read."""
        size = below = 0
        for entry in self.repository.tree(node):
            if entry.kind == DIRECTORY:
                found = self._directory(entry.id)
                require(found == (entry.size, entry.below), f'the totals of directory {entry.name!r} are wrong')
            elif entry.id not in self.sizes:
                content = self._attempt(f'{entry.name!r}', self.repository.file, entry.id)
                self.sizes[entry.id] = None if content is None else len(content)
            require(entry.kind == DIRECTORY or self.sizes[entry.id] in (None, entry.size),
                    f'the size of file {entry.name!r} is wrong')
            size, below = size + entry.size, below + 1 + entry.below
        return size, below


def verify(root):
    """What is wrong with a repository, in words; an empty list when nothing is."""
    try:
        return Verification(Repository(root)).damages
    except FormatError as error:
        return [str(error)]


# Commands

def find_manifest(repository, beginning):
    found = [manifest for manifest in repository.manifests.values() if manifest['id'].startswith(beginning)]
    if len(found) != 1:
        raise UsageError(f'{len(found)} snapshots begin with {beginning!r}')
    return found[0]


def printable(path):
    return b''.join(bytes([byte]) if byte >= 0x20 and byte not in b'\\\x7f' else b'\\x%02x' % byte for byte in path)


def run_list(out, repository):
    for manifest in sorted(repository.manifests.values(), key=lambda manifest: (manifest['time'], manifest['number'])):
        fields = [str(manifest[name]) for name in ('id', 'number', 'time', 'server', 'files', 'bytes')]
        fields.append(','.join(manifest.get('tags', [])))
        out.write('\t'.join(fields).encode() + b'\n')


def run_ls(out, repository, snapshot):
    for path, entry in repository.entries(find_manifest(repository, snapshot)):
        kind = 'd' if entry.kind == DIRECTORY else '-'
        fields = f'{kind}{entry.mode:04o}\t{entry.size}\t{entry.mtime_ns}\t{entry.id.hex()}\t'
        out.write(fields.encode() + printable(path) + b'\n')


def run_cat(out, repository, snapshot, path):
    entry = repository.find(find_manifest(repository, snapshot), path.encode(errors='surrogateescape'))
    if entry.kind == DIRECTORY:
        raise UsageError(f'{path} is a directory')
    content = repository.file(entry.id)
    require(len(content) == entry.size, 'the size of the file is wrong')
    out.write(content)


def run_verify(out, repository):
    damages = Verification(repository).damages
    for damage in damages:
        sys.stderr.write(f'reader: {damage}\n')
    require(not damages, f'{len(damages)} damages')
    out.write(b'%d packs, %d snapshots: all well\n' % (len(repository.packs), len(repository.manifests)))


COMMANDS = {'list': (run_list, 0), 'ls': (run_ls, 1), 'cat': (run_cat, 2), 'verify': (run_verify, 0)}


def main(arguments, out):
    command, wanted = COMMANDS.get(arguments[0] if arguments else '', (None, 0))
    if not command or len(arguments) != 2 + wanted:
        sys.stderr.write(__doc__)
        return 2
    try:
        command(out, Repository(arguments[1]), *arguments[2:])
    except (FormatError, OSError) as error:
        sys.stderr.write(f'reader: {error}\n')
        return 1
    except UsageError as error:
        sys.stderr.write(f'reader: {error}\n')
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:], sys.stdout.buffer))
