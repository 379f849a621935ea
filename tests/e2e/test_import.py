"""What influxd backup leaves, in both formats, and a stopped server's directories are imported; a fresh influxd on a copy
from the mount answers every question as the server did."""
import glob
import os
import shutil
import subprocess
import time

from harness import (DAY, HOUR, START, EndToEndTest, ExitCode, Influxd, Mount, Repo, differences, main, points,
                     stored_files, tsmfs)


def influxd_backup(server, directory, *options):
    """Runs the real influxd backup, which says 'backup complete' whatever happens."""
    done = subprocess.run(['influxd', 'backup', *options, '-host', server.snapshot_address, directory],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0 or 'backup complete' not in done.stdout + done.stderr:
        raise AssertionError(f'influxd backup {options}: {done.stdout}{done.stderr}')


def restored(mount, snapshot_time, home, wal=False):
    """A new server's home with a copy of a snapshot."""
    shutil.copytree(mount.path('backups', snapshot_time), os.path.join(home, 'data'))
    os.makedirs(os.path.join(home, 'meta'))
    shutil.copy(mount.path('meta', snapshot_time, 'meta.db'), os.path.join(home, 'meta'))
    if wal:
        shutil.copytree(mount.path('wal', snapshot_time), os.path.join(home, 'wal'))
    return home


def wal_files(top):
    """{path from top: bytes} of the WAL files below it."""
    found = {}
    for path in glob.glob(f'{top}/**/*.wal', recursive=True):
        with open(path, 'rb') as file:
            found[os.path.relpath(path, top)] = file.read()
    return found


def now():
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())


