"""Encoders that do the wrong thing and call it done: each is caught, told as expected and actual, and nothing is published."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.media.liars import Lie, turn_movie
from tests.acceptance.results import names, parse_result
from tests.acceptance.specs import encode, explicit, jobspec

RATE = "30000/1001"
H264, PRORES, DNXHR = explicit("h264", "mp4"), explicit("prores_proxy", "mov"), explicit("dnxhr", "mxf")
CONVERTED = explicit("prores_proxy", "mov", fps_mode="explicit", fps_explicit=25)
H264_MOV, MKV, WEBM = explicit("h264", "mov"), explicit("h264", "mkv"), explicit("vp9", "webm")
ANY = object()
"""A value that the fault does not settle."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A lie about a proxy of `fields`, and the `check` that must tell it: what it should have been, and what it is.

    `check` None: it shows before anything is compared, as `code`.
    """

    name: str
    lie: Lie
    check: str | None = None
    expected: Any = ANY
    actual: Any = ANY
    fields: dict[str, Any] = field(default_factory=lambda: PRORES)
    code: str = "OUTPUT_INVALID"
    source: str = "progressive"
    quick: bool = False


TRUNCATED = "os.truncate(output, os.stat(output).st_size * 6 // 10)"
FLIPPED = "f = open(output, 'r+b'); f.seek(os.stat(output).st_size // 2); f.write(bytes(range(256)) * 8); f.close()"
REPLACED = "data = open(output, 'rb').read(); os.unlink(output); open(output, 'wb').write(data)"
DROPPED = Lie("filters('select=not(eq(n\\\\,10))')")
LAST_DROPPED = Lie("filters('select=not(eq(n\\\\,29))')")
REST_DROPPED = Lie("filters('select=lt(n\\\\,20)')")
LATE = Lie("filters('settb=1/60000,setpts=PTS+eq(N\\\\,10)*1001')\nreplace('1001:30000', '1:60000')")
SHIFTED = Lie("argv[after('-timecode')] = '01:00:00;03'")
NON_DROP = Lie("argv[after('-timecode')] = '01:00:00:02'")
FAST = Lie("replace('1001/30000', '1/30')\nreplace('1001:30000', '1:30')\nargv[after('-timecode')] = '01:00:00:02'")
SWAPPED = Lie("a, b = argv.index('0:1'), argv.index('0:2'); argv[a], argv[b] = '0:2', '0:1'")
STRETCHED = Lie("replace('setsar=sar=1/1', 'setsar=sar=4/3')")
FULL = Lie("replace('range=tv:', 'range=pc:')\nargv[after('-color_range:v')] = 'pc'")
OTHER_MATRIX = Lie("replace('colorspace=bt709', 'colorspace=smpte170m')\nargv[after('-colorspace:v')] = 'smpte170m'")
NO_PRIMARIES = Lie("replace('color_primaries=bt709', 'color_primaries=unknown')\ndrop('-color_primaries:v')")
PQ = Lie("replace('color_trc=bt709', 'color_trc=smpte2084')\nargv[after('-color_trc:v')] = 'smpte2084'")
TURNED = Lie(after="turn_movie(output)")
NOT_TURNED = Lie("argv[argv.index('-i') : argv.index('-i')] = ['-noautorotate']\nreplace('w=180:h=320', 'w=320:h=180')")
PROGRESSIVE = Lie("replace('field_mode=tff', 'field_mode=prog')\nreplace('+ildct', '')")
PROGRESSIVE_H264 = Lie("replace('field_mode=tff', 'field_mode=prog')\nreplace('+ildct', '')\nreplace('+ilme', '')")
BOTTOM_FIRST = Lie("replace('field_mode=tff', 'field_mode=bff')")
MPEG4 = Lie("argv[after('-c:v')] = 'mpeg4'; argv[after('-bsf:v')] = 'null'")
BOTTOM_PICTURES = Lie("replace('cpu-independent=1', 'cpu-independent=1:bff=1')")
TOP_PICTURES = Lie("replace(':bff=1', '')")
LATE_COPY = Lie("argv[-1:-1] = ['-bsf:a:1', 'setts=ts=TS+4800']")
LATER_COPY = Lie("argv[-1:-1] = ['-bsf:a:1', 'setts=ts=TS+960']")
EARLIER_COPY = Lie("argv[-1:-1] = ['-bsf:a:1', 'setts=ts=TS-960']")
CUT_COPY = Lie("argv[-1:-1] = ['-bsf:a:1', 'noise=drop=gt(n\\\\,20)']")
HELD_COPY = Lie("argv[-1:-1] = ['-bsf:a:1', 'noise=drop=between(n\\\\,10\\\\,19)']")
LATE_SOUND = Lie("argv[after('-filter:a:1')] += ',asetpts=PTS+0.1/TB'")
LATE_FILTER = Lie("argv[after('-filter:a:0')] += ',adelay=20:all=1'")
EARLY_FILTER = Lie("argv[after('-filter:a:0')] += ',atrim=start_sample=960,asetpts=PTS-STARTPTS'")
LATE_PLACE = Lie("replace('first_pts=0', 'first_pts=-960')")
EARLY_PLACE = Lie("replace('first_pts=0', 'first_pts=960')")
LATE_TIMES = Lie("argv[-1:-1] = ['-bsf:a:0', 'setts=ts=TS+0.02/TB']")
EARLY_TIMES = Lie("argv[-1:-1] = ['-bsf:a:0', 'setts=ts=TS-0.02/TB']")
CLOSED = Lie("replace('aresample=', 'asetpts=NB_CONSUMED_SAMPLES,aresample=')")
STRETCHED_HOLE = Lie("import re\nargv[:] = [re.sub('aresample=async=1.*?first_pts=0', 'anull', word) for word in argv]")


def added(*words: str) -> Lie:
    """The same command with more options."""
    return Lie(f"argv[-1:-1] = {list(words)!r}")


FAULTS = (
    Fault("truncated", Lie(after=TRUNCATED), "file_size", quick=True),
    Fault("truncated, and the report with it", Lie(after=f"{TRUNCATED}; say_size()"), "frames"),
    Fault("one byte longer", Lie(after="open(output, 'ab').write(b'x')"), "file_size"),
    Fault("bits flipped in the middle", Lie(after=FLIPPED), "decodes", expected=True, fields=H264),
    Fault("a frame dropped", DROPPED, "frames_encoded", 30, 29, quick=True),
    Fault("a frame dropped in H.264", DROPPED, "frames", 30, 29, H264),
    Fault("a frame dropped in MXF", DROPPED, "frames", 30, 29, DNXHR),
    Fault("the last frame dropped", LAST_DROPPED, "frames", 30, 29),
    Fault("a frame doubled", Lie("filters('loop=loop=1:size=1:start=10')"), "frames", 30, 31, quick=True),
    Fault("the rest dropped at another rate", REST_DROPPED, "duration", "1.001", "0.8", CONVERTED),
    # Matroska does not say how long its video is: the frames do.
    Fault(
        "the rest dropped at another rate, from MKV", REST_DROPPED, "frames_encoded", 25, 20, CONVERTED, source="hole", quick=True
    ),
    Fault("a frame late by half", LATE, "frame_times"),
    Fault("a timecode shifted by a frame", SHIFTED, "timecode", "01:00:00;02", "01:00:00;03", quick=True),
    Fault("a timecode shifted in MXF", SHIFTED, "timecode", "01:00:00;02", "01:00:00;03", DNXHR),
    Fault("a timecode that drops no frames", NON_DROP, "timecode", "01:00:00;02", "01:00:00:02"),
    Fault("no timecode", Lie("drop('-timecode')"), "timecode", "01:00:00;02", None),
    Fault("no timecode in MXF", Lie("drop('-timecode')"), "timecode", "01:00:00;02", "00:00:00:00", DNXHR),
    Fault("no reel", Lie("replace('reel_name=', 'comment=')"), "reel", "A001", None),
    Fault("another reel in MXF", Lie("replace('reel_name=A001', 'reel_name=A002')"), "reel", "A001", "A002", DNXHR),
    Fault("a sound missing", Lie("at = argv.index('0:2'); del argv[at - 1 : at + 1]"), "audio_streams", 2, 1, quick=True),
    Fault("a sound too many", added("-map", "0:1"), "audio_streams", 2, 3),
    Fault("stereo made mono", added("-ac:a:0", "1"), "audio_0_channels", 2, 1, quick=True),
    Fault("mono made stereo", added("-ac:a:1", "2"), "audio_1_channels", 1, 2),
    Fault("stereo and mono in each other's place", SWAPPED, "audio_0_channels", 2, 1),
    Fault("stereo and a downmix swapped", SWAPPED, "audio_0_layout", "stereo", "downmix", source="layouts"),
    Fault("another sample rate", Lie("replace('48000', '44100')"), "audio_0_sample_rate", 48000, 44100),
    Fault("sound of half its length", Lie("argv[after('-filter:a:1')] += ',asetrate=96000,aresample=48000'"), "audio_1_duration"),
    Fault("sound late by three frames", LATE_SOUND, "audio_1_start"),
    Fault("sound late by a filter", LATE_FILTER, "audio_0_duration", quick=True),
    Fault("sound late by a filter in MP4", LATE_FILTER, "audio_0_duration", fields=H264, quick=True),
    Fault("sound late by a filter in MKV", LATE_FILTER, "audio_0_duration", fields=MKV),
    Fault("sound late by a filter in WebM", LATE_FILTER, "audio_0_duration", fields=WEBM),
    Fault("sound late by a filter in MXF", LATE_FILTER, "audio_encoded", fields=DNXHR, quick=True),
    Fault("sound late in its place in MXF", LATE_PLACE, "audio_0_end", fields=DNXHR, quick=True),
    Fault("sound early by a filter", EARLY_FILTER, "audio_0_duration"),
    Fault("sound early by a filter in MP4", EARLY_FILTER, "audio_0_duration", fields=H264),
    Fault("sound early by a filter in MKV", EARLY_FILTER, "audio_0_duration", fields=MKV, quick=True),
    Fault("sound early by a filter in WebM", EARLY_FILTER, "audio_0_duration", fields=WEBM, quick=True),
    Fault("sound early by a filter in MXF", EARLY_FILTER, "audio_encoded", fields=DNXHR),
    Fault("sound early in its place in MXF", EARLY_PLACE, "audio_0_end", fields=DNXHR),
    Fault("sound late by its times", LATE_TIMES, "audio_0_start"),
    Fault("sound late by its times in MP4", LATE_TIMES, "audio_0_duration", fields=H264, quick=True),
    Fault("sound late by its times in MKV", LATE_TIMES, "audio_0_duration", fields=MKV, quick=True),
    Fault("sound late by its times in WebM", LATE_TIMES, "audio_0_start", fields=WEBM),
    Fault("sound early by its times", EARLY_TIMES, "audio_0_duration"),
    Fault("sound early by its times in MP4", EARLY_TIMES, "audio_0_duration", fields=H264),
    Fault("sound early by its times in MKV", EARLY_TIMES, "audio_0_start", fields=MKV),
    Fault("sound early by its times in WebM", EARLY_TIMES, "audio_0_start", fields=WEBM),
    Fault("a hole closed", CLOSED, "audio_0_duration", source="hole", quick=True),
    Fault("a hole closed in MP4", CLOSED, "audio_0_duration", fields=H264, source="hole"),
    Fault("a hole closed in MKV", CLOSED, "audio_0_duration", fields=MKV, source="hole"),
    Fault("a hole closed in WebM", CLOSED, "audio_0_duration", fields=WEBM, source="hole"),
    Fault("a hole closed in MXF", CLOSED, "audio_0_end", fields=DNXHR, source="hole"),
    Fault("a hole stretched", STRETCHED_HOLE, "audio_0_duration", fields=PRORES, source="hole"),
    Fault("a hole stretched in MP4", STRETCHED_HOLE, "audio_0_holes", fields=H264, source="hole", quick=True),
    Fault("a hole stretched in MKV", STRETCHED_HOLE, "audio_0_holes", fields=MKV, source="hole"),
    Fault("a hole stretched in WebM", STRETCHED_HOLE, "audio_0_holes", fields=WEBM, source="hole"),
    Fault("a hole stretched in MXF", STRETCHED_HOLE, "audio_0_end", fields=DNXHR, source="hole"),
    Fault("copied sound late by three frames", LATE_COPY, "audio_1_start", fields=H264, source="copied"),
    Fault("copied sound 20 ms late", LATER_COPY, "audio_1_duration", fields=H264, source="copied", quick=True),
    Fault("copied sound 20 ms early", EARLIER_COPY, "audio_1_duration", fields=H264, source="copied", quick=True),
    Fault("copied sound cut off", CUT_COPY, "audio_1_duration", fields=H264, source="copied", quick=True),
    Fault("copied sound with a hole", HELD_COPY, "audio_1_holes", fields=H264, source="copied"),
    Fault("copied sounds in each other's place", SWAPPED, "audio_0_channels", 2, 1, H264, source="copied"),
    Fault("30 for 29.97", FAST, "frame_rate", RATE, quick=True),
    Fault("30 for 29.97 in H.264", FAST, "frame_rate", RATE, fields=H264),
    # On 5.1 the rate shows it, on 9.0, which takes the rate from elsewhere, the timecode that no longer drops frames.
    Fault("30 for 29.97 in MXF", FAST, fields=DNXHR),
    Fault("a range tag", FULL, "color_range", "tv", "pc", H264, quick=True),
    Fault("a matrix tag", OTHER_MATRIX, "color_matrix", "bt709", "smpte170m", quick=True),
    Fault("no primaries", NO_PRIMARIES, "color_primaries", "bt709", None, H264),
    Fault("HDR for SDR", PQ, "color_transfer", "bt709", "smpte2084"),
    Fault("a stretched picture", STRETCHED, "display_aspect", "16/9", "64/27", quick=True),
    Fault("a stretched picture in H.264", STRETCHED, "display_aspect", "16/9", "64/27", H264),
    Fault("turned by its container", TURNED, "rotation", 0, ANY, quick=True),
    Fault("turned by its container in MP4", TURNED, "rotation", 0, ANY, H264),
    Fault("not turned", NOT_TURNED, "picture_size", "180x320", "320x180", source="turned", quick=True),
    Fault("not turned in MP4", NOT_TURNED, "picture_size", "180x320", "320x180", H264, source="turned"),
    Fault("not turned in MKV", NOT_TURNED, "picture_size", "180x320", "320x180", MKV, source="turned"),
    Fault("another size", Lie("replace('scale=w=320', 'scale=w=240')"), "picture_size", "320x180", "240x180"),
    Fault("another profile", Lie("argv[after('-profile:v')] = '1'"), "video_profile", "Proxy", "LT"),
    Fault(
        "another codec",
        Lie("argv[after('-c:v')] = 'mpeg4'; argv[after('-bsf:v')] = 'null'"),
        "video_codec",
        "h264",
        "mpeg4",
        H264,
    ),
    Fault("another container", Lie("argv[len(argv) - 2] = 'matroska'"), "container", "mov"),
    Fault("fields lost", PROGRESSIVE, "field_order", "tt", "progressive", source="interlaced", quick=True),
    Fault("fields lost in H.264", PROGRESSIVE_H264, "field_order", "tt", "progressive", H264, source="interlaced"),
    Fault("fields in the other order", BOTTOM_FIRST, "field_order", "tt", "bb", source="interlaced"),
    Fault(
        "first pictures in the other order",
        BOTTOM_PICTURES,
        "field_order_said",
        "tt",
        "bb",
        H264,
        source="interlaced",
        quick=True,
    ),
    *(
        Fault(
            f"first pictures in the other order, {order} in {fields['container']}",
            lie,
            "field_order_first_pictures",
            [order] * 6,
            [other] * 3 + [order] * 3,
            fields,
            source=source,
            quick=fields is not H264,
        )
        for lie, order, other, source in (
            (BOTTOM_PICTURES, "tt", "bb", "interlaced"),
            (TOP_PICTURES, "bb", "tt", "bottom first"),
        )
        for fields in (H264, H264_MOV, MKV)
    ),
    # Of these FFmpeg itself says that the source gave no more; whom to believe cannot be known.
    Fault("ends after ten frames, and says all is well", added("-frames:v", "10"), code="SOURCE_DAMAGED", quick=True),
    Fault("encodes half a second", added("-t", "0.5"), code="SOURCE_DAMAGED"),
    Fault("writes zeros", Lie(instead="code = 0; open(output, 'wb').write(bytes(99999)); say_size()"), code="SOURCE_DAMAGED"),
    # Packets that an encoder spoils while it copies them look like packets that were spoiled before.
    Fault("spoils copied sound", added("-bsf:a:1", "noise=2"), fields=H264, code="SOURCE_DAMAGED", source="copied"),
    # And of these it never said that it came to its end.
    Fault("fails, and says all is well", Lie("argv[after('-c:v')] = 'none'", after="code = 0"), code="ENCODE_FAILED"),
    Fault("is killed, and says all is well", Lie(instead="code = cut_short()"), code="ENCODE_FAILED"),
    Fault("writes nothing", Lie(instead="code = 0"), code="ENCODE_FAILED", quick=True),
    Fault("removes the output", Lie(after="os.unlink(output)")),
    Fault("puts another file in the output's place", Lie(after=REPLACED)),
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A second at 29.97 with two streams of sound, drop-frame timecode, a reel and BT.709 tags."""
    folder = tmp_path_factory.mktemp("honest")
    mono, downmix = "anull", "aformat=channel_layouts=stereo,channelmap=map=0|1:channel_layout=downmix"
    kinds = {
        "progressive": ("", mono, "pcm_s16le"),
        "interlaced": ("tff", mono, "pcm_s16le"),
        "bottom first": ("bff", mono, "pcm_s16le"),
        "layouts": ("", downmix, "pcm_s16le"),
        "copied": ("", mono, "aac"),
    }
    tags = "format=yuv422p10le,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
    for kind, (fields, second, codec) in kinds.items():
        speed = "60000/1001" if fields else RATE
        # FFmpeg 5.1's lavfi input does not tell that its frames are interlaced.
        said = f"{tags},setfield={fields}" if fields else tags
        interlace = f",interlace=scan={fields}" if fields else ""
        ffmpeg(
            "-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={speed}:duration=1.001{interlace}",
            "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=1.001,aformat=channel_layouts=stereo",
            "-f", "lavfi", "-i", f"sine=frequency=880:sample_rate=48000:duration=1.001,{second}",
            "-map", "0", "-map", "1", "-map", "2", "-filter:v", said, "-c:v", "prores_ks", "-profile:v", "0",
            *(["-flags:v", "+ildct"] if fields else []), "-c:a", codec,
            "-color_range", "tv", "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709",
            "-timecode", "01:00:00;02", "-metadata:s:v:0", "reel_name=A001", folder / f"{kind}.mov",
        )  # fmt: skip
    files = {kind: folder / f"{kind}.mov" for kind in kinds}
    files["turned"] = folder / "turned.mov"
    shutil.copy(files["progressive"], files["turned"])
    turn_movie(str(files["turned"]))
    files["hole"] = folder / "hole.mkv"
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={RATE}:duration=1.001",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=1.001",
        "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le",
        "-bsf:a", "noise=drop=between(n\\,19\\,28)", files["hole"],
    )  # fmt: skip
    return files


