from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Container
from proxx_worker.media.facts import AudioFacts, MediaFacts
from proxx_worker.planning.audio import AudioPlan, plan_audio
from tests.unit.planning.sources import CLIP, PICTURE, STEREO


def planned(container: Container, stream: AudioFacts = STEREO, picture_start: Fraction | None = Fraction(0)) -> AudioPlan:
    source = replace(CLIP, video=replace(PICTURE, start=picture_start), audio=(stream,))
    (plan,) = plan_audio(container, source)
    return plan


ENCODED = replace(STEREO, profile=None)


def test_aac() -> None:
    assert planned(Container.MP4, ENCODED) == AudioPlan(
        1, "aac", 2, "stereo", 48000, Fraction(0), Fraction(1), (), ("-c:a:0", "aac", "-b:a:0", "192000")
    )


def test_aac_of_a_movie_is_copied() -> None:
    assert planned(Container.MP4) == AudioPlan(
        1, "aac", 2, "stereo", 48000, Fraction(0), Fraction(1), (), ("-c:a:0", "copy"), copied=True
    )


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
def test_copied_sound_keeps_rate_and_layout(stream: AudioFacts) -> None:
    start = None if stream.start is None else Fraction(round(stream.start * 1_000_000), 1_000_000)
    (plan,) = plan_audio(Container.MP4, replace(CLIP, audio=(stream,), start=start))
    assert (plan.copied, plan.options, plan.filters) == (True, ("-c:a:0", "copy"), ())
    assert (plan.channels, plan.layout, plan.sample_rate) == (stream.channels, stream.layout, stream.sample_rate)


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (replace(STEREO, codec="ac3"), "another codec"),
        (replace(STEREO, profile="HE-AAC"), "another profile"),
        (replace(STEREO, profile=None), "no known profile"),
        (replace(STEREO, unbroken=False), "an edit list of several edits, fragments, or tables that nobody looked at"),
        (replace(STEREO, sample_rate=192000), "a rate that AAC does not have"),
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


@pytest.mark.parametrize("container", [container for container in Container if container is not Container.MP4])
def test_other_containers_get_no_copy(container: Container) -> None:
    assert not planned(container).copied


@pytest.mark.parametrize(
    "source",
    [replace(CLIP, formats=("matroska", "webm")), replace(CLIP, formats=("mpegts",)), replace(CLIP, start=None)],
)
def test_other_files_are_encoded(source: MediaFacts) -> None:
    assert [plan.copied for plan in plan_audio(Container.MP4, source)] == [False]


def test_each_stream_for_itself() -> None:
    source = replace(CLIP, audio=(STEREO, replace(STEREO, index=2, start=Fraction(1, 2)), replace(STEREO, index=3)))
    assert [plan.options[:2] for plan in plan_audio(Container.MP4, source)] == [
        ("-c:a:0", "copy"), ("-c:a:1", "aac"), ("-c:a:2", "copy"),
    ]  # fmt: skip


def test_pcm() -> None:
    assert planned(Container.MOV) == AudioPlan(
        1, "pcm_s16le", 2, "stereo", 48000, Fraction(0), Fraction(1), (), ("-c:a:0", "pcm_s16le")
    )


def test_opus() -> None:
    assert planned(Container.WEBM) == AudioPlan(
        1, "opus", 2, "stereo", 48000, Fraction(0), Fraction(1), (), ("-c:a:0", "libopus", "-b:a:0", "128000")
    )


def test_mxf_sound_goes_on_in_silence_as_long_as_the_picture() -> None:
    assert planned(Container.MXF) == AudioPlan(
        1, "pcm_s16le", 2, "stereo", 48000, Fraction(0), Fraction(1), ("apad",), ("-c:a:0", "pcm_s16le")
    )


def test_every_stream_in_order() -> None:
    source = replace(CLIP, audio=(replace(STEREO, index=4, channels=1, layout="mono"), replace(STEREO, index=2)))
    plans = plan_audio(Container.MP4, source)
    assert [(plan.source_index, plan.channels, plan.options[0]) for plan in plans] == [(4, 1, "-c:a:0"), (2, 2, "-c:a:1")]


