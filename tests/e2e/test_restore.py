"""`tsmfs restore` into directories: whole servers and parts of them, into empty directories and into servers that have other
data, and everything that it refuses."""
import os
import pwd
import shutil

from harness import (DAY, HOUR, START, EndToEndTest, ExitCode, Influxd, Repo, main, points, stored_files, tsmfs)

HOURS = 105  # one shard an hour, so that 10, 20 and 100 are among the shards
OTHER_HOURS = 12


def of_database(answers, name):
    """What the answers say of one database."""
    found = {q: a for q, a in answers.items() if isinstance(q, tuple) and q[0].startswith((f'"{name}".', name))}
    found['ranges'] = sorted(s.policy for s in answers['shards'] if s.database == name)
    return found


def renamed(answers, old, new):
    return {(tuple([q[0].replace(old, new), *q[1:]]) if isinstance(q, tuple) else q): a for q, a in answers.items()}


class Restore(EndToEndTest):
    """A server with a database of many shards, one with a dot and deletes, and its snapshot. A second server has other
    databases under the same shard numbers."""

    @classmethod
    def set_up_class(cls):
        cls.source = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'source')))
        cls.source.create_database('hourly', '1h')
        cls.source.write('hourly', points(seconds=HOURS * HOUR, step=HOUR // 2, hosts=2))
        cls.source.create_database('my.db')
        cls.source.create_policy('my.db', 'one.year', '7d')
        cls.source.write('my.db', points(seconds=3 * DAY, step=300))
        cls.source.write('my.db', points(seconds=DAY, step=600, seed=3), 'one.year')
        cls.source.flush()
        cls.source.hold_compactions()
        cls.source.query('DROP SERIES FROM "net" WHERE "host" = \'web-001\'', 'my.db')
        cls.answers = cls.source.answers()
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.repo.backup(cls.source)
        cls.files = stored_files(cls.source.data)
        cls.source.stop()

        cls.other = os.path.join(cls.class_directory, 'other')
        server = cls.stop_at_end(Influxd(cls.other))
        server.create_database('mine', '1h')
        server.write('mine', points(START + HOUR, OTHER_HOURS * HOUR, 120, seed=7))
        server.query('CREATE USER ann WITH PASSWORD \'secret\' WITH ALL PRIVILEGES')
        server.flush()
        cls.other_answers = server.answers()
        server.stop()

    def server_home(self, copy_of=None):
        home = self.path('home')
        if copy_of:
            shutil.copytree(copy_of, home)
        else:
            os.makedirs(os.path.join(home, 'data'))
            os.makedirs(os.path.join(home, 'meta'))
        return home

    def restore(self, home, *options, expect=ExitCode.OK, what=('meta', 'data')):
        directories = [word for name in what for word in (f'--{name}dir', os.path.join(home, name))]
        return tsmfs('restore', *directories, *options, self.repo.path, expect=expect)

    def refuse(self, home, *options, expect=ExitCode.USAGE, what=('meta', 'data')):
        """The words of a refusal that changed nothing."""
        def everything():
            return {os.path.join(d, n): os.stat(os.path.join(d, n)).st_mtime_ns
                    for d, _, names in os.walk(home) for n in [*names, '.'] if not n.endswith('.log')}
        before = everything()
        done = self.restore(home, *options, expect=expect, what=what)
        self.assertEqual(everything(), before)
        self.assertEqual(done.stdout, '')
        return done.stderr

    def started(self, home, index='inmem'):
        return self.stopping(Influxd(home, index=index))

    def compare(self, found, expected):
        self.assertEqual(sorted(map(str, found)), sorted(map(str, expected)))
        for question, answer in expected.items():
            self.assertEqual(found[question], answer, question)

    # ---- into empty directories ----

    def test_a_whole_server_comes_back(self):
        for index in ('inmem', 'tsi1'):
            with self.subTest(index):
                home = self.server_home()
                done = self.restore(home, '--verify')
                lines = [line for line in done.stderr.splitlines() if not line.startswith('tsmfs: note: ')]
                self.assertEqual(len(lines), len(self.answers['shards']))
                self.assertNotIn('warning', done.stderr)
                self.assertEqual(stored_files(os.path.join(home, 'data')), self.files)
                for shard in (10, 20, 100):
                    self.assertTrue(os.listdir(os.path.join(home, 'data', 'hourly', 'autogen', str(shard))))
                server = self.started(home, index)
                self.compare(server.answers(), self.answers)
                server.stop()
                shutil.rmtree(home)

    def test_tombstones_that_older_servers_ignore_are_named_unless_a_newer_one_runs_here(self):
        home = self.server_home()
        self.assertRegex(self.restore(home).stderr, r'note: my.db/.*tombstone.* written by influxd 1.5 or later')
        server = self.started(home)
        server.stop()
        self.assertNotIn('1.5 or later', self.restore(home, '--overwrite').stderr)

    def test_a_data_node_of_enterprise_is_named(self):
        home = self.server_home()
        open(os.path.join(home, 'meta', 'client.json'), 'xb').close()
        self.assertIn('data node of InfluxDB Enterprise', self.restore(home, '--shard', '10').stderr)
        home = self.path('second')
        os.makedirs(os.path.join(home, 'hh'))
        self.assertIn('data node of InfluxDB Enterprise', self.restore(home, '--shard', '10', what=('data',)).stderr)

    def test_a_metastore_then_its_data(self):
        home = self.server_home()
        self.restore(home, '--quiet', what=('meta',))
        self.assertEqual(os.listdir(os.path.join(home, 'data')), [])
        self.restore(home, '--quiet', what=('data',))
        self.compare(self.started(home).answers(), self.answers)

    def test_one_database_with_a_dot(self):
        home = self.server_home()
        self.restore(home, '-database', 'my.db')
        found = self.started(home).answers()
        self.assertEqual(found['databases'], ['my.db'])
        self.compare(of_database(found, 'my.db'), of_database(self.answers, 'my.db'))

    def test_one_policy(self):
        home = self.server_home()
        self.restore(home, '--database', 'my.db', '--rp', 'one.year')
        server = self.started(home)
        self.assertEqual({s.policy for s in server.shards()}, {'one.year'})
        asked = 'SELECT count(usage_idle) FROM "my.db"."one.year".cpu'
        self.assertEqual(server.query(asked)[0]['values'],
                         [[0, sum(row[0][1] for q, row in self.answers.items()
                                  if q[0] == '"my.db"."one.year"."cpu"' and q[1] == 'usage_idle')]])

    # ---- into servers that have something ----

    def test_one_shard_into_a_server_that_has_the_others(self):
        for what in (('data',), ('meta', 'data')):
            with self.subTest(what):
                home = self.server_home()
                self.restore(home, '--quiet')
                lost = os.path.join(home, 'data', 'hourly', 'autogen', '20')
                shutil.rmtree(lost)
                done = self.restore(home, '--database', 'hourly', '--shard', '20', what=what)
                self.assertIn('[1/1] hourly/autogen/20: ', done.stderr)
                server = self.started(home)
                self.compare(server.answers(), self.answers)
                server.stop()
                shutil.rmtree(home)

    def test_a_shard_that_the_server_has_forgotten(self):
        home = self.server_home()
        self.restore(home, '--quiet')
        server = self.started(home)
        server.query('DROP SHARD 20')
        server.stop()
        self.restore(home, '--shard', '20')
        server.start()
        found, expected = server.answers(), dict(self.answers)
        self.compare(found, expected)

    def test_merged_into_a_server_with_the_same_shard_numbers(self):
        home = self.server_home(self.other)
        done = self.restore(home, '--database', 'hourly')
        self.assertIn('hourly/autogen/10 -> hourly/autogen/', done.stderr)
        self.assertIn('merged into', done.stdout)
        server = self.started(home)
        found = server.answers()
        self.assertEqual(found['databases'], ['hourly', 'mine'])
        self.compare(of_database(found, 'hourly'), of_database(self.answers, 'hourly'))
        self.compare(of_database(found, 'mine'), of_database(self.other_answers, 'mine'))
        self.assertEqual(server.query('SHOW USERS')[0]['values'], [['ann', True]])
        # Shards made from now on get numbers of their own.
        server.write('mine', points(START + 40 * DAY, HOUR, 600))
        numbers = [s.shard for s in server.shards()]
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_under_another_name_beside_the_original(self):
        home = self.server_home()
        self.restore(home, '--quiet')
        self.restore(home, '--database', 'my.db', '--newdb', 'old')
        found = self.started(home).answers()
        self.assertEqual(found['databases'], ['hourly', 'my.db', 'old'])
        expected = of_database(self.answers, 'my.db')
        self.compare(of_database(found, 'my.db'), expected)
        self.compare(of_database(found, 'old'), renamed(expected, 'my.db', 'old'))

    def test_a_policy_under_another_name(self):
        home = self.server_home()
        self.restore(home, '--database', 'my.db', '--rp', 'one.year', '--newdb', 'x', '--newrp', 'y')
        self.assertEqual({(s.database, s.policy) for s in self.started(home).shards()}, {('x', 'y')})

    def test_overwrite_goes_back_in_time(self):
        home = self.server_home()
        self.restore(home, '--quiet')
        server = self.started(home, 'tsi1')
        server.write('my.db', points(seconds=DAY, step=300, seed=5))
        server.query('DROP SERIES FROM "cpu"', 'my.db')
        server.flush()
        server.stop()
        shutil.rmtree(os.path.join(home, 'wal'))
        self.restore(home, '--overwrite')
        server.start()
        self.compare(server.answers(), self.answers)

    # ---- what it refuses, and what it only shows ----

    def test_refuses_while_influxd_runs(self):
        home = self.server_home(self.other)
        server = self.started(home)
        said = self.refuse(home, '--database', 'hourly', expect=ExitCode.LOCKED)
        self.assertIn(f'influxd ({server.process.pid}) has files of {home}/data open', said)
        self.assertIn('--online', said)

    def test_refuses_a_shard_that_is_there(self):
        home = self.server_home()
        self.restore(home, '--quiet')
        said = self.refuse(home, '--shard', '10')
        self.assertIn(f'{home}/data/hourly/autogen/10 is there already', said)
        self.assertIn('--overwrite', said)

    def test_refuses_numbers_that_are_taken(self):
        home = self.server_home(self.other)
        said = self.refuse(home, '--database', 'hourly', what=('data',))
        self.assertIn("is taken in", said)
        self.assertIn('--metadir', said)

    def test_refuses_what_the_snapshot_does_not_have(self):
        home = self.server_home()
        self.assertIn("no database 'no'; ".replace('; ', ''), self.refuse(home, '--database', 'no'))
        self.assertIn("it has 'autogen', 'one.year'", self.refuse(home, '--database', 'my.db', '--rp', 'no'))
        self.assertIn('no shard 999', self.refuse(home, '--shard', '999'))

    def test_refuses_a_restore_to_nowhere(self):
        said = tsmfs('restore', self.repo.path, expect=ExitCode.USAGE).stderr
        self.assertIn('--metadir, --datadir', said)

    def test_the_snapshot_of_a_day_or_time(self):
        newest = self.repo.snapshots()[-1]
        minute = newest['time'][:16]
        for when in (newest['time'][:10], minute, minute.replace('T', ' '), newest['time'][:19], 'now', '0h-ago', newest['id'][:8]):
            said = self.restore(self.path('home'), '--shard', '10', '--dry-run', '--snapshot', when).stdout
            self.assertIn(f"snapshot {newest['id'][:8]} of ", said, when)
        self.assertIn('or earlier', self.refuse(self.path('home'), '--snapshot', '1999-12-31'))

    def test_a_snapshot_of_the_metastore_says_so_in_words(self):
        repo = Repo(self.path('repository'))
        server = self.stopping(Influxd(self.path('server')))
        server.create_database('mine')
        server.write('mine', points(seconds=HOUR, step=600))
        repo.backup(server, '--metastore-only')
        asked = ('restore', '--metadir', self.path('meta'), '--datadir', self.path('data'), repo.path)
        done = tsmfs(*asked, expect=ExitCode.INCOMPLETE)
        self.assertIn('was made of the metastore only: 1 shards', done.stderr)
        self.assertNotIn('only metastore', tsmfs('snapshots', '--repo', repo.path).stdout)
        tsmfs(*asked, '--overwrite', '--snapshot', repo.snapshots()[0]['id'])

    def test_targets_may_be_named_in_every_way(self):
        for number, name in enumerate(('data', 'data/', './data', 'deep/data/', 'data/.')):
            work = self.path(f'work{number}')
            os.makedirs(work)
            meta = name.replace('data', 'meta')
            tsmfs('restore', '--shard', '10', '--datadir', name, '--metadir', meta, self.repo.path, directory=work)
            self.assertTrue(os.listdir(os.path.join(work, name, 'hourly', 'autogen', '10')), name)
            self.assertEqual(os.listdir(os.path.join(work, meta)), ['meta.db'], name)

    def test_dry_run_changes_nothing(self):
        home = self.server_home(self.other)
        done = self.restore(home, '--database', 'my.db', '--newdb', 'old', '--dry-run')
        self.assertIn('my.db/one.year/', done.stdout)
        self.assertIn(f'would merge into {home}/meta/meta.db', done.stdout)
        self.compare(self.started(home).answers(), self.other_answers)

    def test_a_wal_of_an_earlier_life_is_named(self):
        home = self.server_home()
        wal = os.path.join(home, 'wal', 'hourly', 'autogen', '10')
        os.makedirs(wal)
        segment = os.path.join(wal, '_00001.wal')
        open(segment, 'xb').close()  # as the server leaves one when it stops
        self.assertNotIn('holds a WAL', self.restore(home, '--shard', '10', '--dry-run').stderr)
        with open(segment, 'wb') as out:
            out.write(b'points')
        self.assertIn(f'{wal} holds a WAL', self.restore(home, '--shard', '10').stderr)
        again = tsmfs('restore', '--shard', '10', '--overwrite', '--datadir', os.path.join(home, 'data', '.'), self.repo.path)
        self.assertIn(f'{wal} holds a WAL', again.stderr)

    # ---- whose the files are ----

    def test_the_owner_is_that_of_the_directory_or_as_said(self):
        if os.geteuid() != 0:
            self.skipTest('needs root')
        home = self.server_home()
        os.chown(os.path.join(home, 'data'), 12345, 12346)
        self.restore(home, '--shard', '10')
        self.assertEqual(self.owners(os.path.join(home, 'data')), {(12345, 12346)})
        daemon = pwd.getpwnam('daemon')
        self.restore(home, '--shard', '10', '--overwrite', '--owner', 'daemon:daemon')
        self.assertEqual(self.owners(os.path.join(home, 'data', 'hourly', 'autogen', '10')),
                         {(daemon.pw_uid, daemon.pw_gid)})
        self.assertEqual(self.owners(os.path.join(home, 'meta', 'meta.db'), True), {(daemon.pw_uid, daemon.pw_gid)})

    def nobodys_home(self):
        """A home that belongs to nobody altogether, and root's own directory, which looks like one of a database."""
        os.chmod(self.class_directory, 0o755)
        os.chmod(self.directory, 0o755)
        home, roots = self.server_home(), self.path('roots')
        os.makedirs(os.path.join(roots, 'autogen', '10'))
        with open(os.path.join(roots, 'meta.db'), 'w', encoding='ascii') as file:
            file.write('only root may write here')
        self.give_to_nobody(home)
        return home, roots

    @staticmethod
    def give_to_nobody(home):
        nobody = pwd.getpwnam('nobody')
        for directory, _, names in os.walk(home):
            for path in (directory, *(os.path.join(directory, n) for n in names)):
                os.lchown(path, nobody.pw_uid, nobody.pw_gid)

    def plant(self, home, target, *place):
        """A link of nobody's in a place of the home."""
        nobody = pwd.getpwnam('nobody')
        os.symlink(target, os.path.join(home, *place))
        os.lchown(os.path.join(home, *place), nobody.pw_uid, nobody.pw_gid)

    def roots_own(self, roots):
        return {(os.path.join(d, n), os.lstat(os.path.join(d, n)).st_uid, os.lstat(os.path.join(d, n)).st_mtime_ns)
                for d, _, names in os.walk(roots) for n in [*names, '.']}

    def test_root_restores_into_what_nobody_owns(self):
        if os.geteuid() != 0:
            self.skipTest('needs root')
        nobody = pwd.getpwnam('nobody')
        home, roots = self.nobodys_home()
        before = self.roots_own(roots)
        self.plant(home, os.path.join(roots, 'meta.db'), 'meta', '.meta.db.tsmfs-restore')
        self.plant(home, roots, 'data', 'my.db')
        # A link to root's directory is an error that names whose rights did not suffice ...
        said = self.restore(home, '--database', 'my.db', expect=ExitCode.FAILED).stderr
        self.assertIn('.tsmfs-restore: Permission denied', said)
        self.assertIn(f'with the rights of user {nobody.pw_uid} (nobody)', said)
        self.assertEqual(self.roots_own(roots), before)
        # ... one to nobody's other disk is followed, and a planted temporary name is removed.
        os.remove(os.path.join(home, 'data', 'my.db'))
        os.makedirs(os.path.join(home, 'disk', 'my.db'))
        self.give_to_nobody(os.path.join(home, 'disk'))
        self.plant(home, '../disk/my.db', 'data', 'my.db')
        self.restore(home, '--verify')
        self.assertEqual(self.roots_own(roots), before)
        self.assertEqual(os.listdir(os.path.join(home, 'meta')), ['meta.db'])
        self.assertEqual(self.owners(home), {(nobody.pw_uid, nobody.pw_gid)})
        self.assertTrue(os.listdir(os.path.join(home, 'disk', 'my.db', 'one.year')))

    def test_root_exports_into_what_nobody_owns(self):
        if os.geteuid() != 0:
            self.skipTest('needs root')
        home, roots = self.nobodys_home()
        before = self.roots_own(roots)
        self.plant(home, roots, 'out')
        tsmfs('export', '--repo', self.repo.path, '--format', 'portable', '--resurrect-deleted',
              os.path.join(home, 'out', 'new'),
              expect=ExitCode.FAILED)
        self.assertEqual(self.roots_own(roots), before)
        tsmfs('export', '--repo', self.repo.path, '--format', 'portable', '--resurrect-deleted',
              os.path.join(home, 'meta', 'new'))
        self.assertEqual(self.owners(os.path.join(home, 'meta')), self.owners(os.path.join(home, 'meta'), True))

    @staticmethod
    def owners(path, alone=False):
        paths = [path] if alone else [os.path.join(d, n) for d, _, names in os.walk(path) for n in [*names, '.']]
        return {(os.stat(p).st_uid, os.stat(p).st_gid) for p in paths}


if __name__ == '__main__':
    main()