class ImportBackups(EndToEndTest):
    """Three runs of a server with three databases: all of it, what came since, and all of it again after compactions and
    deletes."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.legacy = os.path.join(cls.class_directory, 'legacy')
        cls.portable = os.path.join(cls.class_directory, 'portable')
        cls.files, cls.answers = [], []
        cls.server.create_database('hourly', '1h')
        cls.server.write('hourly', points(seconds=22 * HOUR, step=HOUR // 2, hosts=2))
        for seed, database in enumerate(('my.db', 'meta')):
            cls.server.create_database(database)
            cls.server.write(database, points(seconds=2 * DAY, step=300, seed=seed))
        cls.back_up()
        cls.server.write('my.db', points(START + DAY, 2 * DAY, 300, seed=7))
        time.sleep(1.1)  # -since and the names of portable backups are in seconds
        cls.back_up('-since', cls.since)
        cls.change()
        time.sleep(1.1)
        cls.back_up()

    @classmethod
    def change(cls):
        cls.server.restart(flush_cold='1s', compact_cold='2s')
        cls.server.write('my.db', points(START, 2 * DAY, 600, seed=8))
        cls.server.flush()
        cls.server.wait_compacted()
        cls.server.restart(flush_cold='10m', compact_cold='24h')
        cls.server.hold_compactions()
        cls.server.query('DELETE FROM "cpu" WHERE "host" = \'web-001\' AND time < \'2024-03-01T12:00:00Z\'', 'my.db')

    @classmethod
    def back_up(cls, *since):
        """All databases in turn, as people do: legacy backup takes one a run."""
        began = now()
        for database in ('hourly', 'my.db', 'meta'):
            influxd_backup(cls.server, cls.legacy, '-database', database, *since)
        if not since:
            influxd_backup(cls.server, cls.portable, '-portable')
        cls.since = began
        cls.files.append(stored_files(cls.server.data))
        cls.answers.append(cls.server.answers())

    def imported(self, *arguments, expect=ExitCode.OK):
        repo = Repo(self.path('repository'))
        done = tsmfs('import', '--repo', repo.path, '--server', 'db1', *arguments, expect=expect)
        return repo, done

    def expect_answers(self, mount, snapshot_time, number):
        server = self.stopping(Influxd(restored(mount, snapshot_time, self.path(f'restored-{number}'))))
        self.assertEqual(server.answers(), self.answers[number])

    def test_legacy_runs_become_snapshots(self):
        repo, done = self.imported(self.legacy)
        self.assertEqual(len(repo.snapshots()), 9)  # three databases, three times
        self.assertEqual(done.stdout.count(' saved'), 9)
        self.assertEqual([s['problems'] for s in repo.snapshots()], [[]] * 9)
        with Mount(repo, self.path('mount')) as mount:
            times = mount.times('hosts', 'db1', 'backups')
            for number, last_of_three in enumerate((2, 5, 8)):
                with self.subTest(times[last_of_three]):
                    self.assertEqual(differences(self.files[number], stored_files(mount.path('backups', times[last_of_three]))), [])
                    self.expect_answers(mount, times[last_of_three], number)
        repo.check()

    def test_the_same_directory_again_adds_what_is_new(self):
        directory = self.path('legacy')
        shutil.copytree(self.legacy, directory)  # keeps the times
        newest = sorted(os.listdir(directory), key=lambda n: os.stat(os.path.join(directory, n)).st_mtime_ns)
        first_of_last = newest.index('meta.08')
        held_back = self.path('held-back')
        os.makedirs(held_back)
        for name in newest[first_of_last:]:
            shutil.move(os.path.join(directory, name), held_back)
        repo, _ = self.imported(directory)
        self.assertEqual(len(repo.snapshots()), 8)
        for name in os.listdir(held_back):
            shutil.move(os.path.join(held_back, name), directory)
        _, done = self.imported(directory)
        self.assertEqual(done.stdout.count('there already'), 8)
        self.assertEqual(done.stdout.count(' saved'), 1)
        with Mount(repo, self.path('mount')) as mount:
            self.assertEqual(differences(self.files[2], stored_files(mount.path('backups', 'latest'))), [])

    def test_portable_backups_become_snapshots(self):
        repo, _ = self.imported(self.portable)
        self.assertEqual([s['problems'] for s in repo.snapshots()], [[], []])
        with Mount(repo, self.path('mount')) as mount:
            self.assertEqual([t.replace('-', '').replace(':', '') for t in mount.times()],
                             sorted(n[:16] for n in os.listdir(self.portable) if n.endswith('.manifest')))
            for number, snapshot_time in zip((0, 2), mount.times()):
                self.assertEqual(differences(self.files[number], stored_files(mount.path('backups', snapshot_time))), [])
                self.expect_answers(mount, snapshot_time, number)

    def test_a_cut_archive_is_incomplete_and_the_rest_comes(self):
        directory = self.path('legacy')
        shutil.copytree(self.legacy, directory)
        archive = os.path.join(directory, 'my.db.autogen.00023.00')
        times = os.stat(archive)
        os.truncate(archive, times.st_size - 2000)
        os.utime(archive, ns=(times.st_atime_ns, times.st_mtime_ns))
        repo, done = self.imported(directory, expect=ExitCode.INCOMPLETE)
        self.assertIn('INCOMPLETE: my.db/autogen/23', done.stderr)
        self.assertIn('my.db.autogen.00023.00', done.stderr)
        self.assertEqual(len(repo.snapshots()), 9)
        self.assertFalse(repo.snapshots()[0]['incomplete'])
        self.assertTrue(repo.snapshots()[1]['incomplete'])

    def test_what_makes_no_sense_is_refused_and_no_repository_is_made(self):
        empty = self.path('empty')
        os.makedirs(empty)
        for arguments in ([], [empty], [self.legacy, '--time', '2024-01-01T00:00:00Z'], [self.legacy, '--wal-dir', empty],
                          [self.legacy, '--data-dir', empty], ['--data-dir', empty], [self.path('nowhere')]):
            with self.subTest(arguments):
                tsmfs('import', '--repo', self.path('none'), *arguments, expect=ExitCode.USAGE)
        self.assertEqual(glob.glob(self.path('none', 'snapshots', '*')), [])

    def test_help_fits_a_terminal(self):
        text = tsmfs('import', '--help').stdout
        self.assertIn('Example', text)
        self.assertLessEqual(max(map(len, text.split('\n'))), 80)


class ImportDataDirectory(EndToEndTest):
    """A stopped server: some points in TSM files, some in the WAL only."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('my.db')
        cls.server.write('my.db', points(seconds=2 * DAY, step=300))
        cls.server.flush()
        cls.server.write('my.db', points(START + DAY, DAY, 400, seed=5))
        cls.answers = cls.server.answers()
        cls.server.stop()
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.done = cls.import_it()
        cls.mount = cls.stop_at_end(Mount(cls.repo, os.path.join(cls.class_directory, 'mount')))

    @classmethod
    def import_it(cls):
        home = cls.server.home
        return tsmfs('import', '--repo', cls.repo.path, '--server', 'db1', '--data-dir', f'{home}/data',
                     '--meta-dir', f'{home}/meta', '--wal-dir', f'{home}/wal')

    def test_files_are_the_servers(self):
        self.assertEqual(differences(stored_files(self.server.data), stored_files(self.mount.path('backups', 'latest'))), [])
        self.assertEqual(self.repo.snapshots()[0]['problems'], [])

    def test_the_wal_is_shown(self):
        expected = wal_files(os.path.join(self.server.home, 'wal'))
        self.assertTrue(any(expected.values()))
        for view in (('wal', 'latest'), ('hosts', 'db1', 'wal', 'latest')):
            self.assertEqual(differences(expected, wal_files(self.mount.path(*view))), [])

    def test_a_copy_answers_as_the_server_did(self):
        home = restored(self.mount, self.mount.times()[0], self.path('restored'), wal=True)
        server = self.stopping(Influxd(home))
        self.assertEqual(server.answers(), self.answers)

    def test_once_more_is_skipped(self):
        self.assertIn('there already', self.import_it().stdout)
        self.assertEqual(len(self.repo.snapshots()), 1)

    def test_a_backup_beside_it_has_no_wal(self):
        server = self.stopping(Influxd(os.path.join(self.directory, 'other')))
        server.create_database('db')
        server.write('db', points(seconds=HOUR))
        repo = Repo(self.path('repository'))
        shutil.copytree(self.repo.path, repo.path)
        repo.backup(server, '--server', 'db2')
        with Mount(repo, self.path('mount')) as mount:
            self.assertEqual(len(mount.times('wal')), 1)
            self.assertEqual(sorted(os.listdir(mount.path('hosts', 'db2'))), ['backups', 'changes', 'meta'])
            self.assertEqual(sorted(os.listdir(mount.path('hosts', 'db1'))), ['backups', 'changes', 'meta', 'wal'])
        repo.check()


if __name__ == '__main__':
    main()
