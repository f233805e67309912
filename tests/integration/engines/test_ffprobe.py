"""The look at a source with the real ffprobe: what is found of clips made for it, and what is told of other files."""

import contextlib
import json
import os
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.ffprobe import probe_source
from proxx_worker.engines.source_file import SourceIdentity
from proxx_worker.engines.tools import Tools
from proxx_worker.media.facts import MediaFacts, RawSource, Timecode
from proxx_worker.media.pixel_formats import pixel_format
from proxx_worker.process.stop import StopFlag
from tests.support.probing import PICTURE, SOUND, TOOLS, facts, make, refused

HDR10 = (
    "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
)


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


@pytest.mark.parametrize("kept", [0, 3000])
def test_a_source_that_cannot_be_read_because_it_changes_is_called_that(tmp_path: Path, stop: StopFlag, kept: int) -> None:
    clip = make(tmp_path / "A001.mov", *PICTURE, "-c:v", "prores")
    with pytest.raises(ProxxError, match=r"but .*A001\.mov did \(size ") as refused:
        probe_source(TOOLS, str(clip), stop, check_place=lambda _: os.truncate(clip, kept))
    assert refused.value.code is ErrorCode.SOURCE_CHANGED


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


EARLY_SOUND = (*SOUND, "-itsoffset", "0.3", *PICTURE, "-map", "1:v", "-map", "0:a", "-c:a", "mp2")
"""Audio whose packets precede all of the video's."""


def counted(folder: Path) -> tuple[Tools, Path]:
    """An ffprobe that notes each of its starts in a file."""
    program, starts = folder / "ffprobe", folder / "starts"
    program.write_text(f'#!/bin/sh\necho . >> "{starts}"\nexec "{TOOLS.ffprobe}" "$@"\n')
    program.chmod(0o755)
    return Tools(TOOLS.ffmpeg, str(program)), starts


@pytest.mark.parametrize("name", ["late.mkv", "late.ts"])
def test_static_hdr_metadata_are_found_where_audio_comes_first(tmp_path: Path, stop: StopFlag, name: str) -> None:
    encoder = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params", f"{HDR10}:repeat-headers=1")
    # In Matroska a copy, as the encoder would tell the muxer, and the container would state them.
    bare = make(tmp_path / "bare.ts", *EARLY_SOUND, *encoder)
    color = facts(make(tmp_path / name, "-i", str(bare), "-map", "0", "-c", "copy"), stop).video.color
    assert color.mastering_display == "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    assert color.content_light == "1000,400"


def test_fields_are_found_where_audio_comes_first(tmp_path: Path, stop: StopFlag) -> None:
    encoder = ("-c:v", "dnxhd", "-b:v", "120M", "-pix_fmt", "yuv422p", "-flags", "+ildct")
    fielded = make(tmp_path / "fielded.mkv", *EARLY_SOUND, "-vf", "scale=1920:1080,setfield=tff", *encoder)
    clip = make(tmp_path / "late.mkv", "-i", str(fielded), "-map", "0", "-c", "copy", "-field_order:v", "progressive")
    assert facts(clip, stop).video.top_field_first is True


def test_a_recording_that_begins_between_keyframes_is_looked_at_up_to_the_first(tmp_path: Path, stop: StopFlag) -> None:
    """The video's first two packets give no picture, so a third ffprobe decodes keyframes alone."""
    encoder = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-x264-params", "scenecut=0:repeat-headers=1")
    whole = make(tmp_path / "whole.ts", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3", *encoder)
    data = whole.read_bytes()
    (tmp_path / "cut.ts").write_bytes(data[len(data) // 2 // 188 * 188 :])
    tools, starts = counted(tmp_path)
    assert isinstance(probe_source(tools, str(tmp_path / "cut.ts"), stop).media, MediaFacts)
    assert len(starts.read_text().split()) == 3


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("late.mkv", (*EARLY_SOUND, "-c:v", "mpeg4"), 2),
        ("clip.mkv", (*PICTURE, *SOUND, "-c:v", "mpeg4", "-bf", "2"), 1),
        ("clip.mov", (*PICTURE, *SOUND, "-c:v", "prores"), 1),
        ("sound.mkv", SOUND, 1),
    ],
)
def test_only_video_that_comes_late_costs_another_look(
    tmp_path: Path, stop: StopFlag, name: str, arguments: tuple[str, ...], expected: int
) -> None:
    clip = make(tmp_path / name, *arguments)
    tools, starts = counted(tmp_path)
    with contextlib.suppress(ProxxError):
        probe_source(tools, str(clip), stop)
    assert len(starts.read_text().split()) == expected


def test_a_further_look_that_fails_is_the_file_s_fault(tmp_path: Path, stop: StopFlag) -> None:
    clip = make(tmp_path / "late.mkv", *EARLY_SOUND, "-c:v", "mpeg4")
    program = tmp_path / "ffprobe"
    program.write_text(f'#!/bin/sh\ncase "$*" in *-select_streams*) kill -SEGV $$;; esac\nexec "{TOOLS.ffprobe}" "$@"\n')
    program.chmod(0o755)
    error = refused(clip, stop, Tools(TOOLS.ffmpeg, str(program)))
    assert (error.code, "signal 11" in error.error.message) == (ErrorCode.SOURCE_UNSUPPORTED, True)


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
        ("bare.obu", (*PICTURE, "-c:v", "libaom-av1", "-cpu-used", "8"), ErrorCode.SOURCE_UNSUPPORTED),
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
