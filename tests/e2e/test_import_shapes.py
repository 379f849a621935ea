"""Backups as people have them, made by a real influxd: increments in the portable format, of one shard, killed, with a '%' in
a name, in directories side by side. What came is what the server had, or it is named."""
import glob
import gzip
import os
import shutil
import time

from harness import DAY, START, EndToEndTest, ExitCode, Influxd, Mount, Repo, differences, main, points, stored_files, tsmfs

from test_import import influxd_backup, now


class ImportShapes(EndToEndTest):
    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        for seed, database in enumerate(('my db 100%', 'other')):
            cls.server.create_database(database)
            cls.server.write(database, points(seconds=2 * DAY, step=600, seed=seed))

    def imported(self, directory, expect=ExitCode.OK, options=()):
        repo = Repo(self.path('repository'))
        done = tsmfs('import', '--repo', repo.path, '--server', 'db1', *options, directory, expect=expect)
        return repo, done

    def expect_same(self, repo, files):
        with Mount(repo, self.path('mount')) as mount:
            self.assertEqual(differences(files, stored_files(mount.path('backups', 'latest'))), [])
        repo.check()

    def portable(self, name, *options):
        directory = self.path(name)
        influxd_backup(self.server, directory, '-portable', *options)
        return directory

    def portable_increments(self, second):
        """Two runs, the later with -since; the second is written into the directory of that name."""
        self.portable('portable')
        time.sleep(1.1)  # whole seconds: what the first run had the server write is to be older
        began = now()
        self.server.write('other', points(START + DAY, DAY // 2, 600, seed=time.monotonic_ns()))
        self.portable(second, '-since', began)
        return stored_files(self.server.data)

    def test_a_percent_sign_in_a_database_name(self):
        directory = self.path('legacy')
        influxd_backup(self.server, directory, '-database', 'my db 100%')
        self.assertTrue(any('%!' in name for name in os.listdir(directory)))
        repo, _ = self.imported(directory)
        self.assertEqual(repo.snapshots()[0]['shards'], 2)
        self.expect_same(repo, {k: v for k, v in stored_files(self.server.data).items() if k.startswith('my db')})

    def test_portable_increments_are_laid_over_their_base(self):
        files = self.portable_increments('portable')
        repo, _ = self.imported(self.path('portable'))
        self.assertEqual([s['partial'] for s in repo.snapshots()], [False, False])
        self.expect_same(repo, files)

    def test_increments_side_by_side_are_laid_over_their_base(self):
        files = self.portable_increments(os.path.join('all', 'second'))
        shutil.move(self.path('portable'), self.path('all', 'first'))
        repo, _ = self.imported(self.path('all'))
        self.assertEqual(len(repo.snapshots()), 2)
        self.expect_same(repo, files)

    def test_an_increment_without_its_base_is_partial(self):
        self.portable_increments('second')
        repo, done = self.imported(self.path('second'))
        self.assertTrue(repo.snapshots()[0]['partial'])
        self.assertIn('-since', done.stderr)

    def test_runs_of_times_are_laid_over_each_other(self):
        def stamp(seconds):
            return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds))
        self.portable('times', '-database', 'other', '-start', stamp(START), '-end', stamp(START + DAY - 1))
        time.sleep(1.1)
        self.portable('times', '-database', 'other', '-start', stamp(START + DAY), '-end', stamp(START + 2 * DAY))
        repo, _ = self.imported(self.path('times'))
        self.assertEqual([s['partial'] for s in repo.snapshots()], [True, True])
        self.expect_same(repo, {k: v for k, v in stored_files(self.server.data).items() if k.startswith('other')})

    def test_a_portable_backup_of_one_shard(self):
        shard = self.server.shards()[-1]
        repo, _ = self.imported(self.portable('shard', '-shard', str(shard.shard)))
        files = stored_files(self.server.data)
        self.expect_same(repo, {k: v for k, v in files.items() if k.startswith(str(shard))})
        self.assertIn(f'shard {shard.shard}', repo.snapshots()[0]['filter'])

    def test_a_portable_backup_that_was_killed(self):
        directory = self.portable('killed')
        os.remove(glob.glob(f'{directory}/*.manifest')[0])  # influxd writes it last
        lost = self.server.shards()[-1]
        os.remove(glob.glob(f'{directory}/*.s{lost.shard}.tar.gz')[0])
        repo, done = self.imported(directory, expect=ExitCode.INCOMPLETE)
        self.assertIn('.manifest', done.stderr)
        self.assertIn(f'{lost} is in the metastore, but not here', done.stderr)
        self.expect_same(repo, {k: v for k, v in stored_files(self.server.data).items() if not k.startswith(str(lost))})

    def test_any_level_of_gzip(self):
        directory = self.portable('levels')
        for level, path in enumerate(sorted(glob.glob(f'{directory}/*.tar.gz'))):
            with gzip.open(path) as file:
                content = file.read()
            with gzip.open(path, 'wb', compresslevel=(0, 1, 9)[level % 3]) as file:
                file.write(content)
        repo, _ = self.imported(directory)
        self.expect_same(repo, stored_files(self.server.data))

    def test_archives_without_the_metastore(self):
        directory = self.path('bare')
        influxd_backup(self.server, directory, '-database', 'other')
        os.remove(os.path.join(directory, 'meta.00'))
        repo, done = self.imported(directory, expect=ExitCode.INCOMPLETE)
        self.assertIn('meta.NN', done.stderr)
        self.expect_same(repo, {k: v for k, v in stored_files(self.server.data).items() if k.startswith('other')})

    def test_a_time_that_is_taken_is_a_status(self):
        directory = self.portable('portable')
        at = ('--time', '2024-03-09T00:00:00Z')
        self.imported(directory, options=at)
        _, done = self.imported(directory, expect=ExitCode.TAKEN, options=at)
        self.assertIn('nothing was imported', done.stderr)

    def test_links_in_a_data_directory_are_followed_as_the_server_does(self):
        home, elsewhere = self.path('server'), self.path('elsewhere')
        os.makedirs(elsewhere)
        server = self.stopping(Influxd(home))
        server.create_database('db')
        server.write('db', points(seconds=2 * DAY, step=3600))
        server.flush()
        answers = server.answers()
        shard = server.shard_directory(server.shards()[0])
        server.stop()
        moved = shutil.move(shard, os.path.join(elsewhere, 'shard'))
        os.symlink(moved, shard)
        server.start()
        self.assertEqual(server.answers(), answers)
        server.stop()
        repo = Repo(self.path('repository'))
        done = tsmfs('import', '--repo', repo.path, '--data-dir', f'{home}/data', '--meta-dir', f'{home}/meta',
                     '--wal-dir', f'{home}/wal')
        self.assertIn('symbolic link', done.stderr)
        with Mount(repo, self.path('mount')) as mount:
            copy = self.path('copy')
            shutil.copytree(mount.path('backups', 'latest'), os.path.join(copy, 'data'))
            shutil.copytree(mount.path('meta', 'latest'), os.path.join(copy, 'meta'))
        self.assertEqual(self.stopping(Influxd(copy)).answers(), answers)

    def test_files_that_the_server_will_not_open_are_named_everywhere(self):
        home = self.path('server')
        server = self.stopping(Influxd(home))
        server.create_database('db')
        server.write('db', points(seconds=DAY, step=3600))
        server.flush()
        shard = server.shards()[0]
        server.stop()
        directory = server.shard_directory(shard)
        names = ('000000001-000000001 2.tsm', '000000009-000000001.tsm')
        shutil.copy(os.path.join(directory, '000000001-000000001.tsm'), os.path.join(directory, names[0]))
        open(os.path.join(directory, names[1]), 'xb').close()
        repo = Repo(self.path('repository'))
        imported = tsmfs('import', '--repo', repo.path, '--data-dir', f'{home}/data', '--meta-dir', f'{home}/meta',
                         '--wal-dir', f'{home}/wal')
        checked = tsmfs('check', '--repo', repo.path, '--tsm', expect=ExitCode.DAMAGED)
        restored = tsmfs('restore', '--repo', repo.path, '--datadir', self.path('data'), '--metadir', self.path('meta'))
        snapshot = repo.snapshots()[0]['id'][:8]
        for name in names:
            with self.subTest(name):
                self.assertIn(f'{shard}/{name}', imported.stderr)
                self.assertIn(f'{shard}/{name}', restored.stderr)
                self.assertTrue(any(snapshot in line and f'{shard}/{name}' in line for line in checked.stdout.splitlines()))

    def test_a_wrong_directory_is_refused_with_the_right_one(self):
        home = self.server.home
        for option, wrong, right in (('--data-dir', 'data/other', 'data'), ('--data-dir', 'wal', 'data'), ('--data-dir', '', 'data'),
                                     ('--wal-dir', 'data', 'wal'), ('--wal-dir', 'wal/other', 'wal')):
            with self.subTest(option=option, wrong=wrong):
                places = {'--data-dir': 'data', '--wal-dir': 'wal', option: wrong}
                done = tsmfs('import', '--repo', self.path('none'), expect=ExitCode.USAGE,
                             *(word for name, path in places.items() for word in (name, os.path.join(home, path))))
                self.assertIn(f"{option} '{home}/{right}'", done.stderr)
        self.assertFalse(os.path.exists(self.path('none')))


if __name__ == '__main__':
    main()
