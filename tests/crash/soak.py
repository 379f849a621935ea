#!/usr/bin/python3
"""Kills tsmfs, or has its system calls fail, at random points of random sequences of commands, and demands that nothing is lost.

    soak.py [--rounds N] [--seed S] [--program TSMFS] [--shim FAULT_SHIM]

Each round makes a repository and runs a sequence of backup, import, forget, prune, repair, tag, rebuild-index, restore, export,
copy, snapshots and check over a server that changes; each command, the first one too, is made to fail by fault_shim at a random
change of the repository's files or of what it writes elsewhere, or at a random read, stat, readdir or open of them or of the
imported directory; or the power goes when it has ended.
After each command: `check --read-data` finds nothing, every listed snapshot holds byte for byte what the server held (one that
says it is incomplete: nothing else), and every snapshot that a command acknowledged is there until one forgets it. Exit status 0
means that all is there: no snapshot that a command acknowledged with it is incomplete.
"""
import argparse
import collections
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
import tiny_tsm  # pylint: disable=wrong-import-position
from digests import digests_below, digests_in_tars  # pylint: disable=wrong-import-position
from harness.older_server import OlderServer  # pylint: disable=wrong-import-position

COMMANDS_A_ROUND = 8
# Each with about as many calls as a command makes that it can hit.
KINDS = {'kill': 90, 'torn': 90, 'power': 90, 'off': 1, 'enospc': 90, 'eio': 90, 'eioread': 90, 'eiostat': 90, 'eiolist': 300, 'eioopen': 60,
         'eaccesopen': 60}
OK, DAMAGED, INCOMPLETE, FAILED, SERVER, KILLED = 0, 1, 3, 4, 5, -signal.SIGKILL


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


