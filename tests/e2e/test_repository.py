"""The repository as its user meets it: exit codes, one writer, interruptions, a lost index, damage."""
import errno
import os
import shutil
import signal
import time

from harness import (DAY, EndToEndTest, ExitCode, Influxd, Mount, Proxy, Repo, compare_trees, main, points, stored_files,
                     tsmfs)
from harness import proxy
from harness.program import clean_environment

INTERRUPT_SECONDS_MAX = 5


class WithServer(EndToEndTest):
    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('telegraf')
        cls.server.write('telegraf', points(seconds=4 * DAY, step=120))
        cls.server.flush()
        cls.last_shard = cls.server.shards()[-1].shard

    def setUp(self):
        super().setUp()
        self.repo = Repo(self.path('repository'))

    def assert_sound(self):
        """Everything in the repository is whole and the last snapshot is what the server has."""
        self.repo.check()
        with Mount(self.repo, self.path('mount')) as mount:
            self.assertEqual(compare_trees(self.server.data, mount.path('backups', 'latest')), [])

    def stalled_backup(self):
        """A backup in the background that waits for the last shard's answer: (process, proxy)."""
        through = self.stopping(Proxy(
            self.server, lambda request, attempt: proxy.stall if request.shard == self.last_shard and attempt == 1 else None))
        process = self.repo.start_backup(through)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        through.wait_stalled()
        return process, through


class Usage(WithServer):
    def says_usage(self, *arguments):
        done = tsmfs(*arguments, expect=ExitCode.USAGE)
        self.assertTrue(done.stderr.strip())
        self.assertEqual(done.stdout, '')

    def test_usage_errors(self):
        host, repo = ('--host', self.server.snapshot_address), ('--repo', self.repo.path)
        for arguments in [(), ('no-such-command',), ('backup', *host), ('snapshots',), ('mount', *repo),
                          ('backup', *host, *repo, '--no-such-option'), ('backup', *repo, '--host', '127.0.0.1:port'),
                          ('backup', *repo, '--host', '127.0.0.1:70000'), ('backup', *host, *repo, '--jobs', '0'),
                          ('backup', *host, *repo, '--compression', '20'), ('backup', *host, *repo, '--compression', 'best'),
                          ('backup', *host, *repo, '--timeout', 'soon')]:
            with self.subTest(' '.join(arguments)):
                self.says_usage(*arguments)
        self.assertFalse(os.path.exists(self.repo.path))

    def test_help(self):
        for command in ([], ['backup'], ['snapshots'], ['mount'], ['umount'], ['check'], ['rebuild-index']):
            self.assertIn('tsmfs', tsmfs(*command, '--help').stdout)

    def test_no_repository(self):
        for command in (['snapshots'], ['check'], ['rebuild-index'], ['mount', self.class_directory]):
            done = tsmfs(command[0], '--repo', self.path('absent'), *command[1:], expect=ExitCode.NO_REPOSITORY)
            self.assertIn(self.path('absent'), done.stderr)
        self.assertFalse(os.path.exists(self.path('absent')))

    def test_a_directory_of_other_files_is_left_alone(self):
        os.mkdir(self.repo.path)
        with open(os.path.join(self.repo.path, 'precious'), 'w', encoding='utf-8') as file:
            file.write('mine')
        done = tsmfs(*self.repo.backup_arguments(self.server), expect=None)
        self.assertIn(done.returncode, (ExitCode.USAGE, ExitCode.NO_REPOSITORY))
        self.assertIn(self.repo.path, done.stderr)
        tsmfs('snapshots', '--repo', self.repo.path, expect=ExitCode.NO_REPOSITORY)
        self.assertEqual(self.repo.files(), {'precious': 4})

    def test_an_empty_directory_becomes_a_repository(self):
        os.mkdir(self.repo.path)
        self.repo.backup(self.server)
        self.assert_sound()

    def test_the_repository_by_every_way_of_naming_it(self):
        host = self.server.snapshot_address
        tsmfs('backup', '-host', host, '-repo', self.repo.path)
        tsmfs('backup', '--host', host, '-r', self.repo.path)
        tsmfs('backup', f'-host={host}', self.repo.path)
        environment = clean_environment(TSMFS_REPOSITORY=self.repo.path)
        tsmfs('backup', '-host', host, '-jobs', '1', environment=environment)
        listed = tsmfs('snapshots', '-json', environment=environment).stdout
        self.assertEqual(len(self.repo.snapshots()), 4)
        self.assertEqual(listed.count('"id"'), 4)
        self.assert_sound()

    def test_quiet(self):
        done = tsmfs(*self.repo.backup_arguments(self.server, '--quiet'))
        self.assertEqual(done.stderr, '')
        self.assertRegex(done.stdout, r'(?m)^snapshot [0-9a-f]{8} saved\n\Z')

    def test_snapshots_for_people(self):
        snapshot = self.repo.backup(self.server)
        listed = tsmfs('snapshots', '--repo', self.repo.path).stdout
        for word in (snapshot['id'][:8], snapshot['server'], 'telegraf'):
            self.assertIn(word, listed)

    def test_every_compression_gives_the_bytes_back(self):
        stored = {}
        for level in ('none', 'fast', '1', '19'):
            repo = Repo(self.path(level))
            stored[level] = repo.backup(self.server, '--compression', level)['stored_bytes']
            repo.check()
            with Mount(repo, self.path('mount')) as mount:
                self.assertEqual(compare_trees(self.server.data, mount.path('backups', 'latest')), [])
        self.assertLess(stored['19'], stored['1'])
        self.assertLess(stored['1'], stored['none'])


