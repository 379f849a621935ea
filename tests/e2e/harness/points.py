"""Deterministic points in line protocol, telegraf-like: every field type that influxd 1.6.7 knows, awkward names too."""
import random

HOUR = 3600
DAY = 24 * HOUR
START = 1709251200  # 2024-03-01T00:00:00Z

REGIONS = ['eu-west', 'us\\ east', 'ap\\,south', '東京']


def _host_lines(host, at, tick, rng):
    tags = f'host=web-{host:03d},region={REGIONS[host % len(REGIONS)]}'
    yield f'cpu,{tags} usage_user={rng.uniform(0, 60):.2f},usage_idle={rng.uniform(30, 99)!r} {at}'
    yield f'net,{tags},interface=eth0 bytes_recv={tick * 1000000 + rng.randrange(900000)}i,errors=-{rng.randrange(9)}i {at}'
    yield f'service,{tags} up={"true" if rng.random() < 0.95 else "false"},load={rng.randrange(400) / 100} {at}'
    if tick % 20 == 0:
        yield f'release\\ notes,{tags} text="1.{tick // 20} \\"für {host}\\", 日本" {at}'


def points(start=START, seconds=DAY, step=60, hosts=5, seed=1):
    """Lines for `hosts` hosts, a round each `step` seconds from `start` (Unix time); the times are in nanoseconds."""
    rng = random.Random(seed)
    lines = []
    for tick, second in enumerate(range(start, start + seconds, step)):
        for host in range(hosts):
            lines += _host_lines(host, second * 10**9, tick, rng)
    return lines
