"""What a restore brings beside the points: continuous queries, users, grants and subscriptions. What does not come is
said, and is in the exit status when it was asked for."""
import os
import subprocess

from harness import HOUR, EndToEndTest, ExitCode, Influxd, Repo, main, points, tsmfs
from harness.influxd import quote
from harness.listener import ask
from harness.program import clean_environment
from harness.protocol import metastore_request

HOSTILE = 'o\'n"e \\two'  # a name that wants quoting everywhere
QUERY = 'CREATE CONTINUOUS QUERY {} ON "t" BEGIN SELECT mean(usage_user) INTO m FROM cpu GROUP BY time(5m) END'


class RestoreSettings(EndToEndTest):
    """A server with a continuous query, users with grants on two databases, and a subscription; and its snapshot."""

    @classmethod
    def set_up_class(cls):
        cls.server = cls.stop_at_end(Influxd(os.path.join(cls.class_directory, 'server')))
        for database in ('t', 'other'):
            cls.server.create_database(database)
            cls.server.write(database, points(seconds=HOUR, step=600, hosts=2))
        cls.server.query(QUERY.format('"cq1"'))
        cls.server.query(QUERY.format(quote(HOSTILE)))
        cls.server.query("CREATE USER root WITH PASSWORD 'r' WITH ALL PRIVILEGES")
        cls.server.query("CREATE USER reader WITH PASSWORD 'secret'")
        cls.server.query(f"CREATE USER {quote(HOSTILE)} WITH PASSWORD 'x'")
        for grant in ('READ ON t TO reader', 'WRITE ON other TO reader', f'ALL ON t TO {quote(HOSTILE)}'):
            cls.server.query(f'GRANT {grant}')
        cls.server.query("CREATE SUBSCRIPTION \"sub\" ON \"t\".\"autogen\" DESTINATIONS ALL 'udp://127.0.0.1:9'")
        cls.repo = Repo(os.path.join(cls.class_directory, 'repository'))
        cls.repo.backup(cls.server)

    def new_server(self, name='home', **settings):
        return self.stopping(Influxd(self.path(name), **settings))

    def online(self, server, *options, **how):
        return tsmfs('restore', '--repo', self.repo.path, '--online', '--host', server.snapshot_address, *options, **how)

    def offline(self, home, *options, **how):
        return tsmfs('restore', '--metadir', os.path.join(home, 'meta'), '--datadir', os.path.join(home, 'data'),
                     *options, self.repo.path, **how)

    def stopped_server(self, *statements):
        """The home of a server that has a database and a user of its own."""
        server = self.new_server()
        server.create_database('mine')
        server.query("CREATE USER ann WITH PASSWORD 'a' WITH ALL PRIVILEGES")
        for statement in statements:
            server.query(statement)
        server.stop()
        return server

    @staticmethod
    def queries(server, **who):
        return sorted(row[0] for series in server.query('SHOW CONTINUOUS QUERIES', **who) for row in series.get('values', []))

    @staticmethod
    def users(server, **who):
        return {name: admin for series in server.query('SHOW USERS', **who) for name, admin in series.get('values', [])}

    @staticmethod
    def grants(server, name, **who):
        return {d: g for s in server.query(f'SHOW GRANTS FOR {quote(name)}', **who) for d, g in s.get('values', [])}

    @staticmethod
    def subscriptions(server):
        return [(s['name'], row[1]) for s in server.query('SHOW SUBSCRIPTIONS') for row in s['values']]

    # ---- what does not come is said ----

    def test_online_says_that_queries_users_and_grants_do_not_come(self):
        server = self.new_server()
        done = self.online(server, '--database', 't', expect=ExitCode.INCOMPLETE)
        self.assertIn("warning: continuous queries not restored: 'cq1' of 't', ", done.stderr)
        self.assertIn("warning: users not restored: 'reader', ", done.stderr)
        self.assertNotIn("'root'", done.stderr)
        self.assertIn('--http', done.stderr)
        self.assertEqual(self.queries(server), [])
        self.assertEqual(self.subscriptions(server), [('t', 'sub')])

    def test_online_says_nothing_of_what_the_server_has_already(self):
        server = self.new_server()
        server.query("CREATE USER reader WITH PASSWORD 'b'")
        done = self.online(server, '--database', 'other', expect=ExitCode.INCOMPLETE)
        self.assertIn("grants not restored: WRITE on 'other' to 'reader'", done.stderr)
        self.assertNotIn('users not restored', done.stderr)

    def test_a_copy_leaves_subscriptions_and_queries_out_unless_asked(self):
        server = self.new_server()
        done = self.online(server, '--database', 't', '--newdb', 'copy')
        self.assertIn("subscriptions not restored: 'sub' of 't'.'autogen'", done.stderr)
        self.assertIn('they name the original', done.stderr)
        self.assertEqual(self.subscriptions(server), [])
        done = self.online(server, '--database', 't', '--newdb', 'copy2', '--with-subscriptions')
        self.assertNotIn('subscriptions not', done.stderr)
        self.assertEqual(self.subscriptions(server), [('copy2', 'sub')])

    def test_a_merge_says_that_users_do_not_come(self):
        server = self.stopped_server()
        done = self.offline(server.home, '--database', 't', expect=ExitCode.INCOMPLETE)
        self.assertIn("users not restored: 'reader', ", done.stderr)
        self.assertIn('--with-users', done.stderr)
        server.start()
        self.assertEqual(self.users(server), {'ann': True})
        self.assertEqual(self.queries(server), sorted(['cq1', HOSTILE]))
        self.assertEqual(self.subscriptions(server), [('t', 'sub')])

    def test_a_merge_under_another_name_says_what_it_leaves_out(self):
        for options in (('--newdb', 'copy'), ('--retention', 'autogen', '--newrp', 'r3')):
            with self.subTest(options):
                server = self.stopping(Influxd(self.path(options[-1])))
                server.stop()
                done = self.offline(server.home, '--database', 't', *options)
                self.assertIn("continuous queries not restored: 'cq1' of 't', ", done.stderr)
                self.assertIn("subscriptions not restored: 'sub' of 't'.'autogen'", done.stderr)
                self.assertNotIn("they name it, not", done.stderr)
                server.start()
                self.assertEqual(self.subscriptions(server), [])

    def test_a_merge_under_another_name_brings_subscriptions_when_asked(self):
        server = self.stopped_server()
        done = self.offline(server.home, '--database', 't', '--newdb', 'copy', '--with-subscriptions')
        self.assertNotIn('subscriptions not', done.stderr)
        server.start()
        self.assertEqual(self.subscriptions(server), [('copy', 'sub')])

    def test_a_whole_restore_into_empty_directories_brings_everything(self):
        home = self.path('empty')
        self.assertNotIn('not restored', self.offline(home).stderr)
        server = self.stopping(Influxd(home))
        self.assertEqual(self.users(server), {'root': True, 'reader': False, HOSTILE: False})

    def test_the_order_of_grants_is_no_change_of_the_metastore(self):
        server, repo = self.new_server(), Repo(self.path('repository'))
        server.query("CREATE USER reader WITH PASSWORD 'secret'")
        for number in range(8):
            server.create_database(f'db{number}')
            server.query(f'GRANT READ ON db{number} TO reader')
        server.write('db0', points(seconds=HOUR, step=600, hosts=2))
        for _ in range(6):  # the server writes the grants of a user in any order
            snapshot, done = repo.backup_output(server)
            self.assertFalse(snapshot['metastore_changed'])
            self.assertNotIn('metastore changed', done.stdout + done.stderr)
        answers = {ask(server.snapshot_address, metastore_request()) for _ in range(6)}
        self.assertGreater(len(answers), 1, 'no other order came: this test tests nothing')

    def test_the_portable_form_says_what_influxd_restore_leaves_out(self):
        done = tsmfs('export', '--repo', self.repo.path, '--format', 'portable', self.path('out'), expect=ExitCode.INCOMPLETE)
        self.assertIn("continuous queries not restored: 'cq1' of 't', ", done.stderr)
        self.assertIn("users not restored: 'root', 'reader', ", done.stderr)
        tsmfs('export', '--repo', self.repo.path, '--format', 'portable', '--database', 't', '--retention', 'autogen', self.path('policy'))

    # ---- and what can come, does ----

    def test_https_is_spoken_and_its_certificate_checked(self):
        certificate, pem = self.path('certificate.pem'), self.path('both.pem')
        key = self.path('key.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=influxd',
                        '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate],
                       check=True, capture_output=True)
        with open(pem, 'w', encoding='utf-8') as both:
            for part in (certificate, key):
                with open(part, encoding='utf-8') as text:
                    both.write(text.read())
        server = self.new_server(certificate=pem)
        server.query("CREATE USER ann WITH PASSWORD 'a' WITH ALL PRIVILEGES")
        who = ['--http', server.url, '--user', 'ann']
        login = clean_environment(INFLUX_PASSWORD='a')
        refused = self.online(server, '--database', 't', *who, environment=login, expect=ExitCode.NO_SERVER)
        self.assertIn('certificate', refused.stderr)
        self.assertNotIn('t', server.databases(), 'nothing is restored before')
        self.online(server, '--database', 't', *who, '--http-ca', certificate, environment=login)
        self.assertEqual(self.queries(server), sorted(['cq1', HOSTILE]))
        self.online(server, '--database', 'other', *who, '--unsafe-ssl', environment=login)
        self.assertEqual(self.grants(server, 'reader'), {'t': 'READ', 'other': 'WRITE'})

    def test_a_merge_with_users_brings_them_with_their_passwords(self):
        server = self.stopped_server('CREATE USER reader WITH PASSWORD \'own\'')
        done = self.offline(server.home, '--with-users')
        self.assertNotIn('not restored', done.stderr)
        server.start(auth=True)
        ann = {'user': 'ann', 'password': 'a'}
        self.assertEqual(self.users(server, **ann), {'ann': True, 'root': True, 'reader': False, HOSTILE: False})
        self.assertEqual(self.grants(server, 'reader', **ann), {'t': 'READ', 'other': 'WRITE'})
        self.assertEqual(self.grants(server, HOSTILE, **ann), {'t': 'ALL PRIVILEGES'})
        self.assertIn('t', [r[0] for r in server.query('SHOW DATABASES', user=HOSTILE, password='x')[0]['values']])
        server.query('SHOW DATABASES', user='reader', password='own')  # who was there keeps the password
        server.query('SHOW USERS', user='root', password='r')

    def test_http_brings_queries_users_and_grants(self):
        server = self.new_server()
        done = self.online(server, '--http', f'http://{server.http_address}')
        self.assertNotIn('not restored', done.stderr)
        self.assertEqual(self.queries(server), sorted(['cq1', HOSTILE]))
        self.assertEqual(self.users(server), {'root': True, 'reader': False, HOSTILE: False})
        self.assertEqual(self.grants(server, 'reader'), {'t': 'READ', 'other': 'WRITE'})
        self.assertEqual(self.grants(server, HOSTILE), {'t': 'ALL PRIVILEGES'})
        self.assertIn('passwords cannot be read back', done.stderr)
        self.assertIn("'reader'", done.stderr)

    def test_http_brings_of_one_database_what_belongs_to_it(self):
        server = self.new_server()
        self.online(server, '--database', 'other', '--newdb', 'copy', '--http', f'http://{server.http_address}')
        self.assertEqual(self.users(server), {'reader': False})
        self.assertEqual(self.grants(server, 'reader'), {'copy': 'WRITE'})
        self.assertEqual(self.queries(server), [])

    def test_http_with_a_login(self):
        server = self.new_server()
        server.query("CREATE USER boss WITH PASSWORD 'b s' WITH ALL PRIVILEGES")
        server.restart(auth=True)
        url = f'http://{server.http_address}'
        for options, environment in ((('--user', 'boss'), clean_environment(INFLUX_PASSWORD='wrong')), ((), None)):
            done = self.online(server, '--database', 't', '--http', url, *options, environment=environment,
                               expect=ExitCode.NO_SERVER)
            self.assertIn('--user', done.stderr)
        boss = {'user': 'boss', 'password': 'b s'}
        self.assertEqual(server.query('SHOW DATABASES', **boss)[0].get('values', []), [])
        with open(self.path('password'), 'w', encoding='ascii') as file:
            file.write('b s\n')
        self.online(server, '--database', 't', '--http', url, '--user', 'boss', '--password-file', self.path('password'))
        self.assertEqual(self.queries(server, **boss), sorted(['cq1', HOSTILE]))
        self.assertEqual(self.grants(server, 'reader', **boss), {'t': 'READ'})

    def test_a_dry_run_shows_the_statements_and_sends_none(self):
        server = self.new_server()
        done = self.online(server, '--database', 't', '--http', f'http://{server.http_address}', '--dry-run')
        self.assertIn('would send: CREATE USER "reader" WITH PASSWORD <random>\n', done.stdout)
        self.assertIn('would send: GRANT READ ON "t" TO "reader"\n', done.stdout)
        self.assertIn('would send: CREATE CONTINUOUS QUERY cq1 ON t BEGIN', done.stdout)
        self.assertEqual((self.users(server), self.queries(server)), ({}, []))

    def test_http_of_another_server_is_refused_before_anything_is_done(self):
        server, other = self.new_server(), self.new_server('other')
        other.create_database('elsewhere')
        done = self.online(server, '--http', f'http://{other.http_address}', expect=ExitCode.USAGE)
        self.assertIn('has other databases', done.stderr)
        self.assertEqual(server.databases(), [])
        done = self.online(server, '--http', f'http://{server.snapshot_address}', expect=ExitCode.NO_SERVER)
        self.assertIn('HTTP address', done.stderr)


if __name__ == '__main__':
    main()
