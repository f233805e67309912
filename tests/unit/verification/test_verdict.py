from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import cast

import pytest
from pydantic import JsonValue

from proxx_worker.contract.codecs import CONTAINERS
from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.contract.result import Check
from proxx_worker.media.facts import ColorFacts, MediaFacts, Timecode
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.proxy_probe import proxy_probe_argv
from proxx_worker.verification.verdict import Verdict, judge, judge_evidence
from tests.support.printouts import parse_proxy
from tests.unit.planning.sources import CLIP, DROP_FRAME, REC709, STEREO, clip, settings
from tests.unit.verification.proxies import Proxy, perfect_encode, perfect_proxy

NTSC = Fraction(30000, 1001)
MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"


def verdict_of(
    spoil: Callable[[Proxy], object] = lambda _: None,
    source: MediaFacts = CLIP,
    codec: Codec = Codec.H264,
    container: Container = Container.MP4,
    fps: Fraction | None = None,
    encode: Callable[[EncodeObservation], EncodeObservation] = lambda seen: seen,
) -> Verdict:
    plan = plan_task(settings(codec, container, fps=fps), source)
    proxy = perfect_proxy(plan)
    spoil(proxy)
    return judge(plan.expected, proxy.observation(), FfmpegEvidence(plan, encode(perfect_encode(plan))))


def failed(verdict: Verdict) -> dict[str, tuple[object, object]]:
    return {check.name: (check.expected, check.actual) for check in verdict.checks if check.ok is False}


def check(verdict: Verdict, name: str) -> Check:
    (found,) = (item for item in verdict.checks if item.name == name)
    return found


@pytest.mark.parametrize(("codec", "container"), [(codec, container) for codec in CONTAINERS for container in CONTAINERS[codec]])
def test_a_perfect_proxy_passes(codec: Codec, container: Container) -> None:
    verdict = verdict_of(source=replace(CLIP, reel="A001"), codec=codec, container=container)
    assert (failed(verdict), verdict.error) == ({}, None)
    assert check(verdict, "frames").ok
    assert check(verdict, "frame_times").ok
    assert check(verdict, "duration").ok


def test_the_probe_s_report_is_kept_without_the_prefix_of_tags() -> None:
    source = replace(CLIP, timecode=Timecode("01:00:00:02", drop_frame=False, origin="tmcd"), audio=())
    seen = verdict_of(lambda proxy: proxy.picture.update({"tag:timecode": "01:00:00:02"}), source=source).output_media
    assert seen is not None
    assert seen["format"] == {"format_name": "mov,mp4,m4a,3gp,3g2,mj2", "timecode": "01:00:00:02"}
    (picture,) = cast("list[dict[str, JsonValue]]", seen["streams"])
    assert (picture["index"], picture["codec_name"], picture["timecode"], picture["decoded_frames"]) == (
        "0", "h264", "01:00:00:02", 25
    )  # fmt: skip


def test_every_check_has_its_name() -> None:
    assert [item.name for item in verdict_of().checks] == [
        "exit_code", "file_size", "decodes", "container", "video_streams", "audio_streams", "other_streams", "video_codec",
        "video_profile", "video_tag", "picture_size", "display_aspect", "rotation", "field_order", "field_order_said",
        "color_range", "color_matrix",
        "color_primaries", "color_transfer", "content_light", "mastering_display", "frames_encoded", "frames",
        "frames_of_source", "frame_times", "start", "frame_rate", "duration", "timecode", "reel",
        "audio_0_codec", "audio_0_channels",
        "audio_0_layout", "audio_0_sample_rate", "audio_0_start", "audio_0_duration", "audio_0_holes",
    ]  # fmt: skip


def put(part: str, key: str, value: str) -> Callable[[Proxy], None]:
    def spoil(proxy: Proxy) -> None:
        getattr(proxy, part)[key] = value

    return spoil


def sound(key: str, value: str) -> Callable[[Proxy], None]:
    def spoil(proxy: Proxy) -> None:
        proxy.sounds[0][key] = value

    return spoil


