"""Names of databases, policies, files, servers, tags and paths that hold what a terminal obeys: no command lets it out, into
messages, tables or JSON, and no such name begins a line of its own."""
import glob
import io
import json
import os
import pty
import shutil
import struct
import subprocess
import tarfile
import unicodedata

from harness import EndToEndTest, main, read_request, tsmfs_command
from harness.listener import Listener
from harness.program import COMMAND_SECONDS_MAX, clean_environment
from harness.protobuf import number, part

# A title, a colour, a line that could be taken for the program's own, DEL, a C1 control, a turned direction.
TEXT = 'q\x1b]0;title\x07\x1b[31m\nFORGED\r\x7f\u009b31m\u202e\u2028'
NAME = TEXT.encode() + b'\xff\x9b'  # and bytes that are no UTF-8
CLEAR_LINE = b'\r\x1b[K'  # what a live line may send to a terminal
DAY = 86400 * 10**9
TSM = '000000001-000000001.tsm'


def metastore(*names):
    """Databases of these names, each with one policy of the same name; they have shards 5, 6, ..."""
    databases = b''
    for shard, name in enumerate(names, 5):
        group = number(1, shard) + number(2, DAY) + number(3, 2 * DAY) + part(5, number(1, shard))
        databases += part(5, part(1, name) + part(2, name) + part(3, part(1, name) + number(3, DAY) + part(5, group)))
    return number(1, 1) + number(2, 10) + number(3, 77) + databases + number(7, 1) + number(8, 99) + number(9, 99)


