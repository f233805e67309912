"""What Resolve is asked for, by value, and what its proxies must be."""

import hashlib
from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import Codec, Container, DnxhrLevel, OutputSettings, Resolution, ScaleMode
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.resolve_rules import RESOLVE_CONTAINERS
from proxx_worker.media.clip_properties import Property, read_clip
from proxx_worker.media.facts import RawSource
from proxx_worker.planning.expectation import Expectation, ExpectedTimecode, ExpectedTiming
from proxx_worker.planning.resolve_plan import ResolvePlan, plan_resolve, rate_text, with_clip
from tests.unit.media.test_clip_properties import RED
from tests.unit.planning.sources import UNKNOWN_PRORES

RAW = RawSource("REDCODE RAW (R3D)")
VIDEO = replace(UNKNOWN_PRORES, profile="Proxy", codec_tag="apco")
PROXY = PROFILES["proxy_prores_proxy_resolve"].settings


def planned(settings: OutputSettings = PROXY, /, **changes: Property) -> ResolvePlan:
    return with_clip(plan_resolve(settings, RAW, "Proxy"), read_clip({**RED, **changes}))


def refused(settings: OutputSettings = PROXY, /, **changes: Property) -> JobError:
    with pytest.raises(ProxxError) as refusal:
        planned(settings, **changes)
    return refusal.value.error


def test_before_resolve_is_asked_only_the_spec_is_known() -> None:
    plan = plan_resolve(PROXY, RAW, "Proxy")
    assert (plan.render_format, plan.render_codec, plan.clip, plan.size, plan.duration) == ("mov", "ProRes422P", None, None, None)
    assert (plan.format, plan.preset) == ("REDCODE RAW (R3D)", "Proxy")
    assert plan.expected == Expectation(
        Container.MOV,
        VIDEO,
        ExpectedTiming(rate=None, varies=False, duration=None, converts=False, timecode=None, reel=None),
        audio=None,
    )
    assert plan.project_settings() == ()
    assert plan.render_settings() == (("SelectAllFrames", True), ("ExportVideo", True), ("ExportAudio", True))


def test_clip_properties_become_settings_and_expectations() -> None:
    plan = planned(**{"Reel Name": "A001"})
    assert plan.project_settings() == (
        ("timelineFrameRate", "23.976"), ("timelineResolutionWidth", "6144"), ("timelineResolutionHeight", "3240"),
    )  # fmt: skip
    assert plan.render_settings()[3:] == (("FormatWidth", 6144), ("FormatHeight", 3240))
    rate = Fraction(24000, 1001)
    assert plan.expected == Expectation(
        Container.MOV,
        replace(VIDEO, size=(6144, 3240), display_aspect=Fraction(6144, 3240)),
        ExpectedTiming(
            rate,
            varies=False,
            duration=1570 / rate,
            converts=False,
            timecode=ExpectedTimecode("20:01:34:07"),
            reel="A001",
        ),
        audio=None,
    )
    assert plan.duration == 1570 / rate


@pytest.mark.parametrize(
    ("resolution", "size"),
    [
        (Resolution(ScaleMode.HALF), (3072, 1620)),
        (Resolution(ScaleMode.QUARTER), (1536, 810)),
        (Resolution(ScaleMode.FIT, 1920, 1080), (1920, 1012)),
    ],
)
@pytest.mark.parametrize("pixels", ["Square", "正方形"])
def test_sizes_are_those_that_ffmpeg_makes(resolution: Resolution, size: tuple[int, int], pixels: str) -> None:
    plan = planned(replace(PROXY, resolution=resolution), PAR=pixels)
    assert plan.size == size
    assert dict(plan.render_settings())["FormatWidth"] == size[0]
    assert dict(plan.project_settings())["timelineResolutionWidth"] == "6144"


def test_a_box_holds_wide_pixels_as_they_are_shown() -> None:
    assert planned(replace(PROXY, resolution=Resolution(ScaleMode.FIT, 1920, 1080)), PAR="2.0").size == (1920, 506)


def test_what_resolve_does_not_tell_is_not_expected() -> None:
    plan = planned(PAR="正方形", Resolution="6K", Frames="", **{"Start TC": "?", "Audio Ch": ""})
    assert (plan.size, plan.expected.video.size, plan.expected.video.display_aspect) == (None, None, None)
    assert (plan.duration, plan.expected.timing.timecode) == (None, None)
    assert plan.project_settings() == (("timelineFrameRate", "23.976"),)
    assert planned(PAR="2.0").expected.video.display_aspect is None


def test_without_a_rate_or_a_size_to_count_from_there_is_no_proxy() -> None:
    assert refused(FPS=12.5) == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        "a clip must have a timeline frame rate, but Resolve reports 12.5 for this one: conform it first",
        {"fps": 12.5},
    )
    half = replace(PROXY, resolution=Resolution(ScaleMode.HALF))
    assert refused(half, Resolution="6K") == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        "Resolve reports no size for this clip, so resolution half cannot be computed: ask for `same`",
        {"resolution": "half"},
    )


