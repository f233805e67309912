"""Every engine that there is, one after the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.benches import BENCHES, Bench


@pytest.fixture(scope="module", params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with BENCHES[request.param](tmp_path_factory.mktemp("bench")) as bench:
        yield bench


@pytest.fixture(autouse=True)
def _nothing_of_others_is_touched(bench: Bench) -> Iterator[None]:
    """After each test, so that the one that does it is named: a bench is shared by all tests of a module."""
    yield
    assert bench.violations() == []


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
