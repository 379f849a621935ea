"""The parts of a tsmfs repository, from bytes to values, as docs/FORMAT.md has them. Pure functions, no files.

Whatever the page does not allow raises FormatError.
"""
import json
import re
import struct
from dataclasses import dataclass

import xxhash

ID_BYTES = 16
PACK_HEADER = struct.Struct('<8sII16s16sQQ')
FRAME_HEADER = struct.Struct('<4sBBHIIQQ')
PACK_TRAILER = struct.Struct('<QIIQQIIQ8sQ')
CHUNKS, RECIPES, TREE_NODES = 1, 2, 3
RAW, ZSTD, MIXED = 0, 1, 2
KNOWN_FEATURES = {'mixed-frames'}
FRAME_RAW_BYTES_MAX = 2**26
PACK_LOGICAL_BYTES_MAX = 2**30
SECRET_BYTES = 192
DEFECT_BYTES_MAX = 1000
LITERAL_BYTES_MAX = 255
NAME_BYTES_MAX = 255
MODE_MAX = 0o7777
FILE, DIRECTORY = 1, 2
U32_END, U64_END = 2**32, 2**64


class FormatError(Exception):
    """Bytes that docs/FORMAT.md does not allow."""


def require(condition, message):
    if not condition:
        raise FormatError(message)


def checksum(data, seed=0):
    return xxhash.xxh3_64_intdigest(data, seed)