def attribute(name: str, value: object) -> Callable[[Proxy], None]:
    return lambda proxy: setattr(proxy, name, value)


def both(key: str, value: str) -> Callable[[Proxy], None]:
    def spoil(proxy: Proxy) -> None:
        proxy.picture[key] = proxy.frame[key] = value

    return spoil


@pytest.mark.parametrize(
    ("spoil", "faults"),
    [
        (lambda proxy: proxy.times.pop(7), {"frames": (25, 24), "frame_times": ("0.280000 s", "frame 7 at 0.320000 s")}),
        (
            lambda proxy: proxy.times.insert(7, 7 * 512),
            {"frames": (25, 26), "frame_times": ("0.320000 s", "frame 8 at 0.280000 s")},
        ),
        (lambda proxy: proxy.times.__setitem__(3, 3 * 512 + 1), {"frame_times": ("0.120000 s", "frame 3 at 0.120078 s")}),
        (
            lambda proxy: proxy.times.clear(),
            {
                "field_order": ("progressive", None),
                "frames": (25, 0),
                "frame_times": ("every frame has a time", None),
                "start": ("0", None),
                "duration": ("0.04", "1"),
            },
        ),
        (put("container", "tag:timecode", "00:00:00:00"), {"timecode": (None, "00:00:00:00")}),
        (lambda proxy: proxy.sounds.clear(), {"audio_streams": (1, 0)}),
        (sound("channels", "1"), {"audio_0_channels": (2, 1)}),
        (sound("channel_layout", "downmix"), {"audio_0_layout": ("stereo", "downmix")}),
        (sound("sample_rate", "44100"), {"audio_0_sample_rate": (48000, 44100)}),
        (sound("codec_name", "mp3"), {"audio_0_codec": ("aac", "mp3")}),
        (sound("start_pts", "2400"), {"audio_0_start": ("0", "0.05")}),
        (sound("start_pts", "N/A"), {"audio_0_start": ("0", None)}),
        (lambda proxy: setattr(proxy, "times", [time + 512 for time in proxy.times]), {"start": ("0", "0.04")}),
        (sound("duration_ts", "47000"), {"audio_0_duration": ("1", "0.979167")}),
        (both("color_range", "pc"), {"color_range": ("tv", "pc")}),
        (put("frame", "color_range", "pc"), {"color_range": ("tv", "tv / pc")}),
        (both("color_space", "smpte170m"), {"color_matrix": ("bt709", "smpte170m")}),
        (both("color_transfer", "unknown"), {"color_transfer": ("bt709", None)}),
        (both("color_primaries", "bt2020"), {"color_primaries": ("bt709", "bt2020")}),
        (put("picture", "sample_aspect_ratio", "4:3"), {"display_aspect": ("16/9", "64/27")}),
        (put("picture", "width", "1440"), {"picture_size": ("1920x1080", "1440x1080"), "display_aspect": ("16/9", "4/3")}),
        (put("picture", "side_datum/display_matrix:rotation", "-90"), {"rotation": (0, "-90")}),
        (put("picture", "codec_name", "hevc"), {"video_codec": ("h264", "hevc")}),
        (put("picture", "codec_tag_string", "avc3"), {"video_tag": ("avc1", "avc3")}),
        (put("picture", "duration_ts", "12288"), {"duration": ("1", "0.96")}),
        (put("container", "format_name", "matroska,webm"), {"container": ("mov", "matroska,webm")}),
        (put("frame", "interlaced_frame", "1"), {"field_order": ("progressive", "bb")}),
        (
            attribute("others", [{"index": "2", "codec_type": "data", "codec_tag_string": "gpmd"}]),
            {"other_streams": ([], ["gpmd"])},
        ),
        (attribute("exit_code", 1), {"decodes": (True, "exit 1")}),
        (
            attribute("stderr", "[h264 @ 0x1] error while decoding MB 1 2\n"),
            {"decodes": (True, "[h264] error while decoding MB 1 2")},
        ),
    ],
)
def test_a_spoiled_proxy_fails(spoil: Callable[[Proxy], object], faults: dict[str, tuple[object, object]]) -> None:
    verdict = verdict_of(spoil)
    assert failed(verdict) == faults
    assert verdict.error is not None
    assert verdict.error.code is ErrorCode.OUTPUT_INVALID
    assert verdict.error.details["failed"] == [
        {"name": name, "expected": expected, "actual": actual} for name, (expected, actual) in faults.items()
    ]
    first = next(iter(faults))
    wanted, found = ("nothing" if value is None else value for value in faults[first])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    assert verdict.error.message == (
        f"the proxy does not match its source: {first} should be {wanted}, but is {found}{more}; nothing was published"
    )


