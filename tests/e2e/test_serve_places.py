"""Where `tsmfs serve` works, and with which influxd: directories that stay, awkward paths and disks, other programs, and users
who are not root."""
import os
import shutil
import signal
import stat
import subprocess

from harness import DAY, HOUR, START, EndToEndTest, ExitCode, Influxd, Repo, main, points, stored_files, tsmfs, wait_until
from harness.past_server import NOTHING, PastServer, figure, leftovers
from harness.program import clean_environment

NOBODY = 65534
AWKWARD = 'a b,c:d"e=\'ü'
AS_NOBODY = ('setpriv', '--reuid', str(NOBODY), '--regid', str(NOBODY), '--clear-groups')
COUNT = 'SELECT count(usage_user) FROM cpu'


class Places(EndToEndTest):
    """A server of two shards, backed up twice."""

    @classmethod
    def set_up_class(cls):
        os.chmod(cls.class_directory, 0o755)
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('db')
        cls.server.create_database('other')
        cls.server.write('other', points(seconds=HOUR))
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.snapshots = []
        for day in range(2):
            cls.server.write('db', points(START + day * DAY, HOUR, 60, hosts=2))
            cls.snapshots.append(cls.repo.backup(cls.server))
        cls.answers = cls.server.answers()
        cls.program = shutil.which('influxd')

    def setUp(self):
        super().setUp()
        os.chmod(self.directory, 0o755)
        self.temporary = self.path('tmp')
        os.mkdir(self.temporary)

    def serve(self, *options, repo=None, temporary=None, **how):
        return self.stopping(PastServer(repo or self.repo, temporary or self.temporary, *options, **how))

    def run_serve(self, *options, command=('true',), expect=ExitCode.OK, environment=None, **how):
        return tsmfs('serve', '--repo', self.repo.path, *options, '--', *command, expect=expect,
                     environment=clean_environment(TMPDIR=self.temporary, **environment or {}), **how)


class ServeKeep(Places):
    def test_what_is_written_stays_and_serving_goes_on_there(self):
        for options in ([], ['--copy'], ['--index', 'tsi1'], ['--database', 'db']):
            with self.subTest(options):
                kept = self.path('kept' + '-'.join(options))
                past = self.serve('--keep', kept, '--snapshot', self.snapshots[0]['id'], *options)
                past.create_database('new')
                past.write('new', ['m,t=a f=1 1'])
                past.query("DELETE FROM cpu WHERE host = 'web-001'", 'db')
                past.query('DROP MEASUREMENT net', 'db')
                answers = past.answers()
                self.assertEqual((past.end_with(signal.SIGTERM), past.leftovers()), (0, NOTHING))
                again = self.serve('--keep', kept, *options)  # of the same snapshot, though there is a newer one
                self.assertEqual(again.told['id'], self.snapshots[0]['id'])
                self.assertEqual(again.answers(), answers)
                again.write('new', ['m,t=a f=2 2'])
                again.end_with(signal.SIGKILL)
                last = self.serve('--keep', kept, '--snapshot', self.snapshots[0]['id'], *options)
                self.assertEqual(last.query('SELECT f FROM m', 'new')[0]['values'], [[1, 1], [2, 2]])
                last.stop()
        self.repo.check()

    def test_another_snapshot_or_part_is_refused_there(self):
        kept = self.path('kept')
        self.run_serve('--keep', kept, '--snapshot', self.snapshots[0]['id'])
        for options in (['--snapshot', self.snapshots[1]['id']], ['--database', 'db'], ['--copy'], ['--at', 'now']):
            done = self.run_serve('--keep', kept, *options, expect=ExitCode.USAGE)
            self.assertNotEqual(done.stderr, '')
        self.run_serve('--keep', kept)

    def test_two_at_once_are_refused(self):
        kept = self.path('kept')
        past = self.serve('--keep', kept)
        self.assertIn(kept, self.run_serve('--keep', kept, expect=ExitCode.LOCKED).stderr)
        self.assertEqual(past.answers(), self.answers)

    def test_a_directory_of_something_else_is_refused_and_untouched(self):
        for number, name in enumerate(('file', 'lock', 'served.old', 'data/db/autogen/1/x.tsm', 'meta/meta.db')):
            with self.subTest(name):
                kept = self.path(f'taken {number}')
                os.makedirs(os.path.dirname(os.path.join(kept, name)))
                for file in {name, 'lock'} if '/' in name else {name}:
                    with open(os.path.join(kept, file), 'w', encoding='utf-8') as out:
                        out.write('mine')
                if name == 'lock':
                    os.mkdir(os.path.join(kept, 'objects'))
                before = {path: os.stat(path).st_mtime_ns for path, _, _ in os.walk(kept)}, stored_files(kept)
                done = self.run_serve('--keep', kept, expect=ExitCode.USAGE)
                self.assertIn(f'{kept} is neither empty nor of an earlier serve', done.stderr)
                self.assertEqual(({path: os.stat(path).st_mtime_ns for path, _, _ in os.walk(kept)}, stored_files(kept)), before)


