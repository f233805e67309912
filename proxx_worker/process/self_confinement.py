"""Confines this process itself by Landlock: from then on it opens what it needs and nothing else (decision 0031).

Its children inherit that, and are confined further, as they would be without it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process import capabilities, landlock
from proxx_worker.process.limits import NO_ROOM
from proxx_worker.process.sandbox import require_kernel
from proxx_worker.process.tool_files import ALWAYS, RUN, allow_existing, needed_to_run

LEAST_ABI: Final = 2
"""The first version that lets a confined process rename and link between folders, which claiming and publishing do."""

_READ: Final = landlock.READ_FILE | landlock.READ_DIR
_WRITE: Final = (
    _READ | landlock.WRITE_FILE | landlock.TRUNCATE | landlock.REFER
    | landlock.MAKE_DIR | landlock.MAKE_REG | landlock.REMOVE_DIR | landlock.REMOVE_FILE
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reach:
    """What a process needs, as absolute paths. A folder includes all in it; what is not there is left out.

    `reads`: to read. `writes`: also to make, change, move and remove. `runs`: folders to read and to start programs from.
    `programs`: to start, with what they need for it.
    """

    reads: Sequence[str] = ()
    writes: Sequence[str] = ()
    runs: Sequence[str] = ()
    programs: Sequence[str] = ()


class Confined:
    """What this process was left when it was confined. The rules hold for the very folders and files that were there then."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Remember `paths`, which this process could open before."""
        self._paths = tuple(paths)

    def require_reach(self) -> None:
        """Raise IO_ERROR if one of them was replaced, such as a share that was mounted again: no rule knows it."""
        for path in self._paths:
            if _is_refused(path):
                raise ProxxError(
                    ErrorCode.IO_ERROR,
                    f"{path} must be the one that was there when the worker gave up its other rights, but the kernel refuses it: "
                    "it was remounted, recreated or reinstalled, or its permissions were changed. Start the worker again.",
                    path=path,
                )


def confine_self(reach: Reach, *, abstract_sockets: bool = False) -> Confined:
    """Hold this process to `reach`, for good, from Landlock's ABI 2 on. It must have one thread: others would stay as they are.

    It keeps the descriptors that are open. TCP is refused from ABI 4 on; from 6 on also signals to processes that it did not
    start, and unless `abstract_sockets` the abstract sockets of others. Root keeps power over files alone: with more, some of
    other processes could be read past Landlock. Raises SANDBOX_UNAVAILABLE, IO_ERROR.
    """
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208 - names alone
        raise RuntimeError("a process must confine itself before it starts a thread")
    version = require_kernel()
    scopes = landlock.SIGNALS | (0 if abstract_sockets else landlock.ABSTRACT_SOCKETS)
    programs = needed_to_run(*reach.programs)
    # Before the rules are made: O_PATH alone does not make an automounter mount, and the rule would be of the folder below.
    reached = [path for path in (*reach.reads, *reach.writes, *reach.runs, *reach.programs) if not _is_refused(path)]
    try:
        rules = landlock.Ruleset(version, scopes)
        for path, rights in ALWAYS.items():
            allow_existing(rules, path, rights)
        for paths, rights in ((reach.reads, _READ), (reach.writes, _WRITE), (reach.runs, RUN | _READ), (programs, RUN)):
            for path in paths:
                allow_existing(rules, path, rights)
        rules.restrict()
        capabilities.keep(capabilities.OPEN_ALL | capabilities.REMOVE_ALL)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise ProxxError(
                ErrorCode.IO_ERROR,
                f"the worker must be able to give up the rights that it does not need: {error.strerror}. "
                "Check the limits on memory and open files.",
            ) from error
        raise ProxxError(
            ErrorCode.SANDBOX_UNAVAILABLE,
            f"the worker must be able to give up the rights that it does not need, but the kernel refused: {error.strerror}. "
            "Allow it Landlock's system calls; without `source_roots` or `output_roots` it keeps all rights.",
        ) from error
    return Confined(reached)


def _is_refused(path: str) -> bool:
    """Whether this process may not open `path`; other errors do not count."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
    except PermissionError:
        return True
    except OSError:
        return False
    return False
