"""Each command's help reads well, 80 columns and an example; and each can be quiet."""
import os
import shutil

from harness import HOUR, EndToEndTest, ExitCode, Influxd, Repo, main, points, tsmfs

COMMANDS = ['backup', 'import', 'snapshots', 'mount', 'umount', 'check', 'rebuild-index', 'restore', 'export', 'forget',
            'prune', 'repair', 'tag', 'copy', 'serve', 'rehearse']
COLUMNS_MAX = 80


class Help(EndToEndTest):
    def test_fits_a_terminal_and_shows_an_example(self):
        for words in [[]] + [[command] for command in COMMANDS]:
            with self.subTest(command=words):
                text = tsmfs(*words, '--help').stdout
                self.assertEqual([line for line in text.splitlines() if len(line) > COLUMNS_MAX], [])
                self.assertIn('Example', text)

    def test_every_command_can_be_quiet_and_verbose(self):
        subcommands = [['tag', 'add'], ['tag', 'remove'], ['tag', 'accept-missing']]
        for words in [[command] for command in COMMANDS if command != 'tag'] + subcommands:
            with self.subTest(command=words):
                text = tsmfs(*words, '--help').stdout
                self.assertIn('--quiet', text)
                self.assertIn('--verbose', text)

    def test_what_is_no_command_is_named(self):
        for words, parent in ((['cp'], 'tsmfs'), (['cp', '--help'], 'tsmfs'), (['tag', 'cp', '--help'], 'tsmfs tag')):
            with self.subTest(command=words):
                said = tsmfs(*words, expect=ExitCode.USAGE).stderr
                self.assertIn("there is no command 'cp'", said)
                self.assertIn(f'{parent} --help lists them', said)

    def test_names_every_command(self):
        text = tsmfs('--help').stdout
        for command in COMMANDS:
            self.assertIn(f'  {command} ', text)


class Quiet(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.server = self.stopping(Influxd(self.path('server')))
        for database in ('db', 'other'):
            self.server.create_database(database)
            self.server.write(database, points(seconds=HOUR, step=600))
        self.repo, self.done = Repo(self.path('repository')), set()

    def quietly(self, *words, repo=None, behind=()):
        """A command with -q. It says nothing on stderr, though its progress would go there, and ends as it does without."""
        self.done.add(' '.join(words[:2]) if words[0] == 'tag' else words[0])
        with self.subTest(words[0]):
            takes_repo = words[0] not in ('copy', 'umount')
            repository = ['--repo', (repo or self.repo).path] if takes_repo else []
            self.assertEqual(tsmfs(*words, '-q', *repository, *behind).stderr, '')

    def directories(self, ending, home=None):
        return [word for name in ('data', 'meta', 'wal')
                for word in (f'--{name}{ending}', os.path.join(home or self.server.home, name))]

    def test_commands_succeed_without_a_word_of_their_progress(self):
        self.quietly('backup', '--host', self.server.snapshot_address, '--server', 'db1')
        self.server.stop()
        self.quietly('import', '--server', 'db1', *self.directories('-dir'))
        self.quietly('snapshots')
        self.quietly('tag', 'add', 'monday', 'latest')
        self.quietly('tag', 'remove', 'monday', 'latest')
        self.quietly('copy', '--from', self.repo.path, '--to', self.path('copy'))
        imported, = (one['id'] for one in self.repo.snapshots() if not one['dialect'].startswith('influxd'))
        self.quietly('restore', '--snapshot', imported, '--verify', *self.directories('dir', self.path('restored')))
        for form in ('legacy', 'portable', 'tar'):
            self.quietly('export', '--format', form, self.path(form))
        self.quietly('serve', '--server', 'db1', behind=('--', 'true'))
        self.quietly('rehearse', '--server', 'db1')
        self.quietly('forget', '--keep-last', '1')
        self.quietly('prune', '--max-unused', '0%')
        self.quietly('check', '--read-data', '--tsm')
        self.quietly('repair')
        self.quietly('rebuild-index')
        os.mkdir(self.path('mount'))
        self.quietly('mount', self.path('mount'))
        self.quietly('umount', self.path('mount'))
        self.settle_a_missing_shard()
        every = {*COMMANDS, 'tag add', 'tag remove', 'tag accept-missing'} - {'tag'}
        self.assertEqual(every - self.done, set())

    def settle_a_missing_shard(self):
        lacking, missing = Repo(self.path('lacking')), self.server.data + '/other/autogen'
        shard, = os.listdir(missing)
        shutil.rmtree(missing)
        tsmfs('import', '--repo', lacking.path, *self.directories('-dir'), expect=ExitCode.INCOMPLETE)
        self.quietly('tag', 'accept-missing', f'other/autogen/{shard}', 'latest', repo=lacking)


if __name__ == '__main__':
    main()
