"""`Path` and `datetime` as the worker's modules see them: on the simulated disk, and by the simulated clock."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path, PosixPath
from typing import TYPE_CHECKING, TypeAlias

from tests.simulation.inodes import Inode, Status
from tests.simulation.kernel import STARTED_NS, Kernel

if TYPE_CHECKING:
    from tests.simulation.system import System

AnyPath: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"


def path_class(system: "System") -> type[Path]:
    """`Path`, with those methods on the simulated disk that the worker and the auditor use."""

    class SimulatedPath(PosixPath):
        def _inode(self) -> Inode | None:
            try:
                return system.kernel.disk.find(os.fsencode(self))
            except OSError:
                return None

        def read_bytes(self) -> bytes:
            return system.read_file(os.fsencode(self))

        def read_text(self, encoding: str | None = None, errors: str | None = None, newline: str | None = None) -> str:
            return self.read_bytes().decode(encoding or "utf-8")

        def replace(self, target: AnyPath) -> "SimulatedPath":
            system.replace(self, target)
            return type(self)(os.fsdecode(target))

        def iterdir(self) -> "Iterator[SimulatedPath]":  # type: ignore[override]
            inode = self._inode()
            return (self / os.fsdecode(name) for name in (inode and inode.entries) or {})

        def lstat(self) -> Status:  # type: ignore[override]
            return system.stat(self)

        def is_file(self) -> bool:
            inode = self._inode()
            return inode is not None and not inode.is_folder

    return SimulatedPath


def datetime_class(kernel: Kernel) -> type[datetime]:
    """`datetime`, with the simulated wall clock."""
    began = datetime.fromtimestamp(STARTED_NS / 1e9, UTC)

    class SimulatedDatetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            assert tz is UTC
            return began + timedelta(seconds=kernel.clock)

    return SimulatedDatetime