@pytest.mark.parametrize(
    ("container", "rate", "kept", "filters"),
    [
        (Container.MP4, 44100, 44100, ()),
        (Container.MP4, 8000, 8000, ()),
        (Container.MKV, 192000, 48000, ("aresample=48000:internal_sample_fmt=s32p",)),
        (Container.MOV, 192000, 192000, ()),
        (Container.MXF, 44100, 48000, ("aresample=48000:internal_sample_fmt=s32p", "apad")),
        (Container.WEBM, 44100, 48000, ("aresample=48000:internal_sample_fmt=s32p",)),
    ],
)
def test_the_sample_rate_is_kept_where_the_container_can(
    container: Container, rate: int, kept: int, filters: tuple[str, ...]
) -> None:
    plan = planned(container, replace(STEREO, sample_rate=rate))
    assert (plan.sample_rate, plan.filters) == (kept, filters)


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
        (None, 3, None, ("channelmap=map=0|1|2:channel_layout=3.0",)),
    ],
)
def test_aac_gets_a_layout(layout: str | None, channels: int, named: str | None, filters: tuple[str, ...]) -> None:
    plan = planned(Container.MP4, replace(STEREO, channels=channels, layout=layout))
    assert (plan.channels, plan.layout, plan.filters) == (channels, named, filters)


@pytest.mark.parametrize(("layout", "channels"), [("22.2", 24), ("cube", 8), (None, 12)])
def test_what_aac_cannot_carry_is_refused(layout: str | None, channels: int) -> None:
    with pytest.raises(ProxxError, match="AAC cannot carry") as refused:
        planned(Container.MP4, replace(STEREO, channels=channels, layout=layout))
    assert refused.value.code is ErrorCode.SOURCE_UNSUPPORTED
    assert refused.value.error.details == {"stream": 1, "channels": channels, "layout": layout}


@pytest.mark.parametrize(
    ("layout", "channels", "named", "filters", "discrete"),
    [
        ("7.1", 8, "7.1", (), False),
        ("5.1(side)", 6, "5.1", ("channelmap=map=0|1|2|3|4|5:channel_layout=5.1",), False),
        ("7.1(wide)", 8, None, (), True),
        (None, 2, None, ("channelmap=map=0|1:channel_layout=stereo",), False),
        (None, 12, None, (), True),
    ],
)
def test_opus_keeps_channels_whose_layout_it_cannot_say(
    layout: str | None, channels: int, named: str | None, filters: tuple[str, ...], discrete: bool
) -> None:
    plan = planned(Container.WEBM, replace(STEREO, channels=channels, layout=layout))
    assert (plan.layout, plan.filters) == (named, filters)
    assert (plan.options[-2:] == ("-mapping_family:a:0", "255")) is discrete


@pytest.mark.parametrize(
    ("sound", "picture", "filters"),
    [
        (Fraction(1, 2), Fraction(0), ("adelay=delays=24000S:all=1", "apad")),
        (Fraction(0), Fraction(1, 2), ("atrim=start_sample=24000", "asetpts=PTS-STARTPTS", "apad")),
        (Fraction(1), Fraction(1), ("apad",)),
        (None, Fraction(1), ("apad",)),
        (Fraction(1), None, ("apad",)),
    ],
)
def test_mxf_starts_sound_with_the_picture(sound: Fraction | None, picture: Fraction | None, filters: tuple[str, ...]) -> None:
    assert planned(Container.MXF, replace(STEREO, start=sound), picture).filters == filters
    assert planned(Container.MOV, replace(STEREO, start=sound), picture).filters == ()


@pytest.mark.parametrize(("start", "expected"), [(Fraction(7, 2), Fraction(5, 2)), (None, None)])
def test_the_start_is_counted_from_the_files(start: Fraction | None, expected: Fraction | None) -> None:
    source = replace(CLIP, start=Fraction(1), audio=(replace(STEREO, start=start),))
    assert [plan.start for plan in plan_audio(Container.MOV, source)] == [expected]
    assert [plan.start for plan in plan_audio(Container.MXF, source)] == [0]
    assert [plan.start for plan in plan_audio(Container.MOV, replace(source, start=None))] == [None]


def test_when_the_sound_of_a_codec_with_a_late_decoder_starts_is_not_known() -> None:
    late = replace(STEREO, codec="wmav2", start=Fraction(0))
    assert planned(Container.MOV, late).start is None
    assert planned(Container.MXF, late).start == 0
