"""A metastore that is lost is made anew from the shards, and a real influxd answers by it as before."""
import os
import shutil

from harness import DAY, HOUR, START, EndToEndTest, ExitCode, Influxd, Repo, main, points, tsmfs

WEEKLY_START = START + 4 * DAY  # the 5th of March 2024 is a Tuesday


class MakeMetastore(EndToEndTest):
    """A server that was stopped, with points of some shards in the write-ahead log only; its meta directory is lost."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('daily')
        cls.server.create_policy('daily', 'hourly', '1h')
        cls.server.write('daily', points(START + HOUR, 3 * DAY, 600, 2))
        cls.server.write('daily', points(START, 4 * HOUR, 60, 2), 'hourly')
        cls.server.create_database('weekly', '7d')
        cls.server.write('weekly', points(WEEKLY_START, 12 * DAY, 3600, 2))
        cls.server.flush()
        cls.server.write('daily', points(START + 5 * DAY, DAY // 2, 600, 2, seed=3))      # a shard that is in the log only
        cls.server.write('weekly', points(WEEKLY_START - DAY, HOUR, 60, 2, seed=4))       # a shard that is in both
        cls.answers = cls.server.answers()
        cls.groups = cls.shard_groups(cls.server)
        cls.server.stop()
        shutil.move(os.path.join(cls.server.home, 'meta'), os.path.join(cls.class_directory, 'lost'))
        cls.bare = Repo(os.path.join(cls.class_directory, 'bare'))
        cls.import_into(cls.bare)

    @classmethod
    def import_into(cls, repo, *options, expect=ExitCode.OK):
        home = cls.server.home
        return tsmfs('import', '--repo', repo.path, '--data-dir', f'{home}/data', '--wal-dir', f'{home}/wal', *options,
                     expect=expect)

    @staticmethod
    def shard_groups(server):
        """{(database, policy): [(start, end)]}"""
        found = {}
        for series in server.query('SHOW SHARD GROUPS'):
            for _, database, policy, start, end, _ in series['values']:
                found.setdefault((database, policy), []).append((start, end))
        return {place: sorted(ranges) for place, ranges in found.items()}

    def restore(self, repo, home, *options, expect=ExitCode.OK):
        directories = [word for name in ('meta', 'data', 'wal') for word in (f'--{name}dir', os.path.join(home, name))]
        return tsmfs('restore', *directories, *options, repo.path, expect=expect)

    def started(self, home):
        return self.stopping(Influxd(home))

    def test_an_imported_directory_without_metastore_comes_back_as_it_was(self):
        repo, home = Repo(self.path('repository')), self.path('home')
        self.import_into(repo, '--make-metastore')
        said = ' '.join(problem['what'] for problem in repo.snapshots()[0]['problems'])
        self.assertIn('has a metastore that was derived', said)
        self.assertEqual(repo.snapshots()[0]['databases'], ['daily', 'weekly'])
        self.restore(repo, home, '--verify')
        server = self.stopping(Influxd(home, index='tsi1'))
        self.assertEqual(server.answers(), self.answers)
        self.assertEqual(self.shard_groups(server), self.groups)

    def test_points_written_afterwards_go_to_the_shard_of_their_time_or_to_a_new_one(self):
        home = self.path('home')
        self.restore(self.bare, home, '--make-metastore')
        server = self.started(home)
        before = server.shards()
        server.write('daily', ['later value=1 ' + str((START + HOUR) * 10**9)])
        self.assertEqual(server.shards(), before)
        server.write('daily', ['later value=1 ' + str((START + 30 * DAY) * 10**9)])
        new = set(server.shards()) - set(before)
        self.assertEqual([shard.shard for shard in new], [before[-1].shard + 1])
        counted = server.query('SELECT count(value) FROM "daily"."autogen"."later"')
        self.assertEqual(counted[0]['values'][0][1], 2)

    def test_a_snapshot_without_metastore_is_refused_with_the_way_and_restored_with_it(self):
        home = self.path('home')
        self.assertIn('--make-metastore', self.restore(self.bare, home, expect=ExitCode.USAGE).stderr)
        self.assertFalse(os.path.exists(home))
        done = self.restore(self.bare, home, '--make-metastore')
        self.assertIn('gets the shard duration 24h', done.stderr)
        self.assertIn('gets the shard duration 168h', done.stderr)
        self.assertIn('gets the shard duration 1h', done.stderr)
        server = self.started(home)
        self.assertEqual(server.answers(), self.answers)
        self.assertEqual(self.shard_groups(server), self.groups)

    def test_the_import_says_what_is_missing_and_can_be_repeated_with_it(self):
        repo = Repo(self.path('repository'))
        self.assertIn('--make-metastore', self.import_into(repo).stderr)
        self.import_into(repo, '--make-metastore')
        self.assertEqual(len(repo.snapshots()), 2)
        for options in ([], ['--shard-duration', '2d']):
            self.import_into(repo, '--make-metastore', *options)
            self.assertIn('is there already', self.import_into(repo, '--make-metastore').stdout)
        self.assertEqual(len(repo.snapshots()), 3)
        empty = self.path('empty')
        os.mkdir(empty)
        self.assertIn('--make-metastore', self.import_into(repo, '--meta-dir', empty, expect=ExitCode.USAGE).stderr)

    def test_a_shard_duration_that_does_not_fit_is_said_and_loses_no_point(self):
        for duration in ('1h', '30d'):
            with self.subTest(duration=duration):
                home = self.path(duration)
                done = self.restore(self.bare, home, '--make-metastore', '--shard-duration', duration)
                self.assertIn('has points of more than 1h in one shard' if duration == '1h' else
                              'has several shards in one 720h', done.stderr)
                server = self.started(home)
                self.assertEqual(server.answers(), self.answers)
                policies = server.query('SHOW RETENTION POLICIES ON "weekly"')[0]
                self.assertEqual(policies['values'][0][policies['columns'].index('shardGroupDuration')],
                                 {'1h': '1h0m0s', '30d': '720h0m0s'}[duration])

    def test_it_is_merged_into_a_server_that_has_other_data(self):
        other = self.started(self.path('other'))
        other.create_database('mine')
        other.write('mine', points(seconds=2 * DAY, step=600, hosts=1))
        mine = {question: answer for question, answer in other.answers().items() if 'mine' in question[0]}
        other.stop()
        self.restore(self.bare, other.home, '--make-metastore', '--database', 'weekly')
        other.start()
        found = other.answers()
        expected = {question: answer for question, answer in self.answers.items() if 'weekly' in question[0]} | mine
        self.assertEqual({question: answer for question, answer in found.items() if question in expected}, expected)
        self.assertEqual(found['databases'], ['mine', 'weekly'])

    def test_a_metastore_that_is_there_gives_way_when_only_the_data_are_wanted(self):
        repo, home = Repo(self.path('repository')), self.path('home')
        lost = os.path.join(self.class_directory, 'lost')
        self.import_into(repo, '--meta-dir', lost)
        self.restore(repo, home, '--make-metastore', '--database', 'weekly', '--newdb', 'copy')
        server = self.started(home)
        self.assertEqual(server.databases(), ['copy'])
        found = server.query('SELECT count(usage_user) FROM "copy"."autogen"."cpu"')
        self.assertEqual(found[0]['values'][0][1], 2 * (12 * 24 + 60))

    def test_contradictions_are_usage(self):
        repo, home = Repo(self.path('repository')), self.path('home')
        self.import_into(repo, '--make-metastore', '--meta-dir', home, expect=ExitCode.USAGE)
        self.import_into(repo, '--shard-duration', '1d', expect=ExitCode.USAGE)
        self.import_into(repo, '--make-metastore', '--shard-duration', '5m', expect=ExitCode.USAGE)
        tsmfs('import', '--repo', repo.path, '--make-metastore', home, expect=ExitCode.USAGE)
        self.assertFalse(os.path.exists(repo.path))
        self.restore(self.bare, home, '--shard-duration', '1d', expect=ExitCode.USAGE)
        tsmfs('restore', '--datadir', home, '--make-metastore', self.bare.path, expect=ExitCode.USAGE)
        tsmfs('restore', '--online', '--make-metastore', self.bare.path, expect=ExitCode.USAGE)


if __name__ == '__main__':
    main()