def test_a_clip_without_sound_is_rendered_without() -> None:
    assert dict(planned(**{"Audio Ch": "0"}).render_settings())["ExportAudio"] is False
    assert dict(planned(**{"Audio Ch": "?"}).render_settings())["ExportAudio"] is True


def test_what_an_mp4_says_of_time_and_reel_is_not_known() -> None:
    timing = planned(replace(PROXY, codec=Codec.H264, container=Container.MP4), **{"Reel Name": "A001"}).expected.timing
    assert (timing.timecode, timing.reel) == (None, None)


def test_drop_frame_is_a_rate_of_its_own() -> None:
    drop = planned(FPS=29.97, **{"Drop frame": "1", "Start TC": "10:00:00:00"})
    assert dict(drop.project_settings())["timelineFrameRate"] == "29.97 DF"
    assert drop.expected.timing.timecode == ExpectedTimecode("10:00:00;00")
    assert [rate_text(Fraction(*rate), drop_frame=False) for rate in ((25, 1), (60000, 1001), (48000, 1001))] == [
        "25",
        "59.94",
        "47.952",
    ]


def test_every_pair_has_its_ids() -> None:
    ids = {
        (codec, container): (plan.render_format, plan.render_codec, plan.encoding.codec)
        for codec, containers in RESOLVE_CONTAINERS.items()
        for container in containers
        for plan in [plan_resolve(OutputSettings(codec, container, PROXY.resolution), RAW, "Proxy")]
    }
    assert ids[Codec.PRORES_4444, Container.MOV] == ("mov", "ProRes4444", "prores")
    assert ids[Codec.DNXHR, Container.MXF] == ("mxf_op1a", "DNxHRHQ", "dnxhd"), "`mxf` would be OP-Atom"
    assert ids[Codec.H264, Container.MP4] == ("mp4", "H264", "h264")
    assert ids[Codec.HEVC, Container.MOV] == ids[Codec.H265, Container.MOV] == ("mov", "H265", "hevc")
    low = replace(PROXY, codec=Codec.DNXHR, container=Container.MXF, dnxhr_level=DnxhrLevel.LB)
    assert (planned(low).render_codec, planned(low).expected.video.profile) == ("DNxHRLB", "DNXHR LB")


def test_a_pair_that_the_spec_s_rules_refuse_does_not_come_here() -> None:
    for codec, container in ((Codec.PRORES_PROXY, Container.MKV), (Codec.VP9, Container.WEBM)):
        with pytest.raises(ValueError, match=f"^not for Resolve: {codec} in {container}$"):
            plan_resolve(replace(PROXY, codec=codec, container=container), RAW, "Proxy")


@pytest.mark.parametrize("name", ["DNG", "ARRIRAW"])
def test_one_file_per_frame_is_not_taken(name: str) -> None:
    with pytest.raises(ProxxError) as refusal:
        plan_resolve(PROXY, RawSource(name), "Proxy")
    assert refusal.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"{name} is a sequence of one file per frame, but this version of proxx-worker only takes camera RAW in "
        "single files: convert the sequence to a clip first",
        {"format": name},
    )


def test_the_fingerprint_covers_plan_properties_and_preset_but_no_place() -> None:
    prints = {
        plan_resolve(PROXY, RAW, "Proxy").fingerprint(),
        plan_resolve(PROXY, RAW, "Other").fingerprint(),
        planned().fingerprint(),
        planned(**{"Video Codec": "Blackmagic RAW"}).fingerprint(),
        planned(replace(PROXY, resolution=Resolution(ScaleMode.HALF))).fingerprint(),
    }
    assert len(prints) == 5
    assert planned(**{"File Path": "/a", "Date Modified": "x"}).fingerprint() == planned(**{"File Path": "/b"}).fingerprint()


CANONICAL = (
    '{"format":"REDCODE RAW (R3D)","preset":"Proxy",'
    '"project":[["timelineFrameRate","23.976"],["timelineResolutionWidth","6144"],["timelineResolutionHeight","3240"]],'
    '"properties":{"Audio Ch":"2","FPS":23.976,"PAR":"Square","Resolution":"6144x3240","Start TC":"20:01:34:07"},'
    '"render":["mov","ProRes422P",["SelectAllFrames",true],["ExportVideo",true],["ExportAudio",true],'
    '["FormatWidth",6144],["FormatHeight",3240]],'
    '"settings":{"codec":"prores_proxy","container":"mov","dnxhr_level":null,"fps":null,"fps_mode":"same-as-source",'
    '"resolution":"same"}}'
)
"""What is hashed: names in alphabetical order, no spaces."""


def test_the_fingerprint_is_the_hash_of_a_text_that_can_be_written_anywhere() -> None:
    told = {name: RED[name] for name in ("Start TC", "Resolution", "PAR", "FPS", "Audio Ch", "Online Status")}
    plan = with_clip(plan_resolve(PROXY, RAW, "Proxy"), read_clip(told))
    assert plan.fingerprint() == hashlib.sha256(CANONICAL.encode()).hexdigest()