def run(proxx: Command, folder: Path, source: Path, fields: dict[str, Any], lie: Lie) -> tuple[dict[str, Any], list[str]]:
    """The job's result, and what its output directory holds."""
    proxies = folder / "proxies"
    proxies.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **fields)))
    ended = proxx("run", spec, "--ffmpeg", lie.program(folder / "ffmpeg"))
    return parse_result(ended.stdout), names(proxies)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("progressive", H264),
        ("progressive", PRORES),
        ("progressive", DNXHR),
        ("copied", H264),
        ("turned", PRORES),
        ("interlaced", H264_MOV),
        ("bottom first", H264),
        ("bottom first", MKV),
    ],
    ids=["h264", "prores", "dnxhr", "copied sound", "turned", "top first", "bottom first", "bottom first in mkv"],
)
def test_the_same_program_that_tells_no_lie_passes(
    proxx: Command, sources: dict[str, Path], tmp_path: Path, source: str, fields: dict[str, Any]
) -> None:
    result, published = run(proxx, tmp_path, sources[source], fields, Lie())
    assert result["error"] is None
    assert len(published) == 1


def _cases() -> list[Any]:
    return [pytest.param(fault, id=fault.name, marks=() if fault.quick else pytest.mark.heavy) for fault in FAULTS]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("fault", _cases())
def test_a_fault_is_caught(proxx: Command, sources: dict[str, Path], tmp_path: Path, fault: Fault) -> None:
    result, published = run(proxx, tmp_path, sources[fault.source], fault.fields, fault.lie)
    assert result["status"] == "FAILED"
    assert published == []
    assert result["error"]["code"] == fault.code
    if fault.check is None:
        return
    failed = {check["name"]: check for check in result["tasks"][0]["checks"] if check["ok"] is False}
    assert fault.check in failed
    check = failed[fault.check]
    assert fault.expected in (ANY, check["expected"])
    assert fault.actual in (ANY, check["actual"])
    named = result["error"]["details"]["failed"]
    assert {"name": fault.check, "expected": check["expected"], "actual": check["actual"]} in named
    assert f"{named[0]['name']} should be {named[0]['expected']}, but is " in result["error"]["message"]