def wrong_rate(proxy: Proxy) -> None:
    proxy.picture |= {"r_frame_rate": "30/1", "avg_frame_rate": "30/1"}


@pytest.mark.parametrize("container", [Container.MP4, Container.MKV])
def test_30_is_not_29_97(container: Container) -> None:
    source = clip(rate=NTSC, time_base=Fraction(1, 30000), duration=Fraction(25) / NTSC)
    assert failed(verdict_of(source=source, container=container)) == {}
    assert failed(verdict_of(wrong_rate, source=source, container=container)) == {"frame_rate": ("30000/1001", "30")}


def test_matroska_rounds_a_rate_and_a_time() -> None:
    source = clip(rate=2 * NTSC, time_base=Fraction(1, 60000), duration=Fraction(25) / NTSC / 2, frames_certain=False)

    def as_ffmpeg_reads_it(proxy: Proxy) -> None:
        proxy.picture |= {"r_frame_rate": "19001/317", "avg_frame_rate": "19001/317"}
        proxy.times = [time + 1 for time in proxy.times]
        proxy.picture["tag:DURATION"] = "00:00:00.418000000"
        # The sound's start, and the file's length: ffprobe guesses them for interlaced H.264.
        proxy.picture |= {"start_pts": "-23", "duration_ts": "9000"}

    assert failed(verdict_of(as_ffmpeg_reads_it, source=source, codec=Codec.VP9, container=Container.WEBM)) == {}


def test_matroska_shows_whole_pixels() -> None:
    source = clip(width=1918, height=1078, sample_aspect=Fraction(1000, 1001))
    near = put("picture", "sample_aspect_ratio", "1:1")
    assert failed(verdict_of(near, source=source, container=Container.MKV)) == {}
    assert "display_aspect" in failed(verdict_of(near, source=source))


def test_either_rate_proves_a_constant_one() -> None:
    assert failed(verdict_of(put("picture", "avg_frame_rate", "24/1"))) == {}
    assert failed(verdict_of(put("picture", "r_frame_rate", "0/0"))) == {}


def test_a_picture_without_an_aspect_is_square() -> None:
    assert failed(verdict_of(put("picture", "sample_aspect_ratio", "0:1"))) == {}


def test_no_picture_at_all() -> None:
    verdict = verdict_of(put("picture", "codec_type", "data"))
    assert "video_streams" in failed(verdict)
    assert verdict.error is not None


def test_mxf_audio_is_as_long_as_the_picture_if_there_is_one() -> None:
    spoiled = put("picture", "duration_ts", "6400")
    seen = check(verdict_of(spoiled, codec=Codec.DNXHR, container=Container.MXF), "audio_0_duration")
    assert (seen.expected, seen.actual, seen.ok) == ("0.5", "1", False)
    blind = verdict_of(put("picture", "codec_type", "data"), codec=Codec.DNXHR, container=Container.MXF)
    assert check(blind, "audio_0_duration").ok is None


def test_what_the_source_does_not_say_is_not_known() -> None:
    source = replace(
        clip(color=ColorFacts(), field_order=None, frames_certain=False), audio=(replace(STEREO, layout=None, duration=None),)
    )
    verdict = verdict_of(source=source)
    unknown = {item.name for item in verdict.checks if item.ok is None}
    assert failed(verdict) == {}
    assert unknown == {
        "video_profile", "field_order", "field_order_said", "color_range", "color_matrix", "color_primaries", "color_transfer",
        "content_light",
        "mastering_display", "frames_of_source", "reel", "audio_0_layout",
    }  # fmt: skip


