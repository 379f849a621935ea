"""scripts/bench works; how fast anything is, is for people to look at."""
import os
import subprocess
import sys

from harness import EndToEndTest, main

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'scripts', 'bench')


class Bench(EndToEndTest):
    def test_quick(self):
        done = subprocess.run([sys.executable, BENCH, '--quick', '--program', os.environ['TSMFS_BINARY'], '--scratch', self.directory],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        header, _, *rows = done.stdout.splitlines()
        columns = [cell.strip() for cell in header.split('|')]
        self.assertIn('cp', columns)
        figures = {cells[1].strip(): cells for cells in (row.split('|') for row in rows)}
        for row in ('ingest, s', 'repository, MB', 'a backup with nothing new, s', 'mount ready, s', 'restore, cold, MB/s'):
            self.assertGreater(float(figures[row][columns.index('tsmfs')]), 0, row)
        self.assertEqual(os.listdir(self.directory), [])


if __name__ == '__main__':
    main()
