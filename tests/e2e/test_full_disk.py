"""A repository on a disk that fills up: what was there stays, and work goes on once there is room."""
import os
import subprocess

from harness import EndToEndTest, ExitCode, Repo, main, tsmfs

DISK_BYTES = 24 << 20
SHARD_BYTES = 4 << 20


class FullDisk(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.disk = self.path('disk')
        os.mkdir(self.disk)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={DISK_BYTES},mode=700', 'tmpfs', self.disk], check=True)
        self.addCleanup(subprocess.run, ['umount', '-l', self.disk], check=True)
        self.repo = Repo(os.path.join(self.disk, 'repository'))
        self.days = 0

    def import_day(self, expect=ExitCode.OK):
        """Another snapshot of a server, which has nothing in common with the one before."""
        self.days += 1
        data = self.path(f'day {self.days}')
        os.makedirs(os.path.join(data, 'db', 'rp', '1'))
        with open(os.path.join(data, 'db', 'rp', '1', '000000001-000000001.tsm'), 'wb') as file:
            file.write(os.urandom(SHARD_BYTES))
        return tsmfs('import', '--repo', self.repo.path, '--data-dir', data, '--server', 's',
                     '--time', f'2026-01-{self.days:02}T00:00:00Z', expect=expect)

    def test_snapshots_survive_and_forget_makes_room(self):
        while (done := self.import_day(expect=None)).returncode == ExitCode.OK:
            pass
        self.assertEqual(done.returncode, ExitCode.FAILED)
        self.assertIn('No space left on device', done.stderr)
        kept = self.repo.snapshots()
        self.assertEqual(len(kept), self.days - 1)
        self.repo.check()
        # Nothing but deletions, since there is no room to rewrite anything.
        tsmfs('forget', '--repo', self.repo.path, '--keep-last', '2', '--prune', '--max-unused', 'unlimited')
        self.import_day()
        self.assertEqual([s['id'] for s in self.repo.snapshots()][:-1], [s['id'] for s in kept[-2:]])
        self.repo.check()


if __name__ == '__main__':
    main()