class OneWriter(WithServer):
    def test_a_second_writer_is_turned_away(self):
        first, through = self.stalled_backup()
        done = tsmfs(*self.repo.backup_arguments(self.server), expect=ExitCode.LOCKED)
        self.assertIn(str(first.pid), done.stderr)
        through.release()
        output, errors = first.communicate(timeout=60)
        self.assertEqual(first.returncode, ExitCode.OK, errors)
        self.assertRegex(output, r'snapshot [0-9a-f]{8} saved')
        self.assertEqual(len(self.repo.snapshots()), 1)
        self.assert_sound()

    def test_readers_go_on_beside_a_writer(self):
        self.repo.backup(self.server)
        process, through = self.stalled_backup()
        self.assert_sound()
        self.assertEqual(len(self.repo.snapshots()), 1)
        through.release()
        process.communicate(timeout=60)
        self.assertEqual(len(self.repo.snapshots()), 2)


class Interruptions(WithServer):
    def ends_with(self, number, exit_code):
        process, _ = self.stalled_backup()
        began = time.monotonic()
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        self.assertLess(time.monotonic() - began, INTERRUPT_SECONDS_MAX)
        self.assertEqual(process.returncode, exit_code)
        self.assertNotIn('saved', output)

    def then_goes_on(self, before):
        """What was there is there still, and the next backup is as any other."""
        self.assertEqual([s['id'] for s in self.repo.snapshots()], before)
        self.repo.backup(self.server)
        self.assertEqual(len(self.repo.snapshots()), len(before) + 1)
        self.assert_sound()

    def test_sigint_in_the_first_backup(self):
        self.ends_with(signal.SIGINT, ExitCode.INTERRUPTED)
        self.then_goes_on([])

    def test_sigterm_in_the_first_backup(self):
        self.ends_with(signal.SIGTERM, ExitCode.INTERRUPTED)
        self.then_goes_on([])

    def test_sigkill_in_the_first_backup(self):
        self.ends_with(signal.SIGKILL, -signal.SIGKILL)
        self.then_goes_on([])

    def test_sigkill_in_a_later_backup(self):
        first = self.repo.backup(self.server)
        self.server.write('telegraf', points(seconds=DAY, step=100, seed=8))
        for _ in range(2):
            self.ends_with(signal.SIGKILL, -signal.SIGKILL)
            self.repo.check()
        self.then_goes_on([first['id']])