def test_what_a_bitstream_has_no_word_for_is_not_known() -> None:
    source = clip(color=replace(REC709, transfer="iec61966-2-1"))
    found = check(verdict_of(source=source, codec=Codec.PRORES_LT, container=Container.MOV), "color_transfer")
    assert (found.expected, found.actual, found.ok) == ("iec61966-2-1", None, None)


def test_equal_curves_under_two_names_are_equal() -> None:
    source = clip(color=replace(REC709, transfer="smpte170m"))
    assert check(verdict_of(source=source, codec=Codec.PRORES_LT, container=Container.MOV), "color_transfer").ok


@pytest.mark.parametrize(("order", "top"), [("tt", "1"), ("bb", "0")])
def test_field_order(order: str, top: str) -> None:
    source = clip(field_order=order)
    assert failed(verdict_of(source=source, codec=Codec.PRORES_LT, container=Container.MOV)) == {}
    flipped = put("frame", "top_field_first", "0" if top == "1" else "1")
    other = "bb" if order == "tt" else "tt"
    assert failed(verdict_of(flipped, source=source, codec=Codec.PRORES_LT, container=Container.MOV)) == {
        "field_order": (order, other)
    }


def test_timecode_and_reel() -> None:
    source = replace(
        clip(rate=NTSC, time_base=Fraction(1, 30000), duration=Fraction(25) / NTSC), timecode=DROP_FRAME, reel="A001"
    )
    fine = verdict_of(source=source, codec=Codec.PRORES_LT, container=Container.MOV)
    assert failed(fine) == {}
    assert check(fine, "reel").ok
    assert check(fine, "timecode").actual == "01:00:00;02"
    shifted = put("container", "tag:timecode", "01:00:00:02")
    assert failed(verdict_of(shifted, source=source)) == {"timecode": ("01:00:00;02", "01:00:00:02")}

    def on_a_track(proxy: Proxy) -> None:
        del proxy.container["tag:timecode"]
        proxy.others = [{"index": "2", "codec_type": "data", "codec_tag_string": "tmcd", "tag:timecode": "01:00:00;02"}]

    assert failed(verdict_of(on_a_track, source=source)) == {}

    def upper_case(proxy: Proxy) -> None:
        proxy.container["tag:TIMECODE"] = proxy.container.pop("tag:timecode")

    assert failed(verdict_of(upper_case, source=source, container=Container.MKV)) == {}


@pytest.mark.parametrize(("rate", "seen"), [(Fraction(10), "01:00:00:2"), (Fraction(120), "01:00:00:002")])
def test_a_timecode_is_the_same_with_any_number_of_digits(rate: Fraction, seen: str) -> None:
    start = Timecode("01:00:00:02", drop_frame=False, origin="tmcd")
    source = replace(clip(rate=rate, duration=25 / rate, time_base=Fraction(1, 12000)), timecode=start)
    assert failed(verdict_of(put("container", "tag:timecode", seen), source=source)) == {}
    shifted = put("container", "tag:timecode", seen.replace("2", "3"))
    assert "timecode" in failed(verdict_of(shifted, source=source))


@pytest.mark.parametrize("text", ["00:00:00:00", "00:00:00:000"])
def test_mxf_cannot_go_without_a_timecode(text: str) -> None:
    verdict = verdict_of(put("container", "tag:timecode", text), codec=Codec.DNXHR, container=Container.MXF)
    found = check(verdict, "timecode")
    assert (found.expected, found.actual, found.ok, verdict.error) == (None, "00:00:00:00 (container default)", None, None)
    other = verdict_of(put("container", "tag:timecode", "01:00:00:00"), codec=Codec.DNXHR, container=Container.MXF)
    assert "timecode" in failed(other)


def hdr(suffix: str) -> Callable[[Proxy], None]:
    return attribute("frame_suffix", suffix)


