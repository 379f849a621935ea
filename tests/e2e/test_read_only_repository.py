"""A repository that cannot be written: everything that reads works, everything that writes says why not; and copies of one
that is being written."""
import os
import shutil
import subprocess

from harness import EndToEndTest, ExitCode, Influxd, Mount, Repo, compare_trees, main, points, tsmfs


class ReadOnlyRepository(EndToEndTest):
    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('telegraf')
        cls.server.write('telegraf', points(step=120))
        cls.server.flush()

    def setUp(self):
        super().setUp()
        self.repo = Repo(self.path('repository'))

    def test_readers_work_and_writers_name_the_file(self):
        self.repo.backup(self.server)
        subprocess.run(['mount', '--bind', self.repo.path, self.repo.path], check=True)
        self.addCleanup(subprocess.run, ['umount', self.repo.path], check=True)
        subprocess.run(['mount', '-o', 'remount,bind,ro', self.repo.path], check=True)
        self.assertEqual(len(self.repo.snapshots()), 1)
        self.repo.check()
        with Mount(self.repo, self.path('mount')) as mount:
            self.assertEqual(compare_trees(self.server.data, mount.path('backups', 'latest')), [])
        os.mkdir(self.path('restored'))
        tsmfs('restore', '--repo', self.repo.path, '--datadir', self.path('restored'))
        for command in (self.repo.backup_arguments(self.server), ['prune', '--repo', self.repo.path],
                        ['forget', '--repo', self.repo.path, 'latest']):
            self.assertIn(self.repo.path, tsmfs(*command, expect=ExitCode.FAILED).stderr)

    def test_copy_made_while_a_backup_runs_is_whole_after_rebuild_index(self):
        self.repo.backup(self.server)
        self.server.write('telegraf', points(step=61, seed=2))
        self.server.flush()
        backup = self.repo.start_backup(self.server)
        copies = []
        while backup.poll() is None or not copies:
            copies.append(Repo(self.path(f'copy {len(copies)}')))
            # Manifests first: what they refer to was there before them.
            os.mkdir(copies[-1].path)
            for part in ('config', 'snapshots', 'packs'):
                subprocess.run(['cp', '-a', os.path.join(self.repo.path, part), copies[-1].path], check=True)
        backup.communicate()
        for copy in copies:
            copy.rebuild_index()
            copy.check()
            self.assertGreaterEqual(len(copy.snapshots()), 1)
            shutil.rmtree(copy.path)


if __name__ == '__main__':
    main()
