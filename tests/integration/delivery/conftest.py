"""An output directory, held or not, and small real filesystems."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxx_worker.delivery.output_directory import OutputDirectory

NOBODY = 65534


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def held(out: Path) -> Iterator[OutputDirectory]:
    with OutputDirectory.hold(str(out)) as directory:
        yield directory


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a tmpfs with the given options."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small filesystem needs root")
    mounted: list[Path] = []

    def make(options: str) -> Path:
        folder = tmp_path / f"mount{len(mounted)}"
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def unprivileged_folder() -> Iterator[Path]:
    """A folder, and the test in the role of a user who is not root: root may write anywhere."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "out"
        folder.mkdir()
        Path(name).chmod(0o755)
        before = os.geteuid()
        if before == 0:
            os.chown(folder, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        yield folder
        folder.chmod(0o755)
        os.seteuid(before)
