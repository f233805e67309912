"""The look at a source with the real ffprobe, and with ffprobes that hang, flood, die or lie."""

import json
import os
import shutil
import stat
import struct
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.ffprobe import MAX_REPORT_BYTES, probe_source
from proxx_worker.engines.source_file import SourceIdentity
from proxx_worker.engines.stop import StopFlag
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.planning.facts import MediaFacts, RawSource, Timecode
from proxx_worker.planning.pixel_formats import pixel_format
from proxx_worker.planning.probe import probe_argv

TOOLS = locate_tools(None, None, os.environ["PATH"])
STRACE = shutil.which("strace") or "/usr/bin/strace"
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=0.4")
SOUND = ("-f", "lavfi", "-i", "sine=d=0.4:r=48000")
HDR10 = (
    "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
)


@pytest.fixture
def stop() -> Iterator[StopFlag]:
    flag = StopFlag()
    yield flag
    flag.close()


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


def test_a_real_clip_and_the_state_it_was_read_in(tmp_path: Path, stop: StopFlag) -> None:
    clip = make(
        tmp_path / "A001.mov",
        *PICTURE,
        *SOUND,
        *("-c:v", "prores", "-c:a", "pcm_s24le", "-timecode", "01:02:03:04", "-metadata:s:v", "reel_name=A001"),
    )
    probed = probe_source(TOOLS, str(clip), stop)
    assert probed.identity == SourceIdentity.of(clip.stat())
    found = probed.media
    assert isinstance(found, MediaFacts)
    assert (found.demuxer, found.video.codec, found.video.rate, found.video.frames) == ("mov", "prores", Fraction(25), 10)
    assert found.video.frames_certain
    assert found.timecode == Timecode("01:02:03:04", drop_frame=False, origin="stream")
    assert found.reel == "A001"
    assert [(stream.codec, stream.bits_per_sample, stream.duration) for stream in found.audio] == [
        ("pcm_s24le", 24, Fraction(2, 5))
    ]


@pytest.mark.parametrize("name", ["clip%03d.png", "clip*.jpg", "-v.dpx", "list.m3u8", "script.ffconcat", "a b\n'\"$(x).txt"])
def test_the_container_comes_from_the_content_never_from_the_name(tmp_path: Path, stop: StopFlag, name: str) -> None:
    clip = make(tmp_path / "clip.mkv", *PICTURE, "-c:v", "mpeg4").rename(tmp_path / name)
    assert facts(clip, stop).demuxer == "matroska"


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_hdr_metadata_is_found_where_only_the_bitstream_has_it(tmp_path: Path, stop: StopFlag, container: str) -> None:
    clip = make(
        tmp_path / f"hdr.{container}",
        *PICTURE,
        *("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params", HDR10),
    )
    color = facts(clip, stop).video.color
    assert (color.transfer, color.primaries, color.matrix) == ("smpte2084", "bt2020", "bt2020nc")
    assert color.mastering_display == "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    assert color.content_light == "1000,400"


@pytest.mark.parametrize(
    ("name", "scale", "encoder", "top_field_first"),
    [
        ("dnxhd.mov", "1920:1080", ("-c:v", "dnxhd", "-b:v", "120M", "-pix_fmt", "yuv422p"), True),
        ("capture.avi", "720:576", ("-c:v", "dvvideo", "-pix_fmt", "yuv420p"), False),
        ("tape.dv", "720:576", ("-c:v", "dvvideo", "-pix_fmt", "yuv420p"), False),
    ],
)
def test_fields_are_found_where_only_the_frames_tell(
    tmp_path: Path, stop: StopFlag, name: str, scale: str, encoder: tuple[str, ...], *, top_field_first: bool
) -> None:
    fields = f"scale={scale},setfield={'tff' if top_field_first else 'bff'}"
    clip = make(tmp_path / name, *PICTURE, "-vf", fields, *encoder, "-flags", "+ildct")
    assert facts(clip, stop).video.top_field_first is top_field_first


