"""What an influxd is asked over HTTP, whoever started it."""
import hashlib
import json
import ssl
import typing
import urllib.error
import urllib.parse
import urllib.request

WRITE_LINES_MAX = 20000  # a request


class ShardPath(typing.NamedTuple):
    database: str
    policy: str
    shard: int

    def __str__(self):
        return f'{self.database}/{self.policy}/{self.shard}'


def quote(name):
    """An InfluxQL identifier."""
    return '"' + name.replace('\\', '\\\\').replace('"', '\\"') + '"'


class InfluxdClient:
    """Subclasses say where it is (`url`) and what its log says (`log_tail()`)."""

    def __init__(self):
        any_certificate = ssl.create_default_context()
        any_certificate.check_hostname, any_certificate.verify_mode = False, ssl.CERT_NONE
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                                   urllib.request.HTTPSHandler(context=any_certificate))

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
            self._request(target, '\n'.join(lines[first:first + WRITE_LINES_MAX]).encode(errors='surrogateescape'))

    def _names(self, statement):
        return [row[0] for series in self.query(statement) for row in series.get('values', [])]

    def databases(self):
        return self._names('SHOW DATABASES')

    def shards(self):
        """Every shard that the metastore names, as ShardPath, in order of the id."""
        rows = [row for series in self.query('SHOW SHARDS') for row in series.get('values', [])]
        return sorted((ShardPath(row[1], row[2], row[0]) for row in rows), key=lambda s: s.shard)

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