SEEN = (
    "|side_data|red_x=34000/50000|red_y=16000/50000|green_x=13250/50000|green_y=34500/50000|blue_x=7500/50000|blue_y=3000/50000|"
    "white_point_x=15635/50000|white_point_y=16450/50000|min_luminance=1/10000|max_luminance=10000000/10000\n"
    "side_data|max_content=1000|max_average=400\n"
)


@pytest.mark.parametrize(
    ("codec", "suffix", "oks"),
    [
        (Codec.HEVC, SEEN, (True, True)),
        (Codec.HEVC, SEEN.replace("red_x=34000", "red_x=34001").replace("=400", "=401"), (False, False)),
        (Codec.HEVC, "", (False, False)),
        (Codec.AV1, SEEN.replace("red_x=34000", "red_x=34001"), (True, True)),
        (Codec.H264, "", (None, None)),
        (Codec.H264, SEEN, (True, True)),
        (Codec.HEVC, SEEN.replace("red_x", "x"), (True, False)),
    ],
)
def test_static_hdr_metadata(codec: Codec, suffix: str, oks: tuple[bool | None, bool | None]) -> None:
    source = clip(color=replace(REC709, mastering_display=MASTERING, content_light="1000,400"))
    verdict = verdict_of(hdr(suffix), source=source, codec=codec)
    assert (check(verdict, "content_light").ok, check(verdict, "mastering_display").ok) == oks
    assert verdict_of(hdr(SEEN), codec=codec).error is None


def test_hdr_metadata_is_asked_for_only_where_there_is_some() -> None:
    plain = proxy_probe_argv("ffprobe", "out.mp4", plan_task(settings(), CLIP).expected)
    assert plain[:11] == [
        "ffprobe", "-hide_banner", "-v", "error", "-protocol_whitelist", "file", "-f", "mov", "-threads", "auto", "-show_entries"
    ]  # fmt: skip
    assert plain[12:] == ["-of", "compact", "-i", "file:out.mp4"]
    assert "frame_side_data" not in plain[11]
    light = plan_task(settings(), clip(color=replace(REC709, content_light="1000,400")))
    assert "frame_side_data" in proxy_probe_argv("ffprobe", "out.mp4", light.expected)[11]


def test_how_long_frames_last_is_asked_for_only_where_sound_is_copied() -> None:
    copied = proxy_probe_argv("ffprobe", "out.mp4", plan_task(settings(), CLIP).expected)
    assert copied[11].endswith(":frame=pkt_duration,duration")
    encoded = proxy_probe_argv("ffprobe", "out.mkv", plan_task(settings(container=Container.MKV), CLIP).expected)
    assert "duration," not in encoded[11].rpartition(":frame=")[2]


def test_pictures_that_last_differently_look_the_same() -> None:
    def spoil(proxy: Proxy) -> None:
        proxy.frame_suffix = "".join(f"|{key}=512" for key in ("pkt_duration", "duration"))

    verdict = verdict_of(spoil)
    assert verdict.error is None
    frames = "\n".join(f"frame|stream_index=0|pts={time}|interlaced_frame=0|pkt_duration={time}" for time in range(99))
    (stream,) = parse_proxy(f"{frames}\nstream|index=0".encode()).streams
    assert (len(stream.frame_variants), stream.frame_value("interlaced_frame")) == (1, "0")


def test_a_variable_rate_keeps_every_time() -> None:
    times = (0, 512, 1500, 9000)
    source = clip(constant_rate=False, frames=4, duration=Fraction(1))

    def variable(proxy: Proxy) -> None:
        proxy.times = list(times)

    def seen(encode: EncodeObservation) -> EncodeObservation:
        return replace(encode, times=times, progress=replace(encode.progress, frames=4))

    verdict = verdict_of(variable, source=source, encode=seen)
    assert (failed(verdict), check(verdict, "frame_rate").ok) == ({}, None)

    def moved(proxy: Proxy) -> None:
        proxy.times = [0, 512, 1501, 9000]

    assert "frame_times" in failed(verdict_of(moved, source=source, encode=seen))
    early = replace(source, video=replace(source.video, duration=Fraction(1, 2)))
    assert check(verdict_of(variable, source=early, encode=seen), "duration").ok is None
    unknown = replace(source, video=replace(source.video, duration=None))
    assert check(verdict_of(variable, source=unknown, encode=seen), "duration").ok is None


