"""What of a server a backup holds: one database, policy or shard, what changed since, a time range; and through ssh."""
import datetime
import json
import os
import stat
import sys
import unittest

from harness import DAY, START, EndToEndTest, ExitCode, Influxd, Mount, Repo, compare_trees, main, stored_files, tsmfs
from harness.program import clean_environment

# Stands in for ssh -N -L: forwards one loopback port, as the real one does, and ends by a signal.
FAKE_SSH = '''#!{python}
import socket, sys, threading
forward = sys.argv[sys.argv.index('-L') + 1]
assert sys.argv[-1] == 'backup@db1', sys.argv
_, port, host, to = forward.rsplit(':', 3)
def copy(a, b):
    while piece := a.recv(65536):
        b.sendall(piece)
    b.shutdown(socket.SHUT_WR)
listener = socket.create_server(('127.0.0.1', int(port)))
while True:
    near, _ = listener.accept()
    far = socket.create_connection((host, int(to)))
    for ends in ((near, far), (far, near)):
        threading.Thread(target=copy, args=ends, daemon=True).start()
'''


# An ssh that ends, after which a process that has its port by chance answers there, for a while.
OTHER_AFTER_SSH = '''#!{python}
import os, signal, socket, sys
port = int(sys.argv[sys.argv.index('-L') + 1].split(':')[1])
ssh = os.getpid()
if os.fork() > 0:
    os._exit(255)
os.closerange(0, 3)
signal.alarm(20)
while os.getppid() == ssh:
    pass
listener = socket.create_server(('127.0.0.1', port))
near, _ = listener.accept()
near.recv(1)
'''

# An ssh that is still to be let in, while another user's process answers at its port.
OTHER_USER_BESIDE_SSH = '''#!{python}
import os, signal, socket, sys
port = int(sys.argv[sys.argv.index('-L') + 1].split(':')[1])
signal.alarm(20)
if os.fork() == 0:
    os.closerange(0, 3)
    signal.alarm(20)
    os.setuid(65534)
    listener = socket.create_server(('127.0.0.1', port))
    while True:
        listener.accept()
signal.pause()
'''


def day_points(day, series=5, count=50):
    return [f'cpu,host=h{h} v={h + t / 7} {(START + day * DAY + t) * 10**9}' for h in range(series) for t in range(count)]


