"""An audio stream that a source lists, but has nothing of, is refused in every container: some would drop it without a word."""

from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg, probe, streams
from tests.acceptance.command import Command
from tests.acceptance.media.test_audio_by_the_clock import H264, PICTURE, PROXIES
from tests.acceptance.results import parse_result
from tests.acceptance.specs import encode, jobspec

QUICK = frozenset({("mkv", "mov"), ("mkv", "mkv")})


@pytest.mark.parametrize(
    ("suffix", "container"),
    [
        pytest.param(suffix, container, marks=() if (suffix, container) in QUICK else pytest.mark.heavy)
        for suffix in ("mkv", "avi")
        for container in PROXIES
    ],
)
def test_an_empty_audio_stream_is_named(proxx: Command, tmp_path: Path, suffix: str, container: str) -> None:
    source, proxies, spec = tmp_path / f"clip.{suffix}", tmp_path / "proxies", tmp_path / "spec.json"
    nothing = ("-f", "s16le", "-ar", "48000", "-ac", "2", "-i", "/dev/null")
    ffmpeg(*PICTURE, *nothing, "-map", "0", "-map", "1", "-t", "1", *H264, "-c:a", "pcm_s16le", source)
    assert len(streams(probe(source), "audio")) == 1
    proxies.mkdir()
    spec.write_bytes(encode(jobspec(source, proxies, **PROXIES[container])))
    error = parse_result(proxx("run", spec).stdout)["error"]
    assert error["code"] == "SOURCE_UNSUPPORTED"
    assert "audio stream 1 of the source (pcm_s16le) is empty" in error["message"]
    assert list(proxies.iterdir()) == []