def test_a_frame_without_a_time_cannot_be_proven() -> None:
    verdict = verdict_of(encode=lambda seen: replace(seen, times=seen.times[1:], untimed=(0,)))
    assert "frame_times" in failed(verdict)


@pytest.mark.parametrize(("frames", "ok"), [(50, True), (49, True), (51, True), (47, False)])
def test_a_converted_rate_keeps_the_duration(frames: int, ok: bool) -> None:
    fps = Fraction(50)

    def converted(proxy: Proxy) -> None:
        proxy.times = [position * 256 for position in range(frames)]
        proxy.picture["duration_ts"] = str(frames * 256)

    def seen(encode: EncodeObservation) -> EncodeObservation:
        return replace(encode, progress=replace(encode.progress, frames=frames))

    assert (failed(verdict_of(converted, fps=fps, encode=seen)) == {}) is ok


def judged(plan: TaskPlan, **seen: object) -> Verdict:
    encode = replace(perfect_encode(plan), **seen)  # type: ignore[arg-type]  # fields by name
    return judge_evidence(FfmpegEvidence(plan, encode))


PLAN = plan_task(settings(), CLIP)
DECODER = "[h264 @ 0x55d5] [error] error while decoding MB 21 4, bytestream -30"
DEMUXER = "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55d5] [error] stream 0, offset 0x30: partial file"


def test_a_fine_encode() -> None:
    assert judged(PLAN) == Verdict(
        (
            Check(name="exit_code", expected=0, actual=0, ok=True),
            Check(name="file_size", expected=1000, actual=1000, ok=True),
        ),
        None,
        None,
    )


@pytest.mark.parametrize(
    ("seen", "code", "said"),
    [
        ({"exit_code": 1, "complaints": (DECODER,)}, ErrorCode.SOURCE_DAMAGED, "[h264] [error] error while decoding MB 21 4"),
        ({"complaints": (DECODER,), "complained_at": 10}, ErrorCode.SOURCE_DAMAGED, "near 0.360 s"),
        ({"complaints": (DECODER,), "times": ()}, ErrorCode.SOURCE_DAMAGED, "near 0.000 s"),
        ({"complaints": ("[warning] x: corrupt decoded frame in stream 0",)}, ErrorCode.SOURCE_DAMAGED, "corrupt decoded frame"),
        ({"complaints": ("[aac @ 0x1] [error] Input buffer exhausted",)}, ErrorCode.SOURCE_DAMAGED, "buffer exhausted"),
        ({"exit_code": 1, "complaints": (DEMUXER,)}, ErrorCode.SOURCE_DAMAGED, "partial file"),
        ({"exit_code": 1, "complaints": ("[error] file:/x: Input/output error",)}, ErrorCode.SOURCE_DAMAGED, "Input/output"),
        (
            {"exit_code": 1, "complaints": (DECODER, "[error] av_interleaved_write_frame(): No space left on device")},
            ErrorCode.NO_SPACE,
            "free some",
        ),
        ({"file_size": 999, "stderr_tail": ("[error] x: Disk quota exceeded",)}, ErrorCode.NO_SPACE, "free some"),
        ({"exit_code": -11}, ErrorCode.ENCODE_FAILED, "signal 11: it printed nothing"),
        (
            {"exit_code": 1, "stderr_tail": ("[info] Conversion failed!",)},
            ErrorCode.SOURCE_DAMAGED,
            "0.960 s: FFmpeg stopped there",
        ),
        ({"exit_code": 1, "stderr_tail": ("[info] bye",)}, ErrorCode.ENCODE_FAILED, "exit code 1: [info] bye"),
        (
            {"exit_code": 187, "complaints": ("[libx264 @ 0x1] [error] no",), "stderr_tail": ("[fatal] failed",)},
            ErrorCode.ENCODE_FAILED,
            "exit code 187: [libx264] [error] no",
        ),
        ({"restarts": 1}, ErrorCode.SOURCE_UNSUPPORTED, "changes size, format or orientation"),
        (
            {"restarts": 1, "exit_code": 1, "complaints": ("[mov @ 0x1] [error] Non-monotonous DTS",)},
            ErrorCode.SOURCE_UNSUPPORTED,
            "changes size, format or orientation",
        ),
        ({"exit_code": 1, "complaints": ("[mov @ 0x1] [error] no",)}, ErrorCode.ENCODE_FAILED, "[mov] [error] no"),
        (
            {"exit_code": 1, "complaints": ("[enc:libx264] [error] failed",)},
            ErrorCode.ENCODE_FAILED,
            "[enc:libx264] [error] failed",
        ),
        (
            {"exit_code": 1, "stderr_tail": ("[error] x: Cannot allocate memory",)},
            ErrorCode.ENCODE_OUT_OF_MEMORY,
            "FFmpeg must get the memory that it asks for, but did not: [error] x: Cannot allocate memory",
        ),
        ({"file_size": 999}, ErrorCode.OUTPUT_INVALID, "file_size should be 1000, but is 999"),
    ],
)
def test_an_encode_that_failed(seen: dict[str, object], code: ErrorCode, said: str) -> None:
    verdict = judged(PLAN, **seen)
    assert verdict.error is not None
    assert verdict.error.code is code
    assert said in verdict.error.message