class Filters(EndToEndTest):
    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        for name in ('telegraf', 'my.db'):
            cls.server.create_database(name)
        cls.server.create_policy('telegraf', 'long')
        for day in range(3):
            cls.server.write('telegraf', day_points(day))
            cls.server.write('my.db', day_points(day))
        cls.server.write('telegraf', day_points(0), policy='long')
        # Near the first and the last time that InfluxDB has.
        cls.server.create_database('far')
        cls.server.write('far', [f'm v=1 {-9 * 10**18}', f'm v=2 {9 * 10**18}'])

    def setUp(self):
        super().setUp()
        self.repo = Repo(self.path('repository'))

    def shards(self, *options):
        """The shards that a mount shows of a backup with these options."""
        snapshot = self.repo.backup(self.server, *options)
        with Mount(self.repo, self.path('mount')) as mount:
            shown = mount.snapshot(snapshot)
            shards = {(d, p): sorted(os.listdir(os.path.join(shown, d, p)), key=int)
                      for d in os.listdir(shown) for p in os.listdir(os.path.join(shown, d))}
            self.assertGreater(os.path.getsize(mount.path('meta', 'latest', 'meta.db')), 100)
        return shards, snapshot

    def test_one_database(self):
        shards, snapshot = self.shards('--database', 'my.db')
        self.assertEqual(list(shards), [('my.db', 'autogen')])
        self.assert_says_what_was_asked_for(snapshot, 'database my.db')
        self.assertFalse(snapshot['partial'])

    def test_two_databases(self):
        shards, _ = self.shards('-database', 'my.db', '-database', 'telegraf')
        self.assertEqual({d for d, _ in shards}, {'my.db', 'telegraf'})

    def assert_says_what_was_asked_for(self, snapshot, what):
        self.assertEqual(snapshot['filter'], what)
        self.assertIn(f'only {what}', tsmfs('snapshots', '--repo', self.repo.path).stdout)

    def test_one_policy(self):
        shards, snapshot = self.shards('--database', 'telegraf', '--retention', 'long')
        self.assertEqual(list(shards), [('telegraf', 'long')])
        self.assert_says_what_was_asked_for(snapshot, 'database telegraf, policy long')

    def test_one_shard(self):
        everything, _ = self.shards()
        wanted = everything[('telegraf', 'autogen')][1]
        shards, snapshot = self.shards('--shard', wanted)
        self.assertEqual(shards, {('telegraf', 'autogen'): [wanted]})
        self.assert_says_what_was_asked_for(snapshot, f'shard {wanted}')

    def test_metastore_only(self):
        shards, snapshot = self.shards('--metastore-only')
        self.assertEqual(shards, {})
        self.assertEqual(snapshot['shards'], 0)

    def test_what_is_not_there(self):
        for options in (['--database', 'nope'], ['--database', 'telegraf', '--retention', 'nope'], ['--shard', '999']):
            done = tsmfs(*self.repo.backup_arguments(self.server, *options), expect=ExitCode.USAGE)
            self.assertIn(options[-1], done.stderr)
        done = tsmfs(*self.repo.backup_arguments(self.server, '--database', 'nope'), expect=ExitCode.USAGE)
        self.assertIn('telegraf', done.stderr)
        self.assertFalse(os.path.exists(self.repo.path), 'nothing is made')

    def test_a_time_range(self):
        everything, whole = self.shards()
        first, last = self.time(START + DAY), self.time(START + DAY + 10)
        shards, snapshot = self.shards('--start', first, '--end', last)
        self.assertTrue(snapshot['partial'])
        self.assert_says_what_was_asked_for(snapshot, f'{first} to {last}')
        self.assertEqual(len(shards[('telegraf', 'autogen')]), 1)
        self.assertLess(snapshot['bytes'], whole['bytes'])
        self.assertEqual(len(everything[('telegraf', 'autogen')]), 3)

    def test_a_time_range_that_is_open_reaches_to_the_end_of_all_times(self):
        everything, _ = self.shards('--database', 'far')
        first, last = sorted(everything[('far', 'autogen')], key=int)
        for option, shard in (('--end', first), ('--start', last)):
            with self.subTest(option):
                shards, _ = self.shards('--database', 'far', option, self.time(START))
                self.assertEqual(shards, {('far', 'autogen'): [shard]})

    @staticmethod
    def time(seconds):
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')

    def test_json_is_an_object_a_line(self):
        done = tsmfs(*self.repo.backup_arguments(self.server, '--json'))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual({line['message'] for line in lines[:-1]}, {'shard'})
        self.assertEqual(lines[-1]['message'], 'snapshot')
        self.assertEqual(lines[-1]['shards'], len(lines) - 1)

    def test_quiet_says_the_result_only(self):
        done = tsmfs(*self.repo.backup_arguments(self.server, '--quiet'))
        self.assertEqual(done.stderr, '')
        self.assertEqual(len(done.stdout.splitlines()), 2)

    def test_through_ssh(self):
        os.mkdir(self.path('bin'))
        with open(self.path('bin', 'ssh'), 'w', encoding='utf-8') as out:
            out.write(FAKE_SSH.format(python=sys.executable))
        os.chmod(self.path('bin', 'ssh'), stat.S_IRWXU)
        environment = clean_environment(PATH=self.path('bin') + ':' + os.environ['PATH'])
        tsmfs(*self.repo.backup_arguments(self.server, '--ssh', 'backup@db1'), environment=environment)
        snapshot = self.repo.snapshots()[-1]
        self.assertTrue(snapshot['server'].startswith('db1'))
        with Mount(self.repo, self.path('mount')) as mount:
            self.assertEqual(compare_trees(self.server.data, mount.path('backups', 'latest')), [])

    def backup_fails_with_ssh(self, script):
        """What a backup says whose ssh is this script."""
        os.mkdir(self.path('bin'))
        with open(self.path('bin', 'ssh'), 'w', encoding='utf-8') as out:
            out.write(script)
        os.chmod(self.path('bin', 'ssh'), stat.S_IRWXU)
        environment = clean_environment(PATH=self.path('bin') + ':' + os.environ['PATH'])
        done = tsmfs(*self.repo.backup_arguments(self.server, '--ssh', 'backup@db1'), expect=ExitCode.NO_SERVER,
                     environment=environment)
        self.assertIn('db1', done.stderr)
        self.assertFalse(os.path.exists(self.repo.path))
        return done.stderr

    def test_ssh_that_fails(self):
        self.backup_fails_with_ssh('#!/bin/sh\necho "ssh: no route to host" >&2\nexit 255\n')

    def test_another_process_that_answers_where_ssh_has_ended(self):
        said = self.backup_fails_with_ssh(OTHER_AFTER_SSH.format(python=sys.executable))
        self.assertIn('ended before the tunnel was open', said)

    @unittest.skipUnless(os.geteuid() == 0, 'only root can start a process of another user')
    def test_another_users_process_that_answers_in_the_place_of_ssh(self):
        said = self.backup_fails_with_ssh(OTHER_USER_BESIDE_SSH.format(python=sys.executable))
        self.assertIn("another user's process", said)


