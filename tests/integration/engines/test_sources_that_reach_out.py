"""Sources that reach for something else than themselves: they get nothing read, and a clear code."""

import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.ffprobe import probe_source
from proxx_worker.media.probe_command import probe_argv
from proxx_worker.process.stop import StopFlag
from tests.support.probing import PICTURE, TOOLS, make, refused

STRACE = shutil.which("strace") or "/usr/bin/strace"


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def redirect(movie: bytes, entry: bytes) -> bytes:
    """`movie` with `entry` for the first track's data reference. Its header stands last, so that no offset moves."""
    path = [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"]

    def rebuilt(content: bytes, path: list[bytes]) -> bytes:
        if not path:
            return struct.pack(">II", 0, 1) + entry
        out, position, done = b"", 0, False
        while position < len(content):
            size, kind = struct.unpack_from(">I4s", content, position)
            inner = content[position + 8 : position + size]
            if kind == path[0] and not done:
                inner, done = rebuilt(inner, path[1:]), True
            out += box(kind, inner)
            position += size
        return out

    return rebuilt(movie, path)


def alias(path: bytes) -> bytes:
    """A QuickTime alias record with an absolute path, as FFmpeg follows it with `-enable_drefs 1 -use_absolute_path 1`."""
    name = path.rpartition(b"/")[2]
    record = b"\0" * 10 + bytes([1]) + b"V".ljust(27, b"\0") + b"\0" * 12 + bytes([len(name)]) + name.ljust(63, b"\0")
    record += b"\0" * 16 + struct.pack(">hh", 0, 0) + b"\0" * 16
    record += struct.pack(">HH", 2, len(path)) + path + b"\0" * (len(path) % 2) + struct.pack(">HH", 0xFFFF, 0)
    return box(b"alis", struct.pack(">I", 0) + record)


def url(path: bytes) -> bytes:
    return box(b"url ", struct.pack(">I", 0) + b"file://" + path + b"\0")


PLAYLISTS: dict[str, Callable[[Path], bytes]] = {
    "concat": lambda secret: f"ffconcat version 1.0\nfile '{secret}'\n".encode(),
    "concat-with-space": lambda secret: f"\n  ffconcat version 1.0\nfile '{secret}'\n".encode(),
    "hls": lambda secret: f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n".encode(),
    "hls-of-the-net": lambda _: b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
    "dash": lambda secret: (
        f'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><BaseURL>{secret}'.encode()
    ),
    "sdp": lambda _: b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 96\r\n",
    "vobsub": lambda secret: f"# VobSub index file, v7\nid: en, index: 0\n{secret}\n".encode(),
    "text": lambda secret: f"{secret}\n".encode() * 40,
}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret").mkdir()
    return make(tmp_path / "secret" / "secret.mov", *PICTURE, "-c:v", "prores")


def opened(path: Path) -> str:
    """Every file that ffprobe opens, and every connection it makes, while it looks at `path` without the worker's own checks."""
    trace = path.parent / "trace"
    descriptor = os.open(path, os.O_RDONLY)
    try:
        subprocess.run(
            [
                *(STRACE, "-f", "-qq", "-e", "trace=open,openat,socket,connect,execve", "-o", str(trace)),
                *probe_argv(TOOLS.ffprobe, f"/dev/fd/{descriptor}"),
            ],
            pass_fds=(descriptor,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    finally:
        os.close(descriptor)
    return trace.read_text()


@pytest.mark.parametrize("kind", sorted(PLAYLISTS))
def test_a_playlist_reaches_nothing_and_is_refused(tmp_path: Path, stop: StopFlag, secret: Path, kind: str) -> None:
    playlist = tmp_path / f"{kind}.mov"
    playlist.write_bytes(PLAYLISTS[kind](secret))
    assert refused(playlist, stop).code is ErrorCode.SOURCE_UNSUPPORTED
    trace = opened(playlist)
    assert "secret" not in trace
    assert "socket(" not in trace


@pytest.mark.parametrize("reference", [alias, url])
def test_a_movie_whose_media_lies_elsewhere_is_refused(
    tmp_path: Path, stop: StopFlag, secret: Path, reference: Callable[[bytes], bytes]
) -> None:
    movie = tmp_path / "reference.mov"
    movie.write_bytes(redirect(secret.read_bytes(), reference(os.fsencode(secret))))
    error = refused(movie, stop)
    assert error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert "is in another file" in error.error.message
    assert "secret" not in opened(movie)


def test_that_reference_is_a_real_one(tmp_path: Path, secret: Path) -> None:
    movie = tmp_path / "reference.mov"
    movie.write_bytes(redirect(secret.read_bytes(), alias(os.fsencode(secret))))
    secret_frames = subprocess.run(
        [
            *(TOOLS.ffprobe, "-v", "error", "-enable_drefs", "1", "-use_absolute_path", "1", "-count_packets"),
            *("-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", f"file:{movie}"),
        ],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    assert secret_frames.split() == [b"10"]


def test_a_still_whose_name_is_a_pattern_is_read_alone(tmp_path: Path, stop: StopFlag) -> None:
    for index in (1, 2):
        make(tmp_path / f"still{index}.png", *PICTURE, "-frames:v", "1")
    pattern = (tmp_path / "still1.png").rename(tmp_path / "still%d.png")
    assert refused(pattern, stop).code is ErrorCode.SOURCE_UNSUPPORTED
    assert "still2" not in opened(pattern)


def test_a_place_is_checked_before_a_byte_is_read(tmp_path: Path, stop: StopFlag) -> None:
    (tmp_path / "clip.mov").write_bytes(b"\0\0\1\xe8RED2")
    (tmp_path / "link").symlink_to(tmp_path)
    seen: list[str] = []

    def refuse(real_path: str) -> None:
        seen.append(real_path)
        raise ProxxError(ErrorCode.PATH_NOT_ALLOWED, "not there")

    with pytest.raises(ProxxError, match="not there"):
        probe_source(TOOLS, f"{tmp_path}/link/clip.mov", stop, check_place=refuse)
    assert seen == [f"{os.path.realpath(tmp_path)}/clip.mov"]
