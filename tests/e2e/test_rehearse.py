"""tsmfs rehearse: a snapshot that boots and answers what it holds is sound; any other is not, and it is said what differs."""
import json
import os
import shutil
import stat

from harness import EndToEndTest, ExitCode, Influxd, Repo, main, tsmfs
from harness.program import clean_environment

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
        (found,) = self.rehearse('--influxd', self.influxd_that('sleep 60; exit 1'), '--timeout', '1', expect=ExitCode.DAMAGED)
        self.assertIn('influxd does not answer', found['error'])
        self.assertFalse(self.repo.snapshots()[0]['rehearsed']['sound'])

    def test_a_live_server_that_has_other_points_is_named(self):
        server = self.source()
        self.repo.backup(server)
        (found,) = self.rehearse('--compare', server.http_address)
        self.assertTrue(found['sound'], found)
        self.assertEqual(found['compared_shards'], 3)
        server.query('DELETE FROM m WHERE time = %d' % (BEGIN + 400 * HOUR), database='my.db x')
        (found,) = self.rehearse('--compare', server.url, expect=ExitCode.DAMAGED)
        self.assertEqual([(one['measurement'], one['stored'], one['answered']) for one in found['differences']], [('m', '10', '9')])

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
