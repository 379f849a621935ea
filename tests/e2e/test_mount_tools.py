"""How the usual tools see a mount: each agrees with the source, and none can write."""
import errno
import mmap
import os
import random
import tarfile

from harness import EndToEndTest, Mount, Repo, TwoSnapshots, compare_trees, differences, main, run, tsmfs


class Tools(TwoSnapshots):
    """cp, rsync, tar, du, find, diff, sha256sum and odd reads agree with the source."""

    @classmethod
    def set_up_class(cls):
        super().set_up_class()
        mount = cls.stop_at_end(Mount(cls.repo, os.path.join(cls.class_directory, 'mount')))
        cls.mounted = mount.path('backups', mount.times()[-1])

    def test_diff(self):
        self.assertEqual(run('diff', '-r', self.expected, self.mounted), '')

    def test_rsync_finds_nothing_to_do(self):
        same = ['rsync', '-an', '--itemize-changes', '--delete', '--no-owner', '--no-group', '--omit-dir-times']
        self.assertEqual(run(*same, self.mounted + '/', self.expected + '/'), '')
        self.assertEqual(run(*same, '-c', self.mounted + '/', self.expected + '/'), '')

    def test_rsync_copies(self):
        run('rsync', '-a', self.mounted + '/', self.path('copy'))
        self.assertEqual(compare_trees(self.server.data, self.path('copy')), [])

    def test_cp_copies_modes_and_times(self):
        run('cp', '-a', self.mounted, self.path('copy'))
        self.assertEqual(compare_trees(self.server.data, self.path('copy')), [])
        for path in self.after:
            copy = os.stat(self.path('copy', path))
            original = os.stat(os.path.join(self.mounted, path))
            self.assertEqual((copy.st_mode, copy.st_mtime_ns), (original.st_mode, original.st_mtime_ns))

    def test_tar(self):
        run('tar', '-C', self.mounted, '-cf', self.path('all.tar'), '.')
        with tarfile.open(self.path('all.tar')) as tar:
            content = {os.path.normpath(m.name): tar.extractfile(m).read() for m in tar if m.isfile()}
        self.assertEqual(differences(self.after, content), [])

    def test_find(self):
        sizes = dict(line.split(' ', 1)[::-1] for line in run('find', self.mounted, '-type', 'f', '-printf', '%s %P\n').splitlines())
        self.assertEqual(sizes, {path: str(len(content)) for path, content in self.after.items()})

    def test_du(self):
        entries = len(run('find', self.mounted).splitlines())
        size = sum(map(len, self.after.values()))
        for option in ('--apparent-size', '--one-file-system'):
            used = int(run('du', '-s', '--block-size=1', option, self.mounted).split()[0])
            self.assertGreaterEqual(used, size)
            self.assertLessEqual(used, size + entries * 8192)

    def test_df(self):
        self.assertIn(os.path.dirname(os.path.dirname(self.mounted)), run('df', self.mounted))

    def test_sha256sum(self):
        def sums(root):
            return [run('sh', '-c', 'cd "$0" && find . -type f -exec sha256sum {} + | sort', root)]
        self.assertEqual(sums(self.mounted), sums(self.expected))

    def test_stat(self):
        for path in self.after:
            ours, theirs = (run('stat', '-c', '%s %Y %F %A', os.path.join(root, path)) for root in (self.mounted, self.expected))
            self.assertEqual(ours, theirs)

    def test_reads_at_any_place(self):
        rng = random.Random(5)
        path, content = max(self.after.items(), key=lambda item: len(item[1]))
        with open(os.path.join(self.mounted, path), 'rb', buffering=0) as file:
            for _ in range(300):
                offset, length = rng.randrange(len(content) + 10), rng.randrange(1, 70000)
                self.assertEqual(os.pread(file.fileno(), length, offset), content[offset:offset + length], (offset, length))

    def test_dd_at_odd_offsets(self):
        path, content = max(self.after.items(), key=lambda item: len(item[1]))
        for size, skip, count in ((1, 0, 17), (3, 1001, 500), (4097, 1, 3), (65537, 0, 10), (1 << 20, 0, 100)):
            with self.subTest(size=size, skip=skip):
                run('dd', 'if=' + os.path.join(self.mounted, path), 'of=' + self.path('piece'), 'status=none', f'bs={size}',
                    f'skip={skip}', f'count={count}')
                with open(self.path('piece'), 'rb') as file:
                    self.assertEqual(file.read(), content[size * skip:size * (skip + count)])

    def test_grep(self):
        def found(root):
            return run('sh', '-c', 'cd "$0" && grep -rlaF usage_idle . | sort', root)
        self.assertIn('.tsm', found(self.mounted))
        self.assertEqual(found(self.mounted), found(self.expected))

    def test_getfattr(self):
        path = next(path for path in self.after if path.endswith('.tsm'))
        mounted = os.path.join(self.mounted, path)
        self.assertEqual(run('getfattr', '--absolute-names', '--only-values', '-n', 'user.tsmfs.snapshot', mounted),
                         self.repo.snapshots()[-1]['id'])

    def test_shared_mapping(self):
        for path, content in self.after.items():
            with open(os.path.join(self.mounted, path), 'rb') as file, \
                    mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ) as mapping:
                self.assertEqual(mapping[:], content)


