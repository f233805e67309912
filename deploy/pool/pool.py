"""A pool: JobSpecs from a queue to several workers, and back comes what became of each. Celery and Redis; adapt it.

One Celery process feeds one workspace, and a task is one JobSpec: it is dropped into the inbox, and its end is awaited.

    PROXX_WORKSPACE=/srv/proxx/a celery --app pool worker --concurrency 1 --hostname a@%h     (one per workspace)
    python pool.py SPEC.json ...                                                              (exit code 1 where a job failed)

A task is acknowledged when it begins and is never tried again: the worker never runs a job twice, and a queue that did would find
its outputs there. The queue decides who gets which job; what a job is and how it ends is the worker's.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

from celery import Celery, group

BROKER = os.environ.get("PROXX_BROKER", "redis://127.0.0.1:6379/0")
CHECK_SECONDS = 0.2

app = Celery("pool", broker=BROKER, backend=BROKER)
app.conf.update(
    task_acks_late=False,  # acknowledged before it runs
    task_reject_on_worker_lost=False,
    task_publish_retry=False,
    worker_prefetch_multiplier=1,  # whoever is free takes the next
    # Redis hands an unacknowledged task out again after this; it must be longer than anything waits in a full queue.
    broker_transport_options={"visibility_timeout": 30 * 86400},
    result_expires=30 * 86400,
)


class Outcome(TypedDict):
    """What became of one JobSpec: `code` is the error's, or empty; `result` is the path of its result JSON."""

    name: str
    status: str
    code: str
    result: str


@app.task(bind=True, max_retries=0)  # type: ignore[untyped-decorator] # Celery brings no types
def make(task: object, spec: str) -> Outcome:
    """Drop the JobSpec at `spec` into this process's workspace, wait for its end. A path: all hosts see the same storage."""
    workspace = Path(os.environ["PROXX_WORKSPACE"])
    # A name of its own, so that the job is found again whatever else was dropped here under the same name.
    name = f"{Path(spec).stem}-{task.request.id[:8]}"  # type: ignore[attr-defined] # Celery's own task object
    with TemporaryDirectory() as folder:
        named = Path(folder) / f"{name}.json"
        named.write_bytes(Path(spec).read_bytes())
        subprocess.run(["proxx-worker", "submit", workspace, named], check=True, stdout=subprocess.DEVNULL)  # noqa: S607
    while True:
        for folder_name in ("done", "failed"):
            # The spec is moved last: where it is, the result is whole.
            if (workspace / folder_name / f"{name}.json").exists():
                return outcome_of(name, workspace / folder_name / f"{name}.result.json")
        time.sleep(CHECK_SECONDS)


def outcome_of(name: str, result: Path) -> Outcome:
    """What a result says, in short."""
    document = json.loads(result.read_bytes())
    error = document["error"] or {"code": ""}
    return {
        "name": name,
        "status": document["status"],
        "code": error["code"],
        "result": str(result),
    }


def main(specs: list[str]) -> int:
    """Queue every spec, say how each ended when all have, and return 1 where one failed."""
    queued = group(make.s(str(Path(spec).absolute())) for spec in specs)()
    outcomes: list[Outcome] = queued.get()
    for outcome in outcomes:
        print(f"{outcome['status']:9}  {outcome['name']}  {outcome['code'] or '-'}  {outcome['result']}")
    return int(any(outcome["status"] != "COMPLETED" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
