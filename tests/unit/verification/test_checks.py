"""Each check of a proxy's picture by itself: what is expected, what is seen, and where the border between them is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from pydantic import JsonValue

from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.contract.result import Check
from proxx_worker.media.facts import ColorFacts, MediaFacts, Timecode
from proxx_worker.media.integers import Integers
from proxx_worker.planning.expectation import Expectation
from proxx_worker.planning.plan import plan_task
from proxx_worker.verification.checks import (
    MILLISECOND,
    decimal,
    decode_check,
    frame_times,
    identity_checks,
    start_check,
    stream_checks,
    time_checks,
    video_duration,
)
from proxx_worker.verification.proxy_probe import ProxyObservation, ProxyReport, StreamReport
from tests.support.printouts import parse_proxy
from tests.unit.planning.sources import CLIP, REC709, clip, settings

CODECS = {Container.MP4: Codec.H264, Container.MOV: Codec.PRORES_PROXY, Container.MKV: Codec.H264, Container.MXF: Codec.DNXHR}
TICK = Fraction(1, 12800)


def expected(container: Container = Container.MP4, source: MediaFacts = CLIP, fps: Fraction | None = None) -> Expectation:
    return plan_task(settings(CODECS[container], container, fps=fps), source).expected


def picture(fields: Mapping[str, str] | None = None, frames: Sequence[str] = (), more: str = "") -> StreamReport:
    """The stream of a proxy's picture with these fields, and frames that say these words."""
    lines = [f"frame|stream_index=0|pts={512 * at}|{words}" for at, words in enumerate(frames)]
    described = "|".join(f"{key}={value}" for key, value in (fields or {}).items())
    lines.append(f"stream|index=0|codec_type=video|{described}{more}")
    return parse_proxy("\n".join(lines).encode()).streams[0]


def timed(times: Sequence[int], **fields: str) -> StreamReport:
    return StreamReport({"time_base": "1/12800", **fields}, times=Integers(times), frames=len(times))


def seen(*streams: StreamReport, container: Mapping[str, str] | None = None) -> ProxyObservation:
    return ProxyObservation(0, ProxyReport({"format_name": "mov,mp4,m4a"} if container is None else container, streams), "")


def of_picture(name: str, stream: StreamReport, wanted: Expectation) -> tuple[JsonValue, JsonValue, bool | None]:
    (found,) = (check for check in stream_checks(wanted, seen(stream)) if check.name == name)
    return found.expected, found.actual, found.ok


def of_times(name: str, stream: StreamReport, wanted: Expectation) -> tuple[JsonValue, JsonValue, bool | None]:
    (found,) = (check for check in time_checks(wanted, stream) if check.name == name)
    return found.expected, found.actual, found.ok


@pytest.mark.parametrize(
    ("exit_code", "stderr", "actual", "ok"),
    [
        (0, "", True, True),
        (1, "", "exit 1", False),
        (0, "[mov,mp4 @ 0x1] error reading header\n[hevc @ 0x1] x\n", True, True),
        (0, "[h264 @ 0x55d5] error while decoding MB 1 2\n[aac @ 0x1] x\n", "[h264] error while decoding MB 1 2\n[aac] x", False),
        (0, "clip.mp4: Invalid data\n", "clip.mp4: Invalid data", False),
        (1, "[h264 @ 0x1] x\n", "[h264] x", False),
        (0, "[h264 @ 0x1] " + "a" * 500, "a" * 400, False),
        (0, "[h264 @ 0x1] SEI type 5 size 12 truncated at 8\n", True, True),
    ],
)
def test_a_decoder_s_words_count_and_others_do_not(exit_code: int, stderr: str, actual: JsonValue, ok: bool) -> None:
    found = decode_check(expected(), replace(seen(), exit_code=exit_code, stderr=stderr))
    assert found == Check(name="decodes", expected=True, actual=actual, ok=ok)


@pytest.mark.parametrize("fields", [{"codec_name": "hevc"}, {"codec_name": "mp3"}])
def test_the_decoders_of_what_is_there_count_too(fields: dict[str, str]) -> None:
    said = "[hevc @ 0x1] x\n[mp3float @ 0x1] x\n"
    found = decode_check(expected(), replace(seen(picture(fields)), stderr=said))
    assert found.actual == {"hevc": "[hevc] x", "mp3": "[mp3float] x"}[fields["codec_name"]]


