"""Ways back that people asked for: a write-ahead log comes back with its points, and several snapshots go into one target."""
import os
import shutil

from harness import DAY, START, EndToEndTest, ExitCode, Influxd, Repo, differences, main, points, stored_files, tsmfs


class RestoreWays(EndToEndTest):
    """A server that was stopped with points in its write-ahead log only, imported."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        for database in ('flushed', 'fresh'):
            cls.server.create_database(database)
            cls.server.write(database, points(seconds=2 * DAY, step=600, hosts=2))
            if database == 'flushed':
                cls.server.flush()
        cls.server.write('flushed', points(START + DAY // 2, DAY, 600, 2, seed=9))
        cls.answers = cls.server.answers()
        cls.server.stop()
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        home = cls.server.home
        tsmfs('import', '--repo', cls.repo.path, '--data-dir', f'{home}/data', '--meta-dir', f'{home}/meta', '--wal-dir',
              f'{home}/wal')

    def restore(self, home, *options, expect=ExitCode.OK, wal=True):
        directories = [word for name in ('meta', 'data', *(['wal'] if wal else []))
                       for word in (f'--{name}dir', os.path.join(home, name))]
        return tsmfs('restore', *directories, *options, self.repo.path, expect=expect)

    def started(self, home):
        return self.stopping(Influxd(home))

    def test_a_data_directory_whose_points_are_in_the_wal_comes_back_whole(self):
        home = self.path('home')
        done = self.restore(home, '--verify')
        self.assertIn('the write-ahead log of ', done.stdout)
        self.assertNotIn('WAL', done.stderr)
        self.assertEqual(self.started(home).answers(), self.answers)

    def test_without_waldir_it_says_that_points_are_left_out(self):
        done = self.restore(self.path('home'), wal=False, expect=ExitCode.INCOMPLETE)
        self.assertIn('--waldir', done.stderr)

    def test_an_export_says_that_the_log_is_left_out(self):
        for form in ('legacy', 'portable', 'tar'):
            done = tsmfs('export', '--format', form, '--repo', self.repo.path, self.path(form),
                         expect=ExitCode.INCOMPLETE)
            self.assertIn('the write-ahead log of ', done.stderr)

    def test_an_online_restore_says_that_the_log_is_left_out(self):
        server = self.stopping(Influxd(self.path('other')))
        done = tsmfs('restore', '--online', '--host', server.snapshot_address, '--database', 'fresh', self.repo.path,
                     expect=ExitCode.INCOMPLETE)
        self.assertIn('the write-ahead log of fresh/autogen/', done.stderr)
        self.assertNotIn('flushed', done.stderr)

    def test_a_log_follows_its_shard_to_a_new_name_and_number(self):
        home = self.path('home')
        self.restore(home, '--database', 'flushed')
        self.restore(home, '--database', 'fresh', '--newdb', 'copy')
        server = self.started(home)
        found = server.query('SELECT count(usage_user) FROM "copy"."autogen"."cpu"')
        self.assertEqual(found[0]['values'][0][1], 2 * 2 * DAY // 600)

    def test_a_log_without_files_gets_the_directory_without_which_it_is_not_read(self):
        server = self.stopping(Influxd(self.path('source')))
        for database in ('fresh', 'other'):
            server.create_database(database)
            server.write(database, points(seconds=DAY, step=600, hosts=2))
        answers = server.answers()
        server.stop()
        shutil.rmtree(os.path.join(server.data, 'fresh'))
        repo = self.path('repository')
        tsmfs('import', '--repo', repo, '--data-dir', server.data, '--meta-dir', os.path.join(server.home, 'meta'),
              '--wal-dir', os.path.join(server.home, 'wal'), expect=ExitCode.INCOMPLETE)
        home = self.path('home')
        directories = [word for name in ('meta', 'data', 'wal') for word in (f'--{name}dir', os.path.join(home, name))]
        tsmfs('restore', *directories, repo, expect=ExitCode.INCOMPLETE)
        self.assertEqual(self.started(home).answers(), answers)

    def test_a_log_that_is_there_is_not_replaced_unasked(self):
        home = self.path('home')
        self.restore(home, '--database', 'fresh')
        wal = os.path.join(home, 'wal')
        for shard in os.listdir(os.path.join(home, 'data', 'fresh', 'autogen')):
            shutil.rmtree(os.path.join(home, 'data', 'fresh', 'autogen', shard))
        done = self.restore(home, '--database', 'fresh', expect=ExitCode.USAGE)
        self.assertIn(f'{wal}/fresh/autogen/', done.stderr)
        self.restore(home, '--database', 'fresh', '--overwrite')

    def test_only_what_is_not_there_is_restored_when_asked(self):
        home = self.path('home')
        self.restore(home)
        kept, lost = sorted(os.listdir(os.path.join(home, 'data', 'flushed', 'autogen')))
        shutil.rmtree(os.path.join(home, 'data', 'flushed', 'autogen', lost))
        shutil.rmtree(os.path.join(home, 'wal', 'flushed', 'autogen', lost))
        mark = os.path.join(home, 'data', 'flushed', 'autogen', kept, 'mine')
        open(mark, 'xb').close()
        done = self.restore(home, '--database', 'flushed', '--skip-existing')
        self.assertIn('1 shards, ', done.stdout)
        self.assertIn('1 shards are there already, and are left as they are', done.stdout)
        self.assertTrue(os.path.exists(mark))
        self.assertEqual(stored_files(os.path.join(home, 'data')), stored_files(self.server.data))
        done = self.restore(home, '--skip-existing', '--dry-run')
        self.assertIn('would write ', done.stdout)
        self.assertEqual(self.started(home).answers(), self.answers)

    def test_contradictions_are_usage(self):
        home = self.path('home')
        self.restore(home, '--overwrite', '--skip-existing', expect=ExitCode.USAGE)
        tsmfs('restore', '--waldir', home, self.repo.path, expect=ExitCode.USAGE)
        tsmfs('restore', '--online', '--waldir', home, self.repo.path, expect=ExitCode.USAGE)


class SeveralSnapshots(EndToEndTest):
    def test_what_an_older_snapshot_has_more_comes_back_beside_a_newer_one(self):
        server = self.stopping(Influxd(self.path('server')))
        server.create_database('db')
        server.write('db', points(seconds=2 * DAY, step=600, hosts=2))
        repo, home = Repo(self.path('repository')), self.path('home')
        older = repo.backup(server, '--server', 'db1')
        dropped = server.shards()[0]
        files = {path: content for path, content in stored_files(server.data).items() if path.startswith(str(dropped))}
        server.query(f'DROP SHARD {dropped.shard}')
        server.write('db', points(START + DAY, 2 * DAY, 300, 2, seed=9))
        newer = repo.backup(server, '--server', 'db1')
        for snapshot in (newer, older):
            done = tsmfs('restore', '--repo', repo.path, '--snapshot', snapshot['id'], '--skip-existing', '--datadir',
                         os.path.join(home, 'data'), '--metadir', os.path.join(home, 'meta'))
        self.assertIn('1 shards, ', done.stdout)
        self.assertIn('1 shards are there already, and are left as they are', done.stdout)
        self.assertEqual(differences(stored_files(server.data) | files, stored_files(os.path.join(home, 'data'))), [])
        restored = self.stopping(Influxd(home))
        self.assertEqual(restored.shards(), [dropped, *server.shards()])
        first_day = f'SELECT * FROM "db"."autogen"."cpu" WHERE time < {START + DAY}s'
        self.assertEqual((server.query(first_day), len(restored.query(first_day)[0]['values'])), ([], 2 * DAY // 600))
        later = first_day.replace('<', '>=')
        self.assertEqual(restored.query(later), server.query(later))


if __name__ == '__main__':
    main()
