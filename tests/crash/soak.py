#!/usr/bin/python3
"""Kills tsmfs at random points of random sequences of commands, and demands that nothing acknowledged is ever lost.

    soak.py [--rounds N] [--seed S] [--program TSMFS] [--shim FAULT_SHIM]

Each round makes a repository and runs a sequence of import, forget, prune, repair, tag and rebuild-index over a data directory
that changes as a server's does; each command is made to fail by fault_shim at a random change of the repository's files.
After each command: `check --read-data` finds nothing, every listed snapshot holds byte for byte what the directory held, and
every snapshot that a command acknowledged is there until one forgets it.
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

COMMANDS_A_ROUND = 8
KINDS = ['kill', 'torn', 'power', 'enospc', 'eio']
OK, DAMAGED, FAILED, KILLED = 0, 1, 4, -signal.SIGKILL


class Lost(Exception):
    pass


class Server:
    """A data directory that changes: new files, compactions of all files of a shard, deletions."""

    def __init__(self, home, rng):
        self.home, self.rng, self.next_seed, self.generation = home, rng, 0, 0
        self.shards = {f'db {number % 2}/auto.gen/{number}': {} for number in range(1, 4)}
        for _ in range(4):
            self.change()

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
        shutil.rmtree(self.home, ignore_errors=True)
        for shard, files in self.shards.items():
            os.makedirs(os.path.join(self.home, shard))
            for name, seeds in files.items():
                with open(os.path.join(self.home, shard, name), 'wb') as out:
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
        self.server = Server(os.path.join(home, 'data'), self.rng)
        self.expected = {}  # time of a snapshot: digests of its files
        self.acknowledged = set()  # times of snapshots that must be there
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
        done = self.tsmfs('snapshots', '--json')
        self.demand(done.returncode == OK, f'snapshots: {done.stderr.decode()}')
        return {snapshot['time'][:19] + 'Z': snapshot['id'] for snapshot in json.loads(done.stdout)}

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
        for time, snapshot in listed.items():
            target = os.path.join(self.home, 'restored')
            shutil.rmtree(target, ignore_errors=True)
            os.makedirs(target)
            done = self.tsmfs('restore', '--snapshot', snapshot, '--datadir', target)
            self.demand(done.returncode == OK, f'restore: {done.stderr.decode()}')
            found = digests_below(target)
            self.demand(found == self.expected[time], f'snapshot {time} differs')

    def run_import(self, fault):
        for _ in range(self.rng.randint(0, 2)):
            self.server.change()
        self.hours += 1
        time = f'2026-01-{1 + self.hours // 24:02}T{self.hours % 24:02}:00:00Z'
        self.expected[time] = self.server.digests()
        done = self.tsmfs('import', '--data-dir', self.server.home, '--time', time, '--server', 's', fault=fault)
        if done.returncode == OK:
            self.acknowledged.add(time)
        return done

    def run_forget(self, fault):
        listed = sorted(self.listed().items())
        if len(listed) < 2:
            return self.run_import(fault)
        time, snapshot = self.rng.choice(listed)
        self.acknowledged.discard(time)
        return self.tsmfs('forget', snapshot, *self.rng.choice([[], ['--prune', '--max-unused', '0%']]), fault=fault)

    def run_prune(self, fault):
        return self.tsmfs('prune', '--max-unused', self.rng.choice(['0%', '5%', '50%']), fault=fault)

    def run_tag(self, fault):
        return self.tsmfs('tag', 'add', self.rng.choice(['a', 'b']), 'latest', fault=fault)

    def run_rebuild(self, fault):
        return self.tsmfs('rebuild-index', fault=fault)

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
        changes = 150  # about what an import makes
        for _ in range(COMMANDS_A_ROUND):
            command = self.rng.choice([self.run_import] * 4 + [self.run_forget, self.run_forget, self.run_prune, self.run_tag,
                                                               self.run_rebuild, self.run_repair])
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
    print(f'{len(seeds)} rounds, {len(failed)} failed{": seeds" if failed else ""}', *failed)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
