"""A second backup of a server that nothing was written to costs next to nothing, and an open mount shows it at once."""
import base64
import os
import random
import time

from harness import START, EndToEndTest, Influxd, Mount, Repo, compare_trees, main, points, wait_until

SHARE_MAX = 0.001        # of the server's bytes
SECONDS_MAX = 10         # until a mount shows a new snapshot
TEXT_BYTES = 1000
TEXTS = 30000


def incompressible_points():
    rng = random.Random(3)
    return [f'blob,host=a text="{base64.b64encode(rng.randbytes(TEXT_BYTES * 3 // 4)).decode()}" {(START + i) * 10**9}'
            for i in range(TEXTS)]


class IdleBackup(EndToEndTest):
    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('telegraf')
        cls.server.write('telegraf', incompressible_points())
        cls.server.write('telegraf', points())
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.first = cls.repo.backup(cls.server)

    def test_adds_one_manifest_and_less_than_a_thousandth(self):
        before = self.repo.files()
        second = self.repo.backup(self.server)
        after = self.repo.files()
        self.assertGreater(second['bytes'], TEXTS * TEXT_BYTES // 2)
        self.assertEqual(second['bytes'], self.first['bytes'])
        self.assertEqual(second['new_bytes'], 0)
        self.assertLess(second['stored_bytes'], second['bytes'] * SHARE_MAX)
        self.assertLess(sum(after.values()) - sum(before.values()), second['bytes'] * SHARE_MAX, self.growth(before, after))
        added = [p for p in after.keys() - before.keys() if not p.startswith(('index/', 'locks/'))]
        self.assertEqual([os.path.dirname(p) for p in added], ['snapshots'])

    @staticmethod
    def growth(before, after):
        return {p: after.get(p, 0) - before.get(p, 0) for p in after.keys() | before.keys()
                if after.get(p, 0) != before.get(p, 0)}

    def test_an_open_mount_shows_the_new_snapshot_within_seconds(self):
        with Mount(self.repo, self.path('mount')) as mount:
            shown = mount.times()
            latest = os.readlink(mount.path('backups', 'latest'))
            self.assertEqual(latest, shown[-1])
            self.repo.backup(self.server)
            saved = time.monotonic()
            wait_until(lambda: len(mount.times()) == len(shown) + 1, 'the new snapshot in the mount', SECONDS_MAX)
            newest = mount.times()[-1]
            self.assertNotIn(newest, shown)
            wait_until(lambda: os.readlink(mount.path('backups', 'latest')) == newest, 'latest to move', SECONDS_MAX)
            for view in ('changes', 'meta'):
                self.assertIn(newest, mount.times(view))
            self.assertEqual(compare_trees(self.server.data, mount.path('backups', newest)), [])
            self.assertLess(time.monotonic() - saved, 3 * SECONDS_MAX)


if __name__ == '__main__':
    main()
