"""The installed command for jobs of minutes."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.acceptance.command import COMMAND, Command, Ended, for_stand_ins

DEADLINE_SECONDS = 3600.0
"""It bounds a hang; nothing is judged by it."""


def wait_for(
    proxx: Command,
    *arguments: str | Path,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Ended:
    """Run `proxx-worker` to its end. `prefix`: what stands before it; `environment` is added to the little that tests give it."""
    done = subprocess.run(
        [*prefix, COMMAND, *arguments, *for_stand_ins(arguments)],
        stdin=subprocess.DEVNULL, check=False, capture_output=True, timeout=DEADLINE_SECONDS, cwd=cwd,
        env={**proxx.environment, **(environment or {})},
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
