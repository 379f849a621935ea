"""Two points in time of a server with awkward names, deletes and compactions come back by `cp -a`, and a fresh influxd on
the copy answers every question as the server did at backup time."""
import os
import shutil
import subprocess
import typing

from harness import (DAY, HOUR, START, EndToEndTest, Influxd, Mount, Repo, compare_trees, differences, main, points,
                     stored_files)

DATABASES = ['telegraf', 'my.db', 'with space', 'данные', '日本']
HOURLY_SHARDS = 105  # one group an hour, made first, so that shard ids 10 and 100 are among them


class PointInTime(typing.NamedTuple):
    """What the server had when a backup was made."""
    snapshot: dict
    files: dict      # path below the data directory -> bytes
    meta: bytes
    answers: dict


class RestoreByCopy:
    """The tests; the classes below give the index."""
    index = None

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server'), index=cls.index))
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.write_first()
        cls.history = [cls.back_up()]
        cls.write_more_and_compact()
        cls.delete_some()
        cls.history.append(cls.back_up())
        cls.mount = cls.stop_at_end(Mount(cls.repo, os.path.join(cls.class_directory, 'mount')))
        cls.times = cls.mount.times()

    @classmethod
    def write_first(cls):
        cls.server.create_database('hourly', '1h')
        cls.server.write('hourly', points(seconds=HOURLY_SHARDS * HOUR, step=HOUR // 2, hosts=2))
        for seed, database in enumerate(DATABASES):
            cls.server.create_database(database)
            cls.server.write(database, points(seconds=2 * DAY, step=120, hosts=4, seed=seed))
        cls.server.create_policy('telegraf', 'one.year', '7d')
        cls.server.write('telegraf', points(seconds=DAY, step=600), 'one.year')

    @classmethod
    def write_more_and_compact(cls):
        """New points and old ones again, until influxd has rewritten all of its files."""
        cls.server.restart(flush_cold='1s', compact_cold='2s')
        for database in DATABASES:
            cls.server.write(database, points(START + DAY, 2 * DAY, 180, hosts=5, seed=9))
        cls.server.flush()
        cls.server.wait_compacted()
        cls.server.restart(flush_cold='10m', compact_cold='24h')

    @classmethod
    def delete_some(cls):
        cls.server.hold_compactions()
        cls.server.query('DROP SERIES FROM "net" WHERE "host" = \'web-001\'', 'telegraf')
        cls.server.query('DELETE FROM "cpu" WHERE "host" = \'web-002\' AND time < \'2024-03-01T12:00:00Z\'', 'telegraf')
        cls.server.query('DELETE FROM "service" WHERE time >= \'2024-03-02T06:00:00Z\' AND time < \'2024-03-02T09:00:00Z\'', '日本')
        cls.server.write('telegraf', points(START + 3 * DAY, HOUR, 60, seed=11))

    @classmethod
    def back_up(cls):
        answers = cls.server.answers()
        snapshot = cls.repo.backup(cls.server)
        with open(cls.server.meta_db, 'rb') as meta:
            return PointInTime(snapshot, stored_files(cls.server.data), meta.read(), answers)

    def test_the_history_has_what_it_is_meant_to_have(self):
        first, second = (p.files.keys() for p in self.history)
        self.assertTrue({f'hourly/autogen/{n}' for n in (1, 10, 100)} <= {os.path.dirname(p) for p in first})
        self.assertFalse([p for p in first if p.endswith('.tombstone')])
        self.assertTrue([p for p in second if p.endswith('.tombstone')])
        self.assertTrue([p for p in first - second if p.startswith('my.db/')], 'no compaction took place')

    def test_snapshots_are_listed_whole(self):
        for point in self.history:
            listed = point.snapshot
            self.assertEqual(listed['problems'], [])
            self.assertFalse(listed['incomplete'])
            self.assertFalse(listed['metastore_changed'])
            self.assertEqual(sorted(listed['databases']), sorted(['hourly', *DATABASES]))
            self.assertEqual(listed['files'], len(point.files))
            self.assertEqual(listed['bytes'], sum(map(len, point.files.values())))
            self.assertEqual(listed['shards'], len(point.answers['shards']))

    def test_every_file_has_the_bytes_that_the_server_had(self):
        self.assertEqual(len(self.times), len(self.history))
        for time, point in zip(self.times, self.history):
            with self.subTest(time):
                self.assertEqual(differences(point.files, stored_files(self.mount.path('backups', time))), [])

    def test_the_last_backup_agrees_with_the_idle_server_in_every_file_and_size(self):
        self.assertEqual(compare_trees(self.server.data, self.mount.path('backups', 'latest')), [])

    def test_the_metastore_is_the_servers(self):
        for time, point in zip(self.times, self.history):
            with open(self.mount.path('meta', time, 'meta.db'), 'rb') as meta:
                self.assertEqual(meta.read(), point.meta)

    def test_the_first_point_in_time_comes_back(self):
        self.restore_and_compare(0)

    def test_the_second_point_in_time_comes_back(self):
        self.restore_and_compare(1)

    def restore_and_compare(self, number):
        home = self.path('restored')
        os.makedirs(os.path.join(home, 'data'))
        os.makedirs(os.path.join(home, 'meta'))
        for database in os.listdir(self.mount.path('backups', self.times[number])):
            subprocess.run(['cp', '-a', self.mount.path('backups', self.times[number], database),
                            os.path.join(home, 'data')], check=True)
        shutil.copy(self.mount.path('meta', self.times[number], 'meta.db'), os.path.join(home, 'meta'))
        restored = self.stopping(Influxd(home, index=self.index))
        self.compare_answers(self.history[number].answers, restored.answers())

    def compare_answers(self, expected, found):
        self.assertEqual(sorted(map(str, found)), sorted(map(str, expected)))
        for question, answer in expected.items():
            self.assertEqual(found[question], answer, question)
        self.assertGreater(len(expected), 200)


class RestoreByCopyInmem(RestoreByCopy, EndToEndTest):
    index = 'inmem'


class RestoreByCopyTsi1(RestoreByCopy, EndToEndTest):
    index = 'tsi1'


if __name__ == '__main__':
    main()
