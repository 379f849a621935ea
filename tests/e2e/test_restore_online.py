"""Restores into a running influxd: under another name beside the original, into an empty server, and not at all when
points that were deleted would come back."""
import os

from harness import DAY, HOUR, START, EndToEndTest, ExitCode, Influxd, Repo, main, points, tsmfs


class OnlineRestore(EndToEndTest):
    """A server with three databases, and one of them with deleted points."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('hourly', '1h')
        cls.server.write('hourly', points(seconds=25 * HOUR, step=600, hosts=2))
        for seed, database in enumerate(('my.db', 'deletes')):
            cls.server.create_database(database)
            cls.server.write(database, points(seconds=2 * DAY, step=600, seed=seed))
        cls.server.create_policy('my.db', 'two weeks', '7d')
        cls.server.write('my.db', points(seconds=DAY, step=600, seed=7), 'two weeks')
        cls.server.flush()
        cls.server.hold_compactions()
        cls.before_deletes = contents(cls.server, 'deletes')
        cls.server.query('DELETE FROM "cpu" WHERE "host" = \'web-002\' AND time < \'2024-03-01T12:00:00Z\'', 'deletes')
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.repo.backup(cls.server)

    def restore(self, server, *options, **how):
        return tsmfs('restore', '--repo', self.repo.path, '--online', '--host', server.snapshot_address, *options, **how)

    def new_server(self, **settings):
        return self.stopping(Influxd(self.path('home'), **settings))

    def test_a_new_name_beside_the_original_answers_at_once(self):
        for i in range(3):
            name = f'copy {i}'
            done = self.restore(self.server, '--database', 'hourly', '--newdb', name)
            # The very next query.
            self.assertEqual(contents(self.server, name), contents(self.server, 'hourly'))
            self.assertIn('25 shards', done.stdout)
            self.assertRegex(done.stderr, r'\[25/25\] hourly/autogen/\d+ -> copy \d/autogen/\d+: 1 files')
        numbers = [s.shard for s in self.server.shards()]
        self.assertEqual(len(numbers), len(set(numbers)))
        self.server.restart()
        self.assertEqual(contents(self.server, 'copy 2'), contents(self.server, 'hourly'))
        self.server.hold_compactions()

    def test_all_policies_come_with_a_database(self):
        for index in ('inmem', 'tsi1'):
            server = self.stopping(Influxd(self.path(index), index=index))
            self.restore(server, '--database', 'my.db')
            self.assertEqual(contents(server, 'my.db'), contents(self.server, 'my.db'))
            self.assertEqual({s.policy for s in server.shards() if s.database == 'my.db'}, {'autogen', 'two weeks'})

    def test_one_policy_under_a_new_name(self):
        server = self.new_server()
        self.restore(server, '--database', 'my.db', '--retention', 'two weeks', '--newdb', 'n', '--newrp', 'r')
        self.assertEqual([(s.database, s.policy) for s in server.shards() if s.database != '_internal'], [('n', 'r')] * 1)
        self.assertEqual(contents(server, 'n', ['r']), contents(self.server, 'my.db', ['two weeks']))

    def test_one_shard(self):
        server = self.new_server()
        shard = [s for s in self.server.shards() if s.database == 'hourly'][9]
        self.restore(server, '--shard', shard.shard, '--newdb', 'one')
        hours = [s for s in server.shards() if s.database == 'one']
        self.assertEqual(len(hours), 1)
        self.assertEqual(rows(server, 'one'), rows(self.server, 'hourly', START + 9 * HOUR, START + 10 * HOUR))

    def test_a_database_that_exists_is_left_alone(self):
        before = contents(self.server, 'my.db')
        done = self.restore(self.server, '--database', 'my.db', expect=ExitCode.USAGE)
        self.assertIn("has a database 'my.db' already", done.stderr)
        self.assertIn('--newdb', done.stderr)
        self.assertEqual(contents(self.server, 'my.db'), before)

    def test_deleted_points_are_not_brought_back_unasked(self):
        server = self.new_server()
        done = self.restore(server, expect=ExitCode.USAGE)
        self.assertIn('points that had been deleted would come back', done.stderr)
        self.assertRegex(done.stderr, r"deletes/autogen/\d+: 'cpu,host=web-002,region=")
        self.assertIn('--resurrect-deleted', done.stderr)
        self.assertEqual([d for d in server.databases() if d != '_internal'], [])
        # What has no deleted points is not concerned.
        self.restore(server, '--database', 'hourly')

    def test_deleted_points_come_back_when_asked(self):
        server = self.new_server()
        done = self.restore(server, '--resurrect-deleted')
        self.assertIn('points that had been deleted come back in', done.stderr)
        self.assertEqual(sorted(d for d in server.databases() if d != '_internal'), ['deletes', 'hourly', 'my.db'])
        self.assertEqual(contents(server, 'deletes'), self.before_deletes)
        self.assertEqual(contents(server, 'hourly'), contents(self.server, 'hourly'))

    def test_a_dry_run_changes_nothing(self):
        server = self.new_server()
        done = self.restore(server, '--database', 'hourly', '--newdb', 'other', '--dry-run')
        self.assertIn('would restore 1 databases, 25 shards', done.stdout)
        self.assertEqual([d for d in server.databases() if d != '_internal'], [])

    def test_a_new_policy_name_needs_one_policy(self):
        done = self.restore(self.server, '--database', 'my.db', '--newdb', 'x', '--newrp', 'y', expect=ExitCode.USAGE)
        self.assertIn('has 2 policies', done.stderr)

    def test_many_shards(self):
        """The server reads the metastore with a single read: one of 1200 shard groups (50 KB) has to come in one piece."""
        server = self.stopping(Influxd(self.path('many')))
        server.create_database('many', '1h')
        server.write('many', [f'm v={i} {(START + i * HOUR) * 10**9}' for i in range(1200)])
        repo = Repo(self.path('many-repository'))
        repo.backup(server)
        tsmfs('restore', '--repo', repo.path, '--online', '--host', server.snapshot_address, '--database', 'many',
              '--newdb', 'again')
        self.assertEqual(contents(server, 'again'), contents(server, 'many'))


def contents(server, database, policies=None):
    """Every point of a database, whatever its name and its policies' names are."""
    found = []
    for policy in policies or sorted(server._names(f'SHOW RETENTION POLICIES ON "{database}"')):
        for series in server.query(f'SHOW MEASUREMENTS ON "{database}"'):
            for [name] in series['values']:
                found.append((name, server.query(f'SELECT * FROM "{database}"."{policy}"."{name}" GROUP BY *')))
    return found


def rows(server, database, start=0, end=2**33):
    return server.query(f'SELECT * FROM "{database}"."autogen"."cpu" WHERE time >= {start}s AND time < {end}s GROUP BY *')


if __name__ == '__main__':
    main()
