"""A proxy's audio beside what the encode heard: where it begins, how long it is, and that nothing in it is missing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

import pytest

from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.contract.result import Check
from proxx_worker.media.facts import MediaFacts
from proxx_worker.planning.expectation import ExpectedAudio
from proxx_worker.planning.plan import plan_task
from proxx_worker.verification.audio_checks import audio_checks
from proxx_worker.verification.heard_audio import HeardAudio
from tests.support.printouts import parse_proxy
from tests.unit.planning.sources import CLIP, STEREO, settings

RATE = 48000
LATE = RATE // 50
"""Samples: 20 ms."""

HEARD = HeardAudio(rate=RATE, frames=9, first=0, length=100_500)
FRAMES = 99
"""Of AAC, for so much sound."""

CODECS = {
    Container.MOV: Codec.PRORES_PROXY, Container.MP4: Codec.H264, Container.MKV: Codec.H264, Container.WEBM: Codec.VP9,
    Container.MXF: Codec.DNXHR,
}  # fmt: skip
SOURCE = replace(CLIP, formats=("avi",))


def sizes(samples: int, size: int) -> list[int]:
    return [size] * (samples // size) + ([samples % size] if samples % size else [])


def said(
    first: int,
    lengths: Sequence[int],
    container: Container = Container.MOV,
    fields: Mapping[str, str] = MappingProxyType({}),
    hole: tuple[int, int] = (-1, 0),
) -> str:
    """What ffprobe says: frames of these lengths from sample `first` on, behind frame `hole[0]` so many samples later."""
    per_second = 1000 if container in {Container.MKV, Container.WEBM} else RATE
    lines, place = [], first
    for at, length in enumerate(lengths):
        lines.append(f"frame|stream_index=1|pts={round(place * per_second / RATE)}|nb_samples={length}")
        place += length + (hole[1] if at == hole[0] else 0)
    about = {"index": "1", "codec_type": "audio", "time_base": f"1/{per_second}", **fields}
    return "\n".join([*lines, "|".join(["stream", *(f"{key}={value}" for key, value in about.items())])])


def clock(samples: int) -> str:
    return f"00:00:{samples / RATE:012.9f}"


def checked(
    text: str,
    container: Container,
    heard: HeardAudio | None = HEARD,
    source: MediaFacts = SOURCE,
    picture: Fraction | None = None,
) -> dict[str, Check]:
    expected = plan_task(settings(CODECS[container], container), source).expected
    found = audio_checks(expected, parse_proxy(text.encode()), [] if heard is None else [heard], picture)
    return {
        check.name.removeprefix("audio_0_"): check
        for check in found
        if check.name.split("_")[2] in {"start", "duration", "holes", "end"}
    }


def faults(checks: dict[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if check.ok is False]


def pcm(late: int = 0, more: int = 0) -> str:
    return said(late, sizes(HEARD.length + more, 1024))


def mp4(late: int = 0, more: int = 0, version: str = "5.1") -> str:
    """Its edit list counts milliseconds. Up to 8 the last frame of AAC comes whole."""
    samples = HEARD.length + more
    lengths = sizes(samples, 1024) if version == "9.0" else [1024] * -(-samples // 1024)
    return said(late, lengths, fields={"duration_ts": str(round(samples / 48) * 48)})


def mkv(late: int = 0, more: int = 0, version: str = "5.1") -> str:
    samples = HEARD.length + more
    frames = [1024] * (-(-samples // 1024) + (version != "9.0"))
    if 0 < samples % 1024 < 24:
        samples += 1024 - samples % 1024  # 0 ms of the last packet count as a whole one
    fields = {"tag:DURATION": clock(samples + late + (0 if version == "5.1" else 1024))}
    if version != "5.1":
        fields["initial_padding"] = "1024"
    return said(late - (1024 if version != "9.0" else 0), frames, Container.MKV, fields)


def webm(late: int = 0, more: int = 0, version: str = "5.1") -> str:
    return said(late - (312 if version == "5.1" else 0), [648, *sizes(HEARD.length + more - 648, 960)], Container.WEBM)


Kind: TypeAlias = tuple[Callable[[int, int], str], Container]
GOOD: Mapping[str, Kind] = {
    "mov": (pcm, Container.MOV),
    "mp4": (mp4, Container.MP4),
    "mp4, 9.0": (partial(mp4, version="9.0"), Container.MP4),
    "mkv": (mkv, Container.MKV),
    "mkv, 7.1": (partial(mkv, version="7.1"), Container.MKV),
    "mkv, 9.0": (partial(mkv, version="9.0"), Container.MKV),
    "webm": (webm, Container.WEBM),
    "webm, 7.1": (partial(webm, version="7.1"), Container.WEBM),
}


@pytest.fixture(params=GOOD)
def kind(request: pytest.FixtureRequest) -> Kind:
    """How a version of FFmpeg writes a proxy and reads it: the words by lateness and surplus samples, and the container."""
    name: str = request.param
    return GOOD[name]


def test_sound_that_stands_where_it_was_heard_passes(kind: Kind) -> None:
    make, container = kind
    checks = checked(make(0, 0), container)
    assert {name: check.ok for name, check in checks.items()} == {"start": True, "duration": True, "holes": True}
    assert checks["duration"].expected == "2.09375"


@pytest.mark.parametrize("by", [LATE, -LATE])
def test_sound_that_is_20_ms_off_by_its_times_is_caught(kind: Kind, by: int) -> None:
    make, container = kind
    assert faults(checked(make(by, 0), container))


@pytest.mark.parametrize("by", [LATE, -LATE, RATE, -RATE])
@pytest.mark.parametrize("length", [98 * 1024 + place for place in (0, 1, 64, 512, 1023)])
def test_sound_that_is_off_by_more_or_less_samples_is_caught(kind: Kind, by: int, length: int) -> None:
    make, container = kind
    text = make(0, by + length - HEARD.length)
    assert faults(checked(text, container, replace(HEARD, length=length))) == ["duration"]
    text = make(0, length - HEARD.length)
    assert faults(checked(text, container, replace(HEARD, length=length))) == []


def test_pcm_is_compared_to_the_sample() -> None:
    assert checked(pcm(more=1), Container.MOV)["duration"].actual == "2.093771"
    assert faults(checked(pcm(more=1), Container.MOV)) == ["duration"]


def test_resampled_sound_may_be_rounded() -> None:
    heard = HeardAudio(rate=44100, frames=9, first=0, length=92_334)
    source = replace(SOURCE, audio=(replace(STEREO, sample_rate=44100),))
    ideal = round(92_334 * Fraction(48000, 44100))
    for samples, found in ((ideal - 2, []), (ideal + 2, []), (ideal + 3, ["duration"])):
        assert faults(checked(said(0, [648, samples - 648], Container.WEBM), Container.WEBM, heard, source)) == found


RESAMPLED = HeardAudio(rate=37800, frames=9, first=0, length=79_144)
"""AAC has no rate of 37.8 kHz."""
IDEAL = round(79_144 * Fraction(48000, 37800))
WHOLE = -(-IDEAL // 1024) * 1024


@pytest.mark.parametrize(
    ("samples", "ticks", "found"),
    [
        (IDEAL - 2, IDEAL, []),
        (IDEAL - 3, IDEAL, ["duration"]),
        (WHOLE + 2, IDEAL, []),
        (WHOLE + 3, IDEAL, ["duration"]),
        (WHOLE, IDEAL - 96 - 2, []),
        (WHOLE, IDEAL - 96 - 3, ["duration"]),
        (WHOLE, IDEAL + 96 + 2, []),
        (WHOLE, IDEAL + 96 + 3, ["duration"]),
    ],
)
def test_resampled_aac_may_be_rounded_in_its_samples_and_in_what_the_container_says(
    samples: int, ticks: int, found: list[str]
) -> None:
    source = replace(SOURCE, audio=(replace(STEREO, sample_rate=37800),))
    text = said(0, sizes(samples, 1024), fields={"duration_ts": str(ticks)})
    assert faults(checked(text, Container.MP4, RESAMPLED, source)) == found


@pytest.mark.parametrize(("samples", "found"), [(WHOLE + 2, []), (WHOLE + 3, ["duration"])])
def test_resampled_aac_in_matroska_ends_on_a_whole_frame_to_the_millisecond(samples: int, found: list[str]) -> None:
    source = replace(SOURCE, audio=(replace(STEREO, sample_rate=37800),))
    text = said(48, sizes(samples, 1024), Container.MKV, {"tag:DURATION": clock(IDEAL)})
    assert faults(checked(text, Container.MKV, RESAMPLED, source)) == found


@pytest.mark.parametrize("version", ["5.1", "7.1", "9.0"])
@pytest.mark.parametrize(
    ("rest", "counted", "found"),
    [
        (1, 1024, []),
        (23, 1024, []),
        (24, 1024, ["duration"]),
        (23, 1024 + 23, []),
        (23, 1024 + 24, []),
        (23, 1024 + 25, ["duration"]),
        (23, 1024 - 23, []),
        (23, 1024 - 25, ["duration"]),
        (23, 23, ["duration"]),
        (1000, 1024, []),
        (0, 0, []),
    ],
)
def test_a_last_packet_of_no_whole_millisecond_counts_as_a_whole_frame_in_matroska(
    version: str, rest: int, counted: int, found: list[str]
) -> None:
    heard = replace(HEARD, length=98 * 1024 + rest)
    priming = 0 if version == "5.1" else 1024
    whole = clock(98 * 1024 + (1024 if rest else 0) + priming)
    text = mkv(more=(98 * 1024 + (1 if rest else 0)) - HEARD.length, version=version)
    assert text.count(whole) == 1
    assert faults(checked(text.replace(whole, clock(98 * 1024 + counted + priming)), Container.MKV, heard)) == found


@pytest.mark.parametrize("rest", [1, 23])
def test_only_matroska_rounds_a_last_packet_away(rest: int) -> None:
    heard = replace(HEARD, length=98 * 1024 + rest)
    text = said(0, [1024] * 99, fields={"duration_ts": str(99 * 1024)})
    assert faults(checked(text, Container.MP4, heard)) == ["duration"]


@pytest.mark.parametrize(("late", "found"), [(48, []), (49, ["start"]), (-48, []), (-49, ["start"])])
def test_a_start_is_good_to_the_millisecond(late: int, found: list[str]) -> None:
    assert faults(checked(pcm(late), Container.MOV)) == found


def test_every_hole_is_counted() -> None:
    lines = [f"frame|stream_index=1|pts={pts}|nb_samples=1024" for pts in (0, 1024, 3000, 4024, 6000, 7024)]
    text = "\n".join([*lines, "stream|index=1|codec_type=audio|time_base=1/48000"])
    assert checked(text, Container.MOV)["holes"].actual == 2


@pytest.mark.parametrize("container", [Container.MOV, Container.MP4, Container.MKV, Container.WEBM])
def test_a_frame_that_does_not_follow_is_a_hole(container: Container) -> None:
    text = said(0, [1024] * 20, container, hole=(7, 480))
    assert checked(text, container)["holes"] == Check(name="audio_0_holes", expected=0, actual=1, ok=False)
    assert checked(said(0, [1024] * 20, container), container)["holes"].ok


@pytest.mark.parametrize(
    ("container", "gap", "ok"),
    [(Container.MOV, 48, True), (Container.MOV, 49, False), (Container.MKV, 96, True), (Container.MKV, 144, False)],
)
def test_a_millisecond_is_no_hole_nor_are_two_in_matroska(container: Container, gap: int, ok: bool) -> None:
    assert checked(said(0, [960] * 20, container, hole=(7, gap)), container)["holes"].ok is ok


def test_ticks_may_be_finer_than_samples() -> None:
    lines = [f"frame|stream_index=1|pts={1920 * number}|nb_samples=1024" for number in range(3)]
    text = "\n".join([*lines, "stream|index=1|codec_type=audio|time_base=1/90000"])
    assert checked(text, Container.MOV)["holes"].ok


def test_a_sample_may_be_no_whole_part_of_a_millisecond() -> None:
    heard, source = replace(HEARD, rate=44100), replace(SOURCE, audio=(replace(STEREO, sample_rate=44100),))
    for gap, ok in ((44, True), (45, False)):
        lines = [f"frame|stream_index=1|pts={1024 * number + gap * (number > 1)}|nb_samples=1024" for number in range(4)]
        text = "\n".join([*lines, "stream|index=1|codec_type=audio|time_base=1/44100"])
        assert checked(text, Container.MP4, heard, source)["holes"].ok is ok


def test_matroska_s_clock_has_hours_and_minutes() -> None:
    expected = plan_task(settings(Codec.H264, Container.MKV), SOURCE).expected
    (sound,) = expected.audio or ()
    copied = replace(sound, copied_from=1, duration=Fraction(7447, 2))
    report = parse_proxy(said(0, [1024], Container.MKV, fields={"tag:DURATION": "01:02:03.500000000"}).encode())
    found = {check.name: check for check in audio_checks(replace(expected, audio=(copied,)), report, (), None)}
    assert found["audio_0_duration"] == Check(name="audio_0_duration", expected="3723.5", actual="3723.5", ok=True)


def test_of_frames_without_times_nothing_is_believed() -> None:
    text = pcm().replace("pts=1024|", "pts=N/A|")
    assert checked(text, Container.MOV)["holes"] == Check(name="audio_0_holes", expected=0, actual=None, ok=False)
    text = pcm().replace("time_base=1/48000", "time_base=0/0")
    assert checked(text, Container.MOV)["holes"].ok is None
    assert checked(text, Container.MOV)["start"] == Check(name="audio_0_start", expected="0", actual=None, ok=False)
    text = mkv().replace("time_base=1/1000", "time_base=0/0")
    assert checked(text, Container.MKV)["duration"].ok is False
    assert checked(mkv(version="9.0").replace("time_base=1/1000", "time_base=0/0"), Container.MKV)["duration"].ok is None


UNSAID: Mapping[str, tuple[Container, Callable[[int], str]]] = {
    "mp4": (Container.MP4, lambda more: mp4(more=more).replace("duration_ts", "other")),
    "mkv": (Container.MKV, lambda more: mkv(more=more).replace("tag:DURATION", "other")),
    "mkv, unreadable": (Container.MKV, lambda more: mkv(more=more).replace("tag:DURATION=00:", "tag:DURATION=x0:")),
    "mkv, 9.0": (Container.MKV, lambda more: mkv(more=more, version="9.0").replace("tag:DURATION", "other")),
}


@pytest.mark.parametrize(("container", "text"), UNSAID.values(), ids=UNSAID)
def test_where_the_container_says_no_length_the_decoded_samples_decide(container: Container, text: Callable[[int], str]) -> None:
    assert checked(text(0), container)["duration"].ok is True
    # One frame of AAC more or less shows.
    assert checked(text(1024), container)["duration"].ok is False
    assert checked(text(-1024), container)["duration"].ok is False
    assert checked(text(-1024), container)["duration"].expected == "2.09375"
    assert checked(text(-1024), container)["duration"].actual is not None


@pytest.mark.parametrize("container", [Container.MOV, Container.MP4, Container.MKV])
def test_no_sound_at_all_is_as_long_as_nothing_heard(container: Container) -> None:
    silent = HeardAudio(rate=RATE, frames=0, first=None, length=0)
    empty = "stream|index=1|codec_type=audio|time_base=1/48000|duration_ts=0"
    checks = checked(empty, container, silent)
    assert (checks["duration"].ok, checks["holes"].ok, checks["start"].ok) == (True, True, None)
    assert faults(checked(pcm(), container, silent)) == ["duration"]


def test_mxf_sound_is_as_long_as_the_picture_and_says_how_much_was_sound() -> None:
    text = said(0, sizes(RATE, 1920))
    heard = replace(HEARD, placed=HEARD.length)
    good = checked(text, Container.MXF, heard, picture=Fraction(1))
    assert {name: check.ok for name, check in good.items()} == {"start": True, "duration": True, "holes": True, "end": True}
    assert faults(checked(text, Container.MXF, heard, picture=Fraction(25, 24))) == ["duration"]
    late = replace(heard, placed=HEARD.length + LATE)
    assert faults(checked(text, Container.MXF, late, picture=Fraction(1))) == ["end"]
    assert "end" not in checked(text, Container.MXF, HEARD, picture=Fraction(1))


@pytest.mark.parametrize(
    ("samples", "ok"), [(RATE - 4096, True), (RATE - 4097, False), (RATE + 4096, True), (RATE + 4097, False)]
)
def test_mxf_sound_that_was_not_heard_is_as_long_as_the_picture_to_four_blocks(samples: int, ok: bool) -> None:
    found = checked(said(0, sizes(samples, 1920)), Container.MXF, None, picture=Fraction(1))["duration"]
    assert (found.expected, found.ok) == ("1", ok)


@pytest.mark.parametrize(("picture", "expected"), [(Fraction(1), "1"), (None, "2")])
def test_mxf_sound_is_as_long_as_its_source_says_only_where_no_picture_tells(picture: Fraction | None, expected: str) -> None:
    source = replace(SOURCE, audio=(replace(STEREO, duration=Fraction(2)),))
    found = checked(said(0, sizes(RATE, 1920)), Container.MXF, None, source, picture)["duration"]
    assert (found.expected, found.actual, found.ok) == (expected, "1", expected == "1")


def test_mxf_sound_that_was_heard_is_as_long_as_the_picture_to_the_sample() -> None:
    for samples, ok in ((RATE, True), (RATE + 1, True), (RATE + 2, False), (RATE - 2, False)):
        assert checked(said(0, sizes(samples, 1920)), Container.MXF, picture=Fraction(1))["duration"].ok is ok
    unknown = checked(said(0, sizes(RATE, 1920)), Container.MXF)["duration"]
    assert unknown == Check(name="audio_0_duration", expected=None, actual="1", ok=None)


COPY = replace(CLIP, audio=(replace(STEREO, duration=Fraction(HEARD.length, RATE)),))


def test_a_copy_is_as_long_as_its_source_says() -> None:
    copied = {"start_pts": "0", "duration_ts": str(HEARD.length)}
    text = said(0, [1024] * FRAMES, fields=copied)
    assert faults(checked(text, Container.MP4, None, COPY)) == []
    # libfaac's first packet holds nothing that sounds.
    assert faults(checked(said(1024, [1024] * (FRAMES - 1), fields=copied), Container.MP4, None, COPY)) == []
    assert faults(checked(text.replace("start_pts=0", "start_pts=960"), Container.MP4, None, COPY)) == ["start"]
    assert faults(checked(text.replace("start_pts=0", "start_pts=N/A"), Container.MP4, None, COPY)) == ["start"]
    for by in (LATE, -LATE):
        longer = text.replace(str(HEARD.length), str(HEARD.length + by))
        assert faults(checked(longer, Container.MP4, None, COPY)) == ["duration"]
    assert faults(checked(text.replace("duration_ts", "other"), Container.MP4, None, COPY)) == []


def test_an_engine_that_heard_nothing_is_held_to_what_it_promised() -> None:
    expected = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), SOURCE).expected
    promise = ExpectedAudio(None, None, None, None, None, Fraction(HEARD.length, RATE))
    # The container's own word on its length does not count.
    fields = {"sample_rate": "48000", "duration_ts": "1"}
    report = parse_proxy(said(0, sizes(HEARD.length - 4000, 1024), fields=fields).encode())
    found = {check.name: check.ok for check in audio_checks(replace(expected, audio=(promise,)), report, (), None)}
    assert (found["audio_0_start"], found["audio_0_duration"], found["audio_0_holes"]) == (None, True, True)
    short = replace(promise, duration=Fraction(HEARD.length + 200, RATE))
    found = {check.name: check.ok for check in audio_checks(replace(expected, audio=(short,)), report, (), None)}
    assert found["audio_0_duration"] is False
