"""A server whose shards go, or that does not answer, while a backup of it runs."""
import os
import time

from harness import EndToEndTest, Influxd, Repo, main, points, tsmfs
from harness.listener import Listener
from harness.points import HOUR
from harness.proxy import Proxy
from harness.waiting import wait_until

SHARDS = 150
STALL_SECONDS = 60


class ChangingServer(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.server = self.stopping(Influxd(self.path('server'), retention_check='1s'))
        self.server.create_database('telegraf')
        self.server.write('telegraf', points(seconds=HOUR))
        self.repo = Repo(self.path('repository'))

    def back_up_and_meanwhile(self, drop):
        """Many shards of the policy "short"; drop(their ids) is called at the first request for one of them."""
        self.server.create_policy('telegraf', 'short', '1h')
        self.server.write('telegraf', points(seconds=SHARDS * HOUR, step=HOUR, hosts=1), 'short')
        shards = self.server.shards()
        short = {shard.shard for shard in shards if shard.policy == 'short'}
        self.assertGreaterEqual(len(short), SHARDS)
        dropped = []

        def rule(request, attempt):
            if request.kind == 'shard' and request.shard in short and not dropped:
                dropped.append(request.shard)
                drop(sorted(short))

        through = self.stopping(Proxy(self.server, rule))
        snapshot, done = self.repo.backup_output(through, '--server', 'db1', '--jobs', '1')
        self.assertEqual(len(dropped), 1)
        return snapshot, done, len(shards) - len(short), [r for r in through.requests if r.kind == 'shard']

    def expect_one_look(self, drop):
        snapshot, done, left, requests = self.back_up_and_meanwhile(drop)
        self.assertEqual((snapshot['shards'], snapshot['incomplete']), (left, False))
        self.assertEqual(len(requests), left + 1)
        self.assertIn('dropped by the server during the backup', done.stderr)
        self.assertNotIn('in the metastore', done.stderr)

    def test_a_dropped_policy_costs_one_look_and_not_tries_for_each_of_its_shards(self):
        self.expect_one_look(lambda short: self.server.query('DROP RETENTION POLICY "short" ON "telegraf"'))

    def test_dropped_shards_cost_one_look(self):
        def drop(short):
            for shard in short:
                self.server.query(f'DROP SHARD {shard}')
        self.expect_one_look(drop)

    def test_shards_that_retention_takes_cost_one_look(self):
        def drop(short):
            self.server.query('ALTER RETENTION POLICY "short" ON "telegraf" DURATION 1h')
            directory = os.path.join(self.server.data, 'telegraf', 'short')
            wait_until(lambda: not {str(shard) for shard in short} & set(os.listdir(directory)), 'the server to enforce retention')
        self.expect_one_look(drop)

    def test_a_backup_that_waits_for_its_server_keeps_nobody_from_the_repository(self):
        self.repo.backup(self.server, '--server', 'db1')
        asked = []

        def serve(connection):
            asked.append(connection.recv(1))
            time.sleep(STALL_SECONDS)

        mute = self.stopping(Listener(serve))
        waiting = self.repo.start_backup(mute.address, '--server', 'db2', '--timeout', str(STALL_SECONDS))
        try:
            wait_until(lambda: asked, 'the backup to ask its server')
            self.repo.backup(self.server, '--server', 'db1')
            tsmfs('prune', '--repo', self.repo.path)
            self.assertIsNone(waiting.poll())
        finally:
            waiting.terminate()
            waiting.communicate()


if __name__ == '__main__':
    main()
