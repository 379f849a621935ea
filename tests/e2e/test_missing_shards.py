"""A shard that the server has lost is named by every backup, until a person settles it."""
import os

from harness import DAY, EndToEndTest, ExitCode, Influxd, Repo, main, points, tsmfs


class MissingShards(EndToEndTest):
    """A server of three shards."""

    def setUp(self):
        super().setUp()
        self.server = self.stopping(Influxd(self.path('server')))
        self.server.create_database('telegraf')
        self.server.write('telegraf', points(seconds=3 * DAY, step=600))
        self.server.flush()
        self.shard = self.server.shards()[1]
        self.repo = Repo(self.path('repository'))

    def backup(self, *options, expect=ExitCode.OK):
        """Under one name, though the server gets other ports when it is started again."""
        return self.repo.backup(self.server, '--server', 'db1', *options, expect=expect)

    def break_shard(self):
        """As a power loss does: influxd does not open a shard with such a file."""
        self.server.stop()
        directory = self.server.shard_directory(self.shard)
        open(os.path.join(directory, '000000009-000000001.tsm'), 'xb').close()
        self.server.start()

    def missing(self, snapshot):
        return {entry['shard']: entry['accepted'] for entry in snapshot['extent']['missing']}

    def test_the_first_backup_and_every_later_one_name_it(self):
        self.break_shard()
        for _ in range(2):
            snapshot, done = self.repo.backup_output(self.server, '--server', 'db1', expect=ExitCode.INCOMPLETE)
            self.assertIn(f'{self.shard} is in the metastore, but the server does not offer it', done.stderr)
            self.assertEqual(self.missing(snapshot), {str(self.shard): False})
            self.assertEqual((snapshot['extent']['named'], snapshot['extent']['came']), (3, 2))
        self.assertIn('has 2 of the 3 shards that the server had', tsmfs('snapshots', '--repo', self.repo.path).stdout)

    def test_accepting_settles_it_until_it_comes_back(self):
        self.backup()
        self.break_shard()
        self.backup(expect=ExitCode.INCOMPLETE)
        self.backup('--accept-missing', self.shard.shard)
        self.assertEqual(self.missing(self.backup()), {str(self.shard): True})
        self.server.restart()  # influxd has put the bad file out of the way
        self.assertEqual(self.missing(self.backup()), {})
        self.break_shard()
        self.backup(expect=ExitCode.INCOMPLETE)

    def test_a_tag_settles_it(self):
        self.break_shard()
        self.backup(expect=ExitCode.INCOMPLETE)
        tsmfs('tag', 'accept-missing', str(self.shard), 'latest', '--repo', self.repo.path)
        self.assertFalse(self.repo.snapshots()[0]['incomplete'])
        self.backup()
        tsmfs('tag', 'accept-missing', str(self.shard), 'latest', '--repo', self.repo.path, expect=ExitCode.USAGE)

    def test_a_shard_that_shrank_to_nothing_is_named(self):
        self.backup()
        self.server.stop()
        directory = self.server.shard_directory(self.shard)
        for name in os.listdir(directory):
            if name.endswith('.tsm'):
                os.remove(os.path.join(directory, name))
        self.server.start()
        for _ in range(2):
            _, done = self.repo.backup_output(self.server, '--server', 'db1', expect=ExitCode.INCOMPLETE)
            self.assertIn(f'{self.shard} is empty, and had', done.stderr)
        self.backup('--accept-missing', self.shard.shard)
        self.backup()

    def test_the_import_of_a_data_directory_names_it(self):
        self.server.stop()
        os.rename(self.server.shard_directory(self.shard), self.path('gone'))
        done = tsmfs('import', '--server', 'db1', '--repo', self.repo.path, '--data-dir', self.server.data, '--meta-dir',
                     os.path.dirname(self.server.meta_db), expect=ExitCode.INCOMPLETE)
        self.assertIn(f'{self.shard} is in the metastore, but not here', done.stderr)


if __name__ == '__main__':
    main()