class Round:
    def __init__(self, arguments, seed, home):
        self.arguments, self.rng, self.home = arguments, random.Random(seed), home
        self.repository, self.other = os.path.join(home, 'repository'), os.path.join(home, 'other')
        self.server = Server(os.path.join(home, 'server'), self.rng)
        self.expected = {}  # id of a snapshot: digests of its files; of an incomplete one, of those that it may have
        self.acknowledged = set()  # ids of snapshots that must be there
        self.hours = 0
        self.hit = []  # kinds of the faults that hit a call
        self.story = []

    def tsmfs(self, *words, fault=None, repository=None, writes=()):
        """`writes`: where else than into the repository."""
        environment = dict(os.environ, TSMFS_REPOSITORY=repository or self.repository)
        log = os.path.join(self.home, 'fault.log')
        if fault:
            shadow = os.path.join(self.home, 'shadow')
            shutil.rmtree(shadow, ignore_errors=True)
            os.makedirs(shadow)
            environment.update(LD_PRELOAD=self.arguments.shim, TSMFS_FAULT_LOG=log,
                               TSMFS_FAULT_ROOT=':'.join([self.repository, self.server.data, self.server.meta, *writes]), TSMFS_FAULT_SHADOW=shadow, TSMFS_FAULT_KIND=fault[0], TSMFS_FAULT_AT=str(fault[1]))
        if os.path.exists(log):
            os.remove(log)
        done = subprocess.run([self.arguments.program, *words], env=environment, capture_output=True, timeout=120)
        hit = ''
        if os.path.exists(log):
            with open(log, encoding='utf-8', errors='replace') as lines:
                hit = '; '.join(line.strip() for line in lines)
            self.hit += [fault[0]] if 'fault at' in hit else []
        self.story.append(f'{" ".join(words)} {fault or ""} -> {done.returncode} {hit}')
        return done

    def demand(self, condition, what):
        if not condition:
            raise Lost(what)

    def is_there(self, repository=None):
        return os.path.exists(os.path.join(repository or self.repository, 'config'))

    def listed(self, repository=None):
        """The ids of all snapshots, oldest first, each with whether it says that it is incomplete."""
        if not self.is_there(repository):
            return {}
        done = self.tsmfs('snapshots', '--json', repository=repository)
        self.demand(done.returncode == OK, f'snapshots: {done.stderr.decode()}')
        return {snapshot['id']: snapshot['incomplete'] for snapshot in json.loads(done.stdout)}

    def take_in_new(self, status):
        """A command that makes one snapshot has ended: there is one when it was acknowledged, else one or none."""
        listed = self.listed()
        new = set(listed) - set(self.expected)
        self.demand(len(new) == 1 or (not new and status not in (OK, INCOMPLETE)), f'{len(new)} new snapshots')
        for snapshot in new:
            self.demand(status not in (OK, INCOMPLETE) or listed[snapshot] == (status == INCOMPLETE),
                        f'snapshot {snapshot} is {"in" if listed[snapshot] else ""}complete, which {status} does not say')
            self.expected[snapshot] = self.server.digests()
            self.acknowledged.add(snapshot)

    def demand_sound(self, repository):
        """What a kill left undone is taken up by the next writer; a reader must do without."""
        check = self.tsmfs('check', '--read-data', repository=repository)
        if not os.path.exists(os.path.join(repository, 'index')):  # lost with the power; the packs have it all
            self.demand(self.tsmfs('rebuild-index', repository=repository).returncode == OK, 'rebuild-index')
            check = self.tsmfs('check', '--read-data', repository=repository)
        self.demand(check.returncode == OK, f'check says {check.returncode}: {check.stdout.decode()} {check.stderr.decode()}')

    def verify(self):
        if not self.is_there():
            self.demand(not self.acknowledged, 'the repository is gone')
            return
        self.demand_sound(self.repository)
        listed = self.listed()
        self.demand(self.acknowledged <= set(listed), f'lost: {self.acknowledged - set(listed)}')
        for snapshot, incomplete in listed.items():
            done, found = self.restore(snapshot, None)
            self.demand(done.returncode == (INCOMPLETE if incomplete else OK),
                        f'restore says {done.returncode}: {done.stderr.decode()}')
            expected = self.expected[snapshot]
            self.demand(found.items() <= expected.items() if incomplete else found == expected, f'snapshot {snapshot} differs')
            self.expected[snapshot] = found  # no more may go

    def restore(self, snapshot, fault, repository=None):
        target = os.path.join(self.home, 'restored')
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        done = self.tsmfs('restore', '--snapshot', snapshot, '--datadir', target, fault=fault, repository=repository, writes=[target])
        return done, digests_below(target)

    def run_import(self, fault):
        for _ in range(self.rng.randint(0, 2)):
            self.server.change()
        self.hours += 1
        time = f'2026-01-{1 + self.hours // 24:02}T{self.hours % 24:02}:00:00Z'
        done = self.tsmfs('import', '--data-dir', self.server.data, '--meta-dir', self.server.meta, '--time', time, '--server', 's', fault=fault)
        self.take_in_new(done.returncode)
        return done

    def run_backup(self, fault):
        for _ in range(self.rng.randint(0, 2)):
            self.server.change()
        done = self.tsmfs('backup', '--host', self.server.snapshot_service.snapshot_address, '--server', 's', fault=fault)
        self.take_in_new(done.returncode)
        return done

    def run_forget(self, fault):
        listed = list(self.listed())
        if len(listed) < 2:
            return self.run_import(fault)
        return self.forget(self.rng.choice(listed), self.rng.choice([[], ['--prune', '--max-unused', '0%']]), fault)

    def run_forget_and_prune(self, fault):
        return self.forget(list(self.listed())[0], ['--prune', '--max-unused', '0%'], fault)

    def forget(self, snapshot, prune, fault):
        self.acknowledged.discard(snapshot)
        done = self.tsmfs('forget', snapshot, '--allow-last', *prune, fault=fault)
        self.demand(done.returncode != OK or snapshot not in self.listed(), f'forgotten, and there: {snapshot}')
        return done

    def run_prune(self, fault):
        return self.tsmfs('prune', '--max-unused', self.rng.choice(['0%', '5%', '50%']), fault=fault)

    def run_tag(self, fault):
        tag = self.rng.choice(['a', 'b'])
        done = self.tsmfs('tag', 'add', tag, 'latest', fault=fault)
        tagged = self.tsmfs('snapshots', '--json', '--tag', tag)
        self.demand(done.returncode != OK or json.loads(tagged.stdout), f'no snapshot has the tag {tag}')
        return done

    def run_rebuild(self, fault):
        """One that could not read a pack says so, and is to be done again."""
        done = self.tsmfs('rebuild-index', fault=fault)
        self.demand(done.returncode != DAMAGED or self.tsmfs('rebuild-index').returncode == OK, 'rebuild-index')
        return done

    def run_check(self, fault):
        return self.tsmfs('check', '--read-data', fault=fault)

    def run_restore(self, fault):
        """A restore that fails leaves nothing behind that is not as it was."""
        snapshot = self.rng.choice(list(self.listed()))
        done, found = self.restore(snapshot, fault)
        wrong = {path for path, digest in found.items() if self.expected[snapshot].get(path) != digest}
        self.demand(not wrong or done.returncode == KILLED, f'restore left {wrong}')
        self.demand(done.returncode not in (OK, INCOMPLETE) or found == self.expected[snapshot], 'restore did not restore all')
        return done

    def run_export(self, fault):
        """Status 0 means that the tars hold all."""
        snapshot, above = self.rng.choice(list(self.listed())), os.path.join(self.home, 'exports')
        shutil.rmtree(above, ignore_errors=True)
        os.makedirs(above)
        target = os.path.join(above, 'export')
        done = self.tsmfs('export', '--format', 'legacy', '--snapshot', snapshot, target, fault=fault, writes=[above])
        if done.returncode in (OK, INCOMPLETE):
            self.demand(digests_in_tars(target) == self.expected[snapshot], 'export did not write all')
        return done

    def run_copy(self, fault):
        """Copies are whole, and with status 0 there is one of each."""
        done = self.tsmfs('copy', '--from', self.repository, '--to', self.other, fault=fault, writes=[self.other])
        self.demand(done.returncode != OK or self.is_there(self.other), 'copied, and there is no copy')
        if not self.is_there(self.other):
            return done
        self.demand_sound(self.other)
        found = []
        for snapshot in self.listed(self.other):
            restored, files = self.restore(snapshot, None, self.other)
            self.demand(restored.returncode in (OK, INCOMPLETE), f'restore of a copy: {restored.stderr.decode()}')
            found.append(files)
        if done.returncode == OK:
            lacking = [snapshot for snapshot in self.listed() if self.expected[snapshot] not in found]
            self.demand(not lacking, f'copied, and not there: {lacking}')
        return done

    def run_snapshots(self, fault):
        done = self.tsmfs('snapshots', '--json', fault=fault)
        if done.returncode == OK:
            ids = {snapshot['id'] for snapshot in json.loads(done.stdout)}
            self.demand(ids == set(self.listed()), 'snapshots lists other ones')
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
        for _ in range(COMMANDS_A_ROUND):
            self.run_one()

    def run_one(self):
        command = self.rng.choice([self.run_import, self.run_backup])
        if self.listed():
            command = self.rng.choice([self.run_import, self.run_backup] * 2 + [
                self.run_forget, self.run_forget, self.run_prune, self.run_tag, self.run_rebuild, self.run_repair,
                self.run_restore, self.run_check, self.run_export, self.run_copy, self.run_snapshots])
        kind = self.rng.choice(list(KINDS))
        done = command((kind, self.rng.randint(1, KINDS[kind])))
        allowed = {OK, FAILED, KILLED, DAMAGED}
        if command in (self.run_import, self.run_forget):  # which imports when there is nothing to forget
            allowed |= {INCOMPLETE, SERVER}
        if command in (self.run_restore, self.run_export):
            allowed |= {INCOMPLETE}
        self.demand(done.returncode in allowed, f'{command.__name__} ends with {done.returncode}: {done.stderr.decode()}')
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
    failed, hit = [], collections.Counter()
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
            hit.update(one.hit)
    print(f'{len(seeds)} rounds, {len(failed)} failed{": seeds" if failed else ""}', *failed)
    print('faults that hit a call:', ', '.join(f'{kind} {hit[kind]}' for kind in KINDS))
    blind = len(seeds) >= 30 and any(hit[kind] == 0 for kind in KINDS)  # a hook that sees nothing finds nothing
    return 1 if failed or blind else 0


if __name__ == '__main__':
    sys.exit(main())