class ServePaths(Places):
    def test_paths_may_be_relative_and_awkward(self):
        place = self.path(AWKWARD)
        os.mkdir(place)
        os.symlink(self.repo.path, os.path.join(place, 'repo'))
        os.symlink(self.program, os.path.join(place, 'influxd'))
        with open(os.path.join(place, 'conf'), 'w', encoding='utf-8') as out:
            out.write('[coordinator]\n')
        os.mkdir(os.path.join(place, 'tmp'))
        for options in ([], ['--copy'], ['--keep', 'kept,a:b'], ['--database', 'db']):
            for temporary in (os.path.join(place, 'tmp'), 'tmp'):
                with self.subTest(options, temporary=temporary):
                    done = tsmfs('serve', '--repo', 'repo', '--config', 'conf', '--influxd', './influxd', *options, '--',
                                 'influx', '-database', 'db', '-execute', COUNT, '-format', 'csv', directory=place,
                                 environment=clean_environment(TMPDIR=temporary))
                    self.assertEqual((done.stdout, done.stderr), ('name,time,count\ncpu,0,240\n', ''))
                    self.assertEqual(os.listdir(os.path.join(place, 'tmp')), [])

    def test_paths_below_which_influxd_finds_nothing_are_refused(self):
        for name in ('a\\b', 'a*', 'a?', '[a]'):
            os.mkdir(self.path(name))
            done = self.run_serve('--keep', self.path(name, 'kept'), expect=ExitCode.USAGE)
            self.assertIn('influxd finds no files', done.stderr)
            done = tsmfs('serve', '--repo', self.repo.path, '--', 'true', expect=ExitCode.USAGE,
                         environment=clean_environment(TMPDIR=self.path(name)))
            self.assertIn('influxd finds no files', done.stderr)
            self.assertEqual(os.listdir(self.path(name)), [])

    def mounted(self, name, *arguments):
        place = self.path(name)
        os.makedirs(place, exist_ok=True)
        subprocess.run(['mount', *arguments, place], check=True)
        self.addCleanup(subprocess.run, ['umount', '-l', place], check=True)
        return place

    def test_a_part_is_served_where_the_kernel_lays_no_overlay(self):
        for name in ('lower', 'upper', 'work'):
            os.mkdir(self.path(name))
        layers = f'lowerdir={self.path("lower")},upperdir={self.path("upper")},workdir={self.path("work")}'
        place = self.mounted('overlay', '-t', 'overlay', 'overlay', '-o', layers)
        for options, databases in (([], ['db', 'other']), (['--database', 'db'], ['db']), (['--shard', '1'], ['other'])):
            with self.subTest(options):
                past = self.serve(*options, temporary=place)
                self.assertEqual(sorted(past.databases()), databases)
                self.assertEqual(sorted(name for name in os.listdir(os.path.join(place, past.place, 'layers', 'data'))
                                        if not name.startswith('.wh.')), databases)
                for database in databases:
                    self.assertTrue(past.query(COUNT, database))
                    past.query('DROP MEASUREMENT cpu', database)
                past.stop()
                self.assertEqual(past.leftovers(), NOTHING)

    def test_a_repository_that_cannot_be_written(self):
        place = self.path('read-only')
        shutil.copytree(self.repo.path, place)
        self.mounted('read-only', '--bind', place)
        subprocess.run(['mount', '-o', 'remount,bind,ro', place], check=True)
        past = self.serve(repo=Repo(place))
        self.assertEqual(past.answers(), self.answers)
        past.query('DROP DATABASE db')

    def test_a_temporary_directory_that_is_full_or_absent_is_said(self):
        self.assertNotEqual(tsmfs('serve', '--repo', self.repo.path, '--', 'true', expect=ExitCode.FAILED,
                                  environment=clean_environment(TMPDIR=self.path('absent'))).stderr, '')
        full = self.mounted('full', '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs')
        with open(os.path.join(full, 'rest'), 'wb') as out:
            try:
                out.write(b'x' * 65536)
                out.flush()
            except OSError:
                pass
        done = tsmfs('serve', '--repo', self.repo.path, '--copy', '--', 'true', expect=ExitCode.FAILED,
                     environment=clean_environment(TMPDIR=full))
        self.assertNotEqual(done.stderr, '')
        self.assertEqual(os.listdir(full), ['rest'])

    def test_many_snapshots_of_one_second_and_odd_server_names(self):
        repo = Repo(self.path('many'))
        home, names = self.server.home, ('a,b:c', 'ü "\\', '..x')
        for name in names:
            for time in ('2026-01-01T00:00:00.1Z', '2026-01-01T00:00:00.2Z'):
                tsmfs('import', '--repo', repo.path, '--data-dir', f'{home}/data', '--meta-dir', f'{home}/meta', '--wal-dir',
                      f'{home}/wal', '--server', name, '--time', time)
        for snapshot in repo.snapshots():
            past = self.serve('--snapshot', snapshot['id'], '--database', 'db', repo=repo)
            self.assertEqual((past.told['id'], past.databases()), (snapshot['id'], ['db']))
            past.stop()

    def test_many_shards(self):
        server = self.stopping(Influxd(self.path('server')))
        server.create_database('db', '1h')
        server.write('db', [f'cpu,host=a usage_user={hour} {(START + hour * HOUR) * 10**9}' for hour in range(300)])
        repo = Repo(self.path('repository'))
        repo.backup(server)
        for options in ([], ['--index', 'tsi1']):
            past = self.serve(*options, repo=repo)
            self.assertEqual((past.query(COUNT, 'db'), len(past.shards())), (server.query(COUNT, 'db'), 300))
            past.stop()
        one = self.serve('--shard', '150', repo=repo)
        self.assertEqual(one.query(COUNT, 'db')[0]['values'][0][1], 1)