class Cursor:
    """Reads values from the front of bytes to their end."""

    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    def take(self, length):
        require(length <= len(self.data) - self.at, 'the bytes end too early')
        self.at += length
        return self.data[self.at - length:self.at]

    def u8(self):
        return self.take(1)[0]

    def id(self):
        return self.take(ID_BYTES)

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            require(value < U64_END and shift < 70, 'a varint is over 64 bits')
            if byte < 0x80:
                break
            shift += 7
        require(byte or not shift, 'a varint is not in its shortest form')
        return value

    def svarint(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def sized(self):
        return self.take(self.varint())

    def expect_end(self):
        require(self.at == len(self.data), 'bytes are left over')


# Sealed JSON

SEAL = re.compile(rb'tsmfs ([a-z]+) ([0-9a-f]{16})')
ID_TEXT = re.compile(r'[0-9a-f]{32}')
TIME_TEXT = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z', re.ASCII)


def unseal(kind, stored):
    line, newline, content = bytes(stored).partition(b'\n')
    seal = SEAL.fullmatch(line)
    require(seal and newline, 'the first line is no seal')
    require(seal[1].decode() == kind, f'the kind is not {kind}')
    require(int(seal[2], 16) == checksum(content), 'the checksum is wrong')
    try:
        found = json.loads(content.decode())
    except ValueError as error:
        raise FormatError(f'not JSON in UTF-8: {error}') from error
    require(isinstance(found, dict), 'not a JSON object')
    return found


def is_count(value):
    return type(value) is int and 0 <= value < U64_END


def is_text(value):
    return type(value) is str and not any('\ud800' <= character <= '\udfff' for character in value)


def is_id(value):
    return is_text(value) and ID_TEXT.fullmatch(value) is not None


def is_time(value):
    return is_text(value) and TIME_TEXT.fullmatch(value) is not None


def is_server(value):
    return is_text(value) and is_name(value.encode())


def is_flag(value):
    return type(value) is bool


def is_texts(value):
    return type(value) is list and all(map(is_text, value))


def is_problem(value):
    return (type(value) is dict and value.get('severity') in ('warning', 'incomplete')
            and is_text(value.get('path')) and is_text(value.get('what')))


def is_problems(value):
    return type(value) is list and all(map(is_problem, value))


def require_fields(found, checks):
    for name, check in checks.items():
        require(name in found, f'the field {name} is missing')
        require(check(found[name]), f'the field {name} is malformed')


def is_secret(value):
    return is_text(value) and re.fullmatch(f'[0-9a-f]{{{2 * SECRET_BYTES}}}', value) is not None


def decode_config(stored):
    """The JSON object; digest.secret as bytes."""
    found = unseal('config', stored)
    require_fields(found, {'format': is_count})
    require(found['format'] in (1, 2), f'the format is {found["format"]}')
    if found['format'] == 2:
        require_fields(found, {'features': lambda features: type(features) is dict})
        require_fields(found['features'], {'required': is_texts, 'optional': is_texts})
        require(set(found['features']['required']) <= KNOWN_FEATURES, f'it requires {found["features"]["required"]}')
    require_fields(found, {'id': is_id, 'created': is_time, 'digest': lambda digest: type(digest) is dict,
                           'frame_bytes': is_count, 'pack_bytes': is_count})
    require_fields(found['digest'], {'type': is_text, 'secret': is_secret})
    require(found['digest']['type'] == 'xxh3-128-secret', f'the digest is {found["digest"]["type"]}')
    found['digest']['secret'] = bytes.fromhex(found['digest']['secret'])
    return found


MANIFEST_FIELDS = {
    'id': is_id, 'number': is_count, 'time': is_time, 'finished': is_time, 'server': is_server,
    'address': is_text, 'dialect': is_text, 'program': is_text, 'data': is_id, 'meta': is_id,
    'data_below': is_count, 'meta_below': is_count, 'databases': is_texts, 'shards': is_count, 'files': is_count,
    'bytes': is_count, 'new_bytes': is_count, 'stored_bytes': is_count, 'metastore_changed': is_flag,
    'problems': is_problems}


def decode_manifest(stored):
    found = unseal('manifest', stored)
    require_fields(found, {'version': is_count})
    require(found['version'] == 1, f'the version is {found["version"]}')
    require_fields(found, MANIFEST_FIELDS)
    require('parent' not in found or is_id(found['parent']), 'the field parent is malformed')
    require('tags' not in found or is_texts(found['tags']), 'the field tags is malformed')
    return found


AMENDMENT_NAME = re.compile('([0-9a-f]{32})\\.([1-9][0-9]{0,9})')


def decode_amendment_name(name):
    """The id of the snapshot, and which of its amendments it is."""
    found = AMENDMENT_NAME.fullmatch(name)
    require(found and int(found[2]) < U32_END, 'this is not the name of an amendment')
    return found[1], int(found[2])


def decode_amendment(stored):
    found = unseal('amendment', stored)
    require_fields(found, {'version': is_count})
    require(found['version'] == 1, f'the version is {found["version"]}')
    require_fields(found, {'snapshot': is_id, 'tags': is_texts,
                           'accepted': lambda shards: type(shards) is list and all(map(is_count, shards))})
    return found


# Packs

@dataclass(frozen=True)
class PackHeader:
    id: bytes
    repository: bytes
    sequence: int

    @property
    def seed(self):
        return int.from_bytes(self.id[:8], 'little')


@dataclass(frozen=True)
class Frame:
    kind: int
    raw_length: int
    stored_length: int
    blobs: int
    logical_start: int
    offset: int  # of the frame's header in the file

    @property
    def logical_end(self):
        return self.logical_start + self.raw_length


@dataclass(frozen=True)
class Blob:
    id: bytes
    kind: int
    start: int  # in the pack's logical bytes
    length: int


@dataclass(frozen=True)
class Trailer:
    tables_offset: int
    frame_table_length: int
    blob_table_length: int
    frame_table_checksum: int
    blob_table_checksum: int
    frames: int
    blobs: int


def decode_pack_header(data):
    magic, version, reserved, pack, repository, sequence, check = PACK_HEADER.unpack(data)
    require(magic == b'TSMFSPAK', 'not a pack')
    require(check == checksum(data[:56]), 'the checksum of the header is wrong')
    require(version == 1, f'the version is {version}')
    require(reserved == 0, 'a reserved field of the header is not 0')
    return PackHeader(pack, repository, sequence)


def decode_trailer(data, pack_bytes, seed):
    *fields, reserved, magic, check = PACK_TRAILER.unpack(data)
    trailer = Trailer(*fields)
    require(magic == b'TSMFSEND', 'no trailer')
    require(check == checksum(data[:56], seed), 'the checksum of the trailer is wrong')
    require(reserved == 0, 'a reserved field of the trailer is not 0')
    end = trailer.tables_offset + trailer.frame_table_length + trailer.blob_table_length + PACK_TRAILER.size
    require(end == pack_bytes, 'the tables do not fill the file up to the trailer')
    return trailer


def decode_frame_table(data, trailer, seed):
    require(checksum(data, seed) == trailer.frame_table_checksum, 'the checksum of the frame table is wrong')
    cursor, frames, logical, offset = Cursor(data), [], 0, PACK_HEADER.size
    for _ in range(trailer.frames):
        frame = Frame(cursor.u8(), cursor.varint(), cursor.varint(), cursor.varint(), logical, offset)
        require(frame.kind in (CHUNKS, RECIPES, TREE_NODES), f'a frame has the kind {frame.kind}')
        require(not frames or frames[-1].kind <= frame.kind, 'the kinds of frames are out of order')
        require(1 <= frame.raw_length <= FRAME_RAW_BYTES_MAX, 'a frame has a length that cannot be')
        require(frame.blobs >= 1, 'a frame has no blobs')
        frames.append(frame)
        logical, offset = frame.logical_end, offset + FRAME_HEADER.size + frame.stored_length
    cursor.expect_end()
    require(offset == trailer.tables_offset, 'the frames do not fill the file up to the frame table')
    require(logical <= PACK_LOGICAL_BYTES_MAX, 'the pack has too many logical bytes')
    require(sum(frame.blobs for frame in frames) == trailer.blobs, 'the counts of blobs differ')
    return frames


def decode_blob_table(data, trailer, frames, seed):
    require(checksum(data, seed) == trailer.blob_table_checksum, 'the checksum of the blob table is wrong')
    cursor = Cursor(data)
    ids = [cursor.id() for _ in range(trailer.blobs)]
    blobs = []
    for frame in frames:
        start = frame.logical_start
        for _ in range(frame.blobs):
            blobs.append(Blob(ids[len(blobs)], frame.kind, start, cursor.varint()))
            start += blobs[-1].length
        require(start == frame.logical_end, 'the blobs of a frame do not fill it')
    cursor.expect_end()
    return blobs


def decode_frame(data, frame, seed):
    """The codec and the stored bytes of a frame, `data` being its header and them."""
    magic, kind, codec, reserved, raw_length, stored_length, start, check = FRAME_HEADER.unpack(data[:FRAME_HEADER.size])
    stored = data[FRAME_HEADER.size:]
    require(magic == b'FRAM', 'no frame')
    require(check == checksum(stored, checksum(data[:24], seed)), 'the checksum of a frame is wrong')
    require(codec in (RAW, ZSTD, MIXED), f'the codec of a frame is {codec}')
    require(reserved == 0, 'a reserved field of a frame is not 0')
    require((kind, raw_length, stored_length, start)
            == (frame.kind, frame.raw_length, frame.stored_length, frame.logical_start),
            'a frame is not what the frame table says')
    return codec, stored


# Recipes and tree nodes

@dataclass(frozen=True)
class Copy:
    pack: bytes
    start: int  # in the pack's logical bytes
    length: int


@dataclass(frozen=True)
class Recipe:
    file: bytes
    defect: bytes
    size: int
    packs: list
    runs: list  # of Copy, and bytes for a literal


def decode_run(cursor, packs, ends):
    """One run; `ends` has where the last copy from each pack ended, and is brought up to date."""
    head = cursor.varint()
    length = head >> 1
    require(length >= 1, 'a run is empty')
    if head & 1:
        require(length <= LITERAL_BYTES_MAX, 'a literal is too long')
        return cursor.take(length)
    pack = cursor.varint()
    require(pack < len(packs), 'a run copies from a pack that the recipe does not name')
    start = ends[pack] + cursor.svarint()
    require(0 <= start <= PACK_LOGICAL_BYTES_MAX - length, 'a run lies outside of its pack')
    ends[pack] = start + length
    return Copy(packs[pack], start, length)


def run_length(run):
    return run.length if isinstance(run, Copy) else len(run)


def decode_recipe(data):
    cursor = Cursor(data)
    version = cursor.u8()
    require(version == 1, f'the version of a recipe is {version}')
    file, defect, size = cursor.id(), cursor.sized(), cursor.varint()
    require(len(defect) <= DEFECT_BYTES_MAX, 'the words about a defect are too long')
    packs = [cursor.id() for _ in range(cursor.varint())]
    ends = [0] * len(packs)
    runs = [decode_run(cursor, packs, ends) for _ in range(cursor.varint())]
    cursor.expect_end()
    require(sum(map(run_length, runs)) == size, 'the runs do not sum up to the size of the file')
    return Recipe(file, defect, size, packs, runs)


@dataclass(frozen=True)
class Entry:
    kind: int
    name: bytes
    mode: int
    mtime_ns: int
    size: int
    below: int
    id: bytes


def is_name(name):
    return 1 <= len(name) <= NAME_BYTES_MAX and name not in (b'.', b'..') and b'/' not in name and b'\0' not in name


def decode_entry(cursor):
    kind = cursor.u8()
    require(kind in (FILE, DIRECTORY), f'an entry has the kind {kind}')
    name, mode, mtime_ns, size = cursor.sized(), cursor.varint(), cursor.svarint(), cursor.varint()
    below = cursor.varint() if kind == DIRECTORY else 0
    require(is_name(name), f'{name!r} is no name')
    require(mode <= MODE_MAX, 'a mode has unknown bits')
    require(kind == FILE or mtime_ns == 0, 'a directory has an mtime')
    require(below < U32_END, 'a directory has too many entries below it')
    return Entry(kind, name, mode, mtime_ns, size, below, cursor.id())


def decode_tree(data):
    cursor = Cursor(data)
    version = cursor.u8()
    require(version == 1, f'the version of a tree node is {version}')
    entries = [decode_entry(cursor) for _ in range(cursor.varint())]
    cursor.expect_end()
    require(all(left.name < right.name for left, right in zip(entries, entries[1:])), 'names are out of order')
    return entries