def test_an_encoder_is_not_taken_for_the_decoder() -> None:
    plan = plan_task(settings(), clip(codec="prores"))
    error = judged(plan, exit_code=1, complaints=("[prores_aw @ 0x1] [error] cannot",)).error
    assert error is not None
    assert error.code is ErrorCode.ENCODE_FAILED


@pytest.mark.parametrize(
    ("codec", "line"),
    [
        ("av1", "[libdav1d @ 0x1] [error] Unknown OBU type 0 of size 7370"),
        ("dts", "[dca @ 0x1] [error] Invalid core frame size"),
        ("mp3", "[mp3float @ 0x1] [error] invalid new backstep"),
        ("opus", "[libopus @ 0x1] [error] Decoding error: corrupted stream"),
        ("aac", "[aac_adtstoasc @ 0x1] [error] Error parsing ADTS frame header!"),
    ],
)
def test_a_decoder_is_known_by_whatever_name(codec: str, line: str) -> None:
    plan = plan_task(settings(), replace(CLIP, audio=(replace(STEREO, codec=codec),)))
    error = judged(plan, complaints=(line,)).error
    assert error is not None
    assert error.code is ErrorCode.SOURCE_DAMAGED


def test_a_size_that_was_never_said_is_not_known() -> None:
    verdict = judged(PLAN, progress=Progress(frames=25, ended=True))
    assert (verdict.error, verdict.checks[1].ok) == (None, None)


def test_an_encoder_that_never_said_it_ended_proves_nothing() -> None:
    verdict = judged(PLAN, progress=Progress(frames=25, total_size=1000))
    assert verdict.error is not None
    assert verdict.error.code is ErrorCode.ENCODE_FAILED
    assert "report that it finished" in verdict.error.message


def ended(frames: int, **seen: object) -> Callable[[EncodeObservation], EncodeObservation]:
    def cut(encode: EncodeObservation) -> EncodeObservation:
        progress = replace(encode.progress, frames=frames)
        return replace(encode, times=encode.times[:frames], progress=progress, **seen)  # type: ignore[arg-type]

    return cut