class Fio(EndToEndTest):
    """fio writes blocks that tell where they belong, and finds each in its place in the mount."""

    def test_random_and_mapped_reads(self):
        shard = self.path('data', 'db', 'rp', '1')
        os.makedirs(shard)
        name = '000000001-000000001.tsm'
        fio = ['fio', '--name=blocks', '--size=16M', '--bs=4k', '--verify=crc32c', '--verify_state_save=0', '--minimal']
        run(*fio, '--filename=' + os.path.join(shard, name), '--rw=write', '--do_verify=0')
        repo = Repo(self.path('repository'))
        tsmfs('import', '--repo', repo.path, '--data-dir', self.path('data'), '--server', 's', '-q')
        mount = self.stopping(Mount(repo, self.path('mount')))
        mounted = mount.path('backups', 'latest', 'db', 'rp', '1', name)
        for engine in ('psync', 'mmap'):
            for order in ('read', 'randread'):
                with self.subTest(engine=engine, order=order):
                    run(*fio, '--filename=' + mounted, '--readonly', '--rw=' + order, '--ioengine=' + engine, '--numjobs=4',
                        '--thread')


class ReadOnly(TwoSnapshots):
    def test_every_way_of_writing_says_erofs(self):
        mount = self.stopping(Mount(self.repo, self.path('mount')))
        shard = mount.path('backups', 'latest', 'telegraf', 'autogen')
        file = os.path.join(mount.path('backups', 'latest'), next(p for p in self.after if p.startswith('telegraf/')))
        attempts = {
            'open to write': lambda: os.open(file, os.O_WRONLY),
            'open to append': lambda: os.open(file, os.O_RDWR | os.O_APPEND),
            'create': lambda: os.open(os.path.join(shard, 'new'), os.O_WRONLY | os.O_CREAT),
            'create at the top': lambda: os.open(mount.path('new'), os.O_WRONLY | os.O_CREAT),
            'truncate': lambda: os.truncate(file, 0),
            'remove': lambda: os.unlink(file),
            'mkdir': lambda: os.mkdir(os.path.join(shard, 'new')),
            'rmdir': lambda: os.rmdir(shard),
            'rename': lambda: os.rename(file, file + '.old'),
            'link': lambda: os.link(file, file + '.link'),
            'symlink': lambda: os.symlink('x', os.path.join(shard, 'new')),
            'chmod': lambda: os.chmod(file, 0o600),
            'chown': lambda: os.chown(file, 1, 1),
            'utime': lambda: os.utime(file, (1, 1)),
        }
        for what, attempt in attempts.items():
            with self.subTest(what), self.assertRaises(OSError) as caught:
                attempt()
            self.assertEqual(errno.errorcode[caught.exception.errno], 'EROFS', what)
        self.assertEqual(compare_trees(self.server.data, mount.path('backups', 'latest')), [])


if __name__ == '__main__':
    main()
