"""The commands of InfluxDB's "Backup and restore" page, with tsmfs in the place of influxd, and what they must bring back."""
import os

from harness import DAY, EndToEndTest, Influxd, Mount, Repo, START, compare_trees, main, points, tsmfs

INCREMENTS = 25
COMPACTIONS_MAX = 5


class Page(EndToEndTest):
    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('telegraf')
        cls.server.write('telegraf', points(seconds=2 * DAY, step=600))
        cls.server.create_database('my.db')
        cls.server.write('my.db', points(seconds=DAY, step=900, seed=2))
        cls.server.flush()
        cls.answers = cls.server.answers()

    def setUp(self):
        super().setUp()
        self.repo = Repo(self.path('repository'))

    def backup(self, *words):
        tsmfs('backup', '-host', self.server.snapshot_address, *words, self.repo.path)

    def restored_answers(self, *restores):
        """What a new server says after `tsmfs restore` with each list of options."""
        home = self.path('home')
        for name in ('meta', 'data'):
            os.makedirs(os.path.join(home, name))
        for options in restores:
            tsmfs('restore', *[option.format(home=home) for option in options], self.repo.path)
        return self.stopping(Influxd(home)).answers()

    def of_database(self, answers, name):
        return {q: a for q, a in answers.items() if isinstance(q, tuple) and q[0].startswith(f'"{name}"')}

    def test_a_metastore(self):
        self.backup('-metastore-only')
        answers = self.restored_answers(['-metadir', '{home}/meta'])
        self.assertEqual(answers['databases'], self.answers['databases'])
        self.assertEqual(answers['telegraf', 'policies'], self.answers['telegraf', 'policies'])

    def test_a_database(self):
        self.backup('-database', 'telegraf')
        answers = self.restored_answers(['-metadir', '{home}/meta'], ['-database', 'telegraf', '-datadir', '{home}/data'])
        expected = self.of_database(self.answers, 'telegraf')
        self.assertGreater(len(expected), 10)
        self.assertEqual(self.of_database(answers, 'telegraf'), expected)

    def test_a_policy_since_a_date(self):
        self.backup('-database', 'my.db', '-retention', 'autogen')
        self.backup('-database', 'my.db', '-retention', 'autogen', '-since', '2016-02-01T00:00:00Z')
        self.assertFalse(self.repo.snapshots()[-1]['partial'])
        answers = self.restored_answers(['-metadir', '{home}/meta', '-datadir', '{home}/data', '-database', 'my.db'])
        self.assertEqual(self.of_database(answers, 'my.db'), self.of_database(self.answers, 'my.db'))

    def test_everything(self):
        self.backup()
        answers = self.restored_answers(['-metadir', '{home}/meta', '-datadir', '{home}/data'])
        self.assertEqual(answers, self.answers)


class Increments(EndToEndTest):
    def test_25_increments_show_the_server_as_it_stands(self):
        server = self.stopping(Influxd(self.path('server')))
        server.create_database('telegraf')
        repo = Repo(self.path('repository'))
        for number in range(INCREMENTS):
            server.write('telegraf', [f'cpu,host=h{h} v={number} {(START + number) * 10**9}' for h in range(50)])
            repo.backup(server, '--since', 'last')
        differences = self.differences(server, repo)
        for _ in range(COMPACTIONS_MAX):  # the server compacts when it likes, also between a backup and the comparison
            if not differences:
                break
            repo.backup(server, '--since', 'last')
            differences = self.differences(server, repo)
        self.assertEqual(differences, [])
        snapshots = repo.snapshots()
        self.assertEqual([s['partial'] for s in snapshots], [False] * len(snapshots))
        with Mount(repo, self.path('mount')) as mount:
            self.assertEqual(len(mount.times()), len(snapshots))

    def differences(self, server, repo):
        with Mount(repo, self.path('mount')) as mount:
            return compare_trees(server.data, mount.path('backups', 'latest'))


if __name__ == '__main__':
    main()
