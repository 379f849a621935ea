"""Backups as people have them, made by a real influxd: increments in the portable format, of one shard, killed, with a '%' in
a name, in directories side by side. What came is what the server had, or it is named."""
import glob
import gzip
import os
import shutil
import tarfile
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

    def import_of_directories(self, home, expect=ExitCode.OK):
        repo = Repo(self.path('repository'))
        done = tsmfs('import', '--repo', repo.path, '--server', 'db1', '--data-dir', f'{home}/data', '--meta-dir', f'{home}/meta',
                     '--wal-dir', f'{home}/wal', expect=expect)
        return repo, done

    def stopped_server(self):
        """A server that has one database of one shard of one file, and the directory of the shard."""
        server = self.stopping(Influxd(self.path('server')))
        server.create_database('db')
        server.write('db', points(seconds=DAY, step=3600))
        server.flush()
        shard = server.shards()[0]
        server.stop()
        return server, shard, server.shard_directory(shard)

    def legacy_of_other(self):
        """A legacy backup of the database "other", and {path: bytes} of what it has."""
        directory = self.path('legacy')
        influxd_backup(self.server, directory, '-database', 'other')
        return directory, {k: v for k, v in stored_files(self.server.data).items() if k.startswith('other')}

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

    def test_the_names_in_an_archive_win_over_those_of_the_archive(self):
        directory, files = self.legacy_of_other()
        archive = min(glob.glob(f'{directory}/other.autogen.*'))
        os.rename(archive, os.path.join(directory, 'elsewhere.autogen.00001.00'))  # 1 is a shard of the other database
        repo, _ = self.imported(directory)
        self.expect_same(repo, files)

    def test_a_backup_made_on_windows(self):
        directory, files = self.legacy_of_other()
        for archive in glob.glob(f'{directory}/other.autogen.*'):
            times = os.stat(archive)
            with tarfile.open(archive) as tar:
                members = [(member, tar.extractfile(member).read()) for member in tar]
            with open(archive, 'wb') as out:
                for member, content in members:
                    member.name = member.name.replace('/', '\\')
                    padding = bytes(-len(content) % tarfile.BLOCKSIZE)
                    out.write(member.tobuf(tarfile.USTAR_FORMAT) + content + padding)
                out.write(bytes(2 * tarfile.BLOCKSIZE))
            os.utime(archive, ns=(times.st_atime_ns, times.st_mtime_ns))
        repo, _ = self.imported(directory)
        self.assertEqual(repo.snapshots()[0]['problems'], [])
        self.expect_same(repo, files)

    def test_archives_that_the_metastore_does_not_know_are_kept_and_named(self):
        server = self.stopping(Influxd(self.path('server')))
        for database in ('gone', 'kept'):
            server.create_database(database)
            server.write(database, points(seconds=DAY, step=3600))
        influxd_backup(server, self.path('legacy'), '-database', 'gone')
        files = {k: v for k, v in stored_files(server.data).items() if k.startswith('gone')}
        gone = next(shard for shard in server.shards() if shard.database == 'gone')
        server.query('DROP DATABASE gone')
        influxd_backup(server, self.path('later'), '-database', 'kept')
        times = os.stat(self.path('legacy', 'meta.00'))
        shutil.copy(self.path('later', 'meta.00'), self.path('legacy', 'meta.00'))
        os.utime(self.path('legacy', 'meta.00'), ns=(times.st_atime_ns, times.st_mtime_ns))
        repo, done = self.imported(self.path('legacy'))
        self.assertIn(f'{gone} is not in the metastore of its run', done.stderr)
        self.expect_same(repo, files)

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

    @staticmethod
    def move_and_link(directory, elsewhere):
        os.symlink(shutil.move(directory, elsewhere), directory)

    def test_links_in_a_data_directory_are_followed_as_the_server_does(self):
        home, elsewhere = self.path('server'), self.path('elsewhere')
        os.makedirs(elsewhere)
        server = self.stopping(Influxd(home))
        for database in ('db', 'linked'):
            server.create_database(database)
            server.write(database, points(seconds=2 * DAY, step=3600))
        server.flush()
        answers = server.answers()
        shard = server.shards()[0]
        server.stop()
        self.move_and_link(server.shard_directory(shard), os.path.join(elsewhere, 'shard'))
        server.start()
        self.assertEqual(server.answers(), answers)
        server.stop()
        self.move_and_link(os.path.join(server.data, 'linked'), os.path.join(elsewhere, 'linked'))  # 1.6.7 skips it
        repo, done = self.import_of_directories(home)
        for link in (shard, 'linked'):
            self.assertIn(f'{link} is a symbolic link', done.stderr)
        with Mount(repo, self.path('mount')) as mount:
            copy = self.path('copy')
            shutil.copytree(mount.path('backups', 'latest'), os.path.join(copy, 'data'))
            shutil.copytree(mount.path('meta', 'latest'), os.path.join(copy, 'meta'))
        self.assertEqual(self.stopping(Influxd(copy)).answers(), answers)

    def test_a_data_file_that_lies_in_no_shard_is_named(self):
        server, _, directory = self.stopped_server()
        stray = os.path.join(os.path.dirname(directory), '000000007-000000001.tsm')
        shutil.copy(os.path.join(directory, '000000001-000000001.tsm'), stray)
        repo, done = self.import_of_directories(server.home, expect=ExitCode.INCOMPLETE)
        self.assertIn(f'INCOMPLETE: {os.path.relpath(stray, server.data)} ', done.stderr)
        self.assertTrue(repo.snapshots()[0]['incomplete'])

    def test_the_log_of_fields_is_left_out_and_goes_with_an_overwriting_restore(self):
        server, _, directory = self.stopped_server()
        log = os.path.join(directory, 'fields.idxl')
        with open(log, 'xb') as out:
            out.write(b'of the types that fields had')
        repo, done = self.import_of_directories(server.home)
        self.assertNotIn('fields.idxl', done.stderr)
        tsmfs('restore', '--repo', repo.path, '--overwrite',
              *(word for name in ('data', 'meta', 'wal') for word in (f'--{name}dir', os.path.join(server.home, name))))
        self.assertEqual(os.listdir(directory), ['000000001-000000001.tsm'])

    def test_files_that_the_server_will_not_open_are_named_everywhere(self):
        server, shard, directory = self.stopped_server()
        with open(os.path.join(directory, '000000001-000000001.tsm'), 'rb') as file:
            sound = file.read()
        files = {'000000001-000000001 2.tsm': sound, '000000009-000000001.tsm': b'', '000000010-000000001.tsm': b'NOTS' + sound[4:],
                 '000000011-000000001.tsm': sound[:-20]}
        for name, content in files.items():
            with open(os.path.join(directory, name), 'xb') as out:
                out.write(content)
        repo, imported = self.import_of_directories(server.home)
        checked = tsmfs('check', '--repo', repo.path, '--tsm', expect=ExitCode.DAMAGED)
        restored = tsmfs('restore', '--repo', repo.path, '--datadir', self.path('data'), '--metadir', self.path('meta'))
        snapshot = repo.snapshots()[0]['id'][:8]
        for name in files:
            with self.subTest(name):
                self.assertIn(f'{shard}/{name}', imported.stderr)
                self.assertIn(f'{shard}/{name}', restored.stderr)
                self.assertTrue(any(snapshot in line and f'{shard}/{name}' in line for line in checked.stdout.splitlines()))

    def test_problems_that_are_alike_are_one_line_with_a_count(self):
        server, shard, directory = self.stopped_server()
        for number in range(2, 7):
            shutil.copy(os.path.join(directory, '000000001-000000001.tsm'),
                        os.path.join(directory, f'000000001-000000001 {number}.tsm'))
        repo, done = self.import_of_directories(server.home)
        for text in (done.stderr, tsmfs('snapshots', '--repo', repo.path).stdout):
            self.assertEqual(text.count('is not named as TSM files are'), 1)
            self.assertRegex(text, f'{shard}/000000001-000000001 2.tsm is not named .* \\(and 4 more like it: ')

    def test_a_wrong_directory_is_refused_with_the_right_one(self):
        home = self.server.home
        self.server.flush()
        data_file, wal_file = (glob.glob(f'{kind}/other/autogen/*/*.{kind_of_file}', root_dir=home)[0]
                               for kind, kind_of_file in (('data', 'tsm'), ('wal', 'wal')))
        for option, wrong, right in (('--data-dir', 'data/other', 'data'), ('--data-dir', 'wal', 'data'), ('--data-dir', '', 'data'),
                                     ('--data-dir', data_file, 'data'), ('--wal-dir', 'data', 'wal'),
                                     ('--wal-dir', 'wal/other', 'wal'), ('--wal-dir', wal_file, 'wal')):
            with self.subTest(option=option, wrong=wrong):
                places = {'--data-dir': 'data', '--wal-dir': 'wal', option: wrong}
                done = tsmfs('import', '--repo', self.path('none'), expect=ExitCode.USAGE,
                             *(word for name, path in places.items() for word in (name, os.path.join(home, path))))
                self.assertIn(f"{option} '{home}/{right}'", done.stderr)
        self.assertFalse(os.path.exists(self.path('none')))


if __name__ == '__main__':
    main()
