"""A worker on the stand-in as a process that can be killed: `worker_process.py WORKSPACE FOLDER SOCKET starts|attaches`.

The command itself would do, but it has no settings for the seconds that its child waits, and a sweep has hundreds of jobs.
"""

import sys
from pathlib import Path

from proxx_worker.contract.output_settings import Engine
from proxx_worker.process.stop import StopFlag
from tests.support.jobs import environment
from tests.support.resolve.world import StandIn
from tests.support.worker import live


def main() -> int:
    """Own the workspace, recover, work until its inbox is empty."""
    workspace, folder, socket, how = sys.argv[1:]
    engine = StandIn(Path(folder), socket).engine(starts=how == "starts")
    return live(Path(workspace), environment(engine, Engine.RESOLVE), StopFlag())


if __name__ == "__main__":
    sys.exit(main())
