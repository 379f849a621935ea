"""A snapshot that lacks something never stands in for a whole one: not for forget, not for restore, export and the mount."""
import json
import os

from harness import DAY, EndToEndTest, ExitCode, Influxd, Mount, Repo, main, points, tsmfs

SOME_TIME = ('--start', '2024-03-01T00:00:00Z', '--end', '2024-03-01T06:00:00Z')


class LesserSnapshots(EndToEndTest):
    """A whole snapshot of two databases, and behind it one without data; of one database one that is whole, one of some
    time and one that is partial; one of a single shard; and one that lacks a shard."""

    def setUp(self):
        super().setUp()
        self.server = self.stopping(Influxd(self.path('server')))
        for database in ('telegraf', 'scratch'):
            self.server.create_database(database)
            self.server.write(database, points(seconds=2 * DAY, step=600))
        self.repo = Repo(self.path('repository'))
        self.whole = self.backup()
        self.metastore = self.backup('--metastore-only')
        self.scratch = self.backup('--database', 'scratch')
        self.some_time = self.backup('--database', 'scratch', *SOME_TIME)
        self.partial = self.backup('--database', 'scratch', '--since', '2099-01-01T00:00:00Z')
        self.one_shard = self.backup('--shard', self.server.shards()[-1].shard)
        self.server.stop()
        self.shard = next(s for s in self.server.shards_before if s.database == 'telegraf')
        open(os.path.join(self.server.shard_directory(self.shard), '000000009-000000001.tsm'), 'xb').close()
        self.server.start()
        self.lesser = self.backup(expect=ExitCode.INCOMPLETE)

    def backup(self, *options, expect=ExitCode.OK):
        self.server.shards_before = self.server.shards()
        return self.repo.backup(self.server, '--server', 'db1', *options, expect=expect)

    def ids(self):
        return [s['id'] for s in self.repo.snapshots()]

    def tsmfs(self, command, *arguments, expect=ExitCode.OK):
        return tsmfs(command, *arguments, '--repo', self.repo.path, expect=expect)


class Forget(LesserSnapshots):
    def test_a_lesser_snapshot_takes_no_whole_ones_place(self):
        table = self.tsmfs('forget', '--keep-last', '1', '--dry-run').stdout
        self.assertIn(f'lesser: lacks {self.shard}', table)
        for groups in ('host,database', 'host', ''):
            self.tsmfs('forget', '--keep-last', '1', '--group-by', groups)
            self.assertIn(self.whole['id'], self.ids())

    def decided(self, *rules):
        """{group: ([ids that stay, by a rule], [ids that would go])}"""
        report = json.loads(self.tsmfs('forget', *rules, '--dry-run', '--json').stdout)
        return {group['group']: ([s['id'] for s in group['keep'] if rules[0] == '--keep-' + s['reasons'][0]],
                                 [s['id'] for s in group['forget']]) for group in report['groups']}

    def test_of_a_period_a_whole_one_stays_though_a_partial_one_of_a_shard_or_of_some_time_is_newer(self):
        lesser = [s['id'] for s in (self.lesser, self.one_shard, self.partial, self.some_time, self.scratch, self.metastore)]
        for groups in ('host', ''):
            decided = self.decided('--keep-yearly', '1', '--group-by', groups)
            self.assertEqual(list(decided.values()), [([self.whole['id']], lesser)])
        self.assertEqual(self.decided('--keep-yearly', '1')['host db1, database scratch'],
                         ([self.scratch['id']], [self.partial['id']]))
        table = self.tsmfs('forget', '--keep-yearly', '1', '--group-by', 'host', '--dry-run').stdout
        for why in ('is partial', f'holds only {self.one_shard["filter"]}', f'holds only {self.some_time["filter"]}'):
            self.assertIn(f'lesser: {why}', table)

    def test_each_selection_is_a_group_of_its_own_that_keeps_its_last_one(self):
        groups = {'all databases': [self.whole, self.lesser], 'metastore only': [self.metastore],
                  'database scratch': [self.scratch, self.partial], f'all databases, {self.one_shard["filter"]}': [self.one_shard],
                  self.some_time['filter']: [self.some_time]}
        table = self.tsmfs('forget', '--keep-last', '1', '--dry-run').stdout
        self.assertEqual([line for line in table.splitlines() if not line.startswith(' ')][:-1],
                         sorted(f'host db1, {name}' for name in groups))
        self.tsmfs('forget', '--keep-last', '1')
        for name, (first, *_) in groups.items():
            self.assertIn(first['id'], self.ids(), name)

    def test_a_policy_never_takes_the_last_whole_snapshot_of_a_database(self):
        self.tsmfs('tag', 'add', 'monday', self.lesser['id'])
        self.tsmfs('forget', '--keep-tag', 'monday', '--group-by', 'host')
        self.assertEqual(self.ids(), [self.whole['id'], self.lesser['id']])  # which has scratch whole

    def test_by_name_the_last_whole_snapshot_needs_allow_last(self):
        refused = self.tsmfs('forget', self.whole['id'], expect=ExitCode.USAGE).stderr
        self.assertIn("the last one that holds database 'telegraf' of server 'db1' whole", refused)
        self.assertIn('--allow-last', refused)
        self.assertIn(self.whole['id'], self.ids())
        self.tsmfs('forget', self.whole['id'], '--allow-last')
        self.assertNotIn(self.whole['id'], self.ids())

    def test_the_dry_run_says_which_shards_will_be_in_no_snapshot(self):
        dry = self.tsmfs('forget', self.whole['id'], '--allow-last', '--dry-run').stdout
        self.assertIn(f'{self.shard} of server db1', dry)
        self.assertIn('THE SERVER NAMES IT, AND LACKS IT', dry)
        lost = json.loads(self.tsmfs('forget', self.whole['id'], '--allow-last', '--dry-run', '--json').stdout)['lost_shards']
        self.assertIn((f'{self.shard}', 'db1', True), [(s['shard'], s['server'], s['server_names_it']) for s in lost])
        quiet = self.tsmfs('forget', self.whole['id'], '--allow-last', '--dry-run', '--quiet').stdout
        self.assertNotIn('as named', quiet)
        self.assertIn('1 snapshots would be forgotten', quiet)
        self.server.restart()
        self.server.query('DROP DATABASE scratch')
        newest = self.backup()
        dry = self.tsmfs('forget', '--keep-last', '1', '--group-by', 'host', '--dry-run').stdout
        self.assertIn('would be in no snapshot any more; the server has dropped it', dry)
        self.tsmfs('forget', '--keep-last', '1', '--group-by', 'host')
        self.assertEqual(self.ids(), [newest['id']])


