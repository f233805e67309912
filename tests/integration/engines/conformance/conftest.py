"""Every engine that there is, one after the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.benches import BENCHES, Bench


@pytest.fixture(scope="module", params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with BENCHES[request.param](tmp_path_factory.mktemp("bench")) as bench:
        yield bench


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def sources(bench: Bench, tmp_path: Path) -> list[Path]:
    """Two clips, to be changed at will."""
    copies = [tmp_path / "one.mov", tmp_path / "two.mov"]
    for copy in copies:
        copy.write_bytes(bench.source.read_bytes())
    return copies
