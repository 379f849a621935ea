"""A real influxd of the test's own, on free loopback ports."""
import os
import socket
import subprocess

from .influxd_client import InfluxdClient, ShardPath, quote
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


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Influxd(InfluxdClient):
    """Starts in __init__. A lasting cache and late compactions (the defaults) leave files alone after a backup; short
    durations let influxd compact as soon as it can. `certificate`: a file with it and its key, for HTTPS. It enforces no
    retention and makes no shard ahead of its time, unless given `retention_check` (how often) and `precreation` (how long)."""

    def __init__(self, home, index='inmem', flush_cold='10m', compact_cold='24h', flush_size='25m', auth=False,
                 certificate='', retention_check='', precreation=''):
        super().__init__()
        self.home, self.index, self.auth, self.certificate = os.path.abspath(home), index, auth, certificate
        self.flush_size = flush_size
        self.retention_check, self.precreation = retention_check, precreation
        self.flush_cold, self.compact_cold = flush_cold, compact_cold
        self.process = None
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
