"""Clips made with the real FFmpeg, looked at as the worker does."""

import os
import subprocess
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ProxxError
from proxx_worker.engines.ffprobe import probe_source
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.process.stop import StopFlag

TOOLS = locate_tools(None, None, os.environ["PATH"])
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=0.4")
SOUND = ("-f", "lavfi", "-i", "sine=d=0.4:r=48000")


def make(path: Path, *arguments: str) -> Path:
    """Encode `path` with FFmpeg."""
    subprocess.run([TOOLS.ffmpeg, "-v", "error", "-y", *arguments, f"file:{path}"], check=True)
    return path


def facts(path: Path, stop: StopFlag) -> MediaFacts:
    found = probe_source(TOOLS, str(path), stop).media
    assert isinstance(found, MediaFacts)
    return found


def refused(path: Path, stop: StopFlag, tools: Tools = TOOLS, stall_seconds: float | None = None) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        probe_source(tools, str(path), stop, stall_seconds=stall_seconds)
    return caught.value
