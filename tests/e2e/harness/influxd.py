"""A real influxd of the test's own, on free loopback ports."""
import hashlib
import json
import os
import socket
import ssl
import subprocess
import typing
import urllib.error
import urllib.parse
import urllib.request

from .listener import ask
from .protocol import shard_request
from .waiting import wait_until

CONFIG = '''reporting-enabled = false
bind-address = "127.0.0.1:{snapshot_port}"
[meta]
  dir = "{home}/meta"
[data]
  dir = "{home}/data"
  wal-dir = "{home}/wal"
  index-version = "{index}"
  cache-snapshot-memory-size = "{flush_size}"
  cache-snapshot-write-cold-duration = "{flush_cold}"
  compact-full-write-cold-duration = "{compact_cold}"
[retention]
  enabled = {retention}
  check-interval = "{retention_check}"
[shard-precreation]
  enabled = {precreation}
  check-interval = "1s"
  advance-period = "{precreation_advance}"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http_port}"
  log-enabled = false
  max-body-size = 0
  auth-enabled = {auth}
  https-enabled = {https}
  https-certificate = "{certificate}"
'''

WRITE_LINES_MAX = 20000  # a request


class ShardPath(typing.NamedTuple):
    database: str
    policy: str
    shard: int

    def __str__(self):
        return f'{self.database}/{self.policy}/{self.shard}'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def quote(name):
    """An InfluxQL identifier."""
    return '"' + name.replace('\\', '\\\\').replace('"', '\\"') + '"'