class RestoreAndExport(LesserSnapshots):
    def restore(self, *options, expect=ExitCode.OK):
        return self.tsmfs('restore', '--dry-run', '--datadir', self.path('data'), *options, expect=expect)

    def test_restore_takes_the_newest_that_holds_what_is_asked(self):
        done = self.restore()
        self.assertIn(f'snapshot {self.whole["id"][:8]}', done.stdout)
        self.assertIn(f'lacks {self.shard}; --snapshot {self.lesser["id"][:8]} takes it', done.stderr)
        self.assertIn(f'snapshot {self.whole["id"][:8]}', self.restore('--database', 'telegraf').stdout)
        done = self.restore('--database', 'scratch')
        self.assertIn(f'snapshot {self.lesser["id"][:8]}', done.stdout)
        self.assertEqual(done.stderr, '')
        self.assertIn(f'snapshot {self.whole["id"][:8]}', self.restore('--shard', self.shard.shard).stdout)

    def test_export_takes_the_newest_that_holds_what_is_asked(self):
        for selection, snapshot in ((), self.whole), (('--database', 'scratch'), self.lesser):
            done = self.tsmfs('export', '--format', 'tar', self.path(snapshot['id']), *selection)
            self.assertIn(f'snapshot {snapshot["id"][:8]}', done.stdout)

    def test_of_several_servers_they_ask_for_one(self):
        other = self.repo.backup(self.server, '--server', 'db2', expect=ExitCode.INCOMPLETE)
        refused = self.restore(expect=ExitCode.USAGE).stderr
        self.assertIn("name one with --server: 'db1', 'db2'", refused)
        self.tsmfs('export', '--format', 'tar', self.path('tar'), expect=ExitCode.USAGE)
        lesser = self.restore('--server', 'db2', expect=ExitCode.INCOMPLETE)
        self.assertIn(f'snapshot {other["id"][:8]}', lesser.stdout)
        self.assertIn(f'snapshot {self.whole["id"][:8]}', self.restore('--shard', self.shard.shard).stdout)


class Mounted(LesserSnapshots):
    def snapshot_at(self, path):
        return os.getxattr(path, 'user.tsmfs.snapshot').decode()

    def test_the_list_says_what_latest_shows_where_a_newer_one_is_lesser(self):
        self.assertRegex(self.tsmfs('snapshots').stdout, f"db1: latest shows {self.whole['id'][:8]} of .*, the newest whole one")

    def test_latest_and_at_lead_to_the_newest_whole_one_and_say_which_are_newer(self):
        with Mount(self.repo, self.path('mount')) as mount:
            for list_of in (('backups', 'latest'), ('hosts', 'db1', 'backups', 'latest'), ('at', 'now'),
                            ('hosts', 'db1', 'at', 'now')):
                self.assertEqual(self.snapshot_at(mount.path(*list_of)), self.whole['id'])
            latest = mount.path('backups', 'latest')
            self.assertEqual(os.getxattr(latest, 'user.tsmfs.lacks'), b'')
            self.assertIn(f'lacks {self.shard}\n'.encode(), os.getxattr(latest, 'user.tsmfs.newer'))
            lesser = mount.snapshot(self.lesser)
            self.assertEqual(os.getxattr(lesser, 'user.tsmfs.lacks'), f'lacks {self.shard}'.encode())


if __name__ == '__main__':
    main()