class ServePrograms(Places):
    def fake(self, *lines):
        path = self.path('fake')
        with open(path, 'w', encoding='utf-8') as out:
            out.write('\n'.join(['#!/bin/sh', *lines, '']))
        os.chmod(path, 0o755)
        return path

    def test_without_influxd_it_says_what_to_install(self):
        os.mkdir(self.path('bin'))
        for options, environment in ((['--influxd', '/nonexistent'], {}), (['--influxd', 'no-influxd'], {}),
                                     ([], {'PATH': self.path('bin')})):
            done = self.run_serve(*options, environment=environment, expect=ExitCode.USAGE)
            self.assertIn('install InfluxDB 1.x', done.stderr)

    def test_another_major_version_is_refused(self):
        program = self.fake('echo "InfluxDB v2.7.1 (git: 407fa622e9)"')
        self.assertIn("InfluxDB '2.7.1', which cannot read data of 1.x",
                      self.run_serve('--influxd', program, expect=ExitCode.USAGE).stderr)

    def test_one_that_does_not_come_up_is_said_with_its_last_words(self):
        for last, said in (('exit 3', 'ended with status 3'), ('kill -9 $$', 'was killed by signal 9'),
                           ('exit 0', 'ended with status 0')):
            program = self.fake('[ "$1" = version ] && { echo "InfluxDB v1.8.10"; exit; }', 'echo first; echo oh no >&2', last)
            for options in ([], ['--copy']):
                done = self.run_serve('--influxd', program, *options, expect=ExitCode.NO_SERVER)
                self.assertIn(f'influxd {said}; the last lines of its log:\n  first\n  oh no', done.stderr)
                self.assertEqual(leftovers(self.temporary), NOTHING)

    def test_what_it_is_called_does_not_count(self):
        program = self.fake(f'[ "$1" = version ] && exit', f'exec {self.program} "$@"')
        self.assertEqual(self.serve('--influxd', program).answers(), self.answers)


