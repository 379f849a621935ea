#!/usr/bin/python3
"""Kills tsmfs at random points of random sequences of commands, and demands that nothing acknowledged is ever lost.

    soak.py [--rounds N] [--seed S] [--program TSMFS] [--shim FAULT_SHIM]

Each round makes a repository and runs a sequence of backup, import, forget, prune, repair, tag, rebuild-index, restore and check
over a server that changes; each command is made to fail by fault_shim at a random change or read of the repository's files.
After each command: `check --read-data` finds nothing, every listed snapshot holds byte for byte what the server held, and every
snapshot that a command acknowledged is there until one forgets it.
"""
import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

import tiny_tsm

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
from harness.older_server import OlderServer  # pylint: disable=wrong-import-position

COMMANDS_A_ROUND = 8
KINDS = ['kill', 'torn', 'power', 'enospc', 'eio', 'eioread']
OK, DAMAGED, FAILED, KILLED = 0, 1, 4, -signal.SIGKILL


class Lost(Exception):
    pass


class Server:
    """An influxd's directories that change: new files, compactions of all files of a shard, deletions. Answers as influxd."""

    def __init__(self, home, rng):
        self.data, self.meta = os.path.join(home, 'data'), os.path.join(home, 'meta')
        self.rng, self.next_seed, self.generation = rng, 0, 0
        self.shards = {f'db {number % 2}/auto.gen/{number}': {} for number in range(1, 4)}
        os.makedirs(self.meta)
        with open(os.path.join(self.meta, 'meta.db'), 'wb') as out:
            out.write(tiny_tsm.meta_db(self.shards))
        for _ in range(4):
            self.change()
        self.snapshot_service = OlderServer(home, newer=True)

    def change(self):
        files = self.rng.choice(list(self.shards.values()))
        self.generation += 1
        if len(files) > 2 or (files and self.rng.random() < 0.2):
            merged = sorted({seed for seeds in files.values() for seed in seeds})
            files.clear()
            files[f'{self.generation:09}-000000002.tsm'] = merged[:self.rng.randint(1, 200)]
        else:
            count = self.rng.randint(1, 60)
            files[f'{self.generation:09}-000000001.tsm'] = range(self.next_seed, self.next_seed + count)
            self.next_seed += count
        self.write()

    def write(self):
        shutil.rmtree(self.data, ignore_errors=True)
        for shard, files in self.shards.items():
            os.makedirs(os.path.join(self.data, shard))
            for name, seeds in files.items():
                with open(os.path.join(self.data, shard, name), 'wb') as out:
                    out.write(tiny_tsm.tsm(seeds))

    def digests(self):
        found = {}
        for shard, files in self.shards.items():
            for name, seeds in files.items():
                found[f'{shard}/{name}'] = hashlib.sha256(tiny_tsm.tsm(seeds)).hexdigest()
        return found


def digests_below(root):
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, 'rb') as file:
                found[os.path.relpath(path, root)] = hashlib.sha256(file.read()).hexdigest()
    return found


