"""The programs that scripts/bench measures: a repository of each, with one way to use them all."""
import os
import subprocess
import sys
import tempfile
import time

READY_SECONDS_MAX = 60


class Run:
    """A command run to its end: wall seconds, processor seconds, peak bytes."""

    def __init__(self, *command, environment=None):
        begin = time.monotonic()
        with open(os.devnull, 'r+b') as null, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(command, stdin=null, stdout=null, stderr=errors, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.seconds = time.monotonic() - begin
            self.processor_seconds = usage.ru_utime + usage.ru_stime
            self.peak_bytes = usage.ru_maxrss * 1024
            if process.returncode not in (0, 3):  # tsmfs 3: a snapshot that lacks something
                errors.seek(0)
                sys.exit(f'{" ".join(command)} ended with {process.returncode}: {errors.read().decode(errors="replace")[-2000:]}')


class Tool:
    """A repository of one backup program. `environment` is what its commands run with."""
    name = ''

    def __init__(self, scratch):
        self.repository = os.path.join(scratch, self.name)
        self.point = os.path.join(scratch, self.name + '-mount')
        self.environment = dict(os.environ)
        self.daemon = None
        os.makedirs(self.point, exist_ok=True)

    def run(self, *command):
        return Run(*command, environment=self.environment)

    def init(self):
        pass

    def mount_command(self):
        raise NotImplementedError

    def newest(self):
        """The newest snapshot's directory in the mount; raises OSError while it is not there."""
        raise NotImplementedError

    def mount(self):
        """Seconds until the newest snapshot can be listed; None if this tool cannot mount here."""
        begin = time.monotonic()
        with open(os.devnull, 'r+b') as null:
            self.daemon = subprocess.Popen(self.mount_command(), stdin=null, stdout=null, stderr=null, env=self.environment)
        while time.monotonic() - begin < READY_SECONDS_MAX and self.daemon.poll() is None:
            try:
                if os.path.ismount(self.point) and os.listdir(self.newest()):
                    return time.monotonic() - begin
            except (OSError, IndexError):
                pass
            time.sleep(0.002)
        self.daemon.kill()
        self.daemon.wait()
        print(f'{self.name}: cannot mount', file=sys.stderr)
        return None

    def resident_bytes(self):
        with open(f'/proc/{self.daemon.pid}/status', encoding='ascii') as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith('VmHWM'))

    def umount(self):
        subprocess.run(['fusermount3', '-u', self.point], check=True)
        self.daemon.wait()


class Tsmfs(Tool):
    name = 'tsmfs'
    program = None
    compression = ()

    def __init__(self, scratch):
        super().__init__(scratch)
        self.begin, self.count = int(time.time()), 0

    def add(self, directory):
        self.count += 1  # a minute for each: what has the time of a snapshot is that snapshot, and skipped
        when = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(self.begin + 60 * self.count))
        return self.run(self.program, 'import', '--repo', self.repository, '--data-dir', directory, '--server', 'bench', '-q',
                        '--time', when, *self.compression)

    def import_backup(self, directory):
        return self.run(self.program, 'import', '--repo', self.repository, '--server', 'bench', '-q', *self.compression, directory)

    def restore(self, target):
        return self.run(self.program, 'restore', '--repo', self.repository, '--datadir', target)

    def mount_command(self):
        return [self.program, 'mount', '--repo', self.repository, '--foreground', self.point]

    def newest(self):
        return os.path.join(self.point, 'backups', 'latest') + '/.'


class TsmfsZstd3(Tsmfs):
    name = 'tsmfs zstd 3'
    compression = ('--compression', '3')


class TsmfsNone(Tsmfs):
    name = 'tsmfs none'
    compression = ('--compression', 'none')


class Restic(Tool):
    name = 'restic'

    def __init__(self, scratch):
        super().__init__(scratch)
        self.environment.update(RESTIC_REPOSITORY=self.repository, RESTIC_PASSWORD='bench',
                                RESTIC_CACHE_DIR=os.path.join(scratch, 'restic-cache'))

    def init(self):
        self.run('restic', 'init', '--repository-version', '2')

    def add(self, directory):
        return self.run('restic', 'backup', '--quiet', directory)

    def restore(self, target):
        return self.run('restic', 'restore', 'latest', '--target', target)

    def mount_command(self):
        return ['restic', 'mount', '--no-lock', self.point]

    def newest(self):
        return os.path.join(self.point, 'snapshots', 'latest') + '/.'


class Borg(Tool):
    name = 'borg'

    def __init__(self, scratch):
        super().__init__(scratch)
        self.environment.update(BORG_REPO=self.repository, BORG_CACHE_DIR=os.path.join(scratch, 'borg-cache'),
                                BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK='yes', BORG_RELOCATED_REPO_ACCESS_IS_OK='yes')
        self.count = 0

    def init(self):
        self.run('borg', 'init', '--encryption', 'none')

    def add(self, directory):
        self.count += 1
        return self.run('borg', 'create', '--compression', 'zstd', f'::{self.count:05}', directory)

    def restore(self, target):
        with_target = ['sh', '-c', f'cd "$1" && exec borg extract ::{self.count:05}', 'sh', target]
        return self.run(*with_target)

    def mount_command(self):
        return ['borg', 'mount', '--foreground', '::', self.point]

    def newest(self):
        return os.path.join(self.point, f'{self.count:05}') + '/.'


class Casync(Tool):
    name = 'casync'

    def __init__(self, scratch):
        super().__init__(scratch)
        self.store, self.count = '--store=' + os.path.join(self.repository, 'store.castr'), 0

    def init(self):
        os.makedirs(self.repository)

    def index(self):
        return os.path.join(self.repository, f'{self.count:05}.caidx')

    def add(self, directory):
        self.count += 1
        return self.run('casync', 'make', self.store, self.index(), directory)

    def restore(self, target):
        return self.run('casync', 'extract', self.store, self.index(), os.path.join(target, 'out'))

    def mount_command(self):
        return ['casync', 'mount', self.store, self.index(), self.point]

    def newest(self):
        return self.point + '/.'


class PlainCopy(Tool):
    """What a copy between two directories of the same disk takes; a bound, not a backup."""
    name = 'cp'

    def init(self):
        os.makedirs(self.repository)
        self.last = None

    def add(self, directory):
        self.last = os.path.join(self.repository, str(len(os.listdir(self.repository))))
        return self.run('cp', '-r', directory, self.last)

    def restore(self, target):
        return self.run('cp', '-r', self.last, target)

    def mount(self):
        return 0.0

    def newest(self):
        return self.last + '/.'

    def resident_bytes(self):
        return 0

    def umount(self):
        pass


ALL_TOOLS = (Tsmfs, TsmfsZstd3, TsmfsNone, Restic, Borg, Casync, PlainCopy)
