"""influxd 1.2 to 1.4: the older dialect, databases from the metastore, index/ left out, empty answers asked again."""
import os
import shutil
import struct
import zlib

from harness import DAY, EndToEndTest, ExitCode, Influxd, Mount, Repo, compare_trees, main, points, tsmfs
from harness.older_server import OlderServer

DATABASES = ['telegraf', 'my.db', 'данные']
ALL_TIMES = (-2**63, 2**63 - 1)
INTEGER, UNSIGNED = 1, 4  # types of a TSM file's blocks
INDEX_FILES = ['index/0/L0-00000001.tsl', 'index/0/MANIFEST', 'index/MANIFEST']


def tombstone_of_12(key, first, last):
    """A tombstone as influxd 1.2 and 1.3 write it (version 2)."""
    return struct.pack('>II', 0x1502, len(key)) + key + struct.pack('>qq', first, last)


def make_unsigned(path):
    """Makes a TSM file of one block of integers one of unsigned integers, which have the same encoding."""
    with open(path, 'rb') as file:
        content = bytearray(file.read())
    index = struct.unpack_from('>Q', content, len(content) - 8)[0]
    kind = index + 2 + struct.unpack_from('>H', content, index)[0]
    block, size = struct.unpack_from('>QI', content, kind + 19)
    assert content[kind] == content[block + 4] == INTEGER
    content[kind] = content[block + 4] = UNSIGNED
    struct.pack_into('>I', content, block, zlib.crc32(content[block + 4:block + size]))
    with open(path, 'wb') as file:
        file.write(content)


class Dialect14(EndToEndTest):
    @classmethod
    def set_up_class(cls):
        """The files of a stopped influxd, with an index/ in each shard, behind a server that speaks as 1.4 does."""
        cls.home = os.path.join(cls.class_directory, 'server')
        influxd = cls.stop_at_end(Influxd(cls.home))
        for database in DATABASES:
            influxd.create_database(database)
            influxd.write(database, points(seconds=2 * DAY, step=300))
        influxd.flush()
        influxd.query('DROP SERIES FROM "net" WHERE "host" = \'web-001\'', 'telegraf')
        cls.answers = influxd.answers()
        cls.shards = influxd.shards()
        influxd.stop()
        for shard in cls.shards:
            cls.add_index(influxd.shard_directory(shard))

    @staticmethod
    def add_index(shard_directory):
        for name in INDEX_FILES:
            path = os.path.join(shard_directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as file:
                file.write(b'not to be backed up')

    def setUp(self):
        super().setUp()
        self.repo = Repo(self.path('repository'))

    def back_up(self, **settings):
        server = self.stopping(OlderServer(self.home, **settings))
        return server, self.repo.backup(server)

    def assert_whole(self, snapshot):
        self.assertFalse(snapshot['incomplete'])
        self.assertEqual(snapshot['shards'], len(self.shards))
        self.assertEqual(sorted(snapshot['databases']), sorted(DATABASES))
        with Mount(self.repo, self.path('mount')) as mount:
            self.assertEqual(compare_trees(os.path.join(self.home, 'data'), mount.path('backups', 'latest')), [])

    def test_every_shard_and_no_index(self):
        server, snapshot = self.back_up()
        self.assert_whole(snapshot)
        self.assertEqual(snapshot['problems'], [])
        self.assertTrue(all(r.older for r in server.requests if r.kind == 'shard'))

    def test_the_dialect_is_found_once(self):
        server, _ = self.back_up()
        self.assertEqual(len([r for r in server.requests if not r.older]), 1)

    def test_a_shard_that_is_empty_twice_is_asked_again(self):
        shard = self.shards[1].shard
        server, snapshot = self.back_up(empty_answers={shard: 2})
        self.assert_whole(snapshot)
        self.assertEqual(len([r for r in server.requests if r.kind == 'shard' and r.shard == shard]), 3)

    def test_the_same_files_over_the_newer_dialect_cost_nothing(self):
        self.back_up()
        _, snapshot = self.back_up(newer=True)
        self.assert_whole(snapshot)
        self.assertEqual(snapshot['new_bytes'], 0)

    def test_a_restored_copy_answers_as_the_original_did(self):
        self.back_up()
        restored = self.path('restored')
        with Mount(self.repo, self.path('mount')) as mount:
            shutil.copytree(mount.path('backups', 'latest'), os.path.join(restored, 'data'))
            shutil.copytree(mount.path('meta', 'latest'), os.path.join(restored, 'meta'))
        self.assertEqual(self.stopping(Influxd(restored)).answers(), self.answers)

    def test_a_running_server_takes_no_restore(self):
        server = self.stopping(OlderServer(self.home))
        self.repo.backup(server)
        done = tsmfs('restore', '--repo', self.repo.path, '--online', '--host', server.snapshot_address, '--database', 'telegraf',
                     '--newdb', 'copy', expect=ExitCode.NO_SERVER)
        self.assertIn('older than InfluxDB 1.5', done.stderr)

    def test_time_ranges_that_1_2_deleted_are_named_when_they_are_restored(self):
        home = self.path('home')
        shutil.copytree(self.home, home)
        misread, whole = (shard for shard in self.shards if shard.database == 'my.db')
        key = b'cpu,host=web-001,region=us\\ east#!~#usage_user'
        for shard, times in ((misread, (1, 2)), (whole, ALL_TIMES)):
            with open(os.path.join(home, 'data', str(shard), '000000001-000000001.tombstone'), 'xb') as file:
                file.write(tombstone_of_12(key, *times))
        self.assertEqual(self.repo.backup(self.stopping(OlderServer(home)))['problems'], [])
        done = tsmfs('restore', '--repo', self.repo.path, '--quiet', '--database', 'my.db', '--datadir', self.path('data'),
                     '--metadir', self.path('meta'))
        self.assertIn(f'warning: {misread}/000000001-000000001.tombstone deletes a time range as influxd 1.2 and 1.3 write it: '
                      'later ones misread that', done.stderr)
        self.assertNotIn(str(whole), done.stderr)


class ToAnOlderServer(EndToEndTest):
    def test_unsigned_integers_are_named_where_an_older_server_may_run(self):
        server = self.stopping(Influxd(self.path('server')))
        server.create_database('db')
        server.write('db', [f'm v={n}i {n}' for n in range(10)])
        server.flush()
        shard = server.shards()[0]
        server.stop()
        file = f'{shard}/000000001-000000001.tsm'
        make_unsigned(os.path.join(server.data, file))
        repo, home = self.path('repository'), server.home
        tsmfs('import', '--repo', repo, '--data-dir', f'{home}/data', '--meta-dir', f'{home}/meta', '--wal-dir', f'{home}/wal')
        tsmfs('check', '--repo', repo, '--tsm')
        done = tsmfs('restore', '--repo', repo, '--datadir', self.path('data'), '--metadir', self.path('meta'))
        self.assertIn(f'note: {file} holds unsigned integers: influxd 1.2 and 1.3 refuse all data there', done.stderr)
        done = tsmfs('restore', '--repo', repo, '--datadir', f'{home}/data', '--metadir', f'{home}/meta', '--overwrite')
        self.assertNotIn('unsigned', done.stderr, 'a server of 1.5 or later has run there')


if __name__ == '__main__':
    main()