@pytest.mark.parametrize(
    ("source", "frames", "said"),
    [
        (CLIP, 24, "ends after 24 frames, but its container promises 25 frames"),
        (clip(frames_certain=False), 20, "ends after 0.800 s, but its container promises 1.000 s"),
        (replace(clip(frames_certain=False, duration=None), duration=Fraction(9)), 25, "promises 9.000 s"),
        (CLIP, 0, "no frame of the source"),
        (replace(clip(frames=24), formats=("dv",)), 25, "ends in the middle of frame 25: it was cut off"),
        (replace(CLIP, formats=("h264",)), 24, "has 25 frames by its picture headers, but 24 were decoded"),
        (replace(clip(frames=24), formats=("h264",)), 25, "has 24 frames by its picture headers, but 25 were decoded"),
    ],
)
def test_a_source_that_ends_before_its_container_says(source: MediaFacts, frames: int, said: str) -> None:
    verdict = verdict_of(source=source, encode=ended(frames))
    assert verdict.error is not None
    assert verdict.error.code is ErrorCode.SOURCE_DAMAGED
    assert said in verdict.error.message


@pytest.mark.parametrize(
    "source",
    [
        clip(frames_certain=False, duration=Fraction(27, 25)),
        replace(clip(frames_certain=False, duration=None), duration=Fraction(3, 2)),
        replace(clip(frames_certain=False, duration=None), duration=None),
        clip(frames_certain=True, duration=Fraction(3)),
        replace(CLIP, formats=("mpegvideo",)),
    ],
)
def test_rounded_durations_are_no_damage(source: MediaFacts) -> None:
    assert verdict_of(source=source).error is None


def test_a_demuxers_complaint_about_nothing_missing_is_no_damage() -> None:
    def complained(encode: EncodeObservation) -> EncodeObservation:
        return replace(encode, complaints=(DEMUXER,))

    assert verdict_of(encode=complained).error is None
    assert verdict_of(source=clip(frames=None, frames_certain=False), encode=complained).error is None


def test_a_hole_where_the_demuxer_complained_is_damage() -> None:
    def hole(encode: EncodeObservation) -> EncodeObservation:
        presented = (*encode.times[:10], *encode.times[12:])
        return replace(encode, complaints=(DEMUXER,), times=presented, complained_at=10)

    verdict = verdict_of(source=clip(frames=None, frames_certain=False), encode=hole)
    assert verdict.error is not None
    assert (verdict.error.code, verdict.error.details["near_seconds"]) == (ErrorCode.SOURCE_DAMAGED, "0.360")
    variable = verdict_of(source=clip(constant_rate=False, frames=None, frames_certain=False), encode=hole)
    assert variable.error is not None
    assert variable.error.code is ErrorCode.SOURCE_DAMAGED


def test_a_constant_rate_that_is_none_is_refused() -> None:
    def off_grid(encode: EncodeObservation) -> EncodeObservation:
        return replace(encode, times=(*encode.times[:3], encode.times[3] + 200, *encode.times[4:]))

    verdict = verdict_of(encode=off_grid)
    assert verdict.error is not None
    assert verdict.error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert "have other times" in verdict.error.message


def test_mxf_has_no_place_for_a_missing_frame() -> None:
    source = clip(frames=24, frames_certain=True)

    def hole(encode: EncodeObservation) -> EncodeObservation:
        presented = (*encode.times[:10], *encode.times[11:])
        return replace(encode, times=presented, progress=replace(encode.progress, frames=24))

    verdict = verdict_of(source=source, codec=Codec.DNXHR, container=Container.MXF, encode=hole)
    assert verdict.error is not None
    assert verdict.error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert "skips frames of its constant rate (25), first at 0.400 s" in verdict.error.message

    def kept(proxy: Proxy) -> None:
        del proxy.times[10]

    assert verdict_of(kept, source=source, encode=hole).error is None


@pytest.mark.parametrize(
    ("said", "ok"), [("tt", True), ("tb", True), ("bb", False), ("bt", False), ("progressive", False), ("unknown", None)]
)
def test_the_containers_word_on_fields(said: str, ok: bool | None) -> None:
    verdict = verdict_of(put("picture", "field_order", said), source=clip(field_order="tt"))
    (check,) = (check for check in verdict.checks if check.name == "field_order_said")
    assert (check.expected, check.ok) == ("tt", ok)
