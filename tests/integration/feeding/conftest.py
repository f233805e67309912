"""Clips as small as they can be and still be told by their first bytes: nothing here is decoded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.workspace.layout import Workspace

MOVIE = b"\0\0\0\x14ftypisom\0\0\0\0isom" + b"\0\0\0\x08mdat"
"""A recording without its index, which is somebody's clip all the same."""


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write a file below the test's folder, a clip if nothing else is said."""

    def write(relative: str, data: bytes = MOVIE) -> Path:
        path = tmp_path / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace that no worker has prepared yet."""
    (tmp_path / "ws").mkdir()
    return Workspace(tmp_path / "ws")


@pytest.fixture
def card(tmp_path: Path, put: Callable[..., Path]) -> Path:
    """Two cards with one clip name, and what lies beside clips."""
    for name in ("A/CLIP/C0001.MP4", "B/CLIP/C0001.MP4", "B/CLIP/C0002.MP4"):
        put(f"cards/{name}")
    put("cards/A/CLIP/C0001M01.XML", b"<?xml version='1.0'?>")
    put("cards/.DS_Store")
    return tmp_path / "cards"
