"""What the worker knows of every shared clip, read off ffprobe's and the clips' own headers by hand, then held."""

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.ffprobe import probe_source
from proxx_worker.media.facts import MediaFacts, RawSource
from proxx_worker.process.stop import StopFlag
from tests.acceptance.clips import decoders
from tests.support.probing import TOOLS


@dataclass(frozen=True)
class Refused:
    """A clip that is refused, and how its message begins."""

    code: ErrorCode
    message: str


@dataclass(frozen=True)
class Clip:
    """A clip that is planned.

    `picture`: demuxer, stream, codec, size, pixel aspect, rotation, fields. `time`: rate, frames (`?`: not certain). `color`:
    pixel format, depth, range, matrix, primaries, transfer. `labels`: timecode and its origin, reel.
    """

    picture: str
    time: str
    color: str
    labels: str = "None None"
    audio: tuple[str, ...] = ()


CLIPS: dict[str, Clip | RawSource | Refused] = {
    "-video-with-dash-.mp4": Clip(
        "mov 0 h264 1x1 1 0 progressive",
        "1 constant 5",
        "yuv444p 8 None None None None",
    ),
    "A101_3.WAV": Refused(ErrorCode.SOURCE_NO_VIDEO, "the file (WAV, BWF, RF64) has no video stream: audio:pcm_s24le"),
    "C0023S01.MXF": Clip(
        "mxf 0 mpeg4 352x288 16/11 0 progressive",
        "25 constant 95",
        "yuv420p 8 None None None None",
        "01:43:48:21 format None",
        ("pcm_alaw 2ch - 8000",) * 4,
    ),
    "Meridian-Apple_ProResProxy-HDR10.mxf": Clip(
        "mxf 0 prores 1280x720 1 0 progressive",
        "60000/1001 constant 5",
        "yuv422p10le 10 tv bt2020nc bt2020 smpte2084 HDR10",
        "00:01:15;26 format None",
        ("pcm_s24le 1ch - 48000",) * 2,
    ),
    "OurBigBook_debrief_2025.srt": Refused(
        ErrorCode.SOURCE_NO_VIDEO, "the file (SubRip subtitles) has no video stream: subtitle:subri"
    ),
    "Owner-iTunes_9.0.3.15.m4a": Refused(ErrorCode.SOURCE_NO_VIDEO, "the file (mov) has no video stream: audio:aac, cover:mjpeg"),
    "Panasonic_AG_HMC_151.MTS": Refused(
        ErrorCode.SOURCE_UNSUPPORTED, "audio stream 1 (ac3) reports no channels or sample rate; the file may"
    ),
    "Sequence_1-Apple_ProRes_422_Proxy.mov": Clip(
        "mov 0 prores 1920x1080 1 0 bt",
        "30000/1001 constant 2",
        "yuv422p10le 10 tv bt709 None None",
    ),
    "Sequence_1-Apple_ProRes_with_Alpha.mov": Clip(
        "mov 0 prores 1920x1080 1 0 bt",
        "30000/1001 constant 2",
        "yuva444p12le 12 alpha tv bt709 None None",
    ),
    "SonyXAVC_LongGOP_green_pixelation_early_Frames.MXF": Clip(
        "mxf 0 h264 1920x1080 1 0 tt",
        "25 constant 336",
        "yuv422p10le 10 tv None None bt709",
        "08:00:37:05 format None",
        ("pcm_s24le 1ch - 48000",) * 4,
    ),
    "chunk_out_of_range.mp4": Refused(ErrorCode.SOURCE_UNSUPPORTED, "the file is not readable media: Invalid data found wh"),
    "crop-to-container-dims-canon.mov": Clip(
        "mov 0 h264 1920x1080 1 0 progressive",
        "30000/1001 constant 1",
        "yuvj420p 8 pc smpte170m bt709 bt709",
    ),
    "cursed-vfr.mp4": Clip(
        "mov 0 h264 3026x1386 1 0 progressive",
        "3628800/502589 varying 63",
        "yuv420p 8 tv bt709 bt709 bt709",
    ),
    "dnxhd100_cid1260.mov": Clip(
        "mov 0 dnxhd 1440x1080 4/3 0 progressive",
        "30000/1001 constant 1",
        "yuv422p 8 tv bt709 None None",
    ),
    "dolbyVision-hdr.MOV": Clip(
        "mov 0 hevc 1280x720 1 90 progressive",
        "30 constant 4",
        "yuv420p10le 10 tv bt2020nc bt2020 arib-std-b67 DV8",
        "None None",
        ("aac 2ch stereo 44100",),
    ),
    "dovi-p5.mp4": Refused(ErrorCode.SOURCE_UNSUPPORTED, "the video is Dolby Vision profile 5, whose base layer (IPT"),
    "dpx_nuke_10bits_rgb.dpx": Refused(ErrorCode.SOURCE_UNSUPPORTED, "the file is a DPX still, not a clip"),
    "dv-dvchd-ntsc-interlaced.mov": Clip(
        "mov 0 dvvideo 720x480 10/11 0 bt",
        "25 constant 25",
        "yuv411p 8 None smpte170m smpte170m bt709",
    ),
    "fire2.mp4": Clip(
        "mov 0 h264 1280x720 1 180 progressive",
        "750000/71393 varying 25",
        "yuv420p 8 None None None None",
        "None None",
        ("aac 1ch mono 48000",),
    ),
    "fixture-Leica-M10.dng": RawSource("DNG"),
    "fixture-raw.mts": Clip(
        "mpegts 0 h264 1920x1080 1 0 tt",
        "30000/1001 constant None?",
        "yuv420p 8 None None None None",
        "None None",
        ("ac3 2ch stereo 48000",),
    ),
    "fixture.cr3": RawSource("Canon RAW (CRM, CR3)"),
    "git-lfs-pointer.mov": Refused(ErrorCode.SOURCE_UNSUPPORTED, "the file is a git-lfs pointer: the media itself has not been"),
    "hlg10-color-test.mp4": Clip(
        "mov 1 hevc 1920x1080 1 0 progressive",
        "90000/3001 constant 9",
        "yuv420p10le 10 tv bt2020nc bt2020 arib-std-b67",
        "None None",
        ("aac 2ch stereo 48000",),
    ),
    "image_small.tiff": Refused(ErrorCode.SOURCE_UNSUPPORTED, "the file is a TIFF still, not a clip"),
    "ladouce_1h15.wav": Refused(ErrorCode.SOURCE_NO_VIDEO, "the file (WAV, BWF, RF64) has no video stream: audio:pcm_f32le"),
    "law-and-order-partial.wtv": Clip(
        "wtv 2 mpeg2video 720x576 64/45 0 progressive",
        "25 constant None?",
        "yuv420p 8 tv None None None",
        "None None",
        (
            "mp2 2ch stereo 48000",
            "mp2 1ch mono 48000",
        ),
    ),
    "max-heromode.mp4": Clip(
        "mov 0 h264 848x480 1 0 progressive",
        "30000/1001 constant 315",
        "yuvj420p 8 pc bt709 bt709 bt709",
        "15:44:35:10 stream None",
        ("aac 2ch stereo 48000",),
    ),
    "multiview.mov": Clip(
        "mov 0 hevc 1920x1080 1 0 progressive",
        "30 constant 11",
        "yuv420p 8 tv bt709 bt709 bt709",
    ),
    "mv_with_2_top_shots.mp4": Clip(
        "mov 0 hevc 1440x1080 1 270 progressive",
        "1192500/39913 varying 53",
        "yuvj420p 8 pc bt709 bt709 bt709",
    ),
    "png.mov": Clip(
        "mov 0 png 320x240 1 0 progressive",
        "25 constant 25",
        "rgba 8 alpha pc None None None",
    ),
    "rgb_scanline_half_piz_dw_t08.exr": Refused(ErrorCode.SOURCE_UNSUPPORTED, "the file is an OpenEXR still, not a clip"),
    "sample_vvc.mp4": Refused(
        ErrorCode.SOURCE_UNSUPPORTED, "video stream 0 uses a codec that this FFmpeg does not support (vvc1"
    ),
    "seq_beachball/multipart.0001.jpg": Refused(
        ErrorCode.SOURCE_UNSUPPORTED, "the file is a JPEG still (or bare JPEG frames without times)"
    ),
    "seq_beachball/multipart.0002.jpg": Refused(
        ErrorCode.SOURCE_UNSUPPORTED, "the file is a JPEG still (or bare JPEG frames without times)"
    ),
    "seq_beachball/multipart.0005.jpg": Refused(
        ErrorCode.SOURCE_UNSUPPORTED, "the file is a JPEG still (or bare JPEG frames without times)"
    ),
    "sony-a7-xavc.MP4": Refused(
        ErrorCode.SOURCE_UNSUPPORTED, "the video stream (h264) reports no pixel format; the file may be tru"
    ),
    "svt-test-8mono.mp4": Clip(
        "mov 0 h264 1280x720 1 0 progressive",
        "50 constant 500",
        "yuv422p10le 10 None None None None",
        "10:00:00:00 stream None",
        ("aac 1ch mono 48000",) * 8,
    ),
    "test-pod.m4a": Refused(ErrorCode.SOURCE_NO_VIDEO, "the file (mov) has no video stream: data:tx3g, data:tx3g, audio"),
    "track_01_v02.mxf": Clip(
        "mxf 1 dnxhd 1280x720 1 0 progressive",
        "24000/1001 constant 10",
        "yuv422p 8 tv bt709 bt709 bt709",
        "01:00:00:00 stream Example tape",
    ),
    "with-gps.mov": Clip(
        "mov 1 h264 568x320 1 90 progressive",
        "72000/2401 varying 120",
        "yuv420p 8 tv bt709 bt709 bt709",
        "None None",
        ("aac 1ch mono 44100",),
    ),
    "xdcam-hd-1080i60.mov": Clip(
        "mov 0 mpeg2video 1440x1080 4/3 0 tb",
        "25 constant 25",
        "yuv420p 8 tv bt709 bt709 bt709",
    ),
}