@pytest.mark.slow
@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60000/1001"])
@pytest.mark.parametrize("container", ["mov", "mkv", "ts", "avi", "mxf"])
def test_rates_are_exact_and_constant_in_every_container(tmp_path: Path, stop: StopFlag, container: str, rate: str) -> None:
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=320x180:r={rate}:d=1")
    video = facts(make(tmp_path / f"clip.{container}", *picture, "-c:v", "mpeg2video"), stop).video
    assert (video.rate, video.constant_rate) == (Fraction(rate), True)


def test_pixel_formats_mean_what_ffprobe_s_own_table_says() -> None:
    table = json.loads(
        subprocess.run(
            [TOOLS.ffprobe, "-v", "error", "-show_pixel_formats", "-of", "json"], check=True, stdout=subprocess.PIPE
        ).stdout
    )["pixel_formats"]
    pictures = [entry for entry in table if not entry["flags"]["hwaccel"] and not entry["name"].startswith("bayer_")]
    assert len(pictures) > 150
    for entry in pictures:
        known = pixel_format(entry["name"])
        assert known is not None, entry["name"]
        depth = max(component["bit_depth"] for component in entry["components"])
        assert (known.bit_depth, known.has_alpha) == (depth, bool(entry["flags"]["alpha"])), entry["name"]
        if known.chroma.isdecimal():
            horizontal, vertical = entry["log2_chroma_w"], entry["log2_chroma_h"]
            samples = {"444": (0, 0), "440": (0, 1), "422": (1, 0), "420": (1, 1), "411": (2, 0), "410": (2, 2)}[known.chroma]
            assert (horizontal, vertical) == samples, entry["name"]
    for entry in table:
        if entry not in pictures:
            assert pixel_format(entry["name"]) is None


# --- what reaches for something else than itself ---


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
    assert "lies in another file" in error.error.message
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


# --- what has no picture, or is none ---


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("sound.wav", SOUND, ErrorCode.SOURCE_NO_VIDEO),
        ("sound.flac", SOUND, ErrorCode.SOURCE_NO_VIDEO),
        ("sound.mp3", SOUND, ErrorCode.SOURCE_NO_VIDEO),
        ("sound.aac", SOUND, ErrorCode.SOURCE_NO_VIDEO),
        ("sound.m4a", SOUND, ErrorCode.SOURCE_NO_VIDEO),
        ("sound.ogg", SOUND, ErrorCode.SOURCE_NO_VIDEO),
        ("still.png", (*PICTURE, "-frames:v", "1"), ErrorCode.SOURCE_UNSUPPORTED),
        ("still.tiff", (*PICTURE, "-frames:v", "1"), ErrorCode.SOURCE_UNSUPPORTED),
        ("bare.h264", (*PICTURE, "-c:v", "libx264"), ErrorCode.SOURCE_UNSUPPORTED),
        ("moving.gif", PICTURE, ErrorCode.SOURCE_UNSUPPORTED),
        ("pipe.y4m", PICTURE, ErrorCode.SOURCE_UNSUPPORTED),
    ],
)
def test_what_is_no_clip_is_told_apart(
    tmp_path: Path, stop: StopFlag, name: str, arguments: tuple[str, ...], code: ErrorCode
) -> None:
    assert refused(make(tmp_path / name, *arguments), stop).code is code


def test_an_empty_file_is_unsupported(tmp_path: Path, stop: StopFlag) -> None:
    (tmp_path / "empty.mov").touch()
    error = refused(tmp_path / "empty.mov", stop)
    assert (error.code, "empty" in error.error.message) == (ErrorCode.SOURCE_UNSUPPORTED, True)