def shard_tar(path, content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as tar:
        for name in (TSM, TEXT + '.tsm'):
            member = tarfile.TarInfo(f'{path}/{name}')
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def serve(connection):
    """An influxd that has one database and one policy of the name TEXT, and databases that climb."""
    request = read_request(connection)
    if request is None or request.older:
        return
    if request.kind == 'metastore':
        meta = metastore(TEXT.encode(), b'../../' + TEXT.encode(), b'odd')
        node = b'null\n'
        connection.sendall(struct.pack('>QQ', 0x59590101, len(meta)) + meta + struct.pack('>Q', len(node)) + node)
    elif request.kind == 'database':
        database = request.body['BackupDatabase']
        path = f'{TEXT}/{TEXT}/5' if database == TEXT else f'{database}/{TEXT}/../7'
        connection.sendall(json.dumps({'Paths': [path]}).encode() + b'\n')
    elif request.kind in ('shard', 'later'):
        connection.sendall(shard_tar(f'{TEXT}/{TEXT}/5', b'no sound TSM file'))


def shown(character):
    """Whether a terminal shows a character, and obeys none."""
    return character == '\n' or (unicodedata.category(character) not in ('Cc', 'Zl', 'Zp') and
                                 unicodedata.bidirectional(character) not in ('RLE', 'LRE', 'RLO', 'LRO', 'PDF', 'RLI', 'LRI', 'FSI', 'PDI'))


class HostileNames(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.repo = self.path('repository')
        top = os.fsencode(self.path('server'))
        os.makedirs(os.path.join(top, b'meta'))
        for shard in (b'5', b'6'):
            os.makedirs(os.path.join(top, b'data', NAME, NAME, shard))
        for name in (TSM.encode(), NAME + b'.tsm', NAME):
            with open(os.path.join(top, b'data', NAME, NAME, b'5', name), 'wb') as file:
                file.write(b'no sound TSM file')
        os.symlink(b'nowhere', os.path.join(top, b'data', NAME + b' link'))
        self.write_metastore(metastore(NAME))

    def write_metastore(self, content):
        with open(self.path('server', 'meta', 'meta.db'), 'wb') as file:
            file.write(content)

    def clean(self, *arguments, json_lines=False, expect=None):
        """Runs a command to its end, whatever that is; what it says must be fit for a terminal. Its output."""
        done = subprocess.run(tsmfs_command()[:1] + [os.fsencode(str(a)) if not isinstance(a, bytes) else a for a in arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS_MAX,
                              env=clean_environment(), check=False)
        self.assertGreaterEqual(done.returncode, 0, f'{arguments} crashed')
        if expect is not None:
            self.assertEqual(done.returncode, expect, done.stderr)
        self.assert_shown(done.stdout, arguments)
        self.assert_shown(done.stderr, arguments)
        if json_lines:
            for line in done.stdout.decode().splitlines():
                json.loads(line)
        return done.stdout.decode() + done.stderr.decode()

    def assert_shown(self, output, arguments):
        text = output.decode()  # UTF-8, or it fails
        self.assertEqual([c for c in text if not shown(c)], [], f'{arguments}: {text!r}')
        self.assertFalse([line for line in text.split('\n') if line.startswith('FORGED')], f'{arguments}: {text!r}')

    def fill(self):
        places = ['--data-dir', self.path('server/data'), '--meta-dir', self.path('server/meta')]
        self.clean('import', '--repo', self.repo, '--server', TEXT, '--tag', 'a\u202e', *places, expect=3)
        self.write_metastore(metastore(NAME, b'../../' + NAME))
        return places

    def test_no_command_lets_escapes_out(self):
        places = self.fill()
        repo = ['--repo', self.repo]
        self.assertIn('\\x1b[31m', self.clean('snapshots', *repo, expect=0))
        self.clean('import', *repo, '--server', TEXT, *places)
        self.clean('import', *repo, '--server', TEXT + '/', *places, expect=2)
        listed = json.loads(self.clean('snapshots', *repo, '--json', expect=0))
        self.assertEqual(listed[0]['server'], TEXT)
        latest = listed[-1]['id']
        for tag in ('b\u202e', 'bad\x1b[31m'):
            self.clean('tag', 'add', *repo, tag, latest)
        self.clean('tag', 'remove', *repo, 'b\u202e', latest)
        self.clean('check', *repo, '--read-data', '--verbose', expect=0)
        self.clean('check', *repo, '--tsm', '--verbose', expect=1)  # no server opens files of such names
        self.clean('check', *repo, '--json', json_lines=True, expect=0)
        for options in (['--keep-last', '1'], ['--keep-last', '1', '--json'], ['--keep-tag', TEXT], [TEXT], ['--group-by', TEXT]):
            self.clean('forget', *repo, '--dry-run', *options)
        for command in ('prune', 'repair'):
            self.clean(command, *repo, '--dry-run', expect=0)
            self.clean(command, *repo, '--dry-run', '--json', json_lines=True, expect=0)
        self.clean('rebuild-index', *repo, expect=0)
        self.clean('copy', '--from', self.repo, '--to', self.path('copy'), expect=0)
        self.clean('snapshots', '--repo', self.path('copy'), expect=0)
        for form in ('legacy', 'portable', 'tar'):
            self.clean('export', *repo, '--format', form, self.path('export-' + form))
            self.clean('export', *repo, '--format', form, '--database', TEXT, self.path('export-' + form))
        for form in ('legacy', 'portable'):
            self.clean('import', '--repo', self.path('again'), '--server', TEXT, self.path('export-' + form))

    def test_no_restore_lets_escapes_out_or_writes_elsewhere(self):
        self.fill()
        into = ['restore', '--metadir', self.path('a/b/meta'), '--datadir', self.path('a/b/data')]
        for options in (['--dry-run'], ['--database', TEXT], ['--database', NAME, '--retention', TEXT], ['--shard', '77'],
                        ['--newdb', TEXT], ['--newdb', NAME], ['--newdb', '../' + TEXT], ['--snapshot', TEXT], ['--owner', TEXT], []):
            self.clean(*into, *options, self.repo)
        self.assertTrue(os.path.isdir(os.path.join(os.fsencode(self.path('a/b/data')), NAME, NAME, b'5')))
        self.assertEqual(sorted(os.listdir(self.path('a'))), ['b'])

    def test_a_name_that_climbs_is_refused(self):
        self.fill()
        places = ['--data-dir', self.path('server/data'), '--meta-dir', self.path('server/meta')]
        said = self.clean('import', '--repo', self.repo, '--server', 's', *places, expect=3)
        self.assertIn('has a name that no directory can have', said)
        said = self.clean('restore', '--server', 's', '--metadir', self.path('a/b/meta'), '--datadir', self.path('a/b/data'),
                          self.repo, expect=1)
        self.assertIn('which no directory can have', said)
        self.assertFalse(os.path.exists(self.path('a')))
        self.clean('restore', '--metadir', self.path('a/b/meta'), '--datadir', self.path('a/b/data'), '--database', NAME, '--server', 's',
                   self.repo, expect=3)
        self.assertEqual(os.listdir(self.path('a')), ['b'])

    def test_a_server_with_such_names(self):
        server = self.stopping(Listener(serve)).address
        to = ['backup', '--host', server, '--repo', self.repo, '--server', TEXT]
        said = self.clean(*to, expect=3)
        self.assertIn('has a name that no directory can have', said)
        self.assertIn('cannot be the path of one', said)
        self.clean(*to, '--json', json_lines=True, expect=3)
        self.clean(*to, '--database', 'x' + TEXT, expect=2)
        self.clean('restore', '--online', '--host', server, '--dry-run', self.repo)
        self.clean('restore', '--online', '--host', server, '--database', TEXT, '--newdb', 'new', self.repo)
        self.clean('backup', '--host', TEXT + ':1', '--repo', self.repo)

    def test_damage_is_told_in_words(self):
        self.fill()
        self.clean('import', '--repo', self.repo, '--server', 's', '--data-dir', self.path('server/data'))
        for pack in glob.glob(os.path.join(self.repo, 'packs', '*', '*')):
            with open(pack, 'r+b') as file:
                file.seek(60)
                file.write(b'\xff' * 40)
        manifests = glob.glob(os.path.join(self.repo, 'snapshots', '*'))
        with open(manifests[0], 'r+b') as file:
            file.write(NAME)
        for name in ('snapshots', 'packs'):
            with open(os.path.join(os.fsencode(self.repo), name.encode(), NAME), 'wb') as file:
                file.write(NAME)
        repo = ['--repo', self.repo]
        for command in (['snapshots'], ['snapshots', '--json'], ['check', '--read-data'], ['check', '--json'],
                        ['forget', '--keep-last', '9', '--dry-run'], ['prune'], ['repair', '--dry-run'], ['rebuild-index'],
                        ['repair'], ['check'], ['export', '--format', 'tar', self.path('tar')]):
            self.clean(command[0], *repo, *command[1:])
        self.clean('copy', '--from', self.repo, '--to', self.path('copy'))

    def test_paths_and_words_of_the_command_line(self):
        nowhere = os.path.join(os.fsencode(self.directory), NAME)
        self.fill()
        for command in (['snapshots', '--repo', nowhere], ['check', '--repo', nowhere], ['mount', '--repo', self.repo, nowhere],
                        ['mount', '--repo', nowhere, self.directory], ['mount', '--repo', self.repo, '-o', TEXT, self.directory],
                        ['umount', nowhere], [TEXT], ['snapshots', '--' + TEXT], ['snapshots', TEXT],
                        ['prune', '--repo', self.repo, '--max-unused', TEXT], ['tag', 'add', '--repo', self.repo, 't', TEXT],
                        ['import', '--repo', self.repo, nowhere], ['import', '--repo', self.repo, '--data-dir', nowhere],
                        ['copy', '--from', nowhere, '--to', nowhere], ['restore', '--datadir', nowhere, '--snapshot', TEXT, self.repo],
                        ['import', '--repo', self.repo, '--time', TEXT, self.directory],
                        ['export', '--repo', self.repo, '--format', 'legacy', nowhere]):
            self.clean(*command)
        shutil.rmtree(nowhere, ignore_errors=True)

    def test_a_live_line_clears_itself_and_nothing_else(self):
        self.fill()
        ours, terminal = pty.openpty()
        process = subprocess.Popen(tsmfs_command('restore', '--metadir', self.path('m'), '--datadir', self.path('d'), self.repo),
                                   stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=clean_environment())
        os.close(terminal)
        said = b''
        try:
            while piece := os.read(ours, 1 << 16):
                said += piece
        except OSError:
            pass  # as a terminal says that the other side has ended
        os.close(ours)
        self.assertEqual(process.wait(COMMAND_SECONDS_MAX), 3, said)  # a link led nowhere
        self.assertIn(CLEAR_LINE, said)
        self.assert_shown(said.replace(CLEAR_LINE, b'').replace(b'\r\n', b'\n'), 'restore on a terminal')


if __name__ == '__main__':
    main()
