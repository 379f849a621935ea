"""The directories of a running server are imported: whatever it had acknowledged before is there, though a small database
is written to TSM files, and its WAL removed, again and again while a large one is read."""
import os
import shutil
import threading

from harness import DAY, START, EndToEndTest, Influxd, Mount, Repo, main, points, tsmfs, wait_until

TRIES = 4
LARGE_BYTES = 256 << 20


class Writer(threading.Thread):
    """Writes points with rising times; `written` is the last that the server has acknowledged."""

    def __init__(self, server):
        super().__init__()
        self.server, self.written, self.end, self.failure = server, 0, threading.Event(), None

    def run(self):
        try:
            while not self.end.is_set():
                first = self.written + 1
                lines = [f'small,host=a value={n} {START * 10**9 + n}' for n in range(first, first + 20)]
                self.server.write('a', lines)
                self.written += 20
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def stop(self):
        self.end.set()
        self.join()


class ImportOfARunningServer(EndToEndTest):
    @classmethod
    def set_up_class(cls):
        # Every tick of a second finds a cache that is larger than this, and writes it to a TSM file.
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server'), flush_size='1k'))
        cls.server.create_database('a')
        cls.server.create_database('large')
        cls.server.write('large', points(seconds=DAY, step=3600, hosts=1))

    def write_large_file(self):
        """Of other bytes each time, which takes an import longer than a tick. The server does not look at it."""
        large = next(s for s in self.server.shards() if s.database == 'large')
        with open(os.path.join(self.server.shard_directory(large), '000009999-000000001.tombstone'), 'wb') as out:
            out.write(os.urandom(LARGE_BYTES))

    def test_what_was_acknowledged_before_is_there(self):
        writer = Writer(self.server)
        writer.start()
        self.addCleanup(writer.stop)
        expected = []
        repo = Repo(self.path('repository'))
        home = self.server.home
        for number in range(TRIES):
            self.write_large_file()
            seen = writer.written
            wait_until(lambda: writer.written > seen or writer.failure, 'the server to take points')
            expected.append(writer.written)
            done = tsmfs('import', '--repo', repo.path, '--force', '--server', f'try-{number}', '--data-dir', f'{home}/data',
                         '--meta-dir', f'{home}/meta', '--wal-dir', f'{home}/wal')
            self.assertIn('running', done.stderr)
            self.assertIn('influxd', done.stderr)
        writer.stop()
        self.assertIsNone(writer.failure)
        with Mount(repo, self.path('mount')) as mount:
            for number, written in enumerate(expected):
                with self.subTest(number):
                    self.assertEqual(self.missing(mount, number, written), 0)
        repo.check()

    def missing(self, mount, number, written):
        """How many of the first `written` points are not in the snapshot of a try."""
        copy = self.path(f'restored-{number}')
        self.addCleanup(shutil.rmtree, copy, ignore_errors=True)
        top = ('hosts', f'try-{number}')
        shutil.copytree(mount.path(*top, 'backups', 'latest', 'a'), os.path.join(copy, 'data', 'a'))
        shutil.copytree(mount.path(*top, 'wal', 'latest'), os.path.join(copy, 'wal'))
        os.makedirs(os.path.join(copy, 'meta'))
        shutil.copy(mount.path(*top, 'meta', 'latest', 'meta.db'), os.path.join(copy, 'meta'))
        server = self.stopping(Influxd(copy))
        found = server.query(f'SELECT count("value") FROM "small" WHERE time <= {START * 10**9 + written}', 'a')
        server.stop()
        return written - found[0]['values'][0][1]


if __name__ == '__main__':
    main()
