"""The base of every end-to-end test: its requirements, a scratch directory, and an end that leaves nothing behind."""
import os
import shutil
import sys
import tempfile
import unittest

from .mount import unmount_below


def missing_requirements():
    """What these tests need and this machine lacks, one phrase each."""
    missing = []
    if not shutil.which('influxd'):
        missing.append('influxd (Debian package influxdb)')
    if not os.access('/dev/fuse', os.R_OK | os.W_OK):
        missing.append('/dev/fuse')
    if not shutil.which('fusermount3'):
        missing.append('fusermount3 (Debian package fuse3)')
    return missing


def require_machine():
    """Skips loudly, or fails when TSMFS_REQUIRE_E2E=1. The program itself is never optional."""
    if not os.access(os.environ.get('TSMFS_BINARY', ''), os.X_OK):
        raise RuntimeError('TSMFS_BINARY must name the tsmfs program, for instance build/release/cli/tsmfs')
    missing = missing_requirements()
    if not missing:
        return
    message = 'NOT RUN, missing on this machine: ' + ', '.join(missing)
    if os.environ.get('TSMFS_REQUIRE_E2E') == '1':
        raise RuntimeError(message)
    print(f'{os.path.basename(sys.argv[0])}: {message}', file=sys.stderr, flush=True)
    raise unittest.SkipTest(message)


class EndToEndTest(unittest.TestCase):
    """Subclasses share what set_up_class makes. `class_directory` and `directory` are scratch, removed at the end."""
    longMessage = True
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        require_machine()
        cls.class_directory = tempfile.mkdtemp(prefix='tsmfs-e2e-')
        cls.addClassCleanup(shutil.rmtree, cls.class_directory, ignore_errors=True)
        cls.addClassCleanup(unmount_below, cls.class_directory)
        cls.set_up_class()

    @classmethod
    def set_up_class(cls):
        """Makes what all tests of the class use; what must be stopped goes to cls.stop_at_end()."""

    @classmethod
    def stop_at_end(cls, thing):
        """Registers thing.stop() for the end of the class and returns the thing."""
        cls.addClassCleanup(thing.stop)
        return thing

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix='test-', dir=self.class_directory)

    def stopping(self, thing):
        """Registers thing.stop() for the end of this test and returns the thing."""
        self.addCleanup(thing.stop)
        return thing

    def path(self, *names):
        return os.path.join(self.directory, *names)


def main():
    """For a test file that is run alone."""
    unittest.main(verbosity=2 if os.environ.get('TSMFS_TEST_VERBOSE') else 1)
