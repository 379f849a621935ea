"""Each command's help reads well: 80 columns, and an example."""
from harness import EndToEndTest, ExitCode, main, tsmfs

COMMANDS = ['backup', 'import', 'snapshots', 'mount', 'umount', 'check', 'rebuild-index', 'restore', 'export', 'forget',
            'prune', 'repair', 'tag', 'copy']
COLUMNS_MAX = 80


class Help(EndToEndTest):
    def test_fits_a_terminal_and_shows_an_example(self):
        for words in [[]] + [[command] for command in COMMANDS]:
            with self.subTest(command=words):
                text = tsmfs(*words, '--help').stdout
                self.assertEqual([line for line in text.splitlines() if len(line) > COLUMNS_MAX], [])
                self.assertIn('Example', text)

    def test_every_command_can_be_quiet(self):
        subcommands = [['tag', 'add'], ['tag', 'remove'], ['tag', 'accept-missing']]
        for words in [[command] for command in COMMANDS if command != 'tag'] + subcommands:
            with self.subTest(command=words):
                self.assertIn('--quiet', tsmfs(*words, '--help').stdout)

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


if __name__ == '__main__':
    main()
