"""A shard that the server has lost is named by every backup, until a person settles it."""
import os
import shutil
import time

from harness import DAY, EndToEndTest, ExitCode, Influxd, Mount, Repo, main, points, tsmfs, wait_until


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

    def break_shard(self, copy_named=None):
        """As a power loss does, or who copies a file under a name of his own: influxd does not open a shard with such a
        file."""
        self.server.stop()
        directory = self.server.shard_directory(self.shard)
        if copy_named:
            shutil.copy(os.path.join(directory, '000000001-000000001.tsm'), os.path.join(directory, copy_named))
        else:
            open(os.path.join(directory, '000000009-000000001.tsm'), 'xb').close()
        self.server.start()

    def listed(self, *options):
        return tsmfs('snapshots', '--repo', self.repo.path, *options).stdout

    def missing(self, snapshot):
        return {entry['shard']: entry['accepted'] for entry in snapshot['extent']['missing']}

    def test_the_first_backup_and_every_later_one_name_it(self):
        self.break_shard()
        self.expect_named_by_two_backups()
        self.assertIn('has 2 of the 3 shards whole that the server had', self.listed())

    def expect_named_by_two_backups(self):
        for _ in range(2):
            snapshot, done = self.repo.backup_output(self.server, '--server', 'db1', expect=ExitCode.INCOMPLETE)
            self.assertIn(f'{self.shard} is in the metastore, but the server does not offer it', done.stderr)
            self.assertEqual(self.missing(snapshot), {str(self.shard): False})
            self.assertEqual((snapshot['extent']['named'], snapshot['extent']['came']), (3, 2))

    def test_a_shard_with_a_misnamed_file_is_named_by_every_backup(self):
        self.break_shard(copy_named='000000001-000000001 2.tsm')
        self.expect_named_by_two_backups()

    def test_where_none_is_whole_the_list_and_the_mount_say_what_latest_lacks(self):
        self.break_shard()
        snapshot = self.backup(expect=ExitCode.INCOMPLETE)
        self.assertRegex(self.listed(), f"db1: latest shows {snapshot['id'][:8]} of .*, which lacks {self.shard}\n")
        with Mount(self.repo, self.path('mount')) as mount:
            for view in ((), ('hosts', 'db1')):
                latest = mount.path(*view, 'backups', 'latest')
                self.assertEqual(os.getxattr(latest, 'user.tsmfs.lacks'), f'lacks {self.shard}'.encode())

    def test_problems_of_old_do_not_come_up_for_ever(self):
        self.break_shard()
        self.backup(expect=ExitCode.INCOMPLETE)
        old = f'{self.shard} is in the metastore, but the server does not offer it'
        self.assertIn(old, self.listed())
        self.backup('--accept-missing', self.shard.shard)
        self.server.restart()  # influxd has put the bad file out of the way
        self.assertEqual(self.backup()['problems'], [])
        self.assertNotIn(old, self.listed())
        self.assertIn('INCOMPLETE; --problems says why', self.listed())
        self.assertIn(old, self.listed('--problems'))

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
            self.assertRegex(done.stderr, f'{self.shard} is empty, and had [0-9.]+ .?i?B when')
        self.backup('--accept-missing', self.shard.shard)
        self.backup()

    def test_the_import_of_a_data_directory_names_it(self):
        self.server.stop()
        os.rename(self.server.shard_directory(self.shard), self.path('gone'))
        done = tsmfs('import', '--server', 'db1', '--repo', self.repo.path, '--data-dir', self.server.data, '--meta-dir',
                     os.path.dirname(self.server.meta_db), expect=ExitCode.INCOMPLETE)
        self.assertIn(f'{self.shard} is in the metastore, but not here', done.stderr)


class GroupsAhead(EndToEndTest):
    def test_a_group_whose_time_has_not_begun_is_no_loss(self):
        server = self.stopping(Influxd(self.path('ahead'), precreation='2h'))
        server.create_database('telegraf', '1h')
        server.write('telegraf', [f'm v=1 {time.time_ns()}'])
        wait_until(lambda: len(server.shards()) > 1, 'the server to make a shard ahead of its time')
        snapshot = Repo(self.path('repository')).backup(server)
        self.assertEqual((snapshot['problems'], snapshot['extent']['missing']), ([], []))
        self.assertEqual((snapshot['extent']['named'], snapshot['extent']['came']), (1, 1))


if __name__ == '__main__':
    main()