class Since(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.server = self.stopping(Influxd(self.path('server')))
        self.server.create_database('telegraf')
        self.server.write('telegraf', day_points(0, count=400))
        self.server.write('telegraf', day_points(1, count=400))
        self.repo = Repo(self.path('repository'))

    def backup(self, *options, expect=ExitCode.OK):
        # A name of its own: a restarted server has another port.
        done = tsmfs(*self.repo.backup_arguments(self.server, '--server', 'db1', '--json', *options), expect=expect)
        return json.loads(done.stdout.splitlines()[-1])

    def expect_the_servers_tree(self, snapshot=None):
        name = snapshot['time'][:19] + 'Z' if snapshot else 'latest'
        with Mount(self.repo, self.path('mount')) as mount:
            self.assertEqual(compare_trees(self.server.data, mount.path('backups', name)), [])

    def age_files(self, seconds=3600):
        """Makes the server's files look older than the margin that --since last leaves. Before a backup: their times are
        what a later one goes by."""
        self.server.flush()
        for directory, _, names in os.walk(self.server.data):
            for name in names:
                path = os.path.join(directory, name)
                before = os.stat(path)
                os.utime(path, (before.st_atime - seconds, before.st_mtime - seconds))

    def test_last_brings_only_what_changed(self):
        self.age_files()
        self.backup()
        self.server.write('telegraf', [line.replace('cpu', 'mem') for line in day_points(1)])
        result = self.backup('--since', 'last')
        self.assertEqual((result['received_files'], result['carried_files']), (1, 2))
        self.assertFalse(result['partial'])
        self.repo.check()
        self.expect_the_servers_tree()

    def test_a_compaction_takes_the_place_of_what_it_merged(self):
        self.age_files()
        self.backup()
        self.server.write('telegraf', day_points(1, count=500))
        self.backup('--since', 'last')
        self.server.restart(compact_cold='2s', flush_cold='1s')
        self.server.wait_compacted()
        result = self.backup('--since', 'last')
        self.assertGreater(result['superseded_files'], 0)
        self.assertEqual(result['problems'], [])
        self.expect_the_servers_tree()

    def expect_deleted(self, statement, *, left):
        """Deletes after a backup, lets influxd compact until a shard has so many files, and backs up what changed: points
        that are gone may not come back."""
        shard = self.server.shards()[0]
        self.age_files()
        self.backup()
        self.server.query(statement, 'telegraf')
        self.server.restart(compact_cold='2s', flush_cold='1s')
        self.server.wait_files(shard, left)
        for directory, _, names in os.walk(self.server.shard_directory(shard)):
            for name in names:  # as if all that had been long ago
                os.utime(os.path.join(directory, name), (START, START))
        # An empty shard that had points is named by every backup until that is accepted.
        result = self.backup('--since', 'last', expect=ExitCode.OK if left else ExitCode.INCOMPLETE)
        self.assertEqual([problem['path'] for problem in result['problems']], [] if left else [str(shard)])
        self.assertFalse(result['partial'])
        self.expect_the_servers_tree(result)

    def test_points_that_were_deleted_do_not_come_back(self):
        self.server.write('telegraf', day_points(0, count=500)[400:])
        self.expect_deleted(f'DELETE FROM cpu WHERE time < {START + 100}s', left=1)

    def test_a_file_of_which_all_points_were_deleted_does_not_come_back(self):
        self.server.flush()
        for day in (0, 1):
            self.server.write('telegraf', [line.replace('cpu', 'mem') for line in day_points(day)])
        self.expect_deleted('DROP MEASUREMENT cpu', left=1)

    def test_a_shard_of_which_all_points_were_deleted_does_not_come_back(self):
        self.expect_deleted(f'DELETE FROM cpu WHERE time < {START + 86400}s', left=0)

    def test_a_delete_that_is_not_compacted_comes_with_what_changed(self):
        self.backup()
        self.age_files()
        self.server.hold_compactions()
        self.server.query(f'DELETE FROM cpu WHERE time < {START + 100}s', 'telegraf')
        result = self.backup('--since', 'last')
        self.assertEqual((result['problems'], result['partial']), ([], False))
        tombstones = [name for name in stored_files(self.server.data) if name.endswith('.tombstone')]
        self.assertEqual(len(tombstones), 1)
        self.expect_the_servers_tree()

    def test_without_a_parent_it_is_partial(self):
        result = self.backup('--since', '2016-02-01T20:02:36+02:00')
        self.assertTrue(result['partial'])
        self.assertTrue(self.repo.snapshots()[-1]['partial'])
        self.assertEqual(self.repo.snapshots()[-1]['extent']['since'][:19], '2016-02-01T18:02:36')

    def test_last_without_a_parent_is_everything(self):
        result = self.backup('--since', 'last')
        self.assertFalse(result['partial'])
        self.expect_the_servers_tree()

    def test_a_time_after_the_parent_leaves_a_gap(self):
        self.backup()
        result = self.backup('--since', '2099-01-01T00:00:00Z')
        self.assertTrue(result['partial'])
        self.assertEqual(len(result['problems']), 1)

    def test_what_is_no_time(self):
        done = tsmfs(*self.repo.backup_arguments(self.server, '--since', 'yesterday'), expect=ExitCode.USAGE)
        self.assertIn('RFC 3339', done.stderr)


if __name__ == '__main__':
    main()
