"""A small server that answers the snapshot protocol as influxd 1.2 to 1.4 does, from a directory of files."""
import io
import json
import os
import struct
import tarfile
import threading

from .influxd import ShardPath
from .listener import Listener
from .protocol import read_request

METASTORE_MAGIC = 0x59590101
NODE_JSON = b'null\n'
EMPTY_TAR = bytes(1024)


class OlderServer:
    """Serves `home`/data/<db>/<policy>/<shard>/... and `home`/meta/meta.db. Shards named in `empty_answers` ({shard id:
    times}) first answer nothing that many times. With newer=True it speaks the dialect of 1.5 and later instead."""

    def __init__(self, home, empty_answers=None, newer=False):
        self.home = home
        self.newer = newer
        self.requests = []
        self._empty_answers = dict(empty_answers or {})
        self._lock = threading.Lock()
        self._listener = Listener(self._serve)
        self.snapshot_address = self._listener.address

    def stop(self):
        self._listener.stop()

    def _serve(self, client):
        request = read_request(client)
        if request is None:
            return
        with self._lock:
            self.requests.append(request)
        if request.older != self.newer:  # the other dialect: an empty answer and a clean end
            client.sendall(self._answer(request))

    def _answer(self, request):
        body = request.body
        database = body.get('Database') or body.get('BackupDatabase') or ''
        policy = body.get('RetentionPolicy') or body.get('BackupRetentionPolicy') or ''
        if request.kind == 'metastore':
            return self._metastore()
        if request.kind in ('database', 'policy'):
            return self._paths(database, policy)
        if request.kind in ('shard', 'later'):
            return self._shard(request.shard)
        if request.kind == 'nothing':
            return EMPTY_TAR
        return b''

    def _metastore(self):
        with open(os.path.join(self.home, 'meta', 'meta.db'), 'rb') as file:
            meta = file.read()
        return (struct.pack('>QQ', METASTORE_MAGIC, len(meta)) + meta +
                struct.pack('>Q', len(NODE_JSON)) + NODE_JSON)

    def shards(self):
        """Every shard directory, as ShardPath."""
        data = os.path.join(self.home, 'data')
        return [ShardPath(database, policy, int(shard))
                for database in sorted(os.listdir(data))
                for policy in sorted(os.listdir(os.path.join(data, database))) if policy != '_series'
                for shard in sorted(os.listdir(os.path.join(data, database, policy)), key=int)]

    def _paths(self, database, policy):
        names = {s.database for s in self.shards()}
        if database not in names and not (self.newer and not database):
            return b''
        paths = [str(s) for s in self.shards() if database in ('', s.database) and policy in ('', s.policy)]
        return json.dumps({'Paths': paths or None}).encode() + b'\n'

    def _shard(self, shard_id):
        with self._lock:
            if self._empty_answers.get(shard_id, 0) > 0:
                self._empty_answers[shard_id] -= 1
                return b''
        for shard in self.shards():
            if shard.shard == shard_id:
                return self._tar(str(shard))
        return b''

    def _tar(self, path):
        """All files below the shard's directory: with tsi1, 1.4 sends those of index/ too."""
        top = os.path.join(self.home, 'data', path)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as tar:
            for directory, _, names in sorted(os.walk(top)):
                for name in sorted(names):
                    file = os.path.join(directory, name)
                    if '/index/' in file or name.endswith(('.tsm', '.tombstone')):
                        self._add(tar, file, path + '/' + os.path.relpath(file, top))
            members_end = out.tell()
        return out.getvalue()[:members_end] + bytes(1024)  # Go's writer does not pad to a tape record

    @staticmethod
    def _add(tar, file, name):
        member = tar.gettarinfo(file, name)
        member.mtime = int(member.mtime)
        with open(file, 'rb') as content:
            tar.addfile(member, content)
