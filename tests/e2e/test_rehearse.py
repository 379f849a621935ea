"""tsmfs rehearse: a snapshot that boots and answers what it holds is sound; any other is not, and it is said what differs."""
import json
import os
import shutil
import stat
import subprocess
import time

from harness import EndToEndTest, ExitCode, Influxd, Repo, main, tsmfs
from harness.program import clean_environment, tsmfs_command

HOUR = 3600 * 10 ** 9
BEGIN = 1700000000 * 10 ** 9


def lines(measurement, field, values, begin=BEGIN, step=10 ** 9, tag='a'):
    return [f'{measurement},host={tag} {field}={value} {begin + i * step}' for i, value in enumerate(values)]


class Rehearse(EndToEndTest):
    def source(self, **settings):
        server = self.stopping(Influxd(self.path('source'), **settings))
        server.query('CREATE DATABASE telegraf')
        server.query('CREATE RETENTION POLICY "long one" ON telegraf DURATION INF REPLICATION 1')
        server.query('CREATE DATABASE "my.db x"')
        server.write('telegraf', lines('cpu', 'usage', [f'{i}i' for i in range(3000)]))
        server.write('telegraf', lines('cpu', 'usage', ['7i'] * 100, tag='b'))
        server.write('telegraf', lines('we\\ ird\\,one', 'te\\ xt', ['"x"'] * 50) + lines('flags', 'on', ['true', 'false'] * 10))
        server.write('my.db x', lines('m', 'v', [0.5] * 10, begin=BEGIN + 400 * HOUR))
        server.write('my.db x', lines('m', 'v', [0.5] * 7, begin=BEGIN + 4000 * HOUR))  # the same series in another shard
        return server

    def setUp(self):
        super().setUp()
        self.repo = Repo(self.path('repository'))

    def run_rehearse(self, *arguments, expect=ExitCode.OK):
        return tsmfs('rehearse', '--repo', self.repo.path, *arguments, expect=expect)

    def rehearse(self, *arguments, expect=ExitCode.OK):
        return [json.loads(line) for line in self.run_rehearse('--json', *arguments, expect=expect).stdout.splitlines()]

    def imported(self, change, metastore=True):
        """A snapshot of a stopped server's directory in which `change` was made."""
        server = self.source()
        self.repo.backup(server)  # which writes the cache out
        server.stop()
        change(server.data)
        shutil.rmtree(self.repo.path)
        tsmfs('import', '--repo', self.repo.path, '--data-dir', server.data,
              *(['--meta-dir', os.path.dirname(server.meta_db)] if metastore else []), expect=None)

    def influxd_that(self, script):
        """The path of a program that does something before it becomes influxd; its working directory holds data/."""
        path = self.path('influxd-of-the-test')
        with open(path, 'w', encoding='ascii') as file:
            file.write(f'#!/bin/sh\n[ "$1" = version ] && exec influxd version\n{script}\nexec influxd "$@"\n')
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return path

    def check_sound(self, **settings):
        server = self.source(**settings)
        self.repo.backup(server)
        server.query('DELETE FROM cpu WHERE host = \'a\' AND time < %d' % (BEGIN + 500 * 10 ** 9), database='telegraf')
        server.write('telegraf', lines('cpu', 'usage', ['1i'] * 1000, begin=BEGIN + 2500 * 10 ** 9))  # overwrites 500
        server.write('telegraf', lines('gone', 'v', [1.5] * 20))
        server.query('DROP MEASUREMENT flags', database='telegraf')
        self.repo.backup(server)
        server.write('telegraf', lines('gone', 'v', [1.5] * 40))
        server.query('DROP SERIES FROM gone', database='telegraf')
        self.repo.backup(server)
        (found,) = self.rehearse()
        self.assertTrue(found['sound'], found)
        # cpu: 3000 - 500 deleted + 500 more, and 100 of host b; 50 texts, 17 of m
        self.assertEqual(found['points'], 3000 + 100 + 50 + 17)
        self.assertEqual((found['databases'], found['measurements']), (2, 3))
        for index in ('inmem', 'tsi1'):
            (older,) = self.rehearse('--snapshot', self.repo.snapshots()[0]['id'], '--index', index)
            self.assertTrue(older['sound'], older)
            self.assertEqual(older['points'], 3000 + 100 + 50 + 20 + 17)

    def test_deleted_and_overwritten_points_count_as_the_server_counts_them(self):
        self.check_sound()

    def test_a_server_with_tsi1_is_rehearsed_too(self):
        self.check_sound(index='tsi1')

    def test_snapshots_show_it(self):
        self.repo.backup(self.source())
        self.assertNotIn('rehearsed', self.repo.snapshots()[0])
        text = self.run_rehearse().stdout
        self.assertEqual(text.count('\n'), 1)
        self.assertIn(': sound: influxd 1.', text)
        self.assertTrue(self.repo.snapshots()[0]['rehearsed']['sound'])
        self.rehearse('--database', 'my.db x')
        self.rehearse('--sample', '1')
        one = self.repo.snapshots()[0]
        self.assertEqual(one['rehearsed']['extent'], '')  # a part of it does not take the place of all
        self.assertEqual(one['rehearsed_part']['extent'], '1 measurements of each database')
        self.assertIn('rehearsed just now: sound', tsmfs('snapshots', '--repo', self.repo.path).stdout)

    def test_a_shard_that_the_metastore_lacks_is_named(self):
        def copy_shard(data):
            policy = os.path.join(data, 'telegraf', 'autogen')
            shutil.copytree(os.path.join(policy, os.listdir(policy)[0]), os.path.join(policy, '99'))
        self.imported(copy_shard)
        (found,) = self.rehearse(expect=ExitCode.DAMAGED)
        self.assertEqual([problem['path'] for problem in found['problems']], ['telegraf/autogen/99'])
        kept = self.path('kept')
        tsmfs('serve', '--repo', self.repo.path, '--keep', kept, '--', 'true')
        with open(os.path.join(kept, 'influxd.log'), encoding='utf-8') as log:
            text = log.read()
        self.assertIn('telegraf/autogen/', text)
        self.assertNotIn('telegraf/autogen/99', text)  # hidden: influxd would open it for nothing
        self.assertEqual(found['differences'], [])
        self.assertFalse(self.repo.snapshots()[0]['rehearsed']['sound'])

    def test_a_damaged_block_is_named(self):
        def flip(data):
            names = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(data, 'telegraf'))
                     for name in names if name.endswith('.tsm')]
            with open(names[0], 'r+b') as file:
                file.seek(30)
                byte = file.read(1)[0]
                file.seek(30)
                file.write(bytes([byte ^ 0x10]))
        self.imported(flip)
        (found,) = self.rehearse(expect=ExitCode.DAMAGED)
        self.assertFalse(found['sound'])
        self.assertTrue(any('.tsm' in problem['path'] for problem in found['problems']), found)

    def test_a_snapshot_without_a_metastore_needs_one(self):
        self.imported(lambda data: None, metastore=False)
        (found,) = self.rehearse(expect=ExitCode.DAMAGED)
        self.assertIn('--make-metastore', found['error'])
        self.assertFalse(self.repo.snapshots()[0]['rehearsed']['sound'])
        (found,) = self.rehearse('--make-metastore')
        self.assertTrue(found['sound'], found)

    def test_what_the_server_answers_otherwise_is_named_with_both_figures(self):
        self.repo.backup(self.source())
        program = self.influxd_that('rm -r "data/my.db x"/autogen/*/*.tsm')
        (found,) = self.rehearse('--influxd', program, expect=ExitCode.DAMAGED)
        points = [one for one in found['differences'] if one['what'] == 'points']
        self.assertEqual([(one['database'], one['policy'], one['measurement'], one['field'], one['stored'], one['answered'])
                          for one in points], [('my.db x', 'autogen', 'm', 'v', '17', '0')])
        done = self.run_rehearse('--influxd', program, expect=ExitCode.DAMAGED)
        self.assertIn('my.db x.autogen.m.v: points: 17 stored, 0 answered', done.stdout)
        self.assertIn('NOT sound', done.stdout)

    def test_a_server_that_does_not_come_up_is_a_finding(self):
        self.repo.backup(self.source())
        done = self.run_rehearse('--influxd', self.influxd_that('echo no memory; exit 3'), expect=ExitCode.DAMAGED)
        self.assertIn('influxd ended with status 3', done.stderr)
        self.assertIn('no memory', done.stderr)
        self.assertIn('NOT sound', done.stdout)
        self.assertFalse(self.repo.snapshots()[0]['rehearsed']['sound'])

    def test_what_did_not_end_in_time_is_not_on_record(self):
        self.repo.backup(self.source())
        self.rehearse()
        for script in ('sleep 60; exit 1', 'trap "" TERM; sleep 60; exit 1'):
            begin = time.monotonic()
            (found,) = self.rehearse('--influxd', self.influxd_that(script), '--timeout', '2', expect=ExitCode.DAMAGED)
            self.assertLess(time.monotonic() - begin, 50)  # it is not waited for: its end is
            self.assertFalse(found['finished'])
            self.assertFalse(found['sound'])
            self.assertIn('--timeout', found['error'])
            self.assertTrue(self.repo.snapshots()[0]['rehearsed']['sound'])

    def test_a_live_server_that_has_other_points_is_named(self):
        server = self.source()
        self.repo.backup(server)
        (found,) = self.rehearse('--compare', server.http_address)
        self.assertTrue(found['sound'], found)
        self.assertEqual(found['compared_shards'], 3)
        server.query('DELETE FROM m WHERE time = %d' % (BEGIN + 400 * HOUR), database='my.db x')
        (found,) = self.rehearse('--compare', server.url, expect=ExitCode.DAMAGED)
        self.assertEqual([(one['measurement'], one['stored'], one['answered']) for one in found['live_differences']],
                         [('m', '10', '9')])
        self.assertTrue(found['sound'], found)
        text = self.run_rehearse('--compare', server.url, expect=ExitCode.DAMAGED).stdout
        self.assertIn('10 here, 9 on the live server', text)

    def test_a_live_server_that_cannot_be_asked_says_nothing_of_the_snapshot(self):
        server = self.source()
        self.repo.backup(server)
        (found,) = self.rehearse('--compare', '127.0.0.1:1', expect=ExitCode.NO_SERVER)
        self.assertTrue(found['sound'], found)
        self.assertIn('127.0.0.1:1', found['live_error'])
        other = self.stopping(Influxd(self.path('other')))
        other.query('CREATE DATABASE telegraf')
        (found,) = self.rehearse('--compare', other.http_address, expect=ExitCode.INCOMPLETE)
        self.assertEqual(found['compared_shards'], 0)
        self.assertIn('no shard of the snapshot', found['live_error'])
        server.query("CREATE USER ad WITH PASSWORD 'x' WITH ALL PRIVILEGES")
        server.restart(auth=True)
        done = self.run_rehearse('--compare', server.http_address, expect=ExitCode.NO_SERVER)
        self.assertIn('nothing was compared with the live server', done.stderr)
        self.assertIn(': sound: ', done.stdout)
        self.assertTrue(self.repo.snapshots()[0]['rehearsed']['sound'])
        self.run_rehearse('--compare', 'ftp://127.0.0.1', expect=ExitCode.USAGE)

    def test_points_in_the_wrong_shard_are_found(self):
        def swap(data):
            policy = os.path.join(data, 'my.db x', 'autogen')
            one, other = sorted(os.listdir(policy))
            for source, target in ((one, 'x'), (other, one), ('x', other)):
                os.rename(os.path.join(policy, source), os.path.join(policy, target))
        self.imported(swap)
        (found,) = self.rehearse(expect=ExitCode.DAMAGED)
        self.assertEqual(len(found['problems']), 2)
        self.assertIn('outside the times of its shard group', found['problems'][0]['what'])
        self.assertFalse(self.repo.snapshots()[0]['rehearsed']['sound'])

    def test_a_file_of_another_shard_is_found(self):
        def move(data):
            policy = os.path.join(data, 'my.db x', 'autogen')
            one, other = sorted(os.listdir(policy))
            (name,) = [name for name in os.listdir(os.path.join(policy, one)) if name.endswith('.tsm')]
            os.rename(os.path.join(policy, one, name), os.path.join(policy, other, '000000009-000000001.tsm'))
        self.imported(move)
        (found,) = self.rehearse(expect=ExitCode.DAMAGED)
        self.assertIn('outside the times of its shard group', found['problems'][0]['what'])

    def test_of_an_incomplete_snapshot_it_is_said(self):
        self.imported(lambda data: shutil.rmtree(os.path.join(data, 'telegraf')))
        (found,) = self.rehearse(expect=ExitCode.INCOMPLETE)
        self.assertEqual((found['sound'], found['complete'], found['differences']), (False, False, []))
        self.assertIn(': INCOMPLETE: ', self.run_rehearse(expect=ExitCode.INCOMPLETE).stdout)
        record = self.repo.snapshots()[0]['rehearsed']
        self.assertEqual((record['sound'], record['complete']), (False, False))
        self.assertIn('rehearsed just now: INCOMPLETE', tsmfs('snapshots', '--repo', self.repo.path).stdout)

    def test_the_log_of_a_shard_that_has_no_files_is_answered(self):
        server = self.source()
        self.repo.backup(server)
        server.write('my.db x', lines('m', 'v', [0.5] * 20, begin=BEGIN + 4000 * HOUR))
        server.stop()
        shutil.rmtree(self.repo.path)
        policy = os.path.join(server.data, 'my.db x', 'autogen')
        shutil.rmtree(os.path.join(policy, max(os.listdir(policy), key=int)))
        tsmfs('import', '--repo', self.repo.path, '--data-dir', server.data, '--meta-dir', os.path.dirname(server.meta_db),
              '--wal-dir', os.path.join(server.home, 'wal'), expect=ExitCode.INCOMPLETE)
        for how in ([], ['--index', 'tsi1'], ['--copy']):
            (found,) = self.rehearse(*how, expect=ExitCode.INCOMPLETE)
            self.assertEqual(found['differences'], [])
            self.assertEqual(found['points'], 3000 + 100 + 50 + 20 + 10 + 20)

    def test_names_that_queries_have_their_way_with(self):
        server = self.source()
        names = [b'a\0b', b'c\rd', b'_series', b'_fieldKeys', b'_tags', b'a\\\\,b', b'x/y', b'.*', b'"', b"'", b'a\\"b', b'a\\=b']
        fields = [b'a\0b', b'c\rd', b'_name', b'_fieldKey', b'_seriesKey', b'_tagKey', b'/x/', b'*', b'"', b'count_v']
        written = [b'%s v=1 1\n%s v=2 2' % (name, name) for name in names]
        written += [b'fields %s=1 1\nfields %s=2 %d' % (field, field, 400 * HOUR) for field in fields]
        server.write('telegraf', [line.decode(errors='surrogateescape') for line in written])
        self.repo.backup(server)
        for index in ('tsi1', 'inmem'):
            (found,) = self.rehearse('--index', index)
            self.assertTrue(found['sound'], found)
            unasked = '\n'.join(found['unasked'])
            for name in ('_series', '_fieldKeys', 'fields._name', 'fields._fieldKey', 'a\\,b'):
                self.assertIn(name, unasked)
            self.assertNotIn('c\rd', unasked)
            self.assertEqual('a\\=b' in unasked, index == 'inmem')

    def test_many_at_a_time(self):
        self.repo.backup(self.source())
        scratch = self.path('scratch')
        os.mkdir(scratch)
        running = [subprocess.Popen(tsmfs_command('rehearse', '--repo', self.repo.path, '--quiet'), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    env=clean_environment(TMPDIR=scratch)) for _ in range(12)]
        self.assertEqual([(one.communicate()[1], one.returncode) for one in running], [(b'', 0)] * len(running))
        self.assertEqual(os.listdir(scratch), [])

    def test_of_all_servers_the_newest(self):
        server = self.source()
        for name in ('db1', 'db2', 'db1'):
            self.repo.backup(server, '--server', name)
        found = self.rehearse('--all-servers')
        self.assertEqual([(one['server'], one['sound']) for one in found], [('db1', True), ('db2', True)])

    def test_a_repository_that_lost_a_pack_is_not_sound(self):
        self.repo.backup(self.source())
        for folder, _, names in os.walk(os.path.join(self.repo.path, 'packs')):
            for name in names:
                with open(os.path.join(folder, name), 'r+b') as pack:
                    pack.truncate(100)
        (found,) = self.rehearse(expect=ExitCode.DAMAGED)
        self.assertIn('damaged', found['error'])

    def test_nothing_is_left(self):
        self.repo.backup(self.source())
        scratch = self.path('scratch')
        os.mkdir(scratch)
        tsmfs('rehearse', '--repo', self.repo.path, environment=clean_environment(TMPDIR=scratch))
        self.assertEqual(os.listdir(scratch), [])
        with open('/proc/mounts', encoding='utf-8') as mounts:
            self.assertNotIn(scratch, mounts.read())


if __name__ == '__main__':
    main()
