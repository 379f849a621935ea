"""What scripts/bench measures of each tool. Figures are kept by tool and row: one value, or one of each round."""
import os
import random
import shutil
import subprocess
import sys
import time

from .tools import Run

READERS, READS_OF_EACH, READ_BYTES = 8, 500, 4096
READER = f'''
import os, random, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
places = random.Random(int(sys.argv[2]))
size = os.fstat(fd).st_size
print(flush=True)
sys.stdin.readline()
for _ in range({READS_OF_EACH}):
    os.pread(fd, {READ_BYTES}, places.randrange(max(size - {READ_BYTES}, 1)))
'''


def note(figures, name, row, value):
    """A value of one round."""
    figures[name].setdefault(row, []).append(value)


def drop_caches():
    os.sync()
    try:
        with open('/proc/sys/vm/drop_caches', 'w', encoding='ascii') as file:
            file.write('3')
    except OSError as error:
        print(f'scripts/bench: caches stay warm: {error}', file=sys.stderr)


def tree_bytes(top):
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(top) for name in names)


def read_all(top):
    """So that the source is in memory, and nobody is first to read it from the disk."""
    Run('tar', '-cf', '/dev/zero', '-C', top, '.')


def copy_out(tool, target):
    """Seconds that cp -r of the newest snapshot through the mount takes. Into memory, so that no disk is measured."""
    shutil.rmtree(target, ignore_errors=True)
    return Run('cp', '-r', tool.newest(), target).seconds


def random_reads(tool):
    """4 KiB reads a second at random places of the largest file, from several processes at once."""
    files = [os.path.join(folder, name) for folder, _, names in os.walk(tool.newest()) for name in names]
    path = max(files, key=os.path.getsize)
    readers = [subprocess.Popen([sys.executable, '-c', READER, path, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
               for seed in range(READERS)]
    for reader in readers:
        reader.stdout.readline()
    begin = time.monotonic()
    for reader in readers:
        reader.stdin.write(b'\n')
        reader.stdin.flush()
    for reader in readers:
        reader.wait()
    return READERS * READS_OF_EACH / (time.monotonic() - begin)


def measure_ingest(tools, directories, figures):
    for tool in tools:
        tool.init()
        runs = []
        for directory in directories:
            read_all(directory)
            runs.append(tool.add(directory))
        figures[tool.name]['ingest, s'] = sum(run.seconds for run in runs)
        figures[tool.name]['ingest, processor s'] = sum(run.processor_seconds for run in runs)
        figures[tool.name]['peak memory of it, MB'] = max(run.peak_bytes for run in runs) / 1e6
        figures[tool.name]['repository, MB'] = tree_bytes(tool.repository) / 1e6
        print(f'{tool.name}: {len(runs)} snapshots', file=sys.stderr)


def measure_mount(tool, newest_bytes, target, figures):
    drop_caches()
    ready = tool.mount()
    if ready is None:
        return
    note(figures, tool.name, 'mount ready, cold, s', ready)
    note(figures, tool.name, 'cp -r through the mount, cold, MB/s', newest_bytes / 1e6 / copy_out(tool, target))
    note(figures, tool.name, 'the same again, MB/s', newest_bytes / 1e6 / copy_out(tool, target))
    note(figures, tool.name, 'memory of the mount, MB', tool.resident_bytes() / 1e6)
    tool.umount()
    note(figures, tool.name, 'mount ready, s', tool.mount())
    tool.umount()
    drop_caches()
    tool.mount()
    note(figures, tool.name, '4 KiB random reads, 8 processes, 1/s', random_reads(tool))
    tool.umount()


def measure_round(tools, newest_directory, target, figures):
    """One value of each, tool after tool."""
    newest_bytes = tree_bytes(newest_directory)
    for tool in random.sample(tools, len(tools)):
        if tool.name != 'cp':
            read_all(newest_directory)
            note(figures, tool.name, 'a backup with nothing new, s', tool.add(newest_directory).seconds)
        measure_mount(tool, newest_bytes, target, figures)
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        drop_caches()
        note(figures, tool.name, 'restore, cold, MB/s', newest_bytes / 1e6 / tool.restore(target).seconds)
        shutil.rmtree(target, ignore_errors=True)


def measure_backups_of_influxd(tool, backups, figures):
    """Ingest of what influxd backup wrote, tars, which is for tsmfs alone."""
    tool.repository += '-tars'
    seconds = 0
    for directory in backups:
        read_all(directory)
        seconds += tool.import_backup(directory).seconds
    figures[tool.name]['ingest of influxd\'s backups (tars), s'] = seconds


def measure_live(tools, newest_backup, scratch, rounds, figures):
    """Backups of a running influxd that has the newest snapshot of the history, beside influxd's own."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'e2e'))
    from harness.influxd import Influxd  # pylint: disable=import-outside-toplevel
    source, home = os.path.join(scratch, 'live-source'), os.path.join(scratch, 'live')
    program = tools[0].program
    Run(program, 'import', '--repo', source, '-q', newest_backup)
    Run(program, 'restore', '--repo', source, '--datadir', os.path.join(home, 'data'), '--metadir', os.path.join(home, 'meta'))
    server = Influxd(home)
    rows = [f'backup of a live influxd, {what} new, s' for what in ('everything', 'nothing')]
    try:
        databases = [name for name in os.listdir(server.data) if not name.startswith('_')]
        for number in range(rounds):
            target = os.path.join(scratch, 'influxd-backup')
            seconds = sum(Run('influxd', 'backup', '-host', server.snapshot_address, '-database', database, target).seconds
                          for database in databases)
            for row in rows:
                note(figures, 'influxd backup', row, seconds)
            shutil.rmtree(target)
            for tool in tools:
                repository = os.path.join(scratch, f'{tool.name}-live-{number}')
                for row in rows:
                    note(figures, tool.name, row,
                         Run(program, 'backup', '--repo', repository, '--host', server.snapshot_address, '--server', 'live', '-q',
                             *tool.compression).seconds)
                shutil.rmtree(repository)
    finally:
        server.stop()
