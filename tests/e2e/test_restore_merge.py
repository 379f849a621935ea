"""A merge: the points of a snapshot are added to a shard that has lived on, and the side that is preferred wins."""
import os
import shutil

from harness import START, EndToEndTest, ExitCode, Influxd, Repo, main, tsmfs

SECOND = 10**9


def lines(series, values):
    """Points of one series: {second: value}."""
    return [f'{series} value={value} {(START + second) * SECOND}' for second, value in values.items()]


class RestoreMerge(EndToEndTest):
    """A server whose snapshot has points that were overwritten and deleted since, while others came."""

    index = 'inmem'

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server'), index=cls.index))
        cls.server.create_database('db')
        cls.server.write('db', lines('cpu,host=a', {1: 10, 2: 10, 3: 10}) + lines('gone', {5: 10}))
        cls.server.flush()
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.repo.backup(cls.server)
        cls.server.query(f'DELETE FROM cpu WHERE time = {(START + 3) * SECOND}', 'db')
        cls.server.query('DROP MEASUREMENT gone', 'db')
        cls.server.write('db', lines('cpu,host=a', {2: 20, 4: 20}) + lines('cpu,host=b', {1: 20}))
        cls.server.flush()
        cls.server.stop()

    def home(self):
        """A server that lives on from here on its own."""
        home = self.path('home')
        shutil.copytree(self.server.home, home)
        return home

    def merge(self, home, *options, expect=ExitCode.OK):
        return tsmfs('restore', '--metadir', f'{home}/meta', '--datadir', f'{home}/data', '--merge', *options,
                     self.repo.path, expect=expect)

    def points(self, server):
        found = {}
        for series in server.query('SELECT value FROM cpu, gone GROUP BY *', 'db'):
            name = series['name'] + series.get('tags', {}).get('host', '')
            found[name] = {at: value for at, value in series['values']}
        return found

    def expect_points(self, home, expected):
        server = self.stopping(Influxd(home, index=self.index))
        expected = {name: {(START + second) * SECOND: value for second, value in values.items()}
                    for name, values in expected.items()}
        self.assertEqual(self.points(server), expected)
        server.restart()
        self.assertEqual(self.points(server), expected, 'after a restart')
        server.restart(compact_cold='1s')
        server.wait_compacted()
        self.assertEqual(self.points(server), expected, 'after a compaction')
        server.stop()

    def test_what_the_server_has_wins_unless_said_otherwise(self):
        home = self.home()
        done = self.merge(home, '--verify')
        self.assertIn('added to ', done.stdout + done.stderr)
        self.expect_points(home, {'cpua': {1: 10, 2: 20, 3: 10, 4: 20}, 'cpub': {1: 20}, 'gone': {5: 10}})

    def test_the_snapshot_wins_when_it_is_preferred(self):
        home = self.home()
        self.merge(home, '--prefer', 'snapshot')
        self.expect_points(home, {'cpua': {1: 10, 2: 10, 3: 10, 4: 20}, 'cpub': {1: 20}, 'gone': {5: 10}})

    def test_a_second_merge_finds_all_there(self):
        home = self.home()
        self.merge(home)
        done = self.merge(home)
        self.assertIn('1 shards are there already, and are left as they are', done.stdout)

    def test_a_shard_of_another_number_and_the_same_time_is_merged_with(self):
        other = self.stopping(Influxd(self.path('other'), index=self.index))
        other.create_database('before')
        other.write('before', lines('cpu', {1: 1}))
        other.create_database('db')
        other.write('db', lines('cpu,host=a', {9: 90}))
        other.flush()
        self.assertEqual([shard.shard for shard in other.shards() if shard.database == 'db'], [2])
        other.stop()
        tsmfs('restore', '--metadir', f'{other.home}/meta', '--datadir', other.data, '--database', 'db', '--merge',
              self.repo.path)
        self.expect_points(other.home, {'cpua': {1: 10, 2: 10, 3: 10, 9: 90}, 'gone': {5: 10}})

    def test_a_backup_since_the_last_has_what_a_merge_brought(self):
        home, repo = self.home(), Repo(self.path('repository'))
        server = self.stopping(Influxd(home, index=self.index))
        repo.backup(server, '--server', 'db1')
        server.stop()
        self.merge(home)
        server.start()
        points = self.points(server)
        repo.backup(server, '--server', 'db1', '--since', 'last')
        server.stop()
        restored = self.path('restored')
        tsmfs('restore', '--metadir', f'{restored}/meta', '--datadir', f'{restored}/data', repo.path)
        self.assertEqual(self.points(self.stopping(Influxd(restored, index=self.index))), points)

    def test_a_field_of_another_type_in_the_log_of_the_server_is_refused(self):
        home = self.home()
        server = self.stopping(Influxd(home, index=self.index))
        server.query('DROP MEASUREMENT cpu', 'db')
        server.write('db', [f'gone value=true {(START + 7) * SECOND}'])
        server.stop()
        self.assertIn("field 'value' of 'gone' is float in the snapshot and float and boolean in ",
                      self.merge(home, expect=ExitCode.USAGE).stderr)

    def test_contradictions_are_usage(self):
        home = self.home()
        for options in (['--overwrite'], ['--skip-existing'], ['--waldir', f'{home}/wal'], ['--prefer', 'mine']):
            self.merge(home, *options, expect=ExitCode.USAGE)
        for options in (['--prefer', 'snapshot'], ['--merge']):
            tsmfs('restore', '--datadir', f'{home}/data', *options, self.repo.path, expect=ExitCode.USAGE)
        tsmfs('restore', '--online', '--merge', self.repo.path, expect=ExitCode.USAGE)


class RestoreMergeTsi(RestoreMerge):
    """The same where the index lies on the disk."""

    index = 'tsi1'


if __name__ == '__main__':
    main()
