"""However `tsmfs serve` ends, nothing of it is left; and what is done to the repository beside it does not reach it."""
import os
import random
import signal
import socket
import subprocess
import time

from harness import HOUR, EndToEndTest, ExitCode, Influxd, Repo, main, points, tsmfs, tsmfs_command, wait_until
from harness.influxd import free_port
from harness.past_server import END_SECONDS_MAX, NOTHING, PastServer, leftovers, processes_of
from harness.program import clean_environment

WAYS = ([], ['--copy'])


class ServeEnds(EndToEndTest):
    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('db')
        cls.server.write('db', points(seconds=HOUR, step=60, hosts=2))
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.snapshot = cls.repo.backup(cls.server)
        cls.answers = cls.server.answers()

    def setUp(self):
        super().setUp()
        self.temporary = self.path('tmp')

    def serve(self, *options, repo=None, **how):
        return self.stopping(PastServer(repo or self.repo, self.temporary, *options, **how))

    def assert_nothing_left(self, seconds=END_SECONDS_MAX):
        try:
            wait_until(lambda: leftovers(self.temporary) == NOTHING, 'nothing to be left', seconds)
        except TimeoutError:
            self.assertEqual(leftovers(self.temporary), NOTHING)

    # ---- signals ----

    def test_signals_end_it_with_status_0_and_nothing_is_left(self):
        for options in WAYS:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                with self.subTest(number.name, options=options):
                    past = self.serve(*options)
                    self.assertEqual((past.end_with(number), past.said(), past.leftovers()), (0, '', NOTHING))

    def test_a_signal_to_all_its_processes_ends_it_the_same(self):
        for options in WAYS:
            with self.subTest(options):
                past = self.serve(*options)
                for process in (past.influxd, past.inner, past.keeper, past.process.pid):
                    os.kill(process, signal.SIGTERM)
                self.assertIn((past.wait(), past.said()), [(0, '')])
                self.assert_nothing_left()

    def test_a_signal_at_any_moment_of_its_start_ends_it(self):
        chance = random.Random(1)
        for turn in range(12):
            delay = chance.uniform(0, 0.4)
            with self.subTest(turn, delay=delay):
                os.makedirs(self.temporary, exist_ok=True)
                process = subprocess.Popen(tsmfs_command('serve', '--repo', self.repo.path, *WAYS[turn % 2]),
                                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                           env=clean_environment(TMPDIR=self.temporary))
                self.addCleanup(process.stderr.close)
                began = time.monotonic()
                wait_until(lambda: time.monotonic() - began > delay, 'a moment', every=0.005)
                process.terminate()
                said = process.communicate(timeout=END_SECONDS_MAX)[1]
                self.assertIn(process.returncode, (0, -signal.SIGTERM, ExitCode.INTERRUPTED), said)
                self.assertLess(time.monotonic() - began, 20)
                self.assert_nothing_left()

    def test_a_command_ends_with_it(self):
        os.makedirs(self.temporary)
        words = ('sh', '-c', 'echo here; exec sleep 1000')
        process = subprocess.Popen(tsmfs_command('serve', '--repo', self.repo.path, '--', *words),
                                   stdout=subprocess.PIPE, env=clean_environment(TMPDIR=self.temporary))
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), b'here\n')
        process.terminate()
        self.assertEqual(process.wait(END_SECONDS_MAX), 128 + signal.SIGTERM)
        self.assert_nothing_left()

    # ---- kill -9 ----

    def test_killing_the_outermost_leaves_nothing(self):
        for options in WAYS:
            with self.subTest(options):
                past = self.serve(*options)
                self.assertEqual(past.end_with(signal.SIGKILL), -signal.SIGKILL)
                self.assert_nothing_left(20)

    def test_killing_another_of_its_processes_ends_it_with_a_failure(self):
        for options in WAYS:
            for name in ('keeper', 'inner'):
                with self.subTest(name, options=options):
                    past = self.serve(*options)
                    os.kill(getattr(past, name), signal.SIGKILL)
                    self.assertEqual(past.wait(), ExitCode.FAILED)
                    self.assert_nothing_left(20)

    def test_killing_all_at_once_leaves_a_directory_that_the_next_removes(self):
        for options in WAYS:
            with self.subTest(options):
                past = self.serve(*options)
                processes = [past.process.pid, past.keeper, past.inner]
                for process in processes:  # in this order, so that nobody has time to clean up
                    os.kill(process, signal.SIGSTOP)
                for process in processes:
                    os.kill(process, signal.SIGKILL)
                past.wait()
                wait_until(lambda: not processes_of(self.temporary), 'its processes to end', 20)
                left = leftovers(self.temporary)
                self.assertEqual((left['mounts'], len(left['files'])), ([], 1))
                following = self.serve()
                self.assertEqual(len(os.listdir(self.temporary)), 1)
                self.assertNotEqual(os.listdir(self.temporary), left['files'])
                following.stop()
                self.assert_nothing_left()

    def test_killing_influxd_ends_it_with_status_5_and_what_it_logged_last(self):
        for options in WAYS:
            with self.subTest(options):
                past = self.serve(*options)
                log = past.file('influxd.log').rstrip().split('\n')
                os.kill(past.influxd, signal.SIGKILL)
                self.assertEqual(past.wait(), ExitCode.NO_SERVER)
                self.assertIn('influxd was killed by signal 9; the last lines of its log:', past.said())
                self.assertIn(log[-1], past.said())
                self.assert_nothing_left()

    def test_a_command_is_ended_when_influxd_is_killed(self):
        os.makedirs(self.temporary)
        done = tsmfs('serve', '--repo', self.repo.path, '--', 'sh', '-c',
                     f'for p in $(pgrep -x influxd); do grep -q {self.temporary} /proc/$p/cmdline && kill -9 $p; done; '
                     'exec sleep 1000', environment=clean_environment(TMPDIR=self.temporary), expect=ExitCode.NO_SERVER)
        self.assertIn('influxd was killed by signal 9', done.stderr)
        self.assert_nothing_left()

    # ---- ports ----

    def test_two_at_once_have_ports_of_their_own(self):
        pasts = [self.serve(*options) for options in ([], ['--copy'], [])]
        self.assertEqual(len({past.port for past in pasts}), 3)
        for past in pasts:
            self.assertEqual(past.answers(), self.answers)

    def test_a_port_that_is_in_use_is_refused(self):
        first = self.serve()
        port = free_port()
        with socket.create_server(('127.0.0.1', port)):
            for taken in (port, first.port, self.server.http_port):
                done = tsmfs('serve', '--repo', self.repo.path, '--http', f'127.0.0.1:{taken}', '--', 'true',
                             expect=ExitCode.LOCKED)
                self.assertIn(f'port {taken} of this machine is in use', done.stderr)
        self.assertEqual(self.serve('--http', f'127.0.0.1:{port}').port, port)

    def test_others_than_this_machine_are_refused(self):
        for where in ('0.0.0.0:8099', '192.0.2.1:8099', 'example.com:8099', '[::]:8099', '127.0.0.1:0', ':8099'):
            done = tsmfs('serve', '--repo', self.repo.path, '--http', where, '--', 'true', expect=ExitCode.USAGE)
            self.assertNotEqual(done.stderr, '')

    # ---- beside other commands ----

    def own_repository(self):
        """A repository with three snapshots, of which the one in the middle is to be served."""
        server = self.stopping(Influxd(self.path('server')))
        server.create_database('db')
        repo, snapshots, answers = Repo(self.path('repository')), [], []
        for seed in (1, 2, 3):
            server.write('db', points(seconds=6 * HOUR, step=60, hosts=3, seed=seed))
            snapshots.append(repo.backup(server))
            answers.append(server.answers())
        return server, repo, snapshots, answers[1]

    def test_backups_forget_and_prune_of_others_go_on_beside_it(self):
        server, repo, snapshots, answers = self.own_repository()
        past = self.serve('--snapshot', snapshots[1]['id'], '--cache', '8M', repo=repo)
        for number, snapshot in enumerate((snapshots[0], snapshots[2])):
            tsmfs('forget', '--repo', repo.path, snapshot['id'])
            tsmfs('prune', '--repo', repo.path, '--max-unused', '0%')
            server.write('db', points(seconds=HOUR, step=60, seed=10 + number))
            repo.backup(server)
            self.assertEqual(past.answers(), answers)
        self.assertEqual((past.end_with(signal.SIGTERM), past.said()), (0, ''))
        repo.check()
        self.assert_nothing_left()

    def test_it_ends_when_its_snapshot_is_forgotten(self):
        _, repo, snapshots, _ = self.own_repository()
        past = self.serve('--snapshot', snapshots[1]['id'], repo=repo)
        tsmfs('forget', '--repo', repo.path, snapshots[1]['id'])
        self.assertEqual(past.wait(), ExitCode.FAILED)
        self.assertIn(f'snapshot {snapshots[1]["id"][:8]} was forgotten while it was served', past.said())
        self.assert_nothing_left()

    # ---- its output ----

    def shell(self, redirection, *words):
        os.makedirs(self.temporary, exist_ok=True)
        command = tsmfs_command('serve', '--repo', self.repo.path, *words)
        return subprocess.run(['bash', '-c', f'"$@" {redirection}', 'sh', *command],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=END_SECONDS_MAX, check=False,
                              env=clean_environment(TMPDIR=self.temporary))

    def test_it_ends_when_where_it_answers_cannot_be_said(self):
        for redirection in ('>/dev/full', '>&-'):
            for words in ([], ['--json']):
                with self.subTest(redirection, words=words):
                    done = self.shell(redirection, *words)
                    self.assertEqual(done.returncode, ExitCode.FAILED)
                    self.assertIn('cannot write the output', done.stderr)
                    self.assert_nothing_left()

    def test_a_command_needs_no_output_of_its_own(self):
        for redirection in ('>&-', '<&-', '2>&-', '<&- >&- 2>&-', '>/dev/full'):
            with self.subTest(redirection):
                self.assertEqual(self.shell(redirection, '--', 'sh', '-c', 'exit 6').returncode, 6)
                self.assert_nothing_left()

    def test_a_reader_that_has_enough_does_not_end_it(self):
        done = self.shell('| true; exit ${PIPESTATUS[0]}', '--json', '--', 'sh', '-c', 'exit 6')
        self.assertEqual(done.returncode, 6)
        self.assert_nothing_left()


if __name__ == '__main__':
    main()
