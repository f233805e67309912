"""Where open files really lie, whatever their names are made of."""

import os
import sys
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.locations import location_of, path_bytes, path_text, real_path_of, require_inside, require_path_inside


@pytest.fixture
def place(tmp_path: Path) -> str:
    """A real path: the temporary folder itself may be behind a link."""
    return os.path.realpath(tmp_path)


def test_an_open_file_lies_where_it_really_is(place: str) -> None:
    Path(place, "real").mkdir()
    Path(place, "real", "a").write_bytes(b"")
    Path(place, "link").symlink_to("real")
    descriptor = os.open(f"{place}/link/a", os.O_RDONLY)
    try:
        assert location_of(descriptor) == f"{place}/real/a"
        Path(place, "real").rename(Path(place, "moved"))
        assert location_of(descriptor) == f"{place}/moved/a"
    finally:
        os.close(descriptor)


@pytest.mark.skipif(sys.platform != "linux", reason="APFS takes UTF-8 names only")
def test_names_of_any_bytes_come_and_go(place: str) -> None:
    path = path_bytes(place) + b"/\xff\n\xe2\x80\xae"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        assert path_bytes(location_of(descriptor)) == path
        assert path_bytes(real_path_of(path_text(path))) == path
    finally:
        os.close(descriptor)


def test_what_is_inside_a_root_is_allowed_and_no_neighbour(place: str) -> None:
    Path(place, "media").mkdir()
    Path(place, "link").symlink_to("media")
    for root in ("media", "link", "media/", "media/../media"):
        require_inside("/x", f"{place}/media/a.mov", [f"{place}/{root}"], "source_roots", "a source")
    require_inside("/x", "/anywhere", None, "source_roots", "a source")
    with pytest.raises(ProxxError, match="a source must be inside source_roots: /x resolves to ") as caught:
        require_inside("/x", f"{place}/media2/a.mov", [f"{place}/media"], "source_roots", "a source")
    assert caught.value.code is ErrorCode.PATH_NOT_ALLOWED
    assert caught.value.error.details["real_path"] == f"{place}/media2/a.mov"


def test_without_any_root_nothing_is_allowed(place: str) -> None:
    with pytest.raises(ProxxError):
        require_inside(place, place, [], "output_roots", "the output directory")


def test_a_path_beyond_what_the_system_takes_is_not_walked(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "lstat", lambda *_: pytest.fail("looked at a folder"))
    assert real_path_of(f"{place}{'/x' * 500_000}/../y") == f"{place}{'/x' * 499_999}/y"


def test_a_first_look_goes_by_names(place: str) -> None:
    Path(place, "media").mkdir()
    Path(place, "media", "out").symlink_to("..")
    require_path_inside(f"{place}/media/missing.mov", [f"{place}/media"], "source_roots", "a source")
    require_path_inside(f"{place}/anything", None, "source_roots", "a source")
    with pytest.raises(ProxxError) as caught:
        require_path_inside(f"{place}/media/out/missing.mov", [f"{place}/media"], "source_roots", "a source")
    assert caught.value.error.details["real_path"] == f"{place}/missing.mov"
