"""How a mount begins and ends: refusals, signals, unmounting; never a dead mount point."""
import os
import shutil
import signal
import subprocess
import unittest

from harness import ExitCode, Mount, TwoSnapshots, compare_trees, main, tsmfs
from harness.program import clean_environment, tsmfs_command


class TheEnd(TwoSnapshots):
    """Every way of ending a mount leaves no dead mount point."""

    def assert_ended(self, mount):
        self.assertFalse(mount.is_mounted())
        self.assertEqual(os.listdir(mount.point), [])

    def test_signals_end_a_mount_in_the_foreground(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                mount = self.stopping(Mount(self.repo, self.path('mount'), foreground=True))
                self.assertEqual(compare_trees(self.server.data, mount.path('backups', 'latest')), [])
                self.assertEqual(mount.end_with(number), ExitCode.OK)
                self.assert_ended(mount)

    def test_unmounting_ends_a_mount_in_the_foreground(self):
        ways = {
            'umount': lambda m: subprocess.run(['umount', m.point], check=True),
            'fusermount3': lambda m: subprocess.run(['fusermount3', '-u', m.point], check=True),
            'tsmfs umount': lambda m: m.unmount(),
        }
        for name, way in ways.items():
            with self.subTest(name):
                mount = self.stopping(Mount(self.repo, self.path('mount'), foreground=True))
                way(mount)
                self.assertEqual(mount.wait(), ExitCode.OK)
                self.assert_ended(mount)

    def test_tsmfs_umount_ends_a_mount_in_the_background(self):
        mount = self.stopping(Mount(self.repo, self.path('mount')))
        mount.unmount()
        self.assert_ended(mount)

    def test_a_mount_in_use_is_not_torn_away(self):
        mount = self.stopping(Mount(self.repo, self.path('mount')))
        path, content = next(iter(self.after.items()))
        with open(os.path.join(mount.path('backups', 'latest'), path), 'rb') as file:
            self.assertEqual(mount.unmount(expect=None).returncode, ExitCode.IN_USE)
            self.assertEqual(file.read(), content)
        mount.unmount()
        self.assert_ended(mount)


@unittest.skipUnless(os.geteuid() == 0 and shutil.which('unshare'), 'only root can put something else in the place of /dev/null')
class Beginnings(TwoSnapshots):
    # In a mount namespace of its own, where /dev/null cannot be written to.
    WITHOUT_NULL = ('mount --bind "$1" /dev/null && mount -o remount,ro,bind /dev/null || exit 77; '
                    'shift; exec "$@"')

    def test_a_mount_that_cannot_leave_its_terminal_says_so_and_ends(self):
        point, file = self.path('mount'), self.path('file')
        os.mkdir(point)
        with open(file, 'w', encoding='utf-8'):
            pass
        done = subprocess.run(['unshare', '--mount', '--propagation', 'private', 'sh', '-c', self.WITHOUT_NULL, 'sh', file,
                               *tsmfs_command('mount', '--repo', self.repo.path, point)],
                              capture_output=True, text=True, timeout=60, env=clean_environment())
        if done.returncode == 77:
            self.skipTest('mount namespaces are not to be had here')
        self.assertEqual(done.returncode, ExitCode.FAILED, done.stderr)
        self.assertIn('/dev/null', done.stderr)


class Refusals(TwoSnapshots):
    def refused(self, point):
        done = tsmfs('mount', '--repo', self.repo.path, point, expect=None)
        self.assertIn(done.returncode, (ExitCode.USAGE, ExitCode.FAILED))
        self.assertIn(os.path.basename(point), done.stderr)

    def test_a_missing_mount_point(self):
        self.refused(self.path('absent'))
        self.assertFalse(os.path.exists(self.path('absent')))

    def test_a_mount_point_that_is_a_file(self):
        open(self.path('file'), 'w').close()
        self.refused(self.path('file'))

    def test_a_mount_point_with_files_in_it(self):
        os.mkdir(self.path('full'))
        open(self.path('full', 'precious'), 'w').close()
        self.refused(self.path('full'))
        self.assertEqual(os.listdir(self.path('full')), ['precious'])

    def test_a_mount_point_that_is_taken(self):
        with Mount(self.repo, self.path('mount')) as mount:
            self.refused(mount.point)
            self.assertEqual(compare_trees(self.server.data, mount.path('backups', 'latest')), [])

    def test_umount_of_what_is_not_mounted(self):
        done = tsmfs('umount', self.directory, expect=None)
        self.assertIn(done.returncode, (ExitCode.USAGE, ExitCode.FAILED))
        self.assertIn(self.directory, done.stderr)

    def test_a_repository_that_is_not_there(self):
        tsmfs('mount', '--repo', self.path('absent'), self.directory, expect=ExitCode.NO_REPOSITORY)


if __name__ == '__main__':
    main()
