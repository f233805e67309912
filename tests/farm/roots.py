"""New Debians in folders, with nothing in them but what a test puts there (deploy/setup/debian-root)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SUITE = "bookworm"

needs_roots = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("apt-get") is None, reason="takes root on a Debian"
)


class Root:
    """A Debian in a folder."""

    def __init__(self, path: Path, program: Path) -> None:
        """See `new_root`."""
        self.path = path
        self._program = program

    def run(self, script: str) -> str:
        """Run a script of sh in it, with mounts and processes of its own, to its end; returns what it prints."""
        argv = (self._program, "run", self.path, "sh", "-euc", script)
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0, f"{script}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def files(self) -> set[str]:
        """All that is in it and is no folder, as paths inside."""
        walked = os.walk(self.path)
        return {str(Path(folder, name).relative_to(self.path)) for folder, _, names in walked for name in names}

    @contextmanager
    def copy(self, path: Path) -> Iterator["Root"]:
        """Another one, with the same in it until now, that is removed at the end of the block."""
        subprocess.run(["cp", "--archive", self.path, path], check=True)
        try:
            yield Root(path, self._program)
        finally:
            shutil.rmtree(path)


@contextmanager
def new_root(path: Path, project_root: Path) -> Iterator[Root]:
    """Make one, with apt's lists as of now; it is removed at the end of the block."""
    program = project_root / "deploy" / "setup" / "debian-root"
    try:
        made = subprocess.run(
            [program, "make", SUITE, path], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr
        root = Root(path, program)
        root.run("apt-get update -qq")
        yield root
    finally:
        shutil.rmtree(path, ignore_errors=True)