class ServeUsers(Places):
    """As a user who is not root, who can read the repository."""

    def setUp(self):
        super().setUp()
        os.chown(self.temporary, NOBODY, NOBODY)
        for directory, _, names in os.walk(self.repo.path):
            os.chmod(directory, 0o755)
            for name in names:
                os.chmod(os.path.join(directory, name), 0o644)
        self.fuse = self.path('fuse')

    def with_fuse(self, mode):
        """Words before a program: it has a /dev/fuse of its own, which nobody may open, or everybody."""
        if not os.path.exists(self.fuse):
            os.mknod(self.fuse, stat.S_IFCHR, os.makedev(10, 229))
        os.chmod(self.fuse, mode)
        return ('unshare', '-m', 'sh', '-c', f'mount --bind {self.fuse} /dev/fuse && exec "$@"', 'sh', *AS_NOBODY)

    def test_everything_works_without_root(self):
        wrapper = self.with_fuse(0o666)
        for options in ([], ['--index', 'tsi1'], ['--database', 'db'], ['--copy']):
            with self.subTest(options):
                past = self.serve(*options, wrapper=wrapper)
                if '--database' not in options:
                    self.assertEqual(past.answers(), self.answers)
                for process in (past.process.pid, past.influxd):
                    self.assertEqual((int(figure(process, 'CapEff'), 16), figure(process, 'Uid').split()), (0, [str(NOBODY)] * 4))
                past.query("DELETE FROM cpu WHERE host = 'web-001'", 'db')
                past.query('DROP MEASUREMENT net', 'db')
                past.write('db', points(START, HOUR, 60, hosts=1, seed=5))
                self.assertEqual(past.query(COUNT, 'db')[0]['values'][0][1], 120)
                past.query('DROP DATABASE db')
                past.create_database('db')
                self.assertEqual(past.query('SHOW SERIES', 'db'), [])
                self.assertEqual((past.end_with(signal.SIGTERM), past.said(), past.leftovers()), (0, '', NOTHING))
        self.repo.check()

    def test_killing_it_leaves_nothing_either(self):
        for name in ('process', 'keeper', 'inner'):
            with self.subTest(name):
                past = self.serve(wrapper=self.with_fuse(0o666))
                os.kill(past.process.pid if name == 'process' else getattr(past, name), signal.SIGKILL)
                self.assertNotEqual(past.wait(), 0)
                self.assert_nothing_left()

    def assert_nothing_left(self):
        wait_until(lambda: leftovers(self.temporary) == NOTHING, 'nothing to be left')

    def refused(self, wrapper):
        words = [*wrapper, os.environ['TSMFS_BINARY'], 'serve', '--repo', self.repo.path, '--', 'true']
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False,
                              env=clean_environment(TMPDIR=self.temporary))
        self.assertEqual((done.returncode, leftovers(self.temporary)), (ExitCode.FAILED, NOTHING), done.stderr)
        return done.stderr

    def test_a_closed_fuse_device_is_said_and_a_copy_needs_none(self):
        wrapper = self.with_fuse(0o600)
        said = self.refused(wrapper)
        self.assertIn('/dev/fuse', said)
        past = self.serve('--copy', wrapper=wrapper)
        self.assertEqual(past.answers(), self.answers)
        self.assertEqual((past.end_with(signal.SIGTERM), past.leftovers()), (0, NOTHING))

    def test_root_without_the_right_to_mount_is_told_of_copy(self):
        wrapper = ('setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin')
        self.assertIn('--copy', self.refused(wrapper))
        self.assertEqual(self.serve('--copy', wrapper=wrapper).answers(), self.answers)


if __name__ == '__main__':
    main()
