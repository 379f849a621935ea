"""A mounted repository."""
import os
import signal
import subprocess

from .program import ExitCode, clean_environment, tsmfs, tsmfs_command
from .waiting import wait_until

END_SECONDS_MAX = 20


class Mount:
    """Mounts in __init__, in the background unless foreground=True. A context manager; stop() may be called twice."""

    def __init__(self, repo, point, *options, foreground=False):
        self.point = str(point)
        if not self.is_mounted():  # a dead one cannot be looked at
            os.makedirs(self.point, exist_ok=True)
        arguments = ['mount', '--repo', repo.path, *options, self.point]
        self.process = None
        if foreground:
            with open(self.point + '.log', 'ab') as log:
                self.process = subprocess.Popen(tsmfs_command(*arguments, '--foreground'), stdin=subprocess.DEVNULL,
                                                stdout=log, stderr=log, env=clean_environment())
            wait_until(lambda: self.is_mounted() or self.process.poll() is not None, f'{self.point} to be mounted')
        else:
            tsmfs(*arguments)
        if not self.is_mounted():
            raise AssertionError(f'{self.point} is not mounted')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def is_mounted(self):
        """True also for a dead mount point, which os.path.ismount cannot look at."""
        return is_mount_point(self.point)

    def figure(self, file, name):
        """Of a mount in the foreground: a number from /proc/<pid>/io or /proc/<pid>/status."""
        with open(f'/proc/{self.process.pid}/{file}', encoding='ascii') as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(name + ':'))

    def unmount(self, expect=ExitCode.OK):
        """tsmfs umount."""
        return tsmfs('umount', self.point, expect=expect)

    def end_with(self, signal_number):
        """Sends a signal to a mount in the foreground and returns its exit status."""
        self.process.send_signal(signal_number)
        return self.wait()

    def wait(self):
        """The exit status of a mount in the foreground."""
        return self.process.wait(END_SECONDS_MAX)

    def stop(self):
        if self.is_mounted():
            subprocess.run(['fusermount3', '-u', self.point], stderr=subprocess.DEVNULL, check=False)
        if self.is_mounted():
            subprocess.run(['fusermount3', '-u', '-z', self.point], check=False)
        if self.process and self.process.poll() is None:
            try:
                self.process.wait(END_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGKILL)
                self.process.wait()

    def snapshot(self, snapshot):
        """The directory of a snapshot (as `snapshots --json` shows it) in /backups."""
        paths = [self.path('backups', name) for name in os.listdir(self.path('backups')) if name != 'latest']
        return next(path for path in paths if os.getxattr(path, 'user.tsmfs.snapshot').decode() == snapshot['id'])

    def path(self, *names):
        return os.path.join(self.point, *map(str, names))

    def times(self, *view):
        """The snapshots shown in backups/ (or in another view), oldest first: "-2" comes after the bare second."""
        return sorted((n for n in os.listdir(self.path(*(view or ('backups',)))) if n != 'latest'),
                      key=lambda n: (n[:20], len(n), n))

    def shard(self, time, shard):
        return self.path('backups', time, shard.database, shard.policy, shard.shard)


def unmount_below(directory):
    """Takes off, from the last to the first, whatever a failed test left mounted in a scratch directory."""
    for point in reversed(mount_points()):
        if point.startswith(os.path.realpath(directory) + '/'):
            subprocess.run(['fusermount3', '-u', '-z', point], check=False)


def mount_points():
    with open('/proc/self/mountinfo', encoding='utf-8', errors='surrogateescape') as mounts:
        return [line.split(' ')[4].replace('\\040', ' ').replace('\\134', '\\') for line in mounts]


def is_mount_point(path):
    real = os.path.realpath(os.path.dirname(path)) + '/' + os.path.basename(path)
    return real in mount_points()
