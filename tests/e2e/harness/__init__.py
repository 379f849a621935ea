"""What the end-to-end tests share: real influxd servers, damaged streams, the tsmfs program and its mounts."""
from .case import EndToEndTest, main
from .compare import compare_trees, differences, stored_files
from .influxd import Influxd, ShardPath
from .mount import Mount
from .points import DAY, HOUR, START, points
from .program import ExitCode, Repo, tsmfs, tsmfs_command
from .protocol import Request, read_request
from .proxy import Proxy, Reply
from .two_snapshots import TwoSnapshots, run
from .waiting import wait_until

__all__ = ['DAY', 'EndToEndTest', 'ExitCode', 'HOUR', 'Influxd', 'Mount', 'Proxy', 'Reply', 'Repo', 'Request', 'START',
           'ShardPath', 'TwoSnapshots', 'compare_trees', 'differences', 'main', 'points', 'read_request', 'run',
           'stored_files', 'tsmfs', 'tsmfs_command', 'wait_until']
