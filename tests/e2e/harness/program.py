"""The tsmfs program under test, and a repository as its user sees it."""
import enum
import json
import os
import re
import subprocess

COMMAND_SECONDS_MAX = 180


class ExitCode(enum.IntEnum):
    OK = 0
    DAMAGED = 1
    USAGE = 2
    INCOMPLETE = 3
    FAILED = 4
    NO_SERVER = 5
    NO_REPOSITORY = 10
    LOCKED = 11
    IN_USE = 12
    TAKEN = 13
    INTERRUPTED = 130


def tsmfs_command(*arguments):
    return [os.environ['TSMFS_BINARY'], *map(str, arguments)]


def clean_environment(**changes):
    environment = {k: v for k, v in os.environ.items() if k != 'TSMFS_REPOSITORY'}
    environment.update(changes)
    return environment


def tsmfs(*arguments, expect=ExitCode.OK, environment=None, directory=None):
    """Runs tsmfs, in `directory`, to its end. Raises AssertionError when it ends otherwise than with `expect` (None: any)."""
    done = subprocess.run(tsmfs_command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors='replace', timeout=COMMAND_SECONDS_MAX, env=environment or clean_environment(), cwd=directory)
    if expect is not None and done.returncode != expect:
        raise AssertionError(f'tsmfs {" ".join(map(str, arguments))} ended with {done.returncode}, not {int(expect)}\n'
                             f'--- stdout\n{done.stdout}--- stderr\n{done.stderr}')
    return done


class Repo:
    """A repository directory. It comes into being with the first backup."""

    def __init__(self, path):
        self.path = str(path)

    def backup(self, server, *options, expect=ExitCode.OK):
        """Backs up `server` (an Influxd, or an address) and returns the new snapshot as `snapshots --json` shows it, or
        None when none was kept."""
        return self.backup_output(server, *options, expect=expect)[0]

    def backup_output(self, server, *options, expect=ExitCode.OK):
        """As backup(), with the finished process: (snapshot, process)."""
        done = tsmfs(*self.backup_arguments(server, *options), expect=expect)
        saved = re.search(r'^snapshot ([0-9a-f]{8}) saved(, partial)?(, incomplete)?$', done.stdout.strip().split('\n')[-1])
        if not saved:
            if expect in (ExitCode.OK, ExitCode.INCOMPLETE):
                raise AssertionError(f'no "snapshot … saved" at the end of:\n{done.stdout}')
            return None, done
        return self.snapshot(saved.group(1)), done

    def backup_arguments(self, server, *options):
        return ['backup', '--host', getattr(server, 'snapshot_address', server), '--repo', self.path, *options]

    def start_backup(self, server, *options):
        """A backup in the background, as a Popen with text pipes."""
        return subprocess.Popen(tsmfs_command(*self.backup_arguments(server, *options)), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace',
                                env=clean_environment())

    def snapshots(self):
        """All snapshots, oldest first."""
        return json.loads(tsmfs('snapshots', '--repo', self.path, '--json').stdout)

    def snapshot(self, short_id):
        found = [s for s in self.snapshots() if s['id'].startswith(short_id)]
        if len(found) != 1:
            raise AssertionError(f'{len(found)} snapshots begin with {short_id}')
        return found[0]

    def check(self, expect=ExitCode.OK):
        return tsmfs('check', '--repo', self.path, '--read-data', expect=expect)

    def rebuild_index(self):
        return tsmfs('rebuild-index', '--repo', self.path)

    def files(self, folder='.'):
        """{path from the repository: size} of the files in a folder."""
        found = {}
        for directory, _, names in os.walk(os.path.join(self.path, folder)):
            for name in names:
                path = os.path.join(directory, name)
                found[os.path.relpath(path, self.path)] = os.path.getsize(path)
        return found