def test_the_kinds_of_streams_are_counted() -> None:
    report = seen(
        picture(),
        picture(),
        StreamReport({"codec_type": "audio"}),
        StreamReport({"codec_type": "data", "codec_tag_string": "tmcd"}),
        StreamReport({"codec_type": "subtitle"}),
        StreamReport({}),
    )
    found = {check.name: check for check in stream_checks(expected(), report)}
    assert [found[name] for name in ("container", "video_streams", "audio_streams", "other_streams")] == [
        Check(name="container", expected="mov", actual="mov,mp4,m4a", ok=True),
        Check(name="video_streams", expected=1, actual=2, ok=False),
        Check(name="audio_streams", expected=1, actual=1, ok=True),
        Check(name="other_streams", expected=[], actual=["tmcd", "subtitle", ""], ok=False),
    ]
    nothing = list(stream_checks(replace(expected(), audio=None), seen(container={})))
    assert nothing == [
        Check(name="container", expected="mov", actual="", ok=False),
        Check(name="video_streams", expected=1, actual=0, ok=False),
        Check(name="audio_streams", expected=None, actual=0, ok=None),
        Check(name="other_streams", expected=[], actual=[], ok=True),
    ]


UPRIGHT = r"displaymatrix=\n00000000:  65536  0  0\n00000001:  0  65536  0\n00000002:  0  0  1073741824\n"
FLIPPED = UPRIGHT.replace("0  65536  0", "0  -65536  0")


@pytest.mark.parametrize(
    ("side_data", "actual", "ok"),
    [
        ("", 0, True),
        ("|side_data|side_data_type=Stereo 3D", 0, True),
        (f"|side_data|side_data_type=Display Matrix|{UPRIGHT}|rotation=0", 0, True),
        (f"|side_data|side_data_type=Display Matrix|{UPRIGHT}|rotation=-0", 0, True),
        (f"|side_data|side_data_type=Display Matrix|{FLIPPED}|rotation=0", "mirrored", False),
        (f"|side_data|side_data_type=Display Matrix|{UPRIGHT}|rotation=90", "90", False),
        (f"|side_data|side_data_type=Display Matrix|{UPRIGHT}", None, None),
        ("|side_data|side_data_type=Display Matrix|rotation=0", None, None),
        ("|side_data|rotation=90", "90", False),
        ("|side_data|rotation=0", None, None),
        (f"|side_data|{UPRIGHT}|rotation=0\nside_data|side_data_type=Display Matrix|{UPRIGHT}|rotation=180", "180", False),
        (f"|side_data|{UPRIGHT}|rotation=0\nside_data|{FLIPPED}|rotation=0", "mirrored", False),
    ],
)
def test_a_proxy_is_upright(side_data: str, actual: JsonValue, ok: bool | None) -> None:
    assert of_picture("rotation", picture(more=side_data), expected()) == (0, actual, ok)


HD = {"width": "1920", "height": "1080"}
NEAR = 1 + Fraction(1, 1080) + Fraction(1, 255)
LITTLE_NEAR = 1 + Fraction(1, 36) + Fraction(1, 255)
FAR = Fraction(1, 10**7)


