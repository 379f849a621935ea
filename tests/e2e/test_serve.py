"""`tsmfs serve`: an influxd as of a snapshot answers as the source did, and what is done to it changes nothing else."""
import os
import re
import shutil
import signal

from harness import DAY, HOUR, START, EndToEndTest, ExitCode, Influxd, Mount, Repo, main, points, stored_files, tsmfs
from harness.influxd_client import quote
from harness.past_server import NOTHING, PastServer, leftovers

NAMES = ('telegraf', 'my.db', 'a b, ü:"\'')
LISTS = ('SHOW SERIES', 'SHOW TAG VALUES WITH KEY = region', 'SHOW MEASUREMENTS', 'SHOW TAG KEYS')


def everything(server):
    """As InfluxdClient.answers(), with means, series and tag values."""
    found = server.answers()
    for database in server.databases():
        for statement in LISTS:
            found[database, statement] = [(s.get('name'), sorted(s['values'])) for s in server.query(statement, database)]
        found[database, 'mean'] = server.query('SELECT mean(usage_user) FROM cpu GROUP BY time(1h), host', database)
    return found


class Serve(EndToEndTest):
    """A server backed up, written to, and backed up again; `answers` are what it said at each."""
    index = 'inmem'

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server'), index=cls.index))
        for database in NAMES:
            cls.server.create_database(database)
            cls.server.write(database, points(seconds=2 * DAY, step=600, hosts=2))
        cls.server.create_policy('telegraf', 'other')
        cls.server.write('telegraf', points(seconds=HOUR, step=600, hosts=2), 'other')
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.snapshots, cls.answers = [], []
        for more in ([], points(START + DAY, DAY, 300, 3, seed=2)):
            cls.server.write('telegraf', more)
            cls.snapshots.append(cls.repo.backup(cls.server, '--server', 'db1'))
            cls.server.restart()  # with tsi1 a running server misses series
            cls.answers.append(everything(cls.server))

    def serve(self, *options, repo=None, **how):
        return self.stopping(PastServer(repo or self.repo, self.path('tmp'), *options, **how))

    def asked(self, *command, options=(), expect=ExitCode.OK, **how):
        return tsmfs('serve', '--repo', self.repo.path, *options, '--', *command, expect=expect, **how)

    # ---- answers ----

    def test_every_snapshot_answers_as_the_server_did_beside_the_live_one(self):
        for options in ([], ['--index', 'tsi1'], ['--copy'], ['--copy', '--index', 'tsi1']):
            for snapshot, answers in zip(self.snapshots, self.answers):
                with self.subTest(options=options, snapshot=snapshot['time']):
                    past = self.serve('--snapshot', snapshot['id'], *options)
                    self.assertEqual(past.told['id'], snapshot['id'])
                    self.assertEqual(everything(past), answers)
                    self.assertEqual((past.end_with(signal.SIGTERM), past.said()), (0, ''))
        self.assertEqual(everything(self.server), self.answers[-1])
        self.assertEqual(leftovers(self.path('tmp')), NOTHING)

    def test_the_newest_that_is_not_later_is_served(self):
        self.assertEqual(self.serve().told['id'], self.snapshots[1]['id'])
        self.assertEqual(self.serve('--at', self.snapshots[0]['time']).told['id'], self.snapshots[0]['id'])

    def test_tsi1_is_what_is_asked_for(self):
        for index in ('inmem', 'tsi1'):
            with self.subTest(index):
                past = self.serve('--index', index)
                indexes = [name for name, _, _ in os.walk(past.place) if re.search(r'/\d+/index/\d$', name)]
                past.stop()
                self.assertEqual(bool(indexes), index == 'tsi1')
                past.stop()

    # ---- what is done to it ----

    def digest(self, name):
        with Mount(self.repo, self.path(name)) as mount:
            return {time: stored_files(mount.path('backups', time)) for time in mount.times()}

    def test_writes_and_deletes_change_nothing_but_what_it_answers(self):
        self.repo.check()
        before, files = self.digest('before'), self.repo.files()
        for options in ([], ['--index', 'tsi1'], ['--copy']):
            with self.subTest(options):
                past = self.serve(*options)
                past.write('telegraf', points(START, DAY, 60, 3, seed=7))
                past.write('my.db', points(START + 20 * DAY, HOUR, 60, 3, seed=7))
                past.create_database('new')
                past.write('new', points(seconds=HOUR))
                dropped = past.shards()[0]
                past.query(f'DROP SHARD {dropped.shard}')
                past.query("DELETE FROM cpu WHERE host = 'web-001'", 'telegraf')
                past.query('DROP MEASUREMENT net', 'my.db')
                past.query(f'DROP DATABASE {quote(NAMES[2])}')
                past.create_database(NAMES[2])
                self.assertEqual(past.query('SHOW SERIES', NAMES[2]), [])
                past.write(NAMES[2], ['m f=1 1'])
                self.assertEqual(past.query('SELECT f FROM m', NAMES[2])[0]['values'], [[1, 1]])
                self.assertEqual(past.query("SELECT count(usage_user) FROM cpu WHERE host = 'web-001'", 'telegraf'), [])
                self.assertEqual(past.query('SELECT * FROM net', 'my.db'), [])
                self.assertEqual(past.query('SELECT count(usage_user) FROM cpu', 'new')[0]['values'][0][1], 60 * 5)
                self.assertNotIn(dropped, past.shards())
                self.assertEqual(past.end_with(signal.SIGINT), 0)
        self.assertEqual((self.digest('after'), self.repo.files()), (before, files))
        self.repo.check()
        self.assertEqual(everything(self.serve()), self.answers[-1])

    # ---- a command ----

    def test_the_status_of_a_command_is_passed_on(self):
        for status, script in ((0, 'true'), (7, 'exit 7'), (128 + 9, 'kill -9 $$'), (128 + 15, 'kill -15 $$')):
            self.asked('sh', '-c', script, expect=status)
        for missing in ('/nonexistent/program', 'no-such-program'):
            self.assertIn(f'cannot run {missing}', self.asked(missing, expect=127).stderr)

    def test_a_command_is_told_which_server_it_is(self):
        environment = {**os.environ, 'INFLUX_HOST': 'elsewhere', 'INFLUX_PORT': '1', 'TSMFS_HTTP': 'http://elsewhere:1'}
        for caller in (None, environment):
            done = self.asked('printenv', 'INFLUX_HOST', 'INFLUX_PORT', 'TSMFS_HTTP', environment=caller).stdout.split('\n')
            self.assertEqual((len(done), done[0], done[2]), (4, '127.0.0.1', f'http://127.0.0.1:{done[1]}'))

    def test_a_command_has_its_own_words(self):
        done = self.asked('printf', '[%s]', '', '--', '--json', '-h', 'a b', '{}', '')
        self.assertEqual(done.stdout, '[][--][--json][-h][a b][{}][]')

    def test_influx_asks_the_served_server(self):
        words = ('-database', 'telegraf', '-execute', 'SELECT count(usage_user) FROM cpu', '-format', 'csv')
        for snapshot, answers in zip(self.snapshots, self.answers):
            done = self.asked('influx', *words, options=['--snapshot', snapshot['id']])
            count = sum(value[0][1] for question, value in answers.items()
                        if question[:2] == ('"telegraf"."autogen"."cpu"', 'usage_user'))
            self.assertEqual(done.stdout, f'name,time,count\ncpu,0,{count}\n')
        own = self.asked('influx', '-port', str(self.server.http_port), '-execute', 'SHOW SHARDS')
        self.assertIn('my.db', own.stdout)

    # ---- a part ----

    def test_a_part_is_all_that_is_seen_and_opened(self):
        shards = self.server.shards()
        one = shards[1]
        parts = {**{('--database', name): [s for s in shards if s.database == name] for name in NAMES},
                 ('--database', NAMES[0], '--database', NAMES[2]): [s for s in shards if s.database in (NAMES[0], NAMES[2])],
                 ('--database', 'telegraf', '--retention', 'other'): [s for s in shards if s.policy == 'other'],
                 ('--shard', str(one.shard)): [one]}
        for options, wanted in parts.items():
            for way in ([], ['--index', 'tsi1'], ['--copy']):
                with self.subTest(options=options, way=way):
                    past = self.serve(*options, *way)
                    self.assertEqual(past.shards(), wanted)
                    self.assertEqual(set(past.databases()), {shard.database for shard in wanted})
                    opened = set(re.findall(r'Opened file.* path=.*/(\d+)/[^/]*\.tsm', past.file('influxd.log')))
                    self.assertEqual(opened, {str(shard.shard) for shard in wanted})
                    if '--shard' in options:
                        rows = 'SELECT * FROM cpu WHERE time >= {}s'.format
                        self.assertEqual(past.query(rows(0), 'telegraf'), self.server.query(rows(START + DAY), 'telegraf'))
                        continue
                    for question, answer in past.answers().items():
                        if isinstance(question, tuple) and len(question) == 3:
                            self.assertEqual(answer, self.answers[-1][question])
                    past.stop()

    def test_what_the_snapshot_does_not_have_is_refused(self):
        for options, said in ((['--database', 'absent'], "no database 'absent'"), (['--shard', '999'], 'no shard 999'),
                              (['--at', '2001-01-01'], 'no snapshot is of')):
            done = self.asked('true', options=options, expect=ExitCode.USAGE)
            self.assertIn(said, done.stderr)