BY_LATER_FFMPEGS: dict[str, tuple[str, Clip]] = {
    "sample_vvc.mp4": ("vvc", Clip("mov 0 vvc 320x180 1 0 progressive", "24 constant 120", "yuv420p10le 10 None None None None")),
}
"""What is known of a clip where FFmpeg has that decoder, which not every version has."""


def _without_rgb(clip: Clip) -> Clip:
    """RGB has no matrix: some versions say nothing of it, others that it is that of RGB."""
    return replace(clip, color=clip.color.replace(" gbr ", " None "))


def described(media: MediaFacts) -> Clip:
    video, color = media.video, media.video.color
    kind = f"{media.demuxer} {video.index} {video.codec} {video.width}x{video.height}"
    pace, certainty = "constant" if video.constant_rate else "varying", "" if video.frames_certain else "?"
    tags = f"{color.range} {color.matrix} {color.primaries} {color.transfer}"
    dovi = "" if video.dolby_vision_profile is None else f" DV{video.dolby_vision_profile}"
    return Clip(
        picture=f"{kind} {video.sample_aspect} {video.rotation} {video.field_order}",
        time=f"{video.rate} {pace} {video.frames}{certainty}",
        color=f"{video.pixel_format} {video.bit_depth}{' alpha' if video.has_alpha else ''} {tags}"
        f"{' HDR10' if color.mastering_display and color.content_light else ''}{dovi}",
        labels=f"{media.timecode.text + ' ' + media.timecode.origin if media.timecode else None} {media.reel}",
        audio=tuple(f"{stream.codec} {stream.channels}ch {stream.layout or '-'} {stream.sample_rate}" for stream in media.audio),
    )


