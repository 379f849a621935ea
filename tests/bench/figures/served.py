"""How fast influxd answers over a snapshot that is served, beside the same influxd on a plain copy on the same disk."""
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from .measures import drop_caches, note
from .tools import Run

READY = 'influxd ready, s'
NUMBERS = ('float', 'integer')


def ask(url, statement, database):
    with urllib.request.urlopen(f'{url}/query?db={urllib.parse.quote(database)}&epoch=ns&q={urllib.parse.quote(statement)}') as answer:
        result = json.load(answer)['results'][0]
    if 'error' in result:
        raise RuntimeError(f'{statement}: {result["error"]}')
    return result.get('series', [])


def numeric_field(url):
    """(database, measurement, field) of the first field of numbers that there is."""
    for (database,) in ask(url, 'SHOW DATABASES', '')[0]['values']:
        for series in ask(url, 'SHOW FIELD KEYS', database):
            for field, kind in series['values']:
                if kind in NUMBERS and not database.startswith('_'):
                    return database, series['name'], field
    raise RuntimeError('the history has no field of numbers')


def measure_queries(name, url, figures):
    database, measurement, field = numeric_field(url)
    source = f'"{field}") FROM "{measurement}"'
    newest = ask(url, f'SELECT last("{field}") FROM "{measurement}"', database)[0]['values'][0][0]
    oldest = ask(url, f'SELECT first("{field}") FROM "{measurement}"', database)[0]['values'][0][0]
    hour = 3600 * 10 ** 9
    times = f'WHERE time >= {oldest} AND time <= {newest} GROUP BY time(1h)'
    statements = [
        ('count of a field, cold, s', f'SELECT count({source}'),
        ('hourly mean of a field, cold, s', f'SELECT mean({source} {times}'),
        ('hourly mean of a field, again, s', f'SELECT mean({source} {times}'),
        ('one hour of a field by series, cold, s', f'SELECT mean({source} WHERE time > {newest - hour} AND time <= {newest} GROUP BY *'),
    ]
    for row, statement in statements:
        if 'cold' in row:
            drop_caches()
        start = time.monotonic()
        ask(url, statement, database)
        note(figures, name, row, time.monotonic() - start)


def measure_copy(tool, scratch, figures):
    from harness.influxd import Influxd  # pylint: disable=import-outside-toplevel
    home = os.path.join(scratch, 'copied')
    Run(tool.program, 'restore', '--repo', tool.repository, '--make-metastore', '--datadir', os.path.join(home, 'data'),
        '--metadir', os.path.join(home, 'meta'))
    drop_caches()
    start = time.monotonic()
    server = Influxd(home)
    note(figures, 'cp', READY, time.monotonic() - start)
    try:
        measure_queries('cp', server.url, figures)
    finally:
        server.stop()
        shutil.rmtree(home)


def measure_serve(tool, scratch, figures):
    drop_caches()
    start = time.monotonic()
    with subprocess.Popen([tool.program, 'serve', '--repo', tool.repository, '--make-metastore', '--json'],
                          env=dict(os.environ, TMPDIR=scratch), stdout=subprocess.PIPE, text=True) as serve:
        url = json.loads(serve.stdout.readline())['http']
        note(figures, tool.name, READY, time.monotonic() - start)
        try:
            measure_queries(tool.name, url, figures)
        finally:
            serve.terminate()
            serve.wait()


def measure_served(tool, scratch, rounds, figures):
    """`tool` has the history."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'e2e'))
    figures.setdefault('cp', {})
    for _ in range(rounds):
        measure_copy(tool, scratch, figures)
        measure_serve(tool, scratch, figures)
