"""Comparing a directory of a mount with what the server had."""
import os
import shutil

BACKED_UP = ('.tsm', '.tombstone')  # of a server's data directory; fields.idx, index/ and _series are made anew by influxd


def stored_files(root):
    """{path from root: bytes} of the files below root that a backup holds."""
    found = {}
    for directory, _, names in os.walk(root):
        for name in names:
            if name.endswith(BACKED_UP):
                path = os.path.join(directory, name)
                with open(path, 'rb') as file:
                    found[os.path.relpath(path, root)] = file.read()
    return found


def copy_stored_files(source, target):
    """A copy of a server's data directory with only what a backup holds, times and modes kept as influxd's tar keeps them:
    rounded to the nearest second."""
    for directory, _, names in os.walk(source):
        for name in names:
            if name.endswith(BACKED_UP):
                path = os.path.join(directory, name)
                copy = os.path.join(target, os.path.relpath(path, source))
                os.makedirs(os.path.dirname(copy), exist_ok=True)
                shutil.copy2(path, copy)
                seconds = (os.stat(path).st_mtime_ns + 500_000_000) // 1_000_000_000
                os.utime(copy, (seconds, seconds))


def differences(expected, found):
    """What is wrong with {path: bytes} `found`, one phrase each, at most 20."""
    wrong = [f'{path} is missing' for path in sorted(expected.keys() - found.keys())]
    wrong += [f'{path} was not expected' for path in sorted(found.keys() - expected.keys())]
    for path in sorted(expected.keys() & found.keys()):
        if expected[path] != found[path]:
            wrong.append(f'{path} has other bytes ({len(expected[path])} bytes on the server, {len(found[path])} here)')
    return wrong[:20]


def compare_trees(server_data, mounted):
    """differences() of a server's data directory, as it stands now, and a directory of a mount. All files of the mount
    count, and their sizes in stat as well."""
    found = {}
    wrong = []
    for directory, _, names in os.walk(mounted, onerror=_raise):
        for name in names:
            path = os.path.join(directory, name)
            with open(path, 'rb') as file:
                found[os.path.relpath(path, mounted)] = file.read()
            if os.stat(path).st_size != len(found[os.path.relpath(path, mounted)]):
                wrong.append(f'{path}: stat shows {os.stat(path).st_size} bytes')
    return wrong + differences(stored_files(server_data), found)


def _raise(error):
    raise error
