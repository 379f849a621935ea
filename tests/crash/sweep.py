#!/usr/bin/python3
"""Has every single look of a command at its files fail, one after the other; of those that write elsewhere than into the
repository (restore, export, copy) every single change too.

    sweep.py [--commands NAME,...] [--kinds KIND,...] [--every N] [--program TSMFS] [--shim FAULT_SHIM]

A repository with some history is made once. Each command runs on a copy of it with a fault at its first call of a kind, then
with one at its second, and so on until it makes no further call; after each run all that soak.py demands is demanded.
"""
import argparse
import copy
import os
import shutil
import sys
import tempfile

import soak

KINDS = ['eiostat', 'eiolist', 'eioopen', 'eaccesopen', 'eioread']
CHANGES = ['eio', 'enospc', 'power', 'off']
WRITE_ELSEWHERE = ['restore', 'export', 'copy']
NO_FAULT = ('none', 0)


class Sweep:
    def __init__(self, arguments, home):
        self.arguments = arguments
        self.round = soak.Round(arguments, 7, home)
        for command in (self.round.run_import, self.round.run_import, self.round.run_backup, self.round.run_backup):
            command(NO_FAULT)
        self.round.run_forget(NO_FAULT)
        self.round.verify()
        self.kept = os.path.join(home, 'kept')
        shutil.copytree(self.round.repository, self.kept)
        self.known = (self.round.expected, self.round.acknowledged, self.round.hours)
        self.lost = 0

    def commands(self):
        one = self.round
        return {'import': one.run_import, 'backup': one.run_backup, 'forget': one.run_forget_and_prune, 'prune': one.run_prune,
                'tag': one.run_tag, 'rebuild': one.run_rebuild, 'check': one.run_check, 'restore': one.run_restore,
                'repair': one.run_repair, 'export': one.run_export, 'copy': one.run_copy, 'snapshots': one.run_snapshots}

    def begin_anew(self):
        for repository in (self.round.repository, self.round.other):
            shutil.rmtree(repository, ignore_errors=True)
        shutil.copytree(self.kept, self.round.repository)
        self.round.expected, self.round.acknowledged, self.round.hours = copy.deepcopy(self.known)
        self.round.story.clear()

    def run(self, name, kind):
        """Prints how often the command ended with which status."""
        statuses, number = {}, 1
        while True:
            self.begin_anew()
            hits = len(self.round.hit)
            try:
                done = self.commands()[name]((kind, number))
                statuses[done.returncode] = statuses.get(done.returncode, 0) + 1
                self.round.verify()
            except soak.Lost as lost:
                self.lost += 1
                print(f'{name} with {kind} at {number}: FAILED: {lost}', *self.round.story, sep='\n  ', flush=True)
            if len(self.round.hit) == hits:
                break
            number += self.arguments.every
            if kind == 'off':
                break
        print(f'{name} with {kind}: {number - 1} calls; statuses {statuses}', flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--commands', default='import,backup,forget,prune,tag,rebuild,check,restore,repair,export,copy,snapshots')
    parser.add_argument('--kinds', help='instead of those that go with the command')
    parser.add_argument('--every', type=int, default=1)
    parser.add_argument('--program', default=os.environ.get('TSMFS_BINARY'))
    parser.add_argument('--shim', default=os.environ.get('TSMFS_FAULT_SHIM'))
    arguments = parser.parse_args()
    if not arguments.program or not arguments.shim:
        parser.error('needs --program and --shim')
    with tempfile.TemporaryDirectory(prefix='tsmfs-sweep-') as home:
        sweep = Sweep(arguments, home)
        try:
            for name in arguments.commands.split(','):
                usual = KINDS + (CHANGES if name in WRITE_ELSEWHERE else [])
                for kind in arguments.kinds.split(',') if arguments.kinds else usual:
                    sweep.run(name, kind)
        finally:
            sweep.round.server.snapshot_service.stop()
    print(f'{sweep.lost} failed')
    return 1 if sweep.lost else 0


if __name__ == '__main__':
    sys.exit(main())
