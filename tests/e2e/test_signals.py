"""Signals end a command, but for those that it was started to ignore; a closed pipe is an error like another."""
import fcntl
import itertools
import os
import signal
import subprocess

from harness import EndToEndTest, ExitCode, main, tsmfs, wait_until
from harness.program import clean_environment, tsmfs_command

SECONDS_MAX = 60


class Signals(EndToEndTest):
    def setUp(self):
        super().setUp()
        shard = self.path('data', 'db', 'rp', '1')
        os.makedirs(shard)
        with open(os.path.join(shard, '000000001-000000001.tsm'), 'w', encoding='utf-8') as out:
            out.write('one')
        self.arguments = ['import', '--repo', self.path('repository'), '--server', 's', '--data-dir', self.path('data')]
        self.hours = itertools.count()
        tsmfs(*self.arguments, *self.next_time())

    def next_time(self):
        return ['--time', f'2026-01-01T{next(self.hours):02}:00:00Z']

    def start_waiting(self, ignored=()):
        """An import that waits for the writer's lock, which is returned, started with these signals ignored."""
        lock = open(self.path('repository', 'locks', 'writer'), 'rb')
        self.addCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)

        def ignore():
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)

        process = subprocess.Popen(
            tsmfs_command(*self.arguments, *self.next_time(), '--lock-wait', str(SECONDS_MAX)),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors='replace',
            env=clean_environment(), preexec_fn=ignore)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn('waiting', process.stderr.readline())
        return process, lock

    def test_a_signal_ends_it(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                process, lock = self.start_waiting()
                process.send_signal(number)
                self.assertEqual(process.wait(SECONDS_MAX), ExitCode.INTERRUPTED)
                lock.close()

    def test_a_signal_that_was_ignored_at_its_start_stays_ignored(self):
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(ignored.name):
                process, lock = self.start_waiting([ignored])
                for _ in range(3):
                    process.send_signal(ignored)
                lock.close()
                self.assertIn(process.wait(SECONDS_MAX), (ExitCode.OK, ExitCode.INCOMPLETE))

    def test_the_others_end_it_then(self):
        process, _ = self.start_waiting([signal.SIGHUP, signal.SIGINT])
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
        self.assertEqual(process.wait(SECONDS_MAX), ExitCode.INTERRUPTED)

    def test_nohup_and_background_jobs_of_scripts(self):
        for name, script in (('nohup', 'exec nohup {} 2>{} >/dev/null'), ('background', '{} 2>{} & wait $!')):
            with self.subTest(name), open(self.path('repository', 'locks', 'writer'), 'rb') as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                command = ' '.join(tsmfs_command(*self.arguments, *self.next_time(), '--lock-wait', str(SECONDS_MAX)))
                said = self.path(name + '.err')
                shell = subprocess.Popen(['sh', '-c', script.format(command, said)], stdin=subprocess.DEVNULL,
                                         env=clean_environment(), start_new_session=True)
                wait_until(lambda: os.path.exists(said) and 'waiting' in self.read(said), 'the import to wait')
                if name == 'nohup':
                    shell.send_signal(signal.SIGHUP)
                else:
                    child = self.read(f'/proc/{shell.pid}/task/{shell.pid}/children').split()[0]
                    os.kill(int(child), signal.SIGINT)
                fcntl.flock(lock, fcntl.LOCK_UN)
                self.assertIn(shell.wait(SECONDS_MAX), (ExitCode.OK, ExitCode.INCOMPLETE), self.read(said))

    @staticmethod
    def read(path):
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()


if __name__ == '__main__':
    main()
