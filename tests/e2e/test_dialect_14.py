"""influxd 1.2 to 1.4: the older dialect, databases from the metastore, index/ left out, empty answers asked again."""
import os
import shutil

from harness import DAY, EndToEndTest, ExitCode, Influxd, Mount, Repo, compare_trees, main, points, tsmfs
from harness.older_server import OlderServer

DATABASES = ['telegraf', 'my.db', 'данные']
INDEX_FILES = ['index/0/L0-00000001.tsl', 'index/0/MANIFEST', 'index/MANIFEST']


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


if __name__ == '__main__':
    main()
