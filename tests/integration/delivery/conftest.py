"""An output directory, held or not, and small real filesystems."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxx_worker.delivery.output_directory import OutputDirectory
from tests.support.privileges import without_power_over_file_modes


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
def unprivileged_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder, and the test as a user for whom its mode is in force: root may write anywhere."""
    folder = tmp_path / "unprivileged"
    folder.mkdir()
    with without_power_over_file_modes():
        yield folder
        folder.chmod(0o755)
