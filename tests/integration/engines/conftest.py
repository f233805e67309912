"""What the engines' tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxx_worker.delivery.output_directory import OutputDirectory
from proxx_worker.delivery.staging import Staging


@pytest.fixture
def staging(tmp_path: Path) -> Iterator[Staging]:
    """The staging folder of a job, in an output directory of its own."""
    (tmp_path / "out").mkdir()
    with OutputDirectory.hold(f"{tmp_path}/out") as directory, directory.open_staging("4f2a", "clip") as folder:
        yield folder
