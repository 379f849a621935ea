"""What the mount shows, whose it is, and its inode numbers."""
import os
import re
import socket
import stat

from harness import (HOUR, EndToEndTest, ExitCode, Influxd, Mount, Repo, TwoSnapshots, compare_trees, differences, main,
                     points, run, stored_files, tsmfs, wait_until)

TIME = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(-[2-9]\d*)?$')


class Tree(TwoSnapshots):
    @classmethod
    def set_up_class(cls):
        super().set_up_class()
        cls.mount = cls.stop_at_end(Mount(cls.repo, os.path.join(cls.class_directory, 'mount')))
        cls.times = cls.mount.times()

    def test_root_holds_the_views(self):
        self.assertEqual(sorted(os.listdir(self.mount.point)), ['backups', 'changes', 'hosts', 'meta'])

    def test_snapshots_are_named_by_their_time(self):
        self.assertEqual(len(self.times), 2)
        for time, snapshot in zip(self.times, self.snapshots):
            self.assertRegex(time, TIME)
            self.assertEqual(time[:19], snapshot['time'][:19])
        for view in ('changes', 'meta'):
            self.assertEqual(self.mount.times(view), self.times)

    def test_latest_is_a_link_to_the_last(self):
        for view in ('backups', 'meta'):
            self.assertEqual(os.readlink(self.mount.path(view, 'latest')), self.times[-1])

    def test_backups_hold_the_whole_data_directory(self):
        self.assertEqual(differences(self.before, stored_files(self.mount.path('backups', self.times[0]))), [])
        self.assertEqual(compare_trees(self.server.data, self.mount.path('backups', self.times[1])), [])

    def test_changes_hold_only_what_came(self):
        changed = {p: content for p, content in self.after.items() if self.before.get(p) != content}
        self.assertEqual(len(changed), 2)
        self.assertEqual(differences(self.before, stored_files(self.mount.path('changes', self.times[0]))), [])
        self.assertEqual(differences(changed, stored_files(self.mount.path('changes', self.times[1]))), [])
        self.assertEqual(os.listdir(self.mount.path('changes', self.times[1])), ['telegraf'])

    def test_meta_holds_the_metastore(self):
        with open(self.server.meta_db, 'rb') as theirs, open(self.mount.path('meta', 'latest', 'meta.db'), 'rb') as ours:
            self.assertEqual(ours.read(), theirs.read())
        self.assertIn('node.json', os.listdir(self.mount.path('meta', self.times[0])))

    def test_hosts_hold_the_same_for_each_server(self):
        server = f'{socket.gethostname()}:{self.server.snapshot_port}'
        self.assertEqual(self.snapshots[0]['server'], server)
        self.assertEqual(os.listdir(self.mount.path('hosts')), [server])
        self.assertEqual(sorted(os.listdir(self.mount.path('hosts', server))), ['backups', 'changes', 'meta'])
        self.assertEqual(self.mount.times('hosts', server, 'backups'), self.times)
        self.assertEqual(compare_trees(self.server.data, self.mount.path('hosts', server, 'backups', 'latest')), [])
        run('diff', '-r', self.mount.path('hosts', server, 'changes', self.times[1]), self.mount.path('changes', self.times[1]))
        run('diff', '-r', self.mount.path('hosts', server, 'meta', 'latest'), self.mount.path('meta', 'latest'))

    def test_names_that_are_not_there_are_not_there(self):
        for path in ('backups/2001-01-01T00:00:00Z', 'hosts/nobody', 'backups/latest/nodb', 'backups/latest/telegraf/autogen/999'):
            with self.assertRaises(FileNotFoundError):
                os.stat(self.mount.path(path))

    def test_at_leads_to_the_newest_that_is_not_later(self):
        self.assertEqual(os.readlink(self.mount.path('at', 'now')), f'../backups/{self.times[-1]}')
        self.assertEqual(os.readlink(self.mount.path('at', self.times[0])), f'../backups/{self.times[0]}')
        self.assertEqual(compare_trees(self.server.data, self.mount.path('at', self.times[-1][:10])), [])
        for absent in ('2001-01-01', '50y-ago', 'yesterday'):
            self.assertFalse(os.path.lexists(self.mount.path('at', absent)), absent)

    def test_attributes_by_name(self):
        for path, content in self.after.items():
            file = self.mount.path('backups', 'latest', path)
            added = self.snapshots[0 if self.before.get(path) == content else 1]
            self.assertEqual(os.getxattr(file, 'user.tsmfs.snapshot').decode(), self.snapshots[1]['id'])
            self.assertEqual(os.getxattr(file, 'user.tsmfs.added').decode(), added['id'], path)
            if path.endswith('.tsm'):
                self.assertGreater(int(os.getxattr(file, 'user.tsmfs.keys')), 0)
                self.assertLess(os.getxattr(file, 'user.tsmfs.min_time'), os.getxattr(file, 'user.tsmfs.max_time'))
            with self.assertRaises(OSError):
                os.getxattr(file, 'user.tsmfs.nothing')

    def test_modes_and_times(self):
        shard = self.mount.path('backups', 'latest', 'telegraf', 'autogen')
        self.assertEqual(stat.filemode(os.stat(shard).st_mode), 'drwxr-xr-x')
        for path in stored_files(self.expected):
            theirs, ours = os.stat(os.path.join(self.expected, path)), os.stat(self.mount.path('backups', 'latest', path))
            self.assertEqual((ours.st_mode, ours.st_size, ours.st_mtime_ns), (theirs.st_mode, theirs.st_size, theirs.st_mtime_ns), path)


