"""Fuzz target of what a source makes ffprobe say: facts, a RAW format or a refusal, and a command that holds no more."""

import json
import re
from collections.abc import Callable
from itertools import pairwise

import orjson

from proxx_worker.contract.codecs import CONTAINERS
from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.contract.output_settings import DnxhrLevel, Engine, FpsMode, OutputSettings, Resolution, ScaleMode
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.strict_json import Number
from proxx_worker.contract.values import read_rate
from proxx_worker.media.demuxers import ALLOWED_DEMUXERS
from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.late_tracks import late_tracks
from proxx_worker.media.played_pictures import played_pictures
from proxx_worker.media.quicktime import gapless_tracks, refuse_external_media
from proxx_worker.media.signatures import HEAD_BYTES
from proxx_worker.media.source_probe import read_head, read_source, says_input_output_error
from proxx_worker.media.source_record import source_media
from proxx_worker.planning.plan import plan_task
from proxx_worker.planning.routing import route
from tests.faults.fuzz.consume import Choices
from tests.faults.fuzz.spec_targets import check_refusal
from tests.unit.media.documents import audio, data, matrix, video

REFUSALS = frozenset({ErrorCode.SOURCE_UNSUPPORTED, ErrorCode.SOURCE_NO_VIDEO})

_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2", "mxf", "matroska,webm", "mpegts", "mpeg", "avi", "dv", "asf", "flv", "gxf", "ogg", "wav", "srt",
    "hls", "concat", "image2", "", "mov,hls",
)  # fmt: skip
_HEADS = (
    b"", b"\0\0\0\x18ftypmp42", b"\0\0\0\x18ftypcrx ", b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01", b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08", b"#EXTM3U\n", b"ffconcat version 1.0\n", b"<?xml", b"RIFF",
)  # fmt: skip
_VALUES: tuple[JsonValue, ...] = (
    None, True, False, 0, 1, -1, 2, 4096, 2**31, 2**63 - 1, -(2**63), 2**64 - 1, 0.5, 1e308, "0/0", "1/0", "-1/1", "0:1", "16:9",
    "9223372036854775807/1", "1/9223372036854775807", "30000/1001", "60/1", "1/90000", "N/A", "unknown", "", "\0", "\x1b[31m",
    "video", "audio", "data", "subtitle", "tmcd", "rtmd", "encv", "aprn", "brxq", "h264", "prores", "dnxhd", "yuv420p",
    "yuv422p10le", "yuva444p12le", "gbrp16be", "gray", "pal8", "xyz12le", "bayer_rggb8", "progressive", "tt", "bt", "bt2020nc",
    "smpte2084", "gbr", "pc", "tv", "5.1(side)", "stereo", "01:00:00:00", "23:59:59;29", "10:00:00:119", "99999999999999999999",
    "a,movie=/etc/passwd[x]", "a'b;c[d]", "$(id)", "-i", "1e999", "٣", "--1", "1_0", [], {}, [{}], [[]],
    {"timecode": "01:00:00:00"}, {"reel_name": "A|B=C\n\0-x"}, {"default": 1}, {"attached_pic": 1}, "9" * 5000,
)  # fmt: skip
_SIDE_DATA: tuple[dict[str, JsonValue], ...] = (
    matrix(0, 65536, -65536, 0), matrix(65536, 0, 0, 65536), matrix(-65536, 0, 0, 65536), matrix(1, 2, 3, 4), matrix(0, 0, 0, 0),
    {"side_data_type": "Display Matrix"}, {"side_data_type": "DOVI configuration record", "dv_profile": 5},
    {"side_data_type": "Mastering display metadata", "red_x": "1/0", "max_luminance": "10000000/10000"},
    {"side_data_type": "Content light level metadata", "max_content": 1000, "max_average": 400},
    {"side_data_type": "Encryption info"}, {"side_data_type": 5},
)  # fmt: skip
_MAKERS: tuple[Callable[[], dict[str, JsonValue]], ...] = (video, audio, lambda: data("tmcd"), lambda: data("rtmd"))
_KEYS = tuple(
    sorted({*video(), *audio(), "tags", "side_data_list", "color_range", "color_space", "color_primaries", "color_transfer"})
)
_BOXES = (
    b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref", b"alis", b"url ", b"free", b"cmov", b"\xff\xff\xff\xff",
    b"tkhd", b"mdhd", b"edts", b"elst", b"stbl", b"stsd", b"stts",
)  # fmt: skip
_SAFE_FILTER = re.compile(r"[\w=:.,+*/()|\\-]+", re.ASCII)
_OWN_EXPRESSION = re.compile(r"'[\w+*/().,-]+'", re.ASCII)
_OUTPUT = "clip.mov"