@pytest.mark.parametrize("name", sorted(CLIPS))
def test_what_is_known_of_a_clip(media: Path, stop: StopFlag, name: str) -> None:
    decoder, decoded = BY_LATER_FFMPEGS.get(name, ("", None))
    expected = decoded if decoded is not None and decoder in decoders() else CLIPS[name]
    if isinstance(expected, Refused):
        with pytest.raises(ProxxError) as refusal:
            probe_source(TOOLS, str(media / name), stop)
        assert refusal.value.code is expected.code
        assert refusal.value.error.message.startswith(expected.message)
        return
    found = probe_source(TOOLS, str(media / name), stop).media
    assert found == expected if isinstance(found, RawSource) else _without_rgb(described(found)) == expected


def test_every_clip_is_in_the_table(media: Path) -> None:
    files = {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file() and path.suffix != ".tsv"}
    assert files == set(CLIPS)


CUT_SHORT = "SonyXAVC_LongGOP_green_pixelation_early_Frames.MXF"
"""Its header tells 336 frames; 6 are there."""


@pytest.mark.one_in(3)
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(name for name, clip in CLIPS.items() if isinstance(clip, Clip) and name != CUT_SHORT))
def test_a_frame_count_is_what_a_full_decode_gives(media: Path, stop: StopFlag, name: str) -> None:
    found = probe_source(TOOLS, str(media / name), stop).media
    assert isinstance(found, MediaFacts)
    counted = subprocess.run(
        [
            *(TOOLS.ffprobe, "-v", "quiet", "-count_frames", "-select_streams", str(found.video.index)),
            *("-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", f"file:{media / name}"),
        ],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout.split()
    assert found.video.frames in {None, int(counted[0].rstrip(b","))}