class LostIndex(WithServer):
    def setUp(self):
        super().setUp()
        self.repo.backup(self.server)
        self.repo.backup(self.server)
        shutil.rmtree(os.path.join(self.repo.path, 'index'))

    def test_rebuild_index_brings_everything_back(self):
        before = self.repo.snapshots()
        self.repo.rebuild_index()
        self.assertEqual(self.repo.snapshots(), before)
        self.assert_sound()
        self.assertEqual(self.repo.backup(self.server)['new_bytes'], 0)

    def test_commands_that_need_it_say_what_to_do(self):
        os.mkdir(self.path('mount'))
        for arguments in (['check', '--repo', self.repo.path], ['mount', '--repo', self.repo.path, self.path('mount')]):
            done = tsmfs(*arguments, expect=None)
            self.assertNotEqual(done.returncode, ExitCode.OK)
            self.assertIn('rebuild-index', done.stderr)

    def test_a_damaged_index_is_rebuilt_too(self):
        self.repo.rebuild_index()
        for path, size in self.repo.files('index').items():
            if size and os.path.basename(path) != 'LOCK':
                with open(os.path.join(self.repo.path, path), 'r+b') as file:
                    file.write(os.urandom(min(size, 64)))
        self.repo.rebuild_index()
        self.assert_sound()


class Damage(WithServer):
    """One flipped byte in a pack: found by check, and never seen as wrong data through the mount."""

    def setUp(self):
        super().setUp()
        self.repo.backup(self.server)
        self.pack, self.pack_bytes = max(self.repo.files('packs').items(), key=lambda item: item[1])

    def flip(self, at):
        with open(os.path.join(self.repo.path, self.pack), 'r+b') as file:
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 0x04]))

    def read_all(self, mount):
        """({path: bytes} of what can be read, number of EIO)"""
        found, errors = {}, []
        top = mount.path('backups', 'latest')
        for directory, _, names in os.walk(top, onerror=errors.append):
            for name in names:
                path = os.path.join(directory, name)
                try:
                    with open(path, 'rb') as file:
                        found[os.path.relpath(path, top)] = file.read()
                except OSError as error:
                    errors.append(error)
        self.assertEqual({errno.errorcode[e.errno] for e in errors} - {'EIO'}, set())
        return found, len(errors)

    def test_a_flipped_byte_is_found_and_never_served(self):
        whole = stored_files(self.server.data)
        for share in (0.1, 0.5, 0.8):
            with self.subTest(share=share):
                self.flip(int(self.pack_bytes * share))
                done = self.repo.check(expect=ExitCode.DAMAGED)
                self.assertIn(os.path.basename(self.pack)[:8], done.stdout + done.stderr)
                with Mount(self.repo, self.path('mount')) as mount:
                    found, errors = self.read_all(mount)
                self.assertGreater(errors, 0)
                self.assertEqual({p for p in found if found[p] != whole.get(p)}, set())
                self.flip(int(self.pack_bytes * share))
        self.assert_sound()

    def test_a_lost_pack_is_found(self):
        os.remove(os.path.join(self.repo.path, self.pack))
        self.repo.check(expect=ExitCode.DAMAGED)

    def test_a_cut_pack_is_found(self):
        os.truncate(os.path.join(self.repo.path, self.pack), self.pack_bytes - 100)
        self.repo.check(expect=ExitCode.DAMAGED)

    def test_a_damaged_manifest_hides_no_other_snapshot(self):
        second = self.repo.backup(self.server)
        first = next(iter(s for s in self.repo.snapshots() if s['id'] != second['id']))
        path = next(p for p in self.repo.files('snapshots') if first['id'] in p)
        os.truncate(os.path.join(self.repo.path, path), 40)
        listed = tsmfs('snapshots', '--repo', self.repo.path, '--json', expect=None)
        self.assertIn(second['id'], listed.stdout)
        self.assertNotIn(first['time'], listed.stdout)
        self.assertIn(first['id'][:8], listed.stderr)
        self.repo.check(expect=ExitCode.DAMAGED)


if __name__ == '__main__':
    main()
