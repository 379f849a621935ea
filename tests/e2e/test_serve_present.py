"""The past does not act on the present: what a metastore or a configuration would have a server do by itself, a past server
does not do."""
import os
import socket
import subprocess
import tempfile
import threading

from harness import DAY, HOUR, START, EndToEndTest, ExitCode, Influxd, Repo, main, points, tsmfs, wait_until
from harness.influxd import free_port
from harness.listener import Listener
from harness.past_server import PastServer

QUERY = ('CREATE CONTINUOUS QUERY "cq" ON "db" RESAMPLE EVERY 1s FOR 2h BEGIN '
         'SELECT count(value) INTO "computed" FROM "m" GROUP BY time(1s) END')
OPERATORS = '''bind-address = ":1"
[meta]
  dir = "/nonexistent/meta"
[data]
  dir = "/nonexistent/data"
  wal-dir = "/nonexistent/wal"
  index-version = "tsi1"
  max-series-per-database = 7777
  cache-max-memory-size = "2g"
[coordinator]
  max-select-series = 1
  query-timeout = "77s"
[retention]
  enabled = true
  check-interval = "1s"
[continuous_queries]
  enabled = true
  run-interval = "1s"
[subscriber]
  enabled = true
[http]
  bind-address = ":{taken}"
  https-enabled = true
  https-certificate = "/nonexistent/certificate"
  auth-enabled = true
  max-row-limit = 5
[[graphite]]
  enabled = true
  bind-address = ":{graphite}"
[[udp]]
  enabled = true
  bind-address = ":{graphite}"
'''


