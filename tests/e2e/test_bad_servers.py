"""Addresses where no influxd answers: exit status 5, a message that names the address, and no snapshot."""
import os
import time

from harness import EndToEndTest, ExitCode, Influxd, Repo, main, points, tsmfs
from harness.influxd import free_port
from harness.listener import Listener

TIMEOUT_SECONDS = 2
SECONDS_MAX = 15  # with --timeout 2


class BadServers(EndToEndTest):
    def refuses(self, address, *options, named=()):
        """Exit status 5 soon, no snapshot, and a message with the words of `named` (the address when there are none)."""
        repo = Repo(self.path('repository'))
        began = time.monotonic()
        snapshot, done = repo.backup_output(address, *options, expect=ExitCode.NO_SERVER)
        self.assertLess(time.monotonic() - began, SECONDS_MAX)
        self.assertIsNone(snapshot)
        for word in named or [address]:
            self.assertIn(word, done.stderr)
        listed = tsmfs('snapshots', '--repo', repo.path, '--json', expect=None)
        self.assertIn((listed.returncode, listed.stdout.strip()), [(ExitCode.OK, '[]'), (ExitCode.NO_REPOSITORY, '')])

    def listener(self, serve):
        return self.stopping(Listener(serve)).address

    def test_nobody_listens(self):
        self.refuses(f'127.0.0.1:{free_port()}')

    def test_a_name_that_does_not_resolve(self):
        self.refuses('no-such-host.invalid:8088', named=['no-such-host.invalid'])

    def test_influxd_s_own_http_port(self):
        server = self.stopping(Influxd(self.path('server')))
        self.refuses(server.http_address)

    def test_a_port_that_answers_http_to_anything(self):
        answer = b'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request'
        self.refuses(self.listener(lambda connection: connection.sendall(answer)))

    def test_a_port_that_accepts_and_closes(self):
        self.refuses(self.listener(lambda connection: None))

    def test_a_port_that_never_answers(self):
        self.refuses(self.listener(lambda connection: connection.recv(1) and time.sleep(SECONDS_MAX)),
                     '--timeout', str(TIMEOUT_SECONDS))

    def test_garbage(self):
        self.refuses(self.listener(lambda connection: connection.sendall(os.urandom(100000))))

    def test_garbage_without_end(self):
        def serve(connection):
            while True:
                connection.sendall(bytes(1 << 20))
        self.refuses(self.listener(serve), '--timeout', str(TIMEOUT_SECONDS))

    def test_a_length_beyond_reason(self):
        magic = bytes.fromhex('0000000059590101')
        self.refuses(self.listener(lambda connection: connection.sendall(magic + b'\x7f' + bytes(7))))

    def test_an_existing_repository_keeps_what_it_has(self):
        server = self.stopping(Influxd(self.path('server')))
        server.create_database('telegraf')
        server.write('telegraf', points(seconds=3600))
        repo = Repo(self.path('repository'))
        repo.backup(server)
        before = repo.snapshots()
        server.stop()
        repo.backup(f'127.0.0.1:{server.snapshot_port}', expect=ExitCode.NO_SERVER)
        self.assertEqual(repo.snapshots(), before)
        repo.check()


if __name__ == '__main__':
    main()