class Owner(TwoSnapshots):
    def owners(self, *options):
        with Mount(self.repo, self.path('mount'), *options) as mount:
            paths = [mount.point, mount.path('backups'), mount.path('backups', 'latest', 'telegraf')]
            paths += [os.path.join(mount.path('backups', 'latest'), p) for p in self.after]
            return {(os.stat(p).st_uid, os.stat(p).st_gid) for p in paths}

    def test_files_belong_to_the_one_who_mounts(self):
        self.assertEqual(self.owners(), {(os.getuid(), os.getgid())})

    def test_uid_and_gid(self):
        self.assertEqual(self.owners('-o', 'uid=4321,gid=8765'), {(4321, 8765)})

    def test_owner_by_name(self):
        nobody = (int(run('id', '-u', 'nobody')), int(run('getent', 'group', 'nogroup').split(':')[2]))
        self.assertEqual(self.owners('--owner', 'nobody:nogroup'), {nobody})

    def test_allow_other(self):
        with Mount(self.repo, self.path('mount'), '-o', 'allow_other') as mount, \
                open('/proc/self/mountinfo', encoding='utf-8') as mounts:
            self.assertIn('allow_other', next(line for line in mounts if f' {mount.point} ' in line))

    def test_an_unknown_owner_is_refused(self):
        self.assertIn('nobody-of-this-name', tsmfs('mount', '--repo', self.repo.path, '--owner', 'nobody-of-this-name:nogroup',
                                                   self.directory, expect=ExitCode.USAGE).stderr)


class InodeNumbers(TwoSnapshots):
    def numbers(self):
        with Mount(self.repo, self.path('mount')) as mount:
            lines = run('find', mount.point, '-printf', '%i %P\n').splitlines()
            for directory, _, _ in os.walk(mount.point):
                for entry in os.scandir(directory):
                    self.assertEqual(entry.inode(), entry.stat(follow_symlinks=False).st_ino, entry.path)
        return dict(line.split(' ', 1)[::-1] for line in lines)

    def test_they_are_unique_and_survive_a_remount(self):
        numbers = self.numbers()
        self.assertGreater(len(numbers), 2 * len(self.after))
        self.assertEqual(len(set(numbers.values())), len(numbers), 'two paths share an inode number')
        self.assertEqual(self.numbers(), numbers)

    def test_they_stay_when_a_snapshot_comes(self):
        repo = Repo(self.path('repository'))
        run('cp', '-a', self.repo.path, repo.path)
        with Mount(repo, self.path('mount')) as mount:
            before = {t: os.stat(mount.path('backups', t)).st_ino for t in mount.times()}
        repo.backup(self.server)
        with Mount(repo, self.path('mount')) as mount:
            after = {t: os.stat(mount.path('backups', t)).st_ino for t in mount.times()}
        self.assertEqual(len(after), 3)
        self.assertEqual({t: after[t] for t in before}, before)


class CollidingTimes(EndToEndTest):
    def test_backups_of_one_second_get_names_of_their_own(self):
        server = self.stopping(Influxd(self.path('server')))
        server.create_database('telegraf')
        server.write('telegraf', points(seconds=HOUR))
        repo = Repo(self.path('repository'))
        snapshots = [repo.backup(server) for _ in range(6)]
        with Mount(repo, self.path('mount')) as mount:
            times = mount.times()
            self.assertEqual(len(times), len(snapshots))
            for time, snapshot in zip(times, snapshots):
                self.assertRegex(time, TIME)
                self.assertEqual(time[:19], snapshot['time'][:19])
                self.assertEqual(compare_trees(server.data, mount.path('backups', time)), [])


class LastingNames(EndToEndTest):
    """A name that was shown never leads to another snapshot while the mount lasts."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('telegraf')
        cls.server.write('telegraf', points(seconds=HOUR))
        cls.server.stop()

    def import_as(self, server, time):
        home = self.server.home
        tsmfs('import', '--repo', self.repo.path, '--server', server, '--time', time,
              *(word for name in ('data', 'meta', 'wal') for word in (f'--{name}-dir', f'{home}/{name}')))

    def shown(self, mount):
        """{name: id of the snapshot}"""
        return {name: os.getxattr(mount.path('backups', name), 'user.tsmfs.snapshot').decode() for name in mount.times()}

    def expect_names_to_last(self, times, *options):
        """Each name is forgotten in its turn, and a snapshot of the same time comes in its place."""
        for turn in range(len(times)):
            self.repo = Repo(self.path(f'repository-{turn}'))
            for server, time in zip('ab', times):
                self.import_as(server, time)
            with self.subTest(turn), Mount(self.repo, self.path(f'mount-{turn}'), *options) as mount:
                before = self.shown(mount)
                self.assertEqual(len(before), len(times))
                gone = sorted(before)[turn]
                tsmfs('forget', '--repo', self.repo.path, before[gone], '--allow-last')
                left = {name: snapshot for name, snapshot in before.items() if name != gone}
                wait_until(lambda: len(mount.times()) == len(left), 'the mount to show that one is forgotten')
                self.assertEqual(self.shown(mount), left)
                self.import_as('c', times[turn])
                wait_until(lambda: len(mount.times()) == len(times), 'the mount to show the new one')
                self.assertEqual({name: s for name, s in self.shown(mount).items() if name in before}, left)

    def test_of_two_servers_in_one_second(self):
        self.expect_names_to_last(['2024-03-02T00:00:00Z'] * 2)

    def test_of_a_coarse_time_format(self):
        self.expect_names_to_last(['2024-03-02T00:00:00Z', '2024-03-03T00:00:00Z'], '-o', 'time_format=%Y')


if __name__ == '__main__':
    main()
