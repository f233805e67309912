from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import Container
from proxx_worker.media.facts import AudioFacts, MediaFacts
from proxx_worker.planning.audio import AudioPlan, Padding, plan_audio
from proxx_worker.planning.audio_report import Placement
from proxx_worker.planning.frame_timing import Schedule, plan_schedule
from tests.unit.planning.sources import CLIP, STEREO, clip, settings

SCHEDULE = plan_schedule(settings(), CLIP)
PLACEMENT = Placement(origin=0, shift=0, slack=25, rate=48000)
PLACED = "aresample=async=1:min_comp=0:min_hard_comp=0.0005313:first_pts=0"


def plans(container: Container, source: MediaFacts, schedule: Schedule = SCHEDULE) -> list[AudioPlan]:
    return list(plan_audio(container, source, schedule))


def planned(container: Container, stream: AudioFacts = STEREO, schedule: Schedule = SCHEDULE) -> AudioPlan:
    (plan,) = plans(container, replace(CLIP, audio=(stream,)), schedule)
    return plan


ENCODED = replace(STEREO, profile=None)


def test_aac() -> None:
    assert planned(Container.MP4, ENCODED) == AudioPlan(
        1, "aac", 2, "stereo", 48000, Fraction(1), PLACEMENT, (PLACED,), ("-c:a:0", "aac", "-b:a:0", "192000")
    )


ENDING = ("-bsf:a:0", "setts=duration=if(gt(PTS+DURATION\\,48000)*gt(48000\\,PTS)\\,48000-PTS\\,DURATION)")


def test_aac_of_a_movie_is_copied() -> None:
    assert planned(Container.MP4) == AudioPlan(1, "aac", 2, "stereo", 48000, Fraction(1), None, (), ("-c:a:0", "copy", *ENDING))


@pytest.mark.parametrize(
    "stream",
    [
        replace(STEREO, sample_rate=44100),
        replace(STEREO, sample_rate=96000),
        replace(STEREO, channels=1, layout="mono"),
        replace(STEREO, channels=6, layout="5.1"),
        # ffprobe says when a file starts in whole microseconds.
        replace(STEREO, start=Fraction(-1024, 48000)),
        replace(STEREO, duration=None),
    ],
)
def test_copied_audio_keeps_rate_and_layout(stream: AudioFacts) -> None:
    start = None if stream.start is None else Fraction(round(stream.start * 1_000_000), 1_000_000)
    stream = replace(stream, time_base=Fraction(1, stream.sample_rate))
    (plan,) = plans(Container.MP4, replace(CLIP, audio=(stream,), start=start))
    assert (plan.copied, plan.options[:2], plan.filters) == (True, ("-c:a:0", "copy"), ())
    assert (plan.channels, plan.layout, plan.sample_rate) == (stream.channels, stream.layout, stream.sample_rate)


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (replace(STEREO, codec="ac3"), "another codec"),
        (replace(STEREO, profile="HE-AAC"), "another profile"),
        (replace(STEREO, profile=None), "no known profile"),
        (replace(STEREO, gapless=False), "an edit list of several edits, fragments, or tables that nobody looked at"),
        (replace(STEREO, time_base=Fraction(1, 600)), "times that are not counted in samples"),
        (replace(STEREO, sample_rate=192000, time_base=Fraction(1, 192000)), "a rate that AAC does not have"),
        (replace(STEREO, layout="5.1(side)", channels=6), "a layout that is called otherwise in AAC"),
        (replace(STEREO, layout=None), "no known layout"),
        (replace(STEREO, start=Fraction(1, 50)), "later than the file"),
        (replace(STEREO, start=Fraction(-1, 50)), "earlier than the file says that it starts"),
        (replace(STEREO, start=None), "no known start"),
    ],
)
def test_what_is_not_proven_to_be_the_same_is_encoded(stream: AudioFacts, why: str) -> None:
    plan = planned(Container.MP4, stream)
    assert (plan.copied, plan.options[:2]) == (False, ("-c:a:0", "aac")), why


