"""The digests of files, in directories and in the tars of a backup."""
import hashlib
import os
import tarfile


def digests_below(root):
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, 'rb') as file:
                found[os.path.relpath(path, root)] = hashlib.sha256(file.read()).hexdigest()
    return found


def digests_in_tars(directory):
    """Of the files in a legacy backup."""
    found = {}
    for name in os.listdir(directory):
        if name.startswith('meta.'):
            continue
        with tarfile.open(os.path.join(directory, name)) as tar:
            for member in tar:
                if member.isfile():
                    found[member.name] = hashlib.sha256(tar.extractfile(member).read()).hexdigest()
    return found