@pytest.mark.parametrize("container", ["mkv", "mov", "avi", "ts"])
def test_a_file_cut_short_is_no_fault_of_the_system(tmp_path: Path, stop: StopFlag, container: str) -> None:
    clip = make(tmp_path / f"clip.{container}", *PICTURE, "-c:v", "mpeg4")
    clip.write_bytes(clip.read_bytes()[:100])
    assert refused(clip, stop).code is ErrorCode.SOURCE_UNSUPPORTED


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\0\0\1\xe8RED2\0\2" + b"\0" * 500, "REDCODE RAW (R3D)"),
        # A DNG with its directory behind the picture.
        (b"II*\0" + struct.pack("<I", 1 << 20) + b"\0" * ((1 << 20) - 8) + struct.pack("<HHHII", 1, 50706, 1, 4, 0), "DNG"),
    ],
)
def test_raw_starts_no_ffprobe(tmp_path: Path, stop: StopFlag, content: bytes, name: str) -> None:
    (tmp_path / "A001").write_bytes(content)
    nothing = Tools("/nonexistent", "/nonexistent")
    assert probe_source(nothing, str(tmp_path / "A001"), stop).media == RawSource(name)


# --- ffprobes that misbehave ---


def script(tmp_path: Path, body: str) -> Tools:
    program = tmp_path / "ffprobe"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "clip.mov").write_bytes(b"\0\0\0\x08wide")
    return Tools(TOOLS.ffmpeg, str(program))


def test_an_ffprobe_that_hangs_is_stopped(tmp_path: Path, stop: StopFlag) -> None:
    error = refused(tmp_path / "clip.mov", stop, script(tmp_path, "exec sleep 600"), stall_seconds=0.2)
    assert (error.code, "0.2 s" in error.error.message) == (ErrorCode.SOURCE_UNREADABLE, True)


def test_an_endless_description_is_cut_off(tmp_path: Path, stop: StopFlag) -> None:
    error = refused(tmp_path / "clip.mov", stop, script(tmp_path, "exec yes"))
    assert (error.code, str(MAX_REPORT_BYTES) in error.error.message) == (ErrorCode.SOURCE_UNSUPPORTED, True)


def test_a_flood_on_stderr_is_drained(tmp_path: Path, stop: StopFlag) -> None:
    error = refused(tmp_path / "clip.mov", stop, script(tmp_path, "yes complaint | head -c 1000000 >&2; exit 1"))
    assert (error.code, "complaint" in error.error.message) == (ErrorCode.SOURCE_UNSUPPORTED, True)


def test_an_ffprobe_that_is_killed_is_the_source_s_doing(tmp_path: Path, stop: StopFlag) -> None:
    error = refused(tmp_path / "clip.mov", stop, script(tmp_path, "kill -SEGV $$"))
    assert (error.code, "signal 11" in error.error.message) == (ErrorCode.SOURCE_UNSUPPORTED, True)


def test_an_input_output_error_that_the_system_does_not_confirm_is_the_file_s(tmp_path: Path, stop: StopFlag) -> None:
    lies = script(tmp_path, """echo '{"error": {"code": -5, "string": "Input/output error"}}'; exit 1""")
    assert refused(tmp_path / "clip.mov", stop, lies).code is ErrorCode.SOURCE_UNSUPPORTED


def test_a_missing_ffprobe_is_the_environment_s(tmp_path: Path, stop: StopFlag) -> None:
    script(tmp_path, "true")
    gone = Tools(TOOLS.ffmpeg, str(tmp_path / "none"))
    assert refused(tmp_path / "clip.mov", stop, gone).code is ErrorCode.FFPROBE_MISSING


def test_a_stop_interrupts_the_look(tmp_path: Path, stop: StopFlag) -> None:
    stop.request()
    error = refused(tmp_path / "clip.mov", stop, script(tmp_path, "exec sleep 600"))
    assert error.code is ErrorCode.INTERRUPTED


def test_a_system_without_names_for_descriptors_is_told(tmp_path: Path, stop: StopFlag, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = script(tmp_path, "true")
    monkeypatch.setattr(Path, "exists", lambda _: False)
    error = refused(tmp_path / "clip.mov", stop, tools)
    assert (error.code, "Mount /proc" in error.error.message) == (ErrorCode.IO_ERROR, True)
