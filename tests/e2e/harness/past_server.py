"""A `tsmfs serve` in the background: the past server, its processes, and what it leaves behind."""
import json
import os
import signal
import subprocess
import threading

from .influxd_client import InfluxdClient
from .mount import mount_points
from .program import clean_environment, tsmfs_command
from .waiting import wait_until

START_SECONDS_MAX = 60
END_SECONDS_MAX = 100  # the keeper's own patience is less


class PastServer(InfluxdClient):
    """Answers after __init__; stop() may be called twice. `temporary` is its TMPDIR, made if it is absent. What it prints
    behind the JSON that says where it answers is in `output` when it has ended, and what it says on stderr in `said()`.
    `wrapper`: words before the program that become it, such as setpriv. `environment`: variables beside the usual ones."""

    def __init__(self, repo, temporary, *options, wrapper=(), environment=None, directory=None):
        super().__init__()
        self.temporary = str(temporary)
        os.makedirs(self.temporary, exist_ok=True)
        self._error_file = self.temporary + '.err'
        words = tsmfs_command('serve', '--repo', getattr(repo, 'path', repo), '--json', *options)
        with open(self._error_file, 'wb') as errors:
            self.process = subprocess.Popen([*wrapper, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                            env=clean_environment(TMPDIR=self.temporary, **environment or {}), cwd=directory)
        self.output = b''
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.told = None
        try:
            wait_until(lambda: self._tell() or self.process.poll() is not None, 'serve to answer', START_SECONDS_MAX, 0.01)
        except TimeoutError:
            self.stop()
            raise
        if self.told is None:
            raise AssertionError(f'serve {options} ended with {self.process.wait()}:\n{self.said()}')

    def _read(self):
        while piece := os.read(self.process.stdout.fileno(), 65536):
            self.output += piece

    def _tell(self):
        try:
            self.told = json.loads(self.output)
        except ValueError:
            return False
        return True

    @property
    def url(self):
        return self.told['http']

    @property
    def port(self):
        return int(self.url.rsplit(':', 1)[1])

    def said(self):
        with open(self._error_file, encoding='utf-8', errors='replace') as said:
            return said.read()

    @property
    def place(self):
        """The directory that it lives in."""
        if 'kept' in self.told:
            return self.told['kept']
        return wait_until(lambda: next((os.path.join(self.temporary, name) for name in os.listdir(self.temporary)
                                        if name.startswith('tsmfs-served-')), None), 'a directory')

    def file(self, name):
        """The text of a file of its directory: influxd.log, influxdb.conf."""
        with open(os.path.join(self.place, name), encoding='utf-8', errors='replace') as text:
            return text.read()

    def log_tail(self):
        return self.said()

    # ---- its processes ----

    @property
    def keeper(self):
        return children(self.process.pid)[0]

    @property
    def inner(self):
        return children(self.keeper)[0]

    @property
    def influxd(self):
        return next(child for child in children(self.inner) if figure(child, 'Name') == 'influxd')

    def end_with(self, number):
        """Sends a signal to the outermost process and returns its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        self.process.wait(END_SECONDS_MAX)
        self._reader.join(END_SECONDS_MAX)
        return self.process.returncode

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            for process in processes_of(self.temporary):
                os.kill(process, signal.SIGKILL)
            self.process.wait()
        self._reader.join(END_SECONDS_MAX)
        self.process.stdout.close()

    def leftovers(self):
        """What is left of servers with this TMPDIR: processes, mounts and files."""
        return leftovers(self.temporary)


def children(process):
    with open(f'/proc/{process}/task/{process}/children', encoding='ascii') as listed:
        return [int(number) for number in listed.read().split()]


def figure(process, name):
    """A line of /proc/<pid>/status."""
    with open(f'/proc/{process}/status', encoding='ascii') as lines:
        return next(line.split(':', 1)[1].strip() for line in lines if line.startswith(name + ':'))


def processes_of(temporary):
    """The numbers of the processes that have this TMPDIR."""
    mark = b'\0TMPDIR=' + os.fsencode(temporary) + b'\0'
    found = []
    for number in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{number}/environ', 'rb') as environment:
                if mark in b'\0' + environment.read():
                    found.append(int(number))
        except OSError:
            pass  # it has ended
    return found


def leftovers(temporary):
    """What servers with this TMPDIR have left: processes, mounts and files."""
    return {'processes': processes_of(temporary), 'files': sorted(os.listdir(temporary)),
            'mounts': [point for point in mount_points() if point.startswith(os.path.realpath(temporary) + '/')]}


NOTHING = {'processes': [], 'files': [], 'mounts': []}