class ServeTsi1(Serve):
    """The same of a server whose index of series is tsi1."""
    index = 'tsi1'


class ServeImported(EndToEndTest):
    """What was imported of a server that was killed, with points in its write-ahead log only."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('db')
        cls.server.write('db', points(seconds=DAY, step=600, hosts=2))
        cls.server.flush()
        cls.server.write('db', points(START + DAY // 2, DAY, 600, 2, seed=9))
        cls.answers = everything(cls.server)
        cls.server.process.kill()
        cls.server.stop()

    def imported(self, *options):
        repo = Repo(self.path('repository'))
        home = self.server.home
        tsmfs('import', '--repo', repo.path, '--data-dir', f'{home}/data', '--wal-dir', f'{home}/wal', *options)
        return repo

    def test_points_of_the_log_are_answered_and_stay_in_the_repository(self):
        repo = self.imported('--meta-dir', f'{self.server.home}/meta')
        for options in ([], ['--copy'], ['--index', 'tsi1'], ['--database', 'db']):
            with self.subTest(options):
                past = self.stopping(PastServer(repo, self.path('tmp'), *options))
                self.assertEqual(everything(past), self.answers)
                past.query('DROP MEASUREMENT cpu', 'db')
                self.assertEqual(past.end_with(signal.SIGTERM), 0)
        repo.check()

    def test_without_a_metastore_it_is_refused_unless_one_is_to_be_made(self):
        repo = self.imported()
        done = tsmfs('serve', '--repo', repo.path, '--', 'true', expect=ExitCode.USAGE)
        self.assertIn('--make-metastore', done.stderr)
        for options in ([], ['--copy']):
            past = self.stopping(PastServer(repo, self.path('tmp'), '--make-metastore', *options))
            self.assertEqual(everything(past), self.answers)

    def test_what_influxd_could_not_open_is_said(self):
        home = self.path('home')
        shutil.copytree(self.server.home, home)
        broken = os.path.join(home, 'data', *str(self.server_shard()).split('/'), '000000009-000000001.tsm')
        with open(broken, 'wb') as file:
            file.write(b'no TSM file' * 9)
        repo = Repo(self.path('repository'))
        tsmfs('import', '--repo', repo.path, '--data-dir', f'{home}/data', '--meta-dir', f'{home}/meta', expect=None)
        past = self.stopping(PastServer(repo, self.path('tmp')))
        self.assertEqual(past.end_with(signal.SIGTERM), ExitCode.INCOMPLETE)
        self.assertIn('warning: influxd answers without some of the data: ', past.said())

    def server_shard(self):
        return self.answers['shards'][0]


if __name__ == '__main__':
    main()