class Influxd:
    """Starts in __init__. A lasting cache and late compactions (the defaults) leave files alone after a backup; short
    durations let influxd compact as soon as it can. `certificate`: a file with it and its key, for HTTPS. It enforces no
    retention and makes no shard ahead of its time, unless given `retention_check` (how often) and `precreation` (how long)."""

    def __init__(self, home, index='inmem', flush_cold='10m', compact_cold='24h', flush_size='25m', auth=False,
                 certificate='', retention_check='', precreation=''):
        self.home, self.index, self.auth, self.certificate = os.path.abspath(home), index, auth, certificate
        self.flush_size = flush_size
        self.retention_check, self.precreation = retention_check, precreation
        self.flush_cold, self.compact_cold = flush_cold, compact_cold
        self.process = None
        any_certificate = ssl.create_default_context()
        any_certificate.check_hostname, any_certificate.verify_mode = False, ssl.CERT_NONE
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                                   urllib.request.HTTPSHandler(context=any_certificate))
        os.makedirs(self.home, exist_ok=True)
        self.start()

    @property
    def data(self):
        return os.path.join(self.home, 'data')

    @property
    def meta_db(self):
        return os.path.join(self.home, 'meta', 'meta.db')

    @property
    def snapshot_address(self):
        return f'127.0.0.1:{self.snapshot_port}'

    @property
    def http_address(self):
        return f'127.0.0.1:{self.http_port}'

    @property
    def url(self):
        return f'{"https" if self.certificate else "http"}://{self.http_address}'

    # ---- the process ----

    def start(self, **settings):
        """Starts influxd on free ports. `settings`: new values for index, flush_cold, compact_cold, flush_size, auth."""
        for name, value in settings.items():
            setattr(self, name, value)
        for _ in range(3):  # another process can take a free port before influxd does
            if self._try_start():
                return
        raise RuntimeError(f'influxd does not start:\n{self.log_tail()}')

    def _try_start(self):
        self.http_port, self.snapshot_port = free_port(), free_port()
        config = os.path.join(self.home, 'influxdb.conf')
        with open(config, 'w', encoding='utf-8') as out:
            out.write(CONFIG.format(home=self.home, index=self.index, flush_cold=self.flush_cold,
                                    compact_cold=self.compact_cold, auth=str(self.auth).lower(),
                                    https=str(bool(self.certificate)).lower(), certificate=self.certificate, http_port=self.http_port,
                                    snapshot_port=self.snapshot_port, flush_size=self.flush_size,
                                    retention=str(bool(self.retention_check)).lower(),
                                    retention_check=self.retention_check or '30m',
                                    precreation=str(bool(self.precreation)).lower(),
                                    precreation_advance=self.precreation or '30m'))
        with open(self._log, 'wb') as log:
            self.process = subprocess.Popen(['influxd', 'run', '-config', config], stdout=log, stderr=log)
        wait_until(lambda: self._answers() or self.process.poll() is not None, 'influxd to answer', 60)
        return self.process.poll() is None

    def _answers(self):
        try:
            with self._opener.open(f'{self.url}/ping', timeout=5), \
                    socket.create_connection(('127.0.0.1', self.snapshot_port), timeout=5):
                return True
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def restart(self, **settings):
        self.stop()
        self.start(**settings)

    @property
    def _log(self):
        return os.path.join(self.home, 'influxd.log')

    def log_tail(self):
        with open(self._log, encoding='utf-8', errors='replace') as log:
            return ''.join(log.readlines()[-20:])

    # ---- its HTTP API ----

    def _request(self, url, body):
        try:
            with self._opener.open(f'{self.url}{url}', body, timeout=300) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f'{url}: {error.code} {error.read()[:500]!r}') from error
        except OSError as error:
            raise RuntimeError(f'{url}: {error!r}; influxd says:\n{self.log_tail()}') from error

    def query(self, statement, database='', user=None, password=''):
        """The series of one statement: [{name, tags, columns, values}]. Raises RuntimeError for influxd's errors."""
        body = urllib.parse.urlencode({'q': statement, 'db': database, 'epoch': 'ns'}).encode()
        login = '?' + urllib.parse.urlencode({'u': user, 'p': password}) if user else ''
        result = json.loads(self._request('/query' + login, body))['results'][0]
        if 'error' in result:
            raise RuntimeError(f'{statement}: {result["error"]}')
        return result.get('series', [])

    def create_database(self, name, shard_duration='1d'):
        self.query(f'CREATE DATABASE {quote(name)} WITH DURATION INF REPLICATION 1 SHARD DURATION {shard_duration} '
                   'NAME "autogen"')

    def create_policy(self, database, name, shard_duration='1d'):
        self.query(f'CREATE RETENTION POLICY {quote(name)} ON {quote(database)} DURATION INF REPLICATION 1 '
                   f'SHARD DURATION {shard_duration}')

    def write(self, database, lines, policy='autogen'):
        """Writes line protocol with times in nanoseconds; returns when influxd has it."""
        target = '/write?' + urllib.parse.urlencode({'db': database, 'rp': policy})
        for first in range(0, len(lines), WRITE_LINES_MAX):
            self._request(target, '\n'.join(lines[first:first + WRITE_LINES_MAX]).encode())

    def _names(self, statement):
        return [row[0] for series in self.query(statement) for row in series.get('values', [])]

    def databases(self):
        return self._names('SHOW DATABASES')

    def shards(self):
        """Every shard that the metastore names, as ShardPath, in order of the id."""
        rows = [row for series in self.query('SHOW SHARDS') for row in series.get('values', [])]
        return sorted((ShardPath(row[1], row[2], row[0]) for row in rows), key=lambda s: s.shard)

    # ---- its files ----

    def shard_directory(self, shard):
        return os.path.join(self.data, shard.database, shard.policy, str(shard.shard))

    def flush(self):
        """Has every shard write its cache to a TSM file, as a backup does."""
        for shard in self.shards():
            ask(self.snapshot_address, shard_request(shard.shard))

    def wait_compacted(self, seconds=60):
        """Waits until every shard is one TSM file and no tombstone. Requires: flushed."""
        def compacted(shard):
            files = [n for n in os.listdir(self.shard_directory(shard)) if '.tsm' in n or n.endswith('.tombstone')]
            return len(files) == 1 and files[0].endswith('.tsm')
        wait_until(lambda: all(compacted(s) for s in self.shards()), 'influxd to compact every shard', seconds, 0.2)

    def wait_files(self, shard, count, seconds=60):
        """Waits until a shard has so many TSM files and no tombstone."""
        def here():
            files = [n for n in os.listdir(self.shard_directory(shard)) if '.tsm' in n or n.endswith('.tombstone')]
            return len(files) == count and all(name.endswith('.tsm') for name in files)
        wait_until(here, f'influxd to have {count} files in shard {shard}', seconds, 0.2)

    def hold_compactions(self):
        """Keeps influxd from compacting the files it has now, as it otherwise does within seconds of a delete: it takes a
        compaction whose output exists under its temporary name for one that is running. Ends with the next start."""
        for directory, _, names in os.walk(self.data):
            for name in names:
                if name.endswith('.tsm'):
                    generation, sequence = name[:-len('.tsm')].split('-')
                    output = f'{generation}-{int(sequence) + 1:09d}.tsm.tmp'
                    open(os.path.join(directory, output), 'xb').close()

    # ---- everything it answers ----

    def answers(self):
        """What this server says to every question that a restored one must answer equally: a dictionary from the
        question to its answer (counts, sums, smallest and largest value of each field of each series, and a digest of
        each measurement's points). SHOW SERIES is not among them: with tsi1 it misses series of a running server."""
        found = {'databases': sorted(self.databases()), 'shards': self.shards()}
        for database in self.databases():
            on = f'ON {quote(database)}'
            policies = self._names(f'SHOW RETENTION POLICIES {on}')
            found[database, 'policies'] = sorted(policies)
            for series in self.query(f'SHOW FIELD KEYS {on}'):
                for policy in policies:
                    source = f'{quote(database)}.{quote(policy)}.{quote(series["name"])}'
                    found.update(self._measurement(source, series['values']))
        return found

    def _measurement(self, source, fields):
        found = {}
        for field, kind in fields:
            name = quote(field)
            numeric = f', sum({name}), min({name}), max({name})' if kind in ('float', 'integer') else ''
            for row in self.query(f'SELECT count({name}){numeric} FROM {source} GROUP BY *'):
                found[source, field, tuple(sorted(row['tags'].items()))] = row['values']
        everything = self.query(f'SELECT * FROM {source} GROUP BY *')
        found[source, 'digest'] = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()
        return found
