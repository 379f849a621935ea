"""Output that does not arrive is a failure of every command, but for a reader that has enough of it."""
import json
import os
import subprocess

from harness import EndToEndTest, ExitCode, Influxd, Repo, main, points, tsmfs_command
from harness.program import clean_environment


class LostOutput(EndToEndTest):
    @classmethod
    def set_up_class(cls):
        server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        server.create_database('telegraf')
        server.write('telegraf', points(seconds=3600, step=60))
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        for _ in range(2):
            cls.repo.backup(server)
        cls.commands = [['--help'], ['--version'], ['forget', '--help']] + [
            [*words, '--repo', cls.repo.path]
            for words in (['snapshots'], ['snapshots', '--json'], ['check'], ['check', '--json'], ['prune', '-n', '--json'],
                          ['forget', '-n', '--json', '--keep-last', '1'], ['repair', '-n'], ['rebuild-index'])]

    def run_in_shell(self, words, redirection):
        return subprocess.run(['bash', '-c', f'"$@" {redirection}', 'sh', *tsmfs_command(*words)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=clean_environment(), check=False)

    def test_a_full_disk_is_said(self):
        for words in self.commands:
            with self.subTest(words):
                done = self.run_in_shell(words, '>/dev/full')
                self.assertEqual(done.returncode, ExitCode.FAILED)
                self.assertEqual(done.stderr.splitlines()[-1], 'tsmfs: cannot write the output: No space left on device')

    def test_a_closed_output_is_said_and_no_other_file_takes_its_place(self):
        for words in self.commands:
            with self.subTest(words):
                done = self.run_in_shell(words, '>&-')
                self.assertEqual(done.returncode, ExitCode.FAILED)
                self.assertIn('cannot write the output: Bad file descriptor', done.stderr)
        self.assertEqual(self.run_in_shell(['snapshots', '--repo', self.repo.path], '<&- >&- 2>&-').returncode, ExitCode.FAILED)
        self.repo.check()

    def test_damage_is_more_than_lost_output(self):
        done = self.run_in_shell(['snapshots', '--repo', self.path('absent')], '>/dev/full')
        self.assertEqual(done.returncode, ExitCode.NO_REPOSITORY)

    def test_a_reader_that_has_enough_is_no_failure(self):
        for words in self.commands:
            with self.subTest(words):
                done = self.run_in_shell(words, '| true; exit ${PIPESTATUS[0]}')
                self.assertEqual((done.returncode, [line for line in done.stderr.splitlines() if 'output' in line]),
                                 (ExitCode.OK, []))
        done = self.run_in_shell(['snapshots', '--json', '--repo', self.repo.path], '')
        self.assertEqual(len(json.loads(done.stdout)), 2)


if __name__ == '__main__':
    main()
