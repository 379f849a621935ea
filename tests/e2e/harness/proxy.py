"""A TCP proxy before influxd's snapshot service that damages chosen answers."""
import collections
import enum
import io
import socket
import struct
import tarfile
import threading
import time
import typing

from .listener import Listener, ask
from .protocol import read_request
from .waiting import wait_until

STALL_SECONDS_MAX = 120
BUSY_SECONDS = 1.1  # what influxd 1.8.5 and later take at least for an answer without what is in a cache
TRAILER_BYTES = 1024  # a tar ends in two blocks of zeros


class End(enum.Enum):
    CLOSE = 'close'
    RESET = 'reset'
    STALL = 'stall'  # keeps the connection open until Proxy.release(), then closes


class Reply(typing.NamedTuple):
    """What the client gets instead of the answer."""
    data: bytes
    end: End = End.CLOSE


# ---- damages: from the whole answer to a Reply ----

def cut(fraction):
    return lambda answer: Reply(answer[:int(len(answer) * fraction)])


def cut_in_first_file(answer):
    member = _members(answer)[0]
    return Reply(answer[:member.offset_data + member.size // 2])


def cut_in_header(answer):
    return Reply(answer[:_members(answer)[-1].offset_data - 100])


def cut_between_members(answer):
    return Reply(answer[:_members(answer)[-1].offset])


def cut_before_trailer(answer):
    return Reply(answer[:-TRAILER_BYTES])


def cut_in_trailer(answer):
    return Reply(answer[:-TRAILER_BYTES // 2])


def lose_last_member(answer):
    """What influxd sends when its walk fails: a sound tar with too few files."""
    return Reply(answer[:_members(answer)[-1].offset] + bytes(TRAILER_BYTES))


def after_a_second(damage=Reply):
    """As influxd answers that cannot write a shard's cache out at once: it tries for a second."""
    def wait(answer):
        time.sleep(BUSY_SECONDS)
        return damage(answer)
    return wait


def with_files(files):
    """The answer and {path: bytes} behind it, as of a shard that has them too."""
    def add(answer):
        members = [tarfile.TarInfo(path) for path in files]
        for member in members:
            member.size = len(files[member.name])
        more = (m.tobuf(tarfile.USTAR_FORMAT) + files[m.name] + bytes(-m.size % tarfile.BLOCKSIZE) for m in members)
        return Reply(answer[:-TRAILER_BYTES] + b''.join(more) + bytes(TRAILER_BYTES))
    return add


def reset(answer):
    return Reply(answer[:len(answer) // 2], End.RESET)


def reset_at_once(answer):
    return Reply(b'', End.RESET)


def stall(answer):
    return Reply(answer[:len(answer) // 2], End.STALL)


def stall_at_once(answer):
    return Reply(b'', End.STALL)


def bytes_after_trailer(answer):
    return Reply(answer + b'left over from something else')


def glued(answer):
    """A partial stream and the whole one behind it, as a retry leaves them in one file."""
    return Reply(answer[:len(answer) // 3] + answer)


def glued_at_member(answer):
    return Reply(answer[:_members(answer)[-1].offset] + answer)


def nothing(answer):
    return Reply(b'')


def empty_tar(answer):
    return Reply(bytes(TRAILER_BYTES))


def flip(answer):
    """One bit of the first file's blocks."""
    member = _members(answer)[0]
    at = member.offset_data + member.size // 3
    return Reply(answer[:at] + bytes([answer[at] ^ 0x10]) + answer[at + 1:])


def _members(answer):
    with tarfile.open(fileobj=io.BytesIO(answer)) as tar:
        return tar.getmembers()


# ---- the proxy ----

class Proxy:
    """Listens on a free loopback port. `rule(request, attempt)` gives the damage for a connection, or None to pass the
    answer on; attempt counts from 1 the requests of one kind for one shard. Answers are read whole before they go on."""

    def __init__(self, server, rule=lambda request, attempt: None):
        self.upstream = server.snapshot_address
        self.rule = rule
        self.requests = []           # every Request, in order
        self.stalled = 0             # connections that wait for release()
        self._attempts = collections.Counter()
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._listener = Listener(self._serve)
        self.snapshot_address = self._listener.address

    def tries(self, shard):
        with self._lock:
            return self._attempts['shard', shard]

    def release(self):
        """Ends every stall, now and later."""
        self._released.set()

    def wait_stalled(self):
        wait_until(lambda: self.stalled > 0, 'tsmfs to wait for a stalled answer')

    def stop(self):
        self.release()
        self._listener.stop()

    def _serve(self, client):
        request = read_request(client)
        if request is None:
            return
        with self._lock:
            self.requests.append(request)
            self._attempts[request.kind, request.shard] += 1
            damage = self.rule(request, self._attempts[request.kind, request.shard])
        answer = ask(self.upstream, request.raw)
        self._send(client, damage(answer) if damage else Reply(answer))

    def _send(self, client, reply):
        client.sendall(reply.data)
        if reply.end is End.STALL:
            self._stall()
        if reply.end is End.RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            client.close()

    def _stall(self):
        with self._lock:
            self.stalled += 1
        self._released.wait(STALL_SECONDS_MAX)
        with self._lock:
            self.stalled -= 1
