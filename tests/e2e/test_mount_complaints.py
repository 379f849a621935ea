"""What users of other backup mounts complain of, a test for each; the issue's number is in the test's name."""
import ctypes
import os
import random
import signal

from harness import EndToEndTest, Mount, Repo, main, run, tsmfs
from harness.waiting import wait_until

SNAPSHOTS = 40
LARGE_BYTES = 24 << 20
MANY_FILES = 5000


class Handle(ctypes.Structure):
    """struct file_handle of name_to_handle_at(2)."""
    _fields_ = [('bytes', ctypes.c_uint), ('type', ctypes.c_int), ('data', ctypes.c_ubyte * 128)]


class MountComplaints(EndToEndTest):
    """A history of snapshots without an influxd: one large file, one directory of many files, and a file that changes."""

    @classmethod
    def set_up_class(cls):
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.data = os.path.join(cls.class_directory, 'data')
        shard = os.path.join(cls.data, 'db', 'rp', '1')
        os.makedirs(shard)
        rng = random.Random(1)
        words = [rng.randbytes(50) for _ in range(1000)]
        cls.large = b''.join(rng.choice(words) for _ in range(LARGE_BYTES // 50))
        with open(os.path.join(shard, 'large.tsm'), 'wb') as file:
            file.write(cls.large)
        os.makedirs(os.path.join(cls.data, 'db', 'rp', '2'))
        for number in range(MANY_FILES):
            with open(os.path.join(cls.data, 'db', 'rp', '2', f'{number:09}-000000001.tsm'), 'wb') as file:
                file.write(b'%d' % number)
        cls.count = 0
        for _ in range(SNAPSHOTS):
            cls.add_snapshot()

    @classmethod
    def add_snapshot(cls):
        cls.count += 1
        with open(os.path.join(cls.data, 'db', 'rp', '1', 'changes.tsm'), 'wb') as file:
            file.write(b'%d' % cls.count)
        tsmfs('import', '--repo', cls.repo.path, '--data-dir', cls.data, '--server', 's', '-q',
              '--time', f'2026-01-01T{cls.count // 60:02}:{cls.count % 60:02}:00Z')

    def mounted(self, repo=None):
        return self.stopping(Mount(repo or self.repo, self.path('mount'), foreground=True))

    def large_file(self, mount):
        return mount.path('backups', 'latest', 'db', 'rp', '1', 'large.tsm')

    def test_small_reads_decompress_a_frame_once_restic_1680_borg_965(self):
        mount = self.mounted()
        before = mount.figure('io', 'syscr')
        with open(self.large_file(mount), 'rb', buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)  # no read-ahead: each request is a small one
            pieces = []
            while piece := file.read(4096):
                pieces.append(piece)
        self.assertEqual(b''.join(pieces), self.large)
        # One call takes a request from the kernel; a second one for each would read a frame again.
        self.assertLess(mount.figure('io', 'syscr') - before, 1.5 * len(pieces))

    def test_start_does_not_grow_with_the_snapshots_restic_5720(self):
        one = Repo(self.path('one snapshot'))
        run('cp', '-a', self.repo.path, one.path)
        tsmfs('forget', '--repo', one.path, '--keep-last', '1')
        read = {}
        for name, repo in (('many', self.repo), ('one', one)):
            mount = self.mounted(repo)
            read[name] = mount.figure('io', 'rchar')
            mount.stop()
        manifests = sum(self.repo.files('snapshots').values())
        self.assertLess(read['many'] - read['one'], manifests / 4)

    def test_memory_does_not_grow_with_what_was_walked_borg_1466(self):
        mount = self.mounted()
        os.listdir(mount.path('backups'))
        before = mount.figure('status', 'VmRSS')
        for time in mount.times():
            run('find', mount.path('backups', time))
        self.assertLess(mount.figure('status', 'VmRSS') - before, 24 << 10)

    def test_first_ls_reads_one_directory_borg_7173(self):
        mount = self.mounted()
        before = mount.figure('io', 'rchar')
        self.assertEqual(os.listdir(mount.path('backups', 'latest')), ['db'])
        manifests = sum(self.repo.files('snapshots').values())
        self.assertLess(mount.figure('io', 'rchar') - before, manifests + (512 << 10))

    def test_listing_is_not_quadratic_kopia_1135(self):
        mount = self.mounted()
        many = mount.path('backups', 'latest', 'db', 'rp', '2')
        os.listdir(mount.path('backups', 'latest', 'db', 'rp'))
        before = mount.figure('io', 'syscr')
        self.assertEqual(len(os.listdir(many)), MANY_FILES)
        self.assertLess(mount.figure('io', 'syscr') - before, MANY_FILES / 5)

    def test_new_snapshots_show_restic_1330(self):
        mount = self.mounted()
        before = mount.times()
        type(self).add_snapshot()
        wait_until(lambda: len(mount.times()) == len(before) + 1, 'the new snapshot to show')
        newest = mount.times()[-1]
        wait_until(lambda: os.readlink(mount.path('backups', 'latest')) == newest, 'latest to move')
        self.assertTrue(os.path.exists(mount.path('backups', newest, 'db')))

    def test_no_dead_mount_point_stays_restic_2774(self):
        mount = self.mounted()
        self.assertEqual(mount.end_with(signal.SIGINT), 0)
        self.assertFalse(mount.is_mounted())
        mount = self.mounted()
        mount.end_with(signal.SIGKILL)
        again = self.stopping(Mount(self.repo, self.path('mount')))  # finds the dead one, and takes it off
        self.assertEqual(len(again.times()), self.count)

    def test_find_sees_no_loops_restic_4253(self):
        mount = self.mounted()
        lines = run('find', mount.path('backups'), '-maxdepth', '4', '-printf', '%i\n').splitlines()  # fails on any warning
        self.assertEqual(len(set(lines)), len(lines))

    def test_du_and_df_are_not_0_restic_442_4868(self):
        mount = self.mounted()
        used = int(run('du', '-s', '--block-size=1', mount.path('backups', 'latest') + '/.').split()[0])
        self.assertGreaterEqual(used, len(self.large))
        self.assertGreaterEqual(os.statvfs(mount.point).f_blocks * os.statvfs(mount.point).f_frsize, self.count * len(self.large))

    def test_backups_are_not_blocked_by_a_mount_borg_331(self):
        mount = self.mounted()
        with open(self.large_file(mount), 'rb') as file:
            type(self).add_snapshot()
            tsmfs('prune', '--repo', self.repo.path)
            self.assertEqual(file.read(), self.large)

    def test_handles_outlive_a_remount_as_nfs_needs_it(self):
        libc = ctypes.CDLL(None, use_errno=True)
        handle, mount_id = Handle(bytes=128), ctypes.c_int()
        mount = self.mounted()
        path = os.path.realpath(self.large_file(mount)).encode()
        if libc.name_to_handle_at(-100, path, ctypes.byref(handle), ctypes.byref(mount_id), 0) != 0:
            self.fail(os.strerror(ctypes.get_errno()))
        mount.stop()
        mount = self.mounted()
        top = os.open(mount.point, os.O_RDONLY)
        try:
            file = libc.open_by_handle_at(top, ctypes.byref(handle), os.O_RDONLY)
            self.assertGreaterEqual(file, 0, os.strerror(ctypes.get_errno()))
            self.assertEqual(os.pread(file, 1000, 12345), self.large[12345:13345])
            os.close(file)
        finally:
            os.close(top)


if __name__ == '__main__':
    main()