class ServePresent(EndToEndTest):
    """A server with a continuous query, subscriptions to listeners of the test, users, and points that are older than their
    policy now lets them be."""

    @classmethod
    def set_up_class(cls):
        cls.arrived = []
        cls.listener = cls.stop_at_end(Listener(lambda connection: cls.arrived.append(connection.recv(100))))
        cls.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        cls.addClassCleanup(cls.udp.close)
        cls.udp.bind(('127.0.0.1', 0))
        threading.Thread(target=cls.receive, daemon=True).start()
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        cls.server.create_database('db')
        cls.server.write('db', points(seconds=DAY, step=600, hosts=2))
        cls.server.query('CREATE RETENTION POLICY "short" ON "db" DURATION INF REPLICATION 1 SHARD DURATION 1h')
        cls.server.write('db', points(seconds=2 * HOUR, step=60, hosts=2), 'short')
        cls.server.query('ALTER RETENTION POLICY "short" ON "db" DURATION 1h')
        cls.server.query(QUERY)
        udp_port = cls.udp.getsockname()[1]
        for name, destination in (('http', f'http://{cls.listener.address}'), ('udp', f'udp://127.0.0.1:{udp_port}')):
            cls.server.query(f"CREATE SUBSCRIPTION \"{name}\" ON \"db\".\"autogen\" DESTINATIONS ALL '{destination}'")
        cls.server.query("CREATE USER root WITH PASSWORD 'r' WITH ALL PRIVILEGES")
        cls.server.query("CREATE USER reader WITH PASSWORD 'secret'")
        cls.server.query('GRANT READ ON db TO reader')
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.repo.backup(cls.server)
        cls.answers = cls.server.answers()

    @classmethod
    def receive(cls):
        try:
            while True:
                cls.arrived.append(cls.udp.recv(100))
        except OSError:
            pass  # closed

    def serve(self, *options, **how):
        return self.stopping(PastServer(self.repo, self.path('tmp'), *options, **how))

    @staticmethod
    def written(server, value):
        """A point that the continuous query would count and the subscriptions pass on."""
        server.write('db', [f'm,host=a value={value}i'])

    def has_arrived(self, value):
        return any(f'value={value}i'.encode() in piece for piece in self.arrived)

    def diagnostics(self, server):
        return {s['name']: dict(zip(s['columns'], s['values'][0])) for s in server.query('SHOW DIAGNOSTICS') if s.get('values')}

    def assert_inert(self, past):
        """It is written to, and has done nothing by itself when another server has done it all."""
        found = self.diagnostics(past)
        for service in ('cqs', 'retention', 'subscriber', 'precreator'):
            self.assertIs(found[f'config-{service}']['enabled'], False)
        self.assertIs(found['config-monitor']['store-enabled'], False)
        self.assertIs(found['config']['reporting-enabled'], False)
        self.written(past, 2)
        self.let_a_server_act()
        self.assertTrue(past.query('SELECT count(value) FROM m', 'db'))
        self.assertEqual(past.query('SHOW CONTINUOUS QUERIES'), self.server.query('SHOW CONTINUOUS QUERIES'))
        self.assertEqual(past.query('SELECT * FROM computed', 'db'), [])
        self.assertFalse(self.has_arrived(2))
        answers = past.answers()
        self.assertEqual({question: answers.get(question) for question in self.answers if question != 'shards'},
                         {question: answer for question, answer in self.answers.items() if question != 'shards'})
        self.assertLessEqual(set(self.answers['shards']), set(past.shards()))

    def let_a_server_act(self):
        """Returns when an influxd that was started now has sent, computed and deleted what a past server is not to."""
        present = Influxd(tempfile.mkdtemp(dir=self.directory), retention_check='1s')
        try:
            present.create_database('db')
            present.query(QUERY)
            present.query(f"CREATE SUBSCRIPTION s ON db.autogen DESTINATIONS ALL 'udp://127.0.0.1:{self.udp.getsockname()[1]}'")
            present.query('CREATE RETENTION POLICY "short" ON "db" DURATION INF REPLICATION 1 SHARD DURATION 1h')
            present.write('db', [f'm value=1i {START}000000000'], 'short')
            present.query('ALTER RETENTION POLICY "short" ON "db" DURATION 1h')
            wait_until(lambda: self.written(present, 1) or self.has_arrived(1), 'a server to tell its subscribers')
            wait_until(lambda: present.query('SELECT * FROM computed', 'db'), 'a server to compute')
            wait_until(lambda: all(shard.policy != 'short' for shard in present.shards()), 'a server to delete what is old')
        finally:
            present.stop()

    def test_nothing_is_computed_sent_or_deleted(self):
        for options in ([], ['--copy']):
            with self.subTest(options):
                self.assert_inert(self.serve(*options))

    def test_variables_of_influxd_change_nothing(self):
        variables = {'SUBSCRIBER_ENABLED': 'true', 'CONTINUOUS_QUERIES_ENABLED': 'true', 'CONTINUOUS_QUERIES_RUN_INTERVAL': '1s',
                     'RETENTION_ENABLED': 'true', 'RETENTION_CHECK_INTERVAL': '1s', 'HTTP_BIND_ADDRESS': f'0.0.0.0:{free_port()}',
                     'DATA_DIR': '/nonexistent', 'META_DIR': '/nonexistent', 'DATA_WAL_DIR': '/nonexistent',
                     'HTTP_AUTH_ENABLED': 'true', 'BIND_ADDRESS': '0.0.0.0:1', 'CONFIG_PATH': '/nonexistent'}
        past = self.serve(environment={f'INFLUXDB_{name}': value for name, value in variables.items()})
        self.assertEqual(past.answers(), self.answers)
        self.assert_inert(past)

    def test_of_an_operators_configuration_only_limits_are_taken(self):
        config, graphite = self.path('influxdb.conf'), free_port()
        with open(config, 'w', encoding='utf-8') as out:
            out.write(OPERATORS.format(taken=self.server.http_port, graphite=graphite))
        past = self.serve('--config', 'influxdb.conf', directory=self.directory)
        found = self.diagnostics(past)
        self.assertEqual(found['config-data']['max-series-per-database'], 7777)
        self.assertEqual(found['config-data']['dir'], os.path.join(past.place, 'data'))
        self.assertEqual(found['config-data']['wal-dir'], os.path.join(past.place, 'wal'))
        self.assertEqual(found['config-coordinator']['query-timeout'], '1m17s')
        self.assertIn(f'bind-address = "127.0.0.1:{past.port}"', past.file('influxdb.conf'))
        self.assertIn('https-enabled = false', past.file('influxdb.conf'))
        self.assertIn('index-version = "tsi1"', past.file('influxdb.conf'))
        self.assertNotIn('/nonexistent', past.file('influxdb.conf'))
        with self.assertRaisesRegex(RuntimeError, 'max-select-series'):
            past.query('SELECT usage_user, usage_idle FROM cpu, net GROUP BY *', 'db')
        rows = past.query("SELECT usage_user FROM cpu WHERE host = 'web-000'", 'db')[0]['values']
        self.assertEqual(len(rows), 5)  # max-row-limit
        with self.assertRaises(OSError):
            socket.create_connection(('127.0.0.1', graphite), timeout=5)
        self.assertNotIn(str(graphite), past.file('influxdb.conf'))
        for service in ('continuous_queries', 'retention', 'subscriber'):
            self.assertRegex(past.file('influxdb.conf'), rf'\[{service}\]\s*\n\s*enabled = false')

    def test_a_configuration_that_is_none_is_refused_naming_its_line(self):
        config = self.path('broken.conf')
        with open(config, 'w', encoding='utf-8') as out:
            out.write('[data]\n\n  dir = oh no\n')
        done = tsmfs('serve', '--repo', self.repo.path, '--config', config, '--', 'true', expect=ExitCode.USAGE)
        self.assertIn(config, done.stderr)
        self.assertIn('(line 3)', done.stderr)
        with open(config, 'w', encoding='utf-8') as out:
            out.write('data = 1\n[coordinator]\n[[http]]\n')  # TOML, and no tables
        tsmfs('serve', '--repo', self.repo.path, '--config', config, '--', 'true')

    def test_auth_asks_for_the_passwords_of_then(self):
        past = self.serve('--auth')
        for who in ({}, {'user': 'reader', 'password': 'wrong'}):
            with self.assertRaisesRegex(RuntimeError, '401'):
                past.query('SELECT count(usage_user) FROM cpu', 'db', **who)
        reader = {'user': 'reader', 'password': 'secret'}
        self.assertEqual(past.query('SELECT count(usage_user) FROM cpu', 'db', **reader)[0]['values'][0][1], 2 * DAY // 600)
        with self.assertRaisesRegex(RuntimeError, '403|not authorized'):
            past.query('DROP DATABASE db', **reader)
        self.assertEqual(len(past.query('SHOW USERS', user='root', password='r')[0]['values']), 2)

    def test_it_listens_to_this_machine_only(self):
        past = self.serve()
        listed = subprocess.run(['ss', '-H', '-l', '-n', '-t', '-u', '-p'], capture_output=True, text=True, check=True).stdout
        own = [line.split()[4] for line in listed.splitlines() if f'pid={past.influxd},' in line]
        self.assertEqual((len(own), [address for address in own if not address.startswith('127.0.0.1:')]), (2, []))


if __name__ == '__main__':
    main()
