#!/usr/bin/python3
"""Writes the TSM files of tests/format/tsm: those that a real influxd makes of all types of fields.

    make_tsm_files.py OUT [NAME]      needs influxd on PATH

OUT/NAME-cache.tsm is what it writes from its cache, OUT/NAME-compacted.tsm what its compactions make of several of those.
One that takes unsigned integers (built with models.EnableUintSupport()) gets them too.
"""
import glob
import os
import random
import shutil
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'e2e'))
from harness.influxd import Influxd  # noqa: E402
from harness.waiting import wait_until  # noqa: E402

SECOND = 10**9
PARTS, POINTS = 4, 65  # files, and points of each series in a file
FLOATS = ['0', '-0.0', '1e308', '-5e-324', '2.2250738585072014e-308', '0.1', '1.0000000000000002', '4503599627370497.5']


def times(series, number):
    """The time of a series' point of that number: what encoders treat in ways of their own."""
    return {'seconds': 1_600_000_000 * SECOND + (number + (7 if number > 200 else 0)) * SECOND,  # runs of ones, one gap
            'jitter': 1_600_000_000 * SECOND + number * 10 * SECOND + random.randrange(10**6),
            'far': 1_600_000_000 * SECOND + number**2 * 10**14}[series]  # too wide for words


def fields(number, unsigned):
    found = {'decimal': str(round(50 + random.gauss(0, 10), 2)), 'awkward': random.choice(FLOATS),
             'counter': f'{number * 1000 + random.randrange(900)}i',
             'falling': f'{-number - (5 if number > 130 else 0)}i',  # ones as zigzag, one gap
             'wide': f'{2**62 + number * number}i', 'edge': random.choice(['9223372036854775807i', '-9223372036854775808i', '0i']),
             'flag': random.choice('tf'), 'text': '"' + random.choice(['running', 'degraded: lag above threshold', '', 'größe']) + '"'}
    if unsigned:
        found['unsigned'] = f'{random.choice([0, 1, 2**64 - 1, number])}u'
    return ','.join(f'{name}={value}' for name, value in found.items())


def write(server, lines):
    urllib.request.urlopen(urllib.request.Request(server.url + '/write?db=db', '\n'.join(lines).encode()), timeout=60).read()


def takes_unsigned(server):
    try:
        write(server, ['probe u=1u 1'])
        server.query('DROP MEASUREMENT probe', 'db')
        return True
    except urllib.error.HTTPError:
        return False


def files(server):
    return sorted(glob.glob(server.data + '/db/autogen/*/*.tsm'))


def main(out, name='influxd'):
    random.seed(17)
    with tempfile.TemporaryDirectory() as home:
        server = Influxd(home, flush_cold='10m', compact_cold='3s')
        server.query('CREATE DATABASE db WITH DURATION INF SHARD DURATION 10400w NAME autogen')
        unsigned = takes_unsigned(server)
        for part in range(PARTS):
            numbers = range(part * POINTS, (part + 1) * POINTS)
            write(server, [f'm,s={series} {fields(number, unsigned)} {times(series, number)}'
                           for series, own in (('seconds', numbers), ('jitter', numbers), ('far', numbers[:1])) for number in own])
            server.flush()
            if part == 0:
                shutil.copy(files(server)[0], f'{out}/{name}-cache.tsm')
        wait_until(lambda: len(files(server)) == 1, 'one file', 60)
        server.stop()
        shutil.copy(files(server)[0], f'{out}/{name}-compacted.tsm')


if __name__ == '__main__':
    main(*sys.argv[1:])
