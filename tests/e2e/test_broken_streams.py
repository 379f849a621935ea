"""Answers that are cut, reset, stalled or glued together: fetched again, and never taken for whole."""
import os
import tarfile
import time

from harness import (DAY, START, EndToEndTest, ExitCode, Influxd, Mount, Proxy, Reply, Repo, compare_trees, differences, main,
                     points, stored_files)
from harness import proxy

TRIES = 5
RETRY_SECONDS_MIN = 15
SHARDS = 6
MEMBERS = 120_000
MEMORY_KIB_MAX = 200 << 10
SAME_SERVER = ('--server', 'db1')  # with or without the proxy, whose port is another


class BrokenStreams(EndToEndTest):
    """A server with six shards of two TSM files each, a small one and a large one."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('telegraf')
        for step in (3600, 60):
            cls.server.write('telegraf', points(START, SHARDS * DAY, step, hosts=4, seed=step))
            cls.server.flush()
        cls.shards = cls.server.shards()
        cls.files = stored_files(cls.server.data)

    def setUp(self):
        super().setUp()
        self.repo = Repo(self.path('repository'))

    def proxy(self, rule, kinds=('shard', 'later', 'metastore', 'database')):
        """Requests of other kinds are passed on: that a cache cannot be seen to be written out costs two minutes."""
        return self.stopping(Proxy(self.server, lambda request, attempt: rule(request, attempt) if request.kind in kinds else None))

    def files_of(self, shard):
        return {p: content for p, content in self.files.items() if os.path.dirname(p) == str(shard)}

    def assert_last_snapshot_whole(self):
        with Mount(self.repo, self.path('mount')) as mount:
            self.assertEqual(compare_trees(self.server.data, mount.path('backups', 'latest')), [])


class BrokenOnce(BrokenStreams):
    """The second answer is whole, so the backup is."""

    def succeeds(self, damage, *options, fetched_again=True):
        broken = self.shards[2].shard

        def rule(request, attempt):
            return damage if (request.kind, request.shard, attempt) == ('shard', broken, 1) else None
        through = self.proxy(rule)
        snapshot = self.repo.backup(through, *options)
        self.assertFalse(snapshot['incomplete'])
        self.assertEqual(snapshot['files'], len(self.files))
        if fetched_again:
            self.assertEqual(through.tries(broken), 2)
        self.assertEqual([through.tries(s.shard) for s in self.shards if s.shard != broken], [1] * (len(self.shards) - 1))
        self.assert_last_snapshot_whole()
        self.repo.check()

    def test_cut_in_a_file(self):
        self.succeeds(proxy.cut_in_first_file)

    def test_cut_in_a_header(self):
        self.succeeds(proxy.cut_in_header)

    def test_cut_between_two_members(self):
        self.succeeds(proxy.cut_between_members)

    def test_cut_before_the_trailer(self):
        self.succeeds(proxy.cut_before_trailer)

    def test_cut_in_the_trailer(self):
        self.succeeds(proxy.cut_in_trailer)

    def test_reset_in_a_file(self):
        self.succeeds(proxy.reset)

    def test_reset_at_once(self):
        self.succeeds(proxy.reset_at_once)

    def test_stalled_in_a_file(self):
        self.succeeds(proxy.stall, '--timeout', '2')

    def test_stalled_before_the_first_byte(self):
        self.succeeds(proxy.stall_at_once, '--timeout', '2')

    def test_bytes_after_the_trailer(self):
        self.succeeds(proxy.bytes_after_trailer)

    def test_a_partial_stream_glued_to_a_whole_one(self):
        self.succeeds(proxy.glued)

    def test_a_stream_glued_at_a_member(self):
        self.succeeds(proxy.glued_at_member, fetched_again=False)

    def test_nothing_at_all(self):
        self.succeeds(proxy.nothing)

    def test_a_flipped_bit(self):
        self.succeeds(proxy.flip)


class BrokenAlways(BrokenStreams):
    """Shards that never come whole are named, and all else is as good as ever."""

    def test_one_shard(self):
        broken = self.shards[1]
        through = self.proxy(lambda request, attempt: proxy.cut_before_trailer if request.shard == broken.shard else None)
        began = time.monotonic()
        snapshot, done = self.repo.backup_output(through, expect=ExitCode.INCOMPLETE)
        self.assertGreaterEqual(time.monotonic() - began, RETRY_SECONDS_MIN)
        self.assertEqual(through.tries(broken.shard), TRIES)
        self.assertIn(str(broken), done.stderr)
        self.assert_incomplete(snapshot, [broken])
        self.assert_others_whole([broken])

    def test_several_shards_after_a_whole_backup(self):
        whole = self.repo.backup(self.server, *SAME_SERVER)
        damages = {self.shards[0]: proxy.cut_in_first_file, self.shards[1]: proxy.nothing,
                   self.shards[2]: proxy.cut_between_members, self.shards[3]: proxy.glued, self.shards[4]: proxy.stall}
        by_id = {shard.shard: damage for shard, damage in damages.items()}
        through = self.proxy(lambda request, attempt: by_id.get(request.shard))
        snapshot = self.repo.backup(through, *SAME_SERVER, '--jobs', '6', '--timeout', '2', expect=ExitCode.INCOMPLETE)
        self.assert_incomplete(snapshot, damages)
        self.assert_others_whole(damages)
        with Mount(self.repo, self.path('mount')) as mount:
            first = mount.times()[0]
            self.assertEqual(first[:19], whole['time'][:19])
            self.assertEqual(compare_trees(self.server.data, mount.path('backups', first)), [])

    def assert_incomplete(self, snapshot, shards):
        self.assertTrue(snapshot['incomplete'])
        missing = [p for p in snapshot['problems'] if p['severity'] == 'incomplete']
        self.assertEqual(sorted('/'.join(p['path'].split('/')[:3]) for p in missing), sorted(map(str, shards)))
        self.assertTrue(all(p['what'] for p in missing))
        self.assertEqual([s['incomplete'] for s in self.repo.snapshots()][-1], True)

    def assert_others_whole(self, broken):
        """All other shards are as on the server; of the broken ones no file with wrong bytes is shown."""
        self.repo.check()
        with Mount(self.repo, self.path('mount')) as mount:
            for shard in self.server.shards():
                shown = {os.path.join(str(shard), p): c for p, c in stored_files_if_any(mount.shard('latest', shard)).items()}
                expected = self.files_of(shard)
                if shard in broken:
                    expected = {p: c for p, c in expected.items() if p in shown}
                self.assertEqual(differences(expected, shown), [])

    def test_shards_that_come_back_smaller_are_reported(self):
        self.repo.backup(self.server, *SAME_SERVER)
        damages = {self.shards[0]: proxy.empty_tar, self.shards[1]: proxy.lose_last_member}
        by_id = {shard.shard: damage for shard, damage in damages.items()}
        through = self.proxy(lambda request, attempt: by_id.get(request.shard))
        snapshot = self.repo.backup(through, *SAME_SERVER, '--jobs', '6', expect=None)
        named = {'/'.join(p['path'].split('/')[:3]) for p in snapshot['problems']}
        self.assertEqual(named, {str(shard) for shard in damages})

    def test_an_unsound_file_is_stored_as_it_is_and_reported(self):
        broken = self.shards[3]
        through = self.proxy(lambda request, attempt: proxy.flip if request.shard == broken.shard else None)
        snapshot = self.repo.backup(through, expect=None)
        self.assertEqual({'/'.join(p['path'].split('/')[:3]) for p in snapshot['problems']}, {str(broken)})
        self.repo.check()
        with Mount(self.repo, self.path('mount')) as mount:
            shown = stored_files(mount.path('backups', 'latest'))
        wrong = differences(self.files, shown)
        self.assertEqual(len(wrong), 1, wrong)
        self.assertIn(str(broken), wrong[0])

    def test_files_that_the_server_will_not_open_are_named(self):
        broken = self.shards[3]
        sound = min(self.files_of(broken).items())[1]
        files = {f'{broken}/{name}.tsm': content for name, content in (
            ('000000001-000000001 2', sound), ('000000009-000000001', b''), ('000000010-000000001', b'NOTS' + sound[4:]),
            ('000000011-000000001', sound[:-20]))}
        through = self.proxy(lambda request, attempt: proxy.with_files(files) if request.shard == broken.shard else None)
        snapshot, done = self.repo.backup_output(through)
        self.assertEqual({p['path'] for p in snapshot['problems']}, set(files))
        for path in files:
            self.assertIn(path, done.stderr)
        with Mount(self.repo, self.path('mount')) as mount:
            self.assertEqual(differences(self.files | files, stored_files(mount.path('backups', 'latest'))), [])


class LatePoints(BrokenStreams):
    """influxd 1.8.5 sends a shard without what is in its cache while it cannot write that out; not within a second."""

    def backup(self, damages):
        """A backup where one shard is answered so: {kind of request: (damage, for so many of them)}."""
        shard = self.shards[2].shard

        def rule(request, attempt):
            damage, times = damages.get(request.kind, (None, 0))
            return damage if request.shard == shard and attempt <= times else None
        snapshot = self.repo.backup(self.proxy(rule, kinds=damages), *SAME_SERVER)
        self.assert_last_snapshot_whole()
        self.assertEqual((snapshot['files'], snapshot['problems']), (len(self.files), []))
        return snapshot['extent']

    def test_what_comes_late_is_laid_over_and_counted(self):
        extent = self.backup({'shard': (proxy.after_a_second(proxy.lose_last_member), 1)})
        self.assertEqual(extent['late'], 1)
        self.repo.check()

    def test_a_cache_that_is_long_being_written_out_is_waited_for(self):
        extent = self.backup({'shard': (proxy.after_a_second(proxy.lose_last_member), 1),
                              'nothing': (proxy.after_a_second(), 3), 'range': (proxy.nothing, 2)})
        self.assertEqual(extent['late'], 1)

    def test_where_nothing_comes_late_nothing_is_said(self):
        self.assertEqual(self.backup({'shard': (proxy.after_a_second(), 1)})['late'], 0)


class WithoutEnd(BrokenStreams):
    def test_members_without_data_fill_no_memory(self):
        broken = self.shards[2]
        names = (f'{broken}/{number:09}-000000001.tsm' for number in range(1, MEMBERS + 1))
        members = b''.join(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT) for name in names)
        through = self.proxy(lambda request, attempt: (lambda answer: Reply(members)) if request.shard == broken.shard else None)
        backup = self.repo.start_backup(through)
        with backup.stdout, backup.stderr:
            output, errors = backup.stdout.read(), backup.stderr.read()
        _, status, usage = os.wait4(backup.pid, 0)
        backup.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(backup.returncode, ExitCode.INCOMPLETE, errors)
        self.assertIn(f'{broken} did not come whole', output + errors)
        self.assertIn('more than 100000 members', output + errors)
        self.assertLess(usage.ru_maxrss, MEMORY_KIB_MAX)


class ChangesMeanwhile(BrokenStreams):
    def test_a_metastore_that_changes_is_recorded(self):
        def rule(request, attempt):
            if request.shard == self.shards[1].shard:
                self.server.create_database('made meanwhile')
        snapshot = self.repo.backup(self.proxy(rule))
        self.assertTrue(snapshot['metastore_changed'])
        self.assertFalse(snapshot['incomplete'])


def stored_files_if_any(directory):
    return stored_files(directory) if os.path.isdir(directory) else {}


if __name__ == '__main__':
    main()
