"""Snapshots that go, and space that comes back, while others read; and a second copy."""
import errno
import hashlib
import os
import random
import signal
import subprocess
import threading
import time

from harness import (DAY, EndToEndTest, ExitCode, Influxd, Mount, Repo, compare_trees, main, points, stored_files, tsmfs,
                     wait_until)
from harness.program import clean_environment, tsmfs_command

READ_BYTES = 64 << 10
READERS = 100
READER_SECONDS = int(os.environ.get('TSMFS_READER_SECONDS', '0'))  # 600, say, for a long run by hand
MEMORY_KIB_MAX = (100 + 64) << 10  # with the cache of 64 MiB


def digest(path):
    sha = hashlib.sha256()
    with open(path, 'rb', buffering=0) as file:
        while piece := file.read(READ_BYTES):
            sha.update(piece)
    return sha.hexdigest()


def digests_below(root):
    return {os.path.relpath(os.path.join(folder, name), root): digest(os.path.join(folder, name))
            for folder, _, names in os.walk(root) for name in names}


class ForgetAndPrune(EndToEndTest):
    """A server whose first backup holds a database that is dropped then: its points are what a prune can give back."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('telegraf')
        cls.server.write('telegraf', points(seconds=2 * DAY, step=60))
        cls.server.create_database('scratch')
        cls.server.write('scratch', points(seconds=2 * DAY, step=97))
        cls.server.flush()
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.older = cls.repo.backup(cls.server)
        second = int(time.time())
        wait_until(lambda: int(time.time()) > second, 'another second, so that the names differ')
        cls.server.query('DROP DATABASE scratch')
        cls.newer = cls.repo.backup(cls.server)

    def copy_of_repository(self):
        subprocess.run(['cp', '-a', self.repo.path, self.path('repository')], check=True)
        return Repo(self.path('repository'))

    def forget_and_prune(self, repo):
        tsmfs('forget', '--repo', repo.path, self.older['id'], '--prune', '--max-unused', '0%')

    def test_prune_gives_back_what_only_the_forgotten_snapshot_had(self):
        repo = self.copy_of_repository()
        before = sum(repo.files('packs').values())
        dry = tsmfs('forget', '--repo', repo.path, '--keep-last', '1', '--dry-run').stdout
        self.assertIn('would go', dry)
        self.assertEqual(len(repo.snapshots()), 2)
        tsmfs('forget', '--repo', repo.path, '--keep-last', '1')
        self.assertEqual(sum(repo.files('packs').values()), before)
        tsmfs('prune', '--repo', repo.path, '--max-unused', '0%')
        self.assertLess(sum(repo.files('packs').values()), before * 0.8)
        repo.check()
        with Mount(repo, self.path('mount')) as mount:
            self.assertEqual(compare_trees(self.server.data, mount.path('backups', 'latest')), [])

    def test_open_mount_reads_on_and_the_forgotten_snapshot_leaves_it(self):
        repo = self.copy_of_repository()
        with Mount(repo, self.path('mount')) as mount:
            names = sorted(name for name in os.listdir(mount.path('backups')) if name != 'latest')
            kept = mount.path('backups', names[1])
            with Mount(self.repo, self.path('mount of the original')) as original:
                want = digests_below(original.path('backups', names[1]))
            some_file = next(os.path.join(folder, name) for folder, _, files in os.walk(kept) for name in files)
            with open(some_file, 'rb', buffering=0) as handle:  # opened before, read after
                self.forget_and_prune(repo)
                self.assertEqual(hashlib.sha256(handle.read()).hexdigest(), want[os.path.relpath(some_file, kept)])
            self.assertEqual(digests_below(kept), want)
            wait_until(lambda: names[0] not in os.listdir(mount.path('backups')), 'the forgotten snapshot to leave')
            with self.assertRaises(OSError) as gone:
                os.listdir(mount.path('backups', names[0]))
            self.assertIn(gone.exception.errno, (errno.ENOENT, errno.ESTALE))

    def test_a_hundred_readers_see_no_wrong_byte_while_backups_forgets_and_prunes_run(self):
        repo = self.copy_of_repository()
        want = stored_files(self.server.data)
        wrong, ending = [], threading.Event()

        def read(latest, seed):
            rng = random.Random(seed)
            while not ending.is_set():
                path, content = rng.choice(list(want.items()))
                offset, length = rng.randrange(len(content)), rng.randrange(1, 1 << 18)
                try:
                    with open(os.path.join(os.path.realpath(latest), path), 'rb', buffering=0) as file:
                        if os.pread(file.fileno(), length, offset) != content[offset:offset + length]:
                            wrong.append(path)
                except FileNotFoundError:
                    pass  # forgotten while it was read
                except OSError as error:
                    if error.errno != errno.ESTALE:
                        wrong.append(str(error))

        until = time.monotonic() + READER_SECONDS
        with Mount(repo, self.path('mount'), foreground=True) as mount:
            readers = [threading.Thread(target=read, args=(mount.path('backups', 'latest'), seed)) for seed in range(READERS)]
            for reader in readers:
                reader.start()
            try:
                rounds = 0
                while (rounds := rounds + 1) <= 4 or time.monotonic() < until:
                    repo.backup(self.server)
                    tsmfs('forget', '--repo', repo.path, '--keep-last', '2', '--prune', '--max-unused', '0%')
            finally:
                ending.set()
                for reader in readers:
                    reader.join()
            self.assertLess(mount.figure('status', 'VmHWM'), MEMORY_KIB_MAX)
        self.assertEqual(wrong, [])
        repo.check()

    def test_pinned_snapshot_stays(self):
        repo = self.copy_of_repository()
        tsmfs('tag', 'add', 'keep', self.older['id'][:8], '--repo', repo.path)
        tsmfs('forget', '--repo', repo.path, '--keep-last', '1')
        self.assertEqual(len(repo.snapshots()), 2)
        tsmfs('forget', '--repo', repo.path, self.older['id'], expect=ExitCode.USAGE)
        tsmfs('tag', 'remove', 'keep', self.older['id'][:8], '--repo', repo.path)
        tsmfs('forget', '--repo', repo.path, self.older['id'])
        self.assertEqual([snapshot['id'] for snapshot in repo.snapshots()], [self.newer['id']])

    def test_copy_that_was_killed_goes_on(self):
        second = Repo(self.path('second'))
        copying = subprocess.Popen(tsmfs_command('copy', '--from', self.repo.path, '--to', second.path),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=clean_environment())
        copying.stdout.readline()  # the first snapshot is there
        copying.send_signal(signal.SIGKILL)
        copying.communicate()
        tsmfs('copy', '--from', self.repo.path, '--to', second.path)
        tsmfs('copy', '--from', self.repo.path, '--to', second.path)
        self.assertEqual([snapshot['time'] for snapshot in second.snapshots()],
                         [snapshot['time'] for snapshot in self.repo.snapshots()])
        second.check()
        with Mount(self.repo, self.path('mount')) as one, Mount(second, self.path('mount 2')) as other:
            self.assertEqual(digests_below(one.path('backups')), digests_below(other.path('backups')))


if __name__ == '__main__':
    main()
