"""What tsmfs exports is what influxd backup would have left: influxd restore takes it in both of its forms, the tars are
those of influxd byte for byte, and a plain tar is a data directory."""
import datetime
import glob
import gzip
import json
import os
import shutil
import subprocess

from harness import DAY, EndToEndTest, ExitCode, Influxd, Repo, main, points, tsmfs, tsmfs_command, wait_until

LONG = 'long-' + 'd' * 115  # its shards' paths do not fit a ustar name
DATABASES = ['telegraf', 'данные', LONG, 'deletes']


class Export(EndToEndTest):
    """One idle server, backed up by tsmfs and by influxd."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        for seed, database in enumerate(DATABASES):
            cls.server.create_database(database)
            cls.server.write(database, points(seconds=2 * DAY, step=600, seed=seed))
        cls.server.create_database('empty')
        cls.server.create_policy('telegraf', 'year', '7d')
        cls.server.write('telegraf', points(seconds=DAY, step=600, seed=7), 'year')
        cls.server.flush()
        cls.server.hold_compactions()
        cls.server.query('DELETE FROM "cpu" WHERE "host" = \'web-002\' AND time < \'2024-03-01T12:00:00Z\'', 'deletes')
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.snapshot = cls.repo.backup(cls.server)
        cls.answers = cls.server.answers()

    def export(self, form, target, *options, **how):
        return tsmfs('export', '--repo', self.repo.path, '--format', form, *options, target, **how)

    def influxd(self, *arguments):
        """Output of an influxd command that must succeed. What it says about what it did not do is in the output."""
        done = subprocess.run(['influxd', *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def compare_answers(self, restored, about=''):
        """All questions about points whose source has `about` in it: "database"."policy"."measurement"."""
        found = restored.answers()
        questions = [q for q in self.answers if '"."' in str(q[0]) and about in q[0]]
        self.assertGreater(len(questions), 20)
        for question in questions:
            self.assertEqual(found.get(question), self.answers[question], question)

    def test_legacy_tars_are_influxds_byte_for_byte(self):
        ours, theirs = self.path('ours'), self.path('theirs')
        for database in self.server.databases():
            if database != '_internal':
                self.influxd('backup', '-host', self.server.snapshot_address, '-database', database, theirs)
        self.export('legacy', ours)
        names = sorted(n for n in os.listdir(theirs) if not n.startswith('meta.'))
        self.assertEqual(sorted(n for n in os.listdir(ours) if not n.startswith('meta.')), names)
        self.assertEqual(len(names), 9)
        for name in names + ['meta.00']:
            self.assertEqual(read(os.path.join(ours, name)), read(os.path.join(theirs, name)), name)

    def test_portable_files_are_influxds(self):
        ours, theirs = self.path('ours'), self.path('theirs')
        self.influxd('backup', '-portable', '-host', self.server.snapshot_address, theirs)
        self.export('portable', ours, '--resurrect-deleted')
        [mine], [other] = (glob.glob(f'{d}/*.manifest') for d in (ours, theirs))
        stamp, their_stamp = (os.path.basename(m).split('.')[0] for m in (mine, other))
        self.assertRegex(stamp, r'^\d{8}T\d{6}Z$')
        left, right = (json.loads(read(file).decode().replace(time, 'TIME'))
                       for file, time in ((mine, stamp), (other, their_stamp)))
        for manifest in (left, right):
            manifest['files'].sort(key=lambda f: f['shardID'])
        self.assertEqual(left, right)
        self.assertEqual(read(f'{ours}/{stamp}.meta'), read(f'{theirs}/{their_stamp}.meta'))
        for file in left['files']:
            name = file['fileName']
            self.assertEqual(gzip.decompress(read(os.path.join(ours, name.replace('TIME', stamp)))),
                             gzip.decompress(read(os.path.join(theirs, name.replace('TIME', their_stamp)))), name)

    def test_an_imported_backup_is_exported_as_it_was(self):
        theirs, repo = self.path('theirs'), self.path('repository')
        self.influxd('backup', '-host', self.server.snapshot_address, '-database', 'deletes', theirs)
        tsmfs('import', '--repo', repo, theirs)
        tsmfs('export', '--repo', repo, '--format', 'legacy', self.path('legacy'))
        self.assertEqual(sorted(os.listdir(self.path('legacy'))), sorted(os.listdir(theirs)))
        for name in os.listdir(theirs):
            self.assertEqual(read(self.path('legacy', name)), read(os.path.join(theirs, name)), name)

    def test_an_imported_portable_backup_is_exported_as_it_was(self):
        theirs, repo = self.path('theirs'), self.path('repository')
        self.influxd('backup', '-portable', '-host', self.server.snapshot_address, theirs)
        tsmfs('import', '--repo', repo, theirs)
        tsmfs('export', '--repo', repo, '--format', 'portable', '--resurrect-deleted', self.path('portable'))
        # The time in the names is that of the backup.
        self.assertEqual(sorted(os.listdir(self.path('portable'))), sorted(os.listdir(theirs)))
        for name in os.listdir(theirs):
            unpack = gzip.decompress if name.endswith('.gz') else bytes
            if not name.endswith('.manifest'):
                self.assertEqual(unpack(read(self.path('portable', name))), unpack(read(os.path.join(theirs, name))), name)

    def test_influxd_restores_the_legacy_form(self):
        exported, home = self.path('exported'), self.path('home')
        self.export('legacy', exported)
        os.makedirs(home)
        for database in DATABASES:
            self.influxd('restore', '-database', database, '-metadir', f'{home}/meta', '-datadir', f'{home}/data', exported)
        restored = self.stopping(Influxd(home))
        self.compare_answers(restored)

    @staticmethod
    def wait_for_points(restored, expected):
        """`expected`: {(measurement, database): count}. influxd restore does not wait for the server to finish the last
        shard, which is disabled until then."""
        def arrived():
            try:
                return all(count(restored, *source) == points for source, points in expected.items())
            except RuntimeError:
                return False
        wait_until(arrived, 'influxd to finish the restore', 60)

    def test_the_portable_form_does_not_bring_deleted_points_back_unasked(self):
        done = self.export('portable', self.path('out'), expect=ExitCode.USAGE)
        self.assertRegex(done.stderr, r"points that had been deleted would come back in:\n.*deletes/autogen/\d+: 'cpu,host=web-002")
        self.assertIn('--format legacy', done.stderr)
        self.assertFalse(os.path.exists(self.path('out')))
        self.export('portable', self.path('others'), '--database', 'telegraf')
        done = self.export('portable', self.path('out'), '--resurrect-deleted')
        self.assertIn('points that had been deleted come back in', done.stderr)
        done = self.export('legacy', self.path('legacy'), '--resurrect-deleted', expect=ExitCode.USAGE)

    def test_the_files_have_the_time_of_the_snapshot(self):
        for form, options in (('legacy', []), ('portable', ['--resurrect-deleted'])):
            self.export(form, self.path(form), *options)
            for name in os.listdir(self.path(form)):
                time = datetime.datetime.fromtimestamp(os.stat(self.path(form, name)).st_mtime, datetime.timezone.utc)
                self.assertEqual(f'{time:%Y-%m-%dT%H:%M:%S}', self.snapshot['time'][:19], name)
        repo = Repo(self.path('repository'))
        tsmfs('import', '--repo', repo.path, self.path('legacy'))
        self.assertEqual(repo.snapshots()[0]['time'][:19], self.snapshot['time'][:19])

    def test_influxd_restores_the_portable_form(self):
        exported = self.path('exported')
        self.export('portable', exported, '--resurrect-deleted')
        restored = self.stopping(Influxd(self.path('home')))
        self.influxd('restore', '-portable', '-host', restored.snapshot_address, exported)
        # A running server drops tombstones: what was deleted has come back.
        expected = {('cpu', database): count(self.server, 'cpu', database) for database in DATABASES[:-1]}
        self.wait_for_points(restored, {**expected, ('cpu', 'deletes'): 2 * DAY // 600 * 5})
        for database in DATABASES[:-1]:
            self.compare_answers(restored, f'"{database}"."')
        self.assertLess(count(self.server, 'cpu', 'deletes'), 2 * DAY // 600 * 5)

    def test_a_filtered_portable_export_restores_only_that(self):
        exported = self.path('exported')
        self.export('portable', exported, '--database', 'telegraf', '--retention', 'year')
        restored = self.stopping(Influxd(self.path('home')))
        self.influxd('restore', '-portable', '-host', restored.snapshot_address, exported)
        self.wait_for_points(restored, {('"year"."cpu"', 'telegraf'): count(self.server, '"year"."cpu"', 'telegraf')})
        self.assertEqual([d for d in restored.databases() if d != '_internal'], ['telegraf'])
        self.assertEqual([s.policy for s in restored.shards()], ['year'])
        self.compare_answers(restored, '"telegraf"."year"."')

    def test_a_tar_is_a_data_directory(self):
        home = self.path('home')
        for folder in ('data', 'unpacked'):
            os.makedirs(os.path.join(home, folder))
        command = tsmfs_command('export', '--repo', self.repo.path, '--format', 'tar', '-')
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
            subprocess.run(['tar', 'xf', '-', '-C', f'{home}/unpacked'], stdin=export.stdout, check=True)
            self.assertEqual(export.wait(60), 0, export.stderr.read())
        shutil.move(f'{home}/unpacked/meta', f'{home}/meta')
        for database in os.listdir(f'{home}/unpacked'):
            shutil.move(f'{home}/unpacked/{database}', f'{home}/data/')
        restored = self.stopping(Influxd(home))
        self.assertEqual(restored.answers(), self.answers)

    def test_a_tar_in_a_file_is_the_one_on_standard_output(self):
        piped = subprocess.run(tsmfs_command('export', '--repo', self.repo.path, '--format', 'tar', '-q', '-'),
                               capture_output=True, check=True)
        self.assertEqual(piped.stderr, b'')
        self.export('tar', self.path('all.tar'))
        self.assertEqual(read(self.path('all.tar')), piped.stdout)
        tsmfs('export', '--repo', self.repo.path, '--format', 'tar', 'here.tar', directory=self.directory)
        self.assertEqual(read(self.path('here.tar')), piped.stdout)
        self.assertEqual(sorted(os.listdir(self.directory)), ['all.tar', 'here.tar'])

    def test_one_shard(self):
        shard = next(s for s in self.server.shards() if s.policy == 'year')
        self.export('legacy', self.path('out'), '--shard', shard.shard)
        self.assertEqual(sorted(os.listdir(self.path('out'))), ['meta.00', f'telegraf.year.{shard.shard:05}.00'])

    def test_refusals_change_nothing(self):
        os.makedirs(self.path('full'))
        with open(self.path('full', 'meta.00'), 'w', encoding='ascii') as file:
            file.write('theirs')
        for form in ('legacy', 'portable'):
            done = self.export(form, self.path('full'), expect=ExitCode.USAGE)
            self.assertIn('is not empty', done.stderr)
        done = self.export('tar', self.path('full', 'meta.00'), expect=ExitCode.USAGE)
        self.assertIn('is there already', done.stderr)
        self.assertEqual(read(self.path('full', 'meta.00')), b'theirs')
        self.assertEqual(os.listdir(self.path('full')), ['meta.00'])
        self.assertIn('--jobs', self.export('tar', self.path('t'), '--jobs', '3', expect=ExitCode.USAGE).stderr)
        done = self.export('portable', '-', expect=ExitCode.USAGE)
        self.assertIn('needs a directory', done.stderr)
        done = self.export('legacy', self.path('new'), '--database', 'nowhere', expect=ExitCode.USAGE)
        self.assertIn("the snapshot has no database 'nowhere'", done.stderr)
        self.assertFalse(os.path.exists(self.path('new')))

    def test_a_database_without_shards_comes_in_the_metastore(self):
        done = self.export('portable', self.path('out'), '--database', 'empty')
        self.assertIn("database 'empty' has no shards", done.stderr)
        self.assertIn('calls that a failure', done.stderr)
        server = self.stopping(Influxd(self.path('server')))
        restored = subprocess.run(['influxd', 'restore', '-portable', '-db', 'empty', '-host', server.snapshot_address,
                                   self.path('out')], capture_output=True, check=False)
        self.assertEqual(restored.returncode, 1)  # as of its own backup of such a database
        self.assertIn('empty', server.databases())
        done = self.export('legacy', self.path('new'), '--database', 'telegraf', '--database', 'nosuch', expect=ExitCode.USAGE)
        self.assertIn("no database 'nosuch'", done.stderr)
        self.assertFalse(os.path.exists(self.path('new')))

    def test_damage_publishes_nothing(self):
        broken = self.path('broken')
        shutil.copytree(self.repo.path, broken)
        for pack in glob.glob(f'{broken}/packs/*/*'):
            with open(pack, 'r+b') as file:
                file.seek(os.path.getsize(pack) // 3)
                file.write(b'damage')
        for form, target in (('legacy', 'l'), ('portable', 'p'), ('tar', 't')):
            options = ['--resurrect-deleted'] if form == 'portable' else []
            done = tsmfs('export', '--repo', broken, '--format', form, *options, self.path(target), expect=ExitCode.DAMAGED)
            self.assertIn('damaged', done.stderr)
            self.assertFalse(os.path.exists(self.path(target)))
        self.assertEqual(os.listdir(self.directory), ['broken'])


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def count(server, measurement, database):
    return sum(row[1] for series in server.query(f'SELECT count(usage_user) FROM {measurement}', database)
               for row in series['values'])


if __name__ == '__main__':
    main()