class Round:
    def __init__(self, arguments, seed, home):
        self.arguments, self.rng, self.home = arguments, random.Random(seed), home
        self.repository = os.path.join(home, 'repository')
        self.server = Server(os.path.join(home, 'server'), self.rng)
        self.expected = {}  # id of a snapshot: digests of its files
        self.acknowledged = set()  # ids of snapshots that must be there
        self.hours = 0
        self.story = []

    def tsmfs(self, *words, fault=None):
        environment = dict(os.environ, TSMFS_REPOSITORY=self.repository)
        log = os.path.join(self.home, 'fault.log')
        if fault:
            shadow = os.path.join(self.home, 'shadow')
            shutil.rmtree(shadow, ignore_errors=True)
            os.makedirs(shadow)
            environment.update(LD_PRELOAD=self.arguments.shim, TSMFS_FAULT_ROOT=self.repository, TSMFS_FAULT_LOG=log,
                               TSMFS_FAULT_SHADOW=shadow, TSMFS_FAULT_KIND=fault[0], TSMFS_FAULT_AT=str(fault[1]))
        if os.path.exists(log):
            os.remove(log)
        done = subprocess.run([self.arguments.program, *words], env=environment, capture_output=True, timeout=120)
        hit = ''
        if os.path.exists(log):
            with open(log, encoding='utf-8', errors='replace') as lines:
                hit = '; '.join(line.strip() for line in lines)
        self.story.append(f'{" ".join(words)} {fault or ""} -> {done.returncode} {hit}')
        return done

    def demand(self, condition, what):
        if not condition:
            raise Lost(what)

    def listed(self):
        """The ids of all snapshots, oldest first."""
        done = self.tsmfs('snapshots', '--json')
        self.demand(done.returncode == OK, f'snapshots: {done.stderr.decode()}')
        return [snapshot['id'] for snapshot in json.loads(done.stdout)]

    def take_in_new(self, acknowledged):
        """A command that makes one snapshot has ended: there is one when it was acknowledged, else one or none."""
        new = set(self.listed()) - set(self.expected) if os.path.exists(os.path.join(self.repository, 'config')) else set()
        self.demand(len(new) == 1 or (not new and not acknowledged), f'{len(new)} new snapshots')
        for snapshot in new:
            self.expected[snapshot] = self.server.digests()
            self.acknowledged.add(snapshot)

    def verify(self):
        if not os.path.exists(os.path.join(self.repository, 'config')):
            return
        # What a kill left undone is taken up by the next writer; a reader must do without.
        check = self.tsmfs('check', '--read-data')
        if not os.path.exists(os.path.join(self.repository, 'index')):  # lost with the power; the packs have it all
            self.demand(self.tsmfs('rebuild-index').returncode == OK, 'rebuild-index')
            check = self.tsmfs('check', '--read-data')
        self.demand(check.returncode == OK, f'check says {check.returncode}: {check.stdout.decode()} {check.stderr.decode()}')
        listed = self.listed()
        self.demand(self.acknowledged <= set(listed), f'lost: {self.acknowledged - set(listed)}')
        for snapshot in listed:
            done, found = self.restore(snapshot, None)
            self.demand(done.returncode == OK, f'restore: {done.stderr.decode()}')
            self.demand(found == self.expected[snapshot], f'snapshot {snapshot} differs')

    def restore(self, snapshot, fault):
        target = os.path.join(self.home, 'restored')
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        done = self.tsmfs('restore', '--snapshot', snapshot, '--datadir', target, fault=fault)
        return done, digests_below(target)

    def run_import(self, fault):
        for _ in range(self.rng.randint(0, 2)):
            self.server.change()
        self.hours += 1
        time = f'2026-01-{1 + self.hours // 24:02}T{self.hours % 24:02}:00:00Z'
        done = self.tsmfs('import', '--data-dir', self.server.data, '--time', time, '--server', 's', fault=fault)
        self.take_in_new(done.returncode == OK)
        return done

    def run_backup(self, fault):
        for _ in range(self.rng.randint(0, 2)):
            self.server.change()
        done = self.tsmfs('backup', '--host', self.server.snapshot_service.snapshot_address, '--server', 's', fault=fault)
        self.take_in_new(done.returncode == OK)
        return done

    def run_forget(self, fault):
        listed = self.listed()
        if len(listed) < 2:
            return self.run_import(fault)
        snapshot = self.rng.choice(listed)
        self.acknowledged.discard(snapshot)
        return self.tsmfs('forget', snapshot, *self.rng.choice([[], ['--prune', '--max-unused', '0%']]), fault=fault)

    def run_prune(self, fault):
        return self.tsmfs('prune', '--max-unused', self.rng.choice(['0%', '5%', '50%']), fault=fault)

    def run_tag(self, fault):
        return self.tsmfs('tag', 'add', self.rng.choice(['a', 'b']), 'latest', fault=fault)

    def run_rebuild(self, fault):
        return self.tsmfs('rebuild-index', fault=fault)

    def run_check(self, fault):
        return self.tsmfs('check', '--read-data', fault=fault)

    def run_restore(self, fault):
        """A restore that fails leaves nothing behind that is not as it was."""
        snapshot = self.rng.choice(self.listed())
        done, found = self.restore(snapshot, fault)
        wrong = {path for path, digest in found.items() if self.expected[snapshot].get(path) != digest}
        self.demand(not wrong or done.returncode == KILLED, f'restore left {wrong}')
        return done

    def run_repair(self, fault):
        """Damages a pack where nothing is lost by it: in its trailer."""
        packs = sorted(os.path.join(folder, name)
                       for folder, _, names in os.walk(os.path.join(self.repository, 'packs')) for name in names)
        pack = self.rng.choice(packs) if packs else None
        if pack:
            with open(pack, 'r+b') as file:
                file.seek(-self.rng.randint(1, 60), os.SEEK_END)
                byte = file.read(1)[0]
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte ^ 0x40]))
        done = self.tsmfs('repair', fault=fault)
        again = self.tsmfs('repair')
        self.demand(again.returncode == OK, f'repair: {again.stdout.decode()} {again.stderr.decode()}')
        return done

    def run(self):
        done = self.run_import(None)
        self.demand(done.returncode == OK, done.stderr.decode())
        changes = 90  # about what a command makes
        for _ in range(COMMANDS_A_ROUND):
            command = self.rng.choice([self.run_import, self.run_backup] * 2 + [
                self.run_forget, self.run_forget, self.run_prune, self.run_tag, self.run_rebuild, self.run_repair,
                self.run_restore, self.run_check])
            fault = (self.rng.choice(KINDS), self.rng.randint(1, changes))
            done = command(fault)
            self.demand(done.returncode in (OK, FAILED, KILLED, DAMAGED),
                        f'{command.__name__} ends with {done.returncode}: {done.stderr.decode()}')
            self.verify()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=30)
    parser.add_argument('--seed', type=int)
    parser.add_argument('--program', default=os.environ.get('TSMFS_BINARY'))
    parser.add_argument('--shim', default=os.environ.get('TSMFS_FAULT_SHIM'))
    arguments = parser.parse_args()
    if not arguments.program or not arguments.shim:
        parser.error('needs --program and --shim')
    seeds = [arguments.seed] if arguments.seed is not None else [random.randrange(1 << 32) for _ in range(arguments.rounds)]
    failed = []
    for number, seed in enumerate(seeds, 1):
        with tempfile.TemporaryDirectory(prefix='tsmfs-soak-') as home:
            one = Round(arguments, seed, home)
            try:
                one.run()
            except Lost as lost:
                failed.append(seed)
                print(f'round {number}, --seed {seed}: FAILED: {lost}', *one.story, sep='\n  ', flush=True)
            finally:
                one.server.snapshot_service.stop()
    print(f'{len(seeds)} rounds, {len(failed)} failed{": seeds" if failed else ""}', *failed)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
