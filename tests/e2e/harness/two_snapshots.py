"""The server and the repository that the tests of the mount look at."""
import os
import subprocess

from .case import EndToEndTest
from .compare import copy_stored_files, stored_files
from .influxd import Influxd
from .points import DAY, HOUR, START, points
from .program import Repo


class TwoSnapshots(EndToEndTest):
    """A server of two databases, backed up, written to in two shards of many, and backed up again.

    `before` and `after` are the server's files at each backup, `expected` is a directory with those of the second."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        for database in ('telegraf', 'my.db'):
            cls.server.create_database(database)
            cls.server.write(database, points(seconds=3 * DAY, step=300))
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.snapshots = [cls.repo.backup(cls.server)]
        cls.before = stored_files(cls.server.data)
        cls.server.write('telegraf', points(START + DAY, HOUR, 60, seed=2))
        cls.server.write('telegraf', points(START + 5 * DAY, HOUR, 60, seed=2))
        cls.snapshots.append(cls.repo.backup(cls.server))
        cls.after = stored_files(cls.server.data)
        cls.expected = os.path.join(cls.class_directory, 'expected')
        copy_stored_files(cls.server.data, cls.expected)


def run(*command):
    """Output of a command that must succeed and say nothing on stderr."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f'{command} ended with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}')
    return done.stdout