def _settings() -> tuple[OutputSettings, ...]:
    profiles = [profile.settings for profile in PROFILES.values() if profile.engine is Engine.FFMPEG]
    sizes = (Resolution(ScaleMode.SAME), Resolution(ScaleMode.HALF), Resolution(ScaleMode.FIT, 640, 360))
    rates = (None, read_rate(Number("25")), read_rate(Number("23.976")), read_rate(Number("0.000001")), read_rate(Number("1000")))
    explicit = [
        OutputSettings(
            codec,
            container,
            size,
            fps_mode=FpsMode.SAME_AS_SOURCE if rate is None else FpsMode.EXPLICIT,
            fps=rate,
            dnxhr_level=DnxhrLevel.HQ if codec.value == "dnxhr" else None,
        )
        for codec, containers in CONTAINERS.items()
        for container in containers
        for size in sizes
        for rate in rates
    ]
    return (*profiles, *explicit)


SETTINGS = _settings()


def fuzz_facts(data: bytes) -> None:
    """Any output of ffprobe's; an ordinary answer with things changed in it; or the bytes of the file itself."""
    choices = Choices(data)
    match choices.below(8):
        case 0:
            _read(choices, choices.rest())
        case 1:
            _look_into(choices.one_of(_HEADS) + choices.rest())
        case 2:
            _look_into(_boxes(choices, 0) + choices.rest())
        case _:
            _read(choices, _answer(choices))


def _read(choices: Choices, stdout: bytes) -> None:
    says_input_output_error(stdout)
    exit_code = choices.one_of((0, 0, 0, 0, 1, -11, 255))
    stderr = choices.text(80)
    settings = choices.one_of(SETTINGS)
    try:
        source = read_source(stdout, stderr, exit_code)
        route(None, source)
    except ProxxError as refusal:
        check_refusal(refusal, REFUSALS)
        return
    if isinstance(source, MediaFacts):
        _hold_facts(source)
        _hold_plan(source, settings)


def _hold_facts(facts: MediaFacts) -> None:
    orjson.dumps(source_media(facts).model_dump(mode="json"))
    assert facts.demuxer in ALLOWED_DEMUXERS
    assert facts.video.rate > 0
    assert facts.video.sample_aspect > 0
    assert facts.video.time_base > 0
    assert facts.video.width > 0
    assert facts.video.height > 0


def _hold_plan(facts: MediaFacts, settings: OutputSettings) -> None:
    try:
        plan = plan_task(settings, facts)
    except ProxxError as refusal:
        check_refusal(refusal, REFUSALS)
        return
    argv = plan.argv("/usr/bin/ffmpeg", "/dev/stdin", _OUTPUT)
    assert argv.count("-i") == 1
    assert argv[argv.index("-f") + 1] in ALLOWED_DEMUXERS
    assert argv[argv.index("-protocol_whitelist") + 1] == "file"
    assert argv[-1] == f"./{_OUTPUT}"
    for option, value in pairwise(argv):
        value.encode()
        assert "\0" not in value
        if option.startswith(("-filter", "-bsf", "-c:", "-color", "-map")) and option not in {"-map_metadata", "-map_chapters"}:
            assert _SAFE_FILTER.fullmatch(_OWN_EXPRESSION.sub("", value)), (option, value)
    assert len(plan.fingerprint()) == 64


def _answer(choices: Choices) -> bytes:
    streams = [choices.one_of(_MAKERS)() for _ in range(1 + choices.below(4))]
    frames: list[dict[str, JsonValue]] = [
        dict[str, JsonValue](stream_index=0, interlaced_frame=0) for _ in range(choices.below(2))
    ]
    container: dict[str, JsonValue] = {"format_name": choices.one_of(_DEMUXERS), "start_time": "0.000000", "duration": "1.000000"}
    for _ in range(choices.below(6)):
        target = choices.one_of((*streams, *frames, container))
        match choices.below(8):
            case 0:
                target["side_data_list"] = [choices.one_of(_SIDE_DATA) for _ in range(1 + choices.below(2))]
            case 1:
                name = choices.one_of(("timecode", "reel_name", "TIMECODE", "rotate"))
                target["tags"] = {name: choices.text(20)}
            case 2:
                target[choices.one_of(_KEYS)] = choices.text(20)
            case 3:
                target.pop(choices.one_of(_KEYS), None)
            case _:
                target[choices.one_of((*_KEYS, *container))] = choices.one_of(_VALUES)
    document: dict[str, JsonValue] = {"frames": list(frames), "streams": list(streams), "format": container}
    if choices.byte() % 16 == 1:
        document[choices.one_of(("frames", "streams", "format", "error"))] = choices.one_of(_VALUES)
    return json.dumps(document).encode()


def _boxes(choices: Choices, depth: int) -> bytes:
    made = b""
    for _ in range(choices.below(4)):
        content = _boxes(choices, depth + 1) if depth < 8 and choices.byte() % 4 else choices.take(choices.below(40))
        size = choices.one_of((len(content) + 8, len(content) + 8, len(content) + 8, 0, 1, 7, 2**32 - 1))
        made += size.to_bytes(4, "big") + choices.one_of(_BOXES) + content
    return made


def _look_into(content: bytes) -> None:
    def read(offset: int, size: int) -> bytes:
        return content[offset : offset + size]

    try:
        read_head(content[:HEAD_BYTES], read)
        refuse_external_media(read, len(content))
        gapless_tracks(read, len(content))
        late_tracks(read, len(content))
        played_pictures(read, len(content), bool)
    except ProxxError as refusal:
        check_refusal(refusal, REFUSALS)