def ratio(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"


@pytest.mark.parametrize(
    ("container", "size", "sample", "ok"),
    [
        (Container.MP4, HD, "1:1", True),
        (Container.MP4, HD, "1001:1000", False),
        (Container.MP4, HD, "0:1", True),
        (Container.MP4, HD, None, None),
        (Container.MKV, HD, ratio(NEAR), True),
        (Container.MKV, HD, ratio(NEAR + FAR), False),
        (Container.MKV, HD, ratio(2 - NEAR), True),
        (Container.MKV, HD, ratio(2 - NEAR - FAR), False),
        (Container.MKV, HD, "2:1", False),
    ],
)
def test_a_display_aspect_is_exact_but_in_matroska(
    container: Container, size: dict[str, str], sample: str | None, ok: bool | None
) -> None:
    said = {} if sample is None else {"sample_aspect_ratio": sample}
    seen = of_picture("display_aspect", picture({**size, **said}), expected(container))
    actual = Fraction(16, 9) * (1 if sample in {None, "0:1"} else Fraction(str(sample).replace(":", "/")))
    assert seen == ("16/9", str(actual), ok)


@pytest.mark.parametrize(("sample", "ok"), [(LITTLE_NEAR, True), (LITTLE_NEAR + FAR, False)])
def test_where_no_size_is_planned_that_of_the_proxy_gives_the_rounding(sample: Fraction, ok: bool) -> None:
    wanted = expected(Container.MKV)
    unsized = replace(wanted, video=replace(wanted.video, size=None))
    little = {"width": "64", "height": "36", "sample_aspect_ratio": ratio(sample)}
    assert of_picture("display_aspect", picture(little), unsized) == ("16/9", str(Fraction(16, 9) * sample), ok)
    assert of_picture("picture_size", picture(little), unsized) == (None, "64x36", None)
    open_aspect = replace(wanted, video=replace(wanted.video, display_aspect=None))
    assert of_picture("display_aspect", picture(HD), open_aspect) == (None, "16/9", None)


def test_a_picture_without_a_size_has_none() -> None:
    wanted = expected(Container.MKV)
    unsized = replace(wanted, video=replace(wanted.video, size=None))
    assert of_picture("display_aspect", picture({"sample_aspect_ratio": "1:1"}), unsized) == ("16/9", "0", False)
    assert of_picture("display_aspect", picture({"sample_aspect_ratio": "1:1"}), expected()) == ("16/9", "0", False)
    assert of_picture("display_aspect", picture({"width": "64", "sample_aspect_ratio": "1:1"}), expected()) == (
        "16/9",
        "64",
        False,
    )
    assert of_picture("picture_size", picture(), expected()) == ("1920x1080", "NonexNone", False)


@pytest.mark.parametrize(
    ("frames", "actual"),
    [
        (["interlaced_frame=0|top_field_first=0"], "progressive"),
        (["interlaced_frame=0|top_field_first=1"], "progressive"),
        (["interlaced_frame=1|top_field_first=1"], "tt"),
        (["interlaced_frame=1|top_field_first=0"], "bb"),
        (["interlaced_frame=1"], None),
        (["top_field_first=1"], None),
        (["interlaced_frame=0", "interlaced_frame=1|top_field_first=1"], None),
        ([], None),
    ],
)
def test_the_frames_tell_their_fields(frames: list[str], actual: str | None) -> None:
    assert of_picture("field_order", picture(frames=frames), expected()) == ("progressive", actual, actual == "progressive")


@pytest.mark.parametrize(
    ("stream", "frames", "actual", "ok"),
    [
        ({"color_range": "tv"}, ["color_range=tv"], "tv", True),
        ({"color_range": "pc"}, ["color_range=pc"], "pc", False),
        ({"color_range": "pc"}, ["color_range=tv"], "pc / tv", False),
        ({"color_range": "unknown"}, ["color_range=tv"], "tv", True),
        ({"color_range": "tv"}, ["color_range=unknown"], "tv", True),
        ({"color_range": "unknown"}, ["color_range=unknown"], None, False),
        ({}, ["color_range=tv"], "tv", None),
        ({"color_range": "tv"}, ["interlaced_frame=0"], "tv", None),
        ({"color_range": "tv"}, ["color_range=tv", "interlaced_frame=0"], "tv", None),
    ],
)
def test_a_colour_is_what_stream_and_frames_say(
    stream: dict[str, str], frames: list[str], actual: str | None, ok: bool | None
) -> None:
    assert of_picture("color_range", picture(stream, frames), expected()) == ("tv", actual, ok)


COLORS = ("color_range", "color_matrix", "color_primaries", "color_transfer")
SAID = {"color_range": "tv", "color_space": "bt709", "color_primaries": "bt2020", "color_transfer": "smpte2084"}


def test_each_colour_has_its_own_word() -> None:
    stream = picture(SAID, ["|".join(f"{key}={value}" for key, value in SAID.items())])
    color = ColorFacts(range="tv", matrix="bt709", primaries="bt2020", transfer="smpte2084")
    wanted = expected(source=clip(color=color))
    assert [of_picture(name, stream, wanted) for name in COLORS] == [(word, word, True) for word in SAID.values()]
    silent = picture(dict.fromkeys(SAID, "unknown"), ["|".join(f"{key}=unknown" for key in SAID)])
    assert [of_picture(name, silent, wanted) for name in COLORS] == [(word, None, False) for word in SAID.values()]
    unsaid = expected(source=clip(color=ColorFacts()))
    assert [of_picture(name, stream, unsaid)[1:] for name in COLORS] == [(word, None) for word in SAID.values()]


MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
GREEN = "green_x=13250/50000|green_y=34500/50000"
DISPLAY = (
    f"{GREEN}|blue_x=7500/50000|blue_y=3000/50000|red_x=34000/50000|red_y=16000/50000|white_point_x=15635/50000|"
    "white_point_y=16450/50000|min_luminance=1/10000|max_luminance=10000000/10000"
)
LIGHT = "max_content=1000|max_average=400"


@pytest.mark.parametrize(
    ("codec", "said", "light", "display"),
    [
        (Codec.HEVC, f"{DISPLAY}|{LIGHT}", ("1000,400", True), (MASTERING, True)),
        (Codec.HEVC, "", (None, False), (None, False)),
        (Codec.HEVC, "max_content=1000", (None, False), (None, False)),
        (Codec.HEVC, LIGHT.replace("400", "401"), ("1000,401", False), (None, False)),
        (Codec.HEVC, DISPLAY.replace("|green_y=34500/50000", ""), (None, False), (MASTERING.replace("34500", "0"), False)),
        (Codec.HEVC, DISPLAY.replace("green_x=13250/50000|", ""), (None, False), (None, False)),
        # It is rounded to the units of the metadata.
        (Codec.HEVC, DISPLAY.replace("13250/50000", "13249/49997"), (None, False), (MASTERING, True)),
        (Codec.AV1, DISPLAY.replace("13250/", "13251/"), (None, False), (MASTERING.replace("13250", "13251"), True)),
        (Codec.AV1, "", (None, False), (None, False)),
        (Codec.H264, "", (None, None), (None, None)),
        (Codec.H264, DISPLAY, (None, None), (MASTERING, True)),
        (Codec.H264, LIGHT, ("1000,400", True), (None, None)),
        (Codec.H264, LIGHT.replace("400", "401"), ("1000,401", False), (None, None)),
    ],
)
def test_metadata_of_light(
    codec: Codec, said: str, light: tuple[str | None, bool | None], display: tuple[str | None, bool | None]
) -> None:
    source = clip(color=replace(REC709, mastering_display=MASTERING, content_light="1000,400"))
    wanted = plan_task(settings(codec, Container.MP4), source).expected
    stream = picture(frames=[f"side_data|{said}"])
    assert of_picture("content_light", stream, wanted) == ("1000,400", *light)
    assert of_picture("mastering_display", stream, wanted) == (MASTERING, *display)
    for name, seen in (("content_light", light[0]), ("mastering_display", display[0])):
        assert of_picture(name, stream, plan_task(settings(codec), CLIP).expected) == (None, seen, None)


ALL = "3 frames on their times"


@pytest.mark.parametrize(
    ("container", "times", "wanted", "said", "actual", "ok"),
    [
        (Container.MP4, (700, 1212, 1724), (0, 1, 2), ALL, ALL, True),
        (Container.MP4, (700, 1213, 1724), (0, 1, 2), "0.040000 s", "frame 1 at 0.040078 s", False),
        (Container.MP4, (700, 1211, 1724), (0, 1, 2), "0.040000 s", "frame 1 at 0.039922 s", False),
        (Container.MKV, (700, 1213, 1723), (0, 1, 2), ALL, ALL, True),
        (Container.MKV, (700, 1214, 1724), (0, 1, 2), "0.040000 s", "frame 1 at 0.040156 s", False),
        (Container.MP4, (700, 1212, 1212), (0, 1, 1), "0.040000 s", "frame 2 at 0.040000 s", False),
        (Container.MP4, (700, 1212, 1724), (0, 1), ALL, ALL, False),
        (Container.MP4, (700, 1212, 1724), (0, 1, 2, 3), ALL, ALL, False),
        (Container.MP4, (), (), "every frame has a time", None, False),
    ],
)
def test_every_frame_is_on_its_time(
    container: Container, times: tuple[int, ...], wanted: tuple[int, ...], said: str, actual: str | None, ok: bool
) -> None:
    found = frame_times(container, timed(times), Fraction(1, 25), wanted)
    assert found == Check(name="frame_times", expected=said, actual=actual, ok=ok)


def test_frames_of_which_one_has_no_time_have_none() -> None:
    unknown = Check(name="frame_times", expected="every frame has a time", actual=None, ok=False)
    lacking = timed((0, 512))
    lacking.frames = 3
    assert frame_times(Container.MP4, lacking, Fraction(1, 25), (0, 1)) == unknown
    assert frame_times(Container.MP4, timed((0, 512), time_base="0/0"), Fraction(1, 25), (0, 1)) == unknown


@pytest.mark.parametrize(
    ("wanted", "actual", "ok"),
    [
        (Fraction(1), Fraction(1001, 1000), True),
        (Fraction(1), Fraction(999, 1000), True),
        (Fraction(1), Fraction(10011, 10000), False),
        (Fraction(1), None, False),
        (None, Fraction(1), None),
    ],
)
def test_a_start_is_exact_to_the_millisecond(wanted: Fraction | None, actual: Fraction | None, ok: bool | None) -> None:
    assert start_check("start", wanted, actual, MILLISECOND) == Check(
        name="start", expected=decimal(wanted), actual=decimal(actual), ok=ok
    )


@pytest.mark.parametrize(
    ("container", "average", "nominal", "actual", "ok"),
    [
        (Container.MP4, "25/1", "25/1", "25", True),
        (Container.MP4, "24/1", "25/1", "25", True),
        (Container.MP4, "24/1", "30/1", "24", False),
        (Container.MP4, "0/0", "30/1", "30", False),
        (Container.MP4, "0/0", "0/0", "None", False),
        (Container.MP4, "25000001/1000000", "0/0", "25000001/1000000", False),
        (Container.MKV, "1000001/40000", "0/0", "1000001/40000", True),
        (Container.MKV, "999999/40000", "0/0", "999999/40000", True),
        (Container.MKV, "10000011/400000", "0/0", "10000011/400000", False),
    ],
)
def test_a_rate_is_exact_but_in_matroska(container: Container, average: str, nominal: str, actual: str, ok: bool) -> None:
    stream = picture({"avg_frame_rate": average, "r_frame_rate": nominal})
    assert of_times("frame_rate", stream, expected(container)) == ("25", actual, ok)


def test_a_variable_rate_is_not_compared() -> None:
    variable = expected(source=clip(constant_rate=False))
    assert of_times("frame_rate", picture({"avg_frame_rate": "24/1"}), variable) == ("variable", "24", None)
    unknown = replace(variable, timing=replace(variable.timing, varies=False))
    assert of_times("frame_rate", picture({"avg_frame_rate": "24/1"}), unknown) == (None, "24", None)


@pytest.mark.parametrize(
    ("container", "times", "fields", "seconds"),
    [
        (Container.MP4, (), {"duration_ts": "12800"}, Fraction(1)),
        (Container.MP4, (0,), {"duration_ts": "6400", "tag:DURATION": "00:00:09.0"}, Fraction(1, 2)),
        (Container.MP4, (0,), {}, None),
        (Container.MP4, (0,), {"duration_ts": "12800", "time_base": "0/0"}, None),
        (Container.MKV, (128,), {"tag:DURATION": "01:02:03.51"}, Fraction(37235, 10)),
        (Container.MKV, (0,), {"duration_ts": "12800"}, None),
        (Container.MKV, (), {"tag:DURATION": "00:00:01.0"}, None),
        (Container.MKV, (0,), {"tag:DURATION": "00:00:01.0", "time_base": "0/0"}, None),
    ],
)
def test_how_long_the_container_says_the_picture_is(
    container: Container, times: tuple[int, ...], fields: dict[str, str], seconds: Fraction | None
) -> None:
    assert video_duration(container, timed(times, **fields)) == seconds


SECOND = tuple(range(0, 12800, 512))
VARIABLE = clip(constant_rate=False, duration=Fraction(1))


@pytest.mark.parametrize(
    ("wanted", "times", "ticks", "said", "ok"),
    [
        (expected(), SECOND, 12800, "1", True),
        (expected(), SECOND, 12801, "1", False),
        (expected(), SECOND[5:10], 5 * 512, "0.2", True),
        (expected(), (), 512, "0.04", True),
        (expected(fps=Fraction(50)), SECOND, 12800 + 256, "1", True),
        (expected(fps=Fraction(50)), SECOND, 12800 + 257, "1", False),
        (expected(fps=Fraction(50)), SECOND, 12800 - 256, "1", True),
        (expected(source=VARIABLE), SECOND, 12800, "1", True),
        (expected(source=VARIABLE), SECOND, 12801, "1", False),
        (expected(source=VARIABLE), (0, 12799), 12800, "1", True),
        (expected(source=VARIABLE), (0, 12800), 12800, None, None),
        (expected(source=VARIABLE), (), 12800, None, None),
    ],
)
def test_a_picture_lasts_as_long_as_it_is_shown(
    wanted: Expectation, times: tuple[int, ...], ticks: int, said: str | None, ok: bool | None
) -> None:
    stream = timed(times, duration_ts=str(ticks))
    assert of_times("duration", stream, wanted) == (said, decimal(ticks * TICK), ok)


def test_a_picture_whose_ticks_are_not_known_has_no_duration() -> None:
    assert of_times("duration", timed((0, 512), time_base="0/0", duration_ts="1024"), expected()) == ("0.04", None, False)


@pytest.mark.parametrize(("end", "ok"), [("1.003", True), ("0.997", True), ("1.0031", False), ("0.9969", False)])
def test_matroska_rounds_a_duration_by_up_to_3_ms(end: str, ok: bool) -> None:
    stream = timed(SECOND, **{"tag:DURATION": f"00:00:0{end}"})
    assert of_times("duration", stream, expected(Container.MKV)) == ("1", end, ok)
    unknown = timed(SECOND, **{"tag:DURATION": "x"})
    assert of_times("duration", unknown, expected(Container.MKV)) == ("1", None, False)


@pytest.mark.parametrize(("end", "ok"), [("1.023", True), ("1.0231", False)])
def test_at_another_rate_a_frame_comes_on_top_of_that(end: str, ok: bool) -> None:
    stream = timed(SECOND, **{"tag:DURATION": f"00:00:0{end}"})
    assert of_times("duration", stream, expected(Container.MKV, fps=Fraction(50))) == ("1", end, ok)


START = Timecode("01:00:00:02", drop_frame=False, origin="tmcd")
ONE, TWO = "01:00:00:02", "02:00:00:00"


@pytest.mark.parametrize(
    ("container", "streams", "actual"),
    [
        ({"tag:timecode": ONE, "tag:TIMECODE": TWO}, [TWO], ONE),
        ({"tag:TIMECODE": ONE}, [TWO], ONE),
        ({"tag:timecode": ""}, ["", ONE, TWO], ONE),
        ({}, [], None),
    ],
)
def test_the_first_timecode_and_reel_that_are_there_count(
    container: dict[str, str], streams: list[str], actual: str | None
) -> None:
    wanted = expected(Container.MOV, replace(CLIP, timecode=START, reel=ONE))
    words = {key.replace("timecode", "reel_name").replace("TIMECODE", "REEL_NAME"): text for key, text in container.items()}
    report = ProxyReport(
        {**container, **words}, tuple(StreamReport({"tag:timecode": text, "tag:reel_name": text}) for text in streams)
    )
    assert list(identity_checks(wanted, report)) == [
        Check(name="timecode", expected=ONE, actual=actual, ok=actual == ONE),
        Check(name="reel", expected=ONE, actual=actual, ok=actual == ONE),
    ]


@pytest.mark.parametrize(
    ("container", "text", "actual", "ok"),
    [
        (Container.MOV, None, None, True),
        (Container.MOV, "00:00:00:00", "00:00:00:00", False),
        (Container.MXF, None, None, True),
        (Container.MXF, "00:00:00:00", "00:00:00:00 (container default)", None),
        (Container.MXF, ONE, ONE, False),
    ],
)
def test_a_source_without_a_timecode(container: Container, text: str | None, actual: str | None, ok: bool | None) -> None:
    report = ProxyReport({} if text is None else {"tag:timecode": text}, ())
    found = next(iter(identity_checks(expected(container), report)))
    assert found == Check(name="timecode", expected=None, actual=actual, ok=ok)


def test_a_timecode_that_is_not_known_is_not_compared() -> None:
    wanted = expected()
    unknown = replace(wanted, timing=replace(wanted.timing, timecode=None))
    found = next(iter(identity_checks(unknown, ProxyReport({"tag:timecode": ONE}, ()))))
    assert found == Check(name="timecode", expected=None, actual=ONE, ok=None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, None),
        (Fraction(4933375, 1_000_000), "4.933375"),
        (Fraction(1), "1"),
        (Fraction(100), "100"),
        (Fraction(0), "0"),
        (Fraction(1, 3), "0.333333"),
        (Fraction(-1, 20), "-0.05"),
        (Fraction(5, 2_000_000), "0.000002"),
    ],
)
def test_seconds_are_short_decimals(seconds: Fraction | None, text: str | None) -> None:
    assert decimal(seconds) == text
