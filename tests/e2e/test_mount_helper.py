"""mount(8), and what it calls: mount.fuse.tsmfs, a link to the program."""
import os
import subprocess

from harness import Mount, TwoSnapshots, compare_trees, main

INSTALLED = '/sbin/mount.fuse.tsmfs'


class MountHelper(TwoSnapshots):
    def end(self, point):
        subprocess.run(['fusermount3', '-u', point], check=True)

    def test_as_mount_calls_it(self):
        helper, point = self.path('mount.fuse.tsmfs'), self.path('mount')
        os.symlink(os.environ['TSMFS_BINARY'], helper)
        os.mkdir(point)
        subprocess.run([helper, self.repo.path, point, '-n', '-o', 'rw,noexec,umask=027,cache=32M', '-t', 'fuse.tsmfs'], check=True)
        self.addCleanup(self.end, point)
        self.assertEqual(compare_trees(self.server.data, os.path.join(point, 'backups', 'latest')), [])
        self.assertEqual(os.stat(os.path.join(point, 'backups', 'latest', 'telegraf')).st_mode & 0o777, 0o750)
        self.assertFalse(os.stat(os.path.join(point, 'backups', 'latest')).st_mode & 0o007)

    def test_names_of_snapshots_as_asked(self):
        mount = self.stopping(Mount(self.repo, self.path('mount'), '-o', 'time_format=%Y%m%d_%H%M'))
        usual = self.stopping(Mount(self.repo, self.path('usual')))
        time = usual.times()[0]
        name = time[:16].replace('-', '').replace('T', '_').replace(':', '')
        self.assertIn(name, os.listdir(mount.path('backups')))
        self.assertEqual(compare_trees(usual.path('backups', time), mount.path('backups', name)), [])
        self.assertEqual(os.readlink(mount.path('at', 'now')), '../backups/' + os.readlink(mount.path('backups', 'latest')))

    def test_by_mount_itself(self):
        if os.path.lexists(INSTALLED) or os.geteuid() != 0:
            self.skipTest(f'{INSTALLED} is there already, or cannot be made')
        os.symlink(os.environ['TSMFS_BINARY'], INSTALLED)
        self.addCleanup(os.remove, INSTALLED)
        point = self.path('mount')
        os.mkdir(point)
        subprocess.run(['mount', '-t', 'fuse.tsmfs', self.repo.path, point, '-o', 'allow_other'], check=True)
        self.assertEqual(compare_trees(self.server.data, os.path.join(point, 'backups', 'latest')), [])
        subprocess.run(['umount', point], check=True)

    def test_a_wrong_call_says_so(self):
        helper = self.path('mount.fuse.tsmfs')
        os.symlink(os.environ['TSMFS_BINARY'], helper)
        for words in ([], [self.repo.path], [self.repo.path, self.path('absent')],
                      [self.repo.path, self.directory, '-o', 'no_such_option']):
            done = subprocess.run([helper, *words], capture_output=True, text=True, check=False)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertTrue(done.stderr, words)


if __name__ == '__main__':
    main()