@pytest.mark.parametrize(
    "stream",
    [
        replace(STEREO, duration=None),
        replace(STEREO, duration=Fraction(1024 * 50, 48000)),
        replace(STEREO, start=Fraction(-1024, 48000)),
    ],
)
def test_copied_packets_are_left_alone_where_they_end_with_the_stream_or_nobody_knows(stream: AudioFacts) -> None:
    start = None if stream.start is None else Fraction(round(stream.start * 1_000_000), 1_000_000)
    assert plans(Container.MP4, replace(CLIP, audio=(stream,), start=start))[0].options == ("-c:a:0", "copy")


@pytest.mark.parametrize(("microseconds", "copied"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_copied_audio_starts_with_the_file_to_the_microsecond(microseconds: int, copied: bool) -> None:
    assert planned(Container.MP4, replace(STEREO, start=Fraction(microseconds, 1_000_000))).copied is copied


@pytest.mark.parametrize("container", [container for container in Container if container is not Container.MP4])
def test_other_containers_get_no_copy(container: Container) -> None:
    assert not planned(container).copied


@pytest.mark.parametrize(
    "source",
    [replace(CLIP, formats=("matroska", "webm")), replace(CLIP, formats=("mpegts",)), replace(CLIP, start=None)],
)
def test_other_files_are_encoded(source: MediaFacts) -> None:
    assert [plan.copied for plan in plans(Container.MP4, source)] == [False]


def test_each_stream_for_itself() -> None:
    source = replace(CLIP, audio=(STEREO, replace(STEREO, index=2, start=Fraction(1, 2)), replace(STEREO, index=3)))
    assert [plan.options[:2] for plan in plans(Container.MP4, source)] == [
        ("-c:a:0", "copy"), ("-c:a:1", "aac"), ("-c:a:2", "copy"),
    ]  # fmt: skip


def test_pcm() -> None:
    assert planned(Container.MOV) == AudioPlan(
        1, "pcm_s16le", 2, "stereo", 48000, Fraction(1), PLACEMENT, (PLACED,), ("-c:a:0", "pcm_s16le")
    )


def test_opus() -> None:
    assert planned(Container.WEBM) == AudioPlan(
        1, "opus", 2, "stereo", 48000, Fraction(1), PLACEMENT, (PLACED,), ("-c:a:0", "libopus", "-b:a:0", "128000")
    )


def test_mxf_sound_goes_on_in_silence_as_long_as_the_picture() -> None:
    silence = Padding(("apad", "atrim=end_sample=528480"), 528480 * 2 * 2)
    assert planned(Container.MXF) == AudioPlan(
        1, "pcm_s16le", 2, "stereo", 48000, Fraction(1), PLACEMENT, (PLACED,), ("-c:a:0", "pcm_s16le"), silence
    )


def test_where_nobody_knows_how_long_the_picture_is_silence_follows_the_sound() -> None:
    (plan,) = plans(Container.MXF, replace(clip(duration=None), duration=None))
    assert plan.padding == Padding(("apad=pad_len=480000",), None)
    (plan,) = plans(Container.MXF, clip(duration=None))
    assert plan.padding == Padding(("apad", "atrim=end_sample=528480"), 528480 * 2 * 2)


def test_every_stream_in_order() -> None:
    source = replace(CLIP, audio=(replace(STEREO, index=4, channels=1, layout="mono"), replace(STEREO, index=2)))
    found = plans(Container.MP4, source)
    assert [(plan.source_index, plan.channels, plan.options[0]) for plan in found] == [(4, 1, "-c:a:0"), (2, 2, "-c:a:1")]


@pytest.mark.parametrize(
    ("container", "rate", "kept"),
    [
        (Container.MP4, 44100, 44100),
        (Container.MP4, 8000, 8000),
        (Container.MKV, 192000, 48000),
        (Container.MOV, 192000, 192000),
        (Container.MXF, 44100, 48000),
        (Container.WEBM, 44100, 48000),
    ],
)
def test_the_sample_rate_is_kept_where_the_container_can(container: Container, rate: int, kept: int) -> None:
    plan = planned(container, replace(STEREO, sample_rate=rate, gapless=False))
    assert plan.sample_rate == kept
    (placed,) = plan.filters
    assert placed.startswith("aresample=async=1:" if rate == kept else f"aresample={kept}:internal_sample_fmt=s32p:async=1:")
    assert plan.placement is not None
    assert plan.placement.rate == rate


@pytest.mark.parametrize(
    ("tick", "slack", "text"),
    [
        (None, 24, "0.0005104"),
        (Fraction(1, 48000), 25, "0.0005313"),
        (Fraction(1, 90000), 24, "0.0005104"),
        (Fraction(1, 1000), 72, "0.0015104"),
        (Fraction(1, 50), 984, "0.0205104"),
    ],
)
def test_times_may_be_off_by_the_containers_tick_and_half_a_millisecond(tick: Fraction | None, slack: int, text: str) -> None:
    plan = planned(Container.MOV, replace(STEREO, time_base=tick))
    assert plan.placement == Placement(0, 0, slack, 48000)
    assert plan.filters == (f"aresample=async=1:min_comp=0:min_hard_comp={text}:first_pts=0",)


@pytest.mark.parametrize(
    ("demuxer", "codec", "slack"),
    [("ogg", "vorbis", 24 + 448), ("ogg", "opus", 24), ("ogg", "flac", 24), ("matroska", "vorbis", 24)],
)
def test_the_times_of_vorbis_in_ogg_may_be_off_by_a_block(demuxer: str, codec: str, slack: int) -> None:
    source = replace(CLIP, formats=(demuxer,), audio=(replace(STEREO, codec=codec, time_base=None),))
    (plan,) = plans(Container.MOV, source)
    assert plan.placement == Placement(0, 0, slack, 48000)


@pytest.mark.parametrize(
    ("output_shift", "audio_shift", "filters"),
    [
        (Fraction(1, 90), Fraction(0), ("aresample=async=1:min_comp=0:min_hard_comp=0.0005313:first_pts=-533",)),
        (
            Fraction(-1, 100),
            Fraction(1, 100),
            ("asetpts=PTS+480", "aresample=async=1:min_comp=0:min_hard_comp=0.0005313:first_pts=480"),
        ),
        (
            Fraction(1, 100),
            Fraction(-1, 100),
            ("asetpts=PTS-480", "aresample=async=1:min_comp=0:min_hard_comp=0.0005313:first_pts=-480"),
        ),
    ],
)
def test_sound_begins_where_the_file_does(output_shift: Fraction, audio_shift: Fraction, filters: tuple[str, ...]) -> None:
    schedule = replace(SCHEDULE, output_shift=output_shift, audio_shift=audio_shift)
    assert planned(Container.MOV, schedule=schedule).filters == filters


def test_more_streams_than_can_be_told_apart_are_refused() -> None:
    def streams(count: int) -> MediaFacts:
        return replace(CLIP, audio=tuple(replace(STEREO, index=index) for index in range(count)))

    assert len(plans(Container.MOV, streams(64))) == 64
    with pytest.raises(ProxxError) as refused:
        plans(Container.MOV, streams(65))
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        "the source has 65 audio streams, but at most 64 can be tracked: deliver it with fewer",
        {"streams": 65},
    )


@pytest.mark.parametrize(
    ("codec", "sample_format", "bits", "expected"),
    [
        ("pcm_s16le", "s16", 16, "pcm_s16le"),
        ("pcm_s24le", "s32", 24, "pcm_s24le"),
        ("pcm_f32le", "flt", 32, "pcm_s24le"),
        ("pcm_alaw", "s16", 8, "pcm_s16le"),
        ("flac", "s32", None, "pcm_s24le"),
        ("flac", "s16", None, "pcm_s16le"),
        ("alac", "s32p", None, "pcm_s24le"),
        ("alac", None, None, "pcm_s16le"),
        ("wavpack", "fltp", None, "pcm_s24le"),
        ("dts", "dbl", None, "pcm_s24le"),
        ("tta", "s64", None, "pcm_s24le"),
        ("ac3", "fltp", None, "pcm_s16le"),
    ],
)
def test_pcm_is_as_deep_as_the_source(codec: str, sample_format: str | None, bits: int | None, expected: str) -> None:
    stream = replace(STEREO, codec=codec, sample_format=sample_format, bits_per_sample=bits)
    assert planned(Container.MOV, stream).codec == expected


@pytest.mark.parametrize(
    ("layout", "channels", "named", "filters"),
    [
        ("5.1", 6, "5.1", ()),
        ("5.1(side)", 6, "5.1", ("channelmap=map=0|1|2|3|4|5:channel_layout=5.1",)),
        ("hexadecagonal", 16, "hexadecagonal", ()),
        (None, 1, None, ("channelmap=map=0:channel_layout=mono",)),
        ("mono", 1, "mono", ()),
        # A QuickTime track for each loudspeaker.
        ("1 channels (FL)", 1, "mono", ("channelmap=map=0:channel_layout=mono",)),
        ("1 channels (LFE)", 1, "mono", ("channelmap=map=0:channel_layout=mono",)),
        (None, 3, None, ("channelmap=map=0|1|2:channel_layout=3.0",)),
        ("6.1", 7, "6.1", ()),
        ("6.1(back)", 7, "6.1(back)", ()),
        (None, 7, None, ("channelmap=map=0|1|2|3|4|5|6:channel_layout=6.1(back)",)),
    ],
)
def test_aac_gets_a_layout(layout: str | None, channels: int, named: str | None, filters: tuple[str, ...]) -> None:
    plan = planned(Container.MP4, replace(STEREO, channels=channels, layout=layout, gapless=False))
    assert (plan.channels, plan.layout, plan.filters) == (channels, named, (*filters, PLACED))


@pytest.mark.parametrize(("layout", "channels"), [("22.2", 24), ("cube", 8), ("2 channels (FR+FL)", 2), (None, 12)])
def test_what_aac_cannot_carry_is_refused(layout: str | None, channels: int) -> None:
    second = replace(STEREO, index=3, channels=channels, layout=layout)
    with pytest.raises(ProxxError) as refused:
        plans(Container.MP4, replace(CLIP, audio=(STEREO, second)))
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"audio stream 2 has {channels} channels ({'of unknown layout' if layout is None else layout}), which AAC cannot carry: "
        "choose a container with PCM audio (mov, mxf)",
        {"stream": 3, "channels": channels, "layout": layout},
    )


@pytest.mark.parametrize(
    ("layout", "channels", "named", "filters", "discrete"),
    [
        ("7.1", 8, "7.1", (), False),
        ("5.1(side)", 6, "5.1", ("channelmap=map=0|1|2|3|4|5:channel_layout=5.1",), False),
        ("quad(side)", 4, "quad", ("channelmap=map=0|1|2|3:channel_layout=quad",), False),
        ("7.1(wide)", 8, None, (), True),
        # FFmpeg's encoder exchanges their channels if they have names.
        ("5.0", 5, None, (), True),
        ("5.0(side)", 5, None, (), True),
        ("6.1", 7, None, (), True),
        (None, 2, None, ("channelmap=map=0|1:channel_layout=stereo",), False),
        (None, 12, None, (), True),
    ],
)
def test_opus_keeps_channels_whose_layout_it_cannot_say(
    layout: str | None, channels: int, named: str | None, filters: tuple[str, ...], discrete: bool
) -> None:
    plan = planned(Container.WEBM, replace(STEREO, channels=channels, layout=layout))
    assert (plan.layout, plan.filters) == (named, (*filters, PLACED))
    assert (plan.options[-2:] == ("-mapping_family:a:0", "255")) is discrete
