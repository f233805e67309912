import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from proxx_worker.contract.codecs import CONTAINERS
from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import (
    Codec,
    Container,
    DnxhrLevel,
    FpsMode,
    OutputSettings,
    Resolution,
    ScaleMode,
)
from proxx_worker.contract.strict_json import Number
from proxx_worker.contract.values import read_rate
from proxx_worker.media.facts import ColorFacts, MediaFacts
from proxx_worker.planning.field_report import KINDS_REPORTED
from proxx_worker.planning.fingerprint import fingerprint
from proxx_worker.planning.plan import TaskPlan, plan_slower, plan_task
from proxx_worker.planning.remedies import ANY_SOURCE
from tests.unit.planning.sources import CLIP, DROP_FRAME, STEREO, clip, settings

NTSC = Fraction(30000, 1001)
CAMERA = replace(
    clip(rate=NTSC, average_rate=NTSC, time_base=Fraction(1, 30000), duration=Fraction(1001, 1000), frames=30),
    timecode=DROP_FRAME,
    reel="A001",
    audio=(
        STEREO,
        replace(STEREO, index=2, codec="pcm_s24le", channels=1, layout="mono", sample_format="s32", bits_per_sample=24),
    ),
)


def commands() -> Mapping[tuple[str, str], list[str]]:
    """The commands that are written out beside this test, one option to a line."""
    found: dict[tuple[str, str], list[str]] = {}
    for part in Path(__file__).with_name("commands.txt").read_text().split("# ")[1:]:
        title, _, words = part.partition("\n")
        codec, container = title.split()
        found[codec, container] = words.split()
    return found


@pytest.mark.parametrize(("codec", "container"), [(codec, container) for codec in CONTAINERS for container in CONTAINERS[codec]])
def test_the_whole_command_of_every_codec_in_every_container(codec: Codec, container: Container) -> None:
    plan = plan_task(settings(codec, container), CAMERA)
    assert plan.argv("ffmpeg", "/in", "out") == commands()[codec.value, container.value]


def test_no_command_is_written_out_in_vain() -> None:
    assert set(commands()) == {(codec.value, container.value) for codec in CONTAINERS for container in CONTAINERS[codec]}


def option(plan: TaskPlan, name: str) -> str:
    words = plan.output_options
    return words[words.index(name) + 1]


def test_a_half_size_interlaced_proxy_keeps_its_fields() -> None:
    source = clip(field_order="bt")
    plan = plan_task(settings(resolution=Resolution(ScaleMode.HALF)), source)
    assert "scale=w=960:h=540:flags=area+accurate_rnd+full_chroma_inp+bitexact:in_range=tv:out_range=tv:interl=1" in option(
        plan, "-filter:v"
    )
    assert "setparams=field_mode=bff:" in option(plan, "-filter:v")
    assert option(plan, "-flags:v") == "+bitexact+ildct+ilme"
    assert plan.expected.video.field_order == "bb"
    tff = plan_task(settings(Codec.PRORES_LT, Container.MOV), clip(field_order="tb"))
    assert "setparams=field_mode=tff:" in option(tff, "-filter:v")
    assert tff.expected.video.field_order == "tt"


@pytest.mark.parametrize(
    ("source", "fps", "reason"),
    [
        (
            clip(field_order="tt", rotation=90),
            None,
            "it is interlaced and rotated by 90 degrees, and fields cannot be rotated; deinterlace it first",
        ),
        (clip(field_order="tt", mirrored=True), None, "it is interlaced and mirrored; deinterlace it first"),
        (
            clip(field_order="tt"),
            Fraction(50),
            "it is interlaced, and converting its frame rate would mix its fields; deinterlace it first, or keep its rate",
        ),
    ],
)
def test_fields_are_neither_turned_nor_retimed(source: MediaFacts, fps: Fraction | None, reason: str) -> None:
    asked = settings(fps=fps)
    with pytest.raises(ProxxError) as refused:
        plan_task(asked, source)
    assert refused.value.code is ErrorCode.SOURCE_UNSUPPORTED
    assert refused.value.error.message == f"the source cannot be converted faithfully: {reason}"
    assert refused.value.error.details == {"rotation": source.video.rotation, "fps_mode": asked.fps_mode.value}


def test_h264_keeps_whole_lines_of_chroma_in_each_field() -> None:
    quarter = Resolution(ScaleMode.QUARTER)
    sizes = {
        (codec, order): plan_task(settings(codec, Container.MOV, quarter), clip(field_order=order)).expected.video.size
        for codec in (Codec.H264, Codec.PRORES_LT)
        for order in ("tt", "progressive")
    }
    assert sizes == {
        (Codec.H264, "tt"): (480, 268),
        (Codec.H264, "progressive"): (480, 270),
        (Codec.PRORES_LT, "tt"): (480, 270),
        (Codec.PRORES_LT, "progressive"): (480, 270),
    }


@pytest.mark.parametrize(
    ("source", "box", "scaler"),
    [
        (CLIP, (1440, 810), "w=1440:h=810:flags=area"),
        (CLIP, (1442, 812), "w=1442:h=810:flags=bicubic"),
        (CLIP, (1444, 812), "w=1442:h=812:flags=bicubic"),
        # Smaller on one side alone.
        (clip(width=1440, sample_aspect=Fraction(4, 3)), (1440, 1080), "w=1440:h=810:flags=bicubic"),
        (clip(width=1440, sample_aspect=Fraction(3, 4)), (1920, 1080), "w=1080:h=1080:flags=bicubic"),
    ],
)
def test_what_gets_smaller_by_a_quarter_on_both_sides_is_averaged(source: MediaFacts, box: tuple[int, int], scaler: str) -> None:
    plan = plan_task(settings(resolution=Resolution(ScaleMode.FIT, *box)), source)
    assert f",scale={scaler}+" in option(plan, "-filter:v")


def test_a_turned_picture_is_planned_upright() -> None:
    plan = plan_task(settings(resolution=Resolution(ScaleMode.HALF)), clip(rotation=90))
    assert plan.expected.video.size == (540, 960)


@pytest.mark.parametrize(
    ("source", "fps", "filters"),
    [
        (CLIP, None, "settb=1/25,scale"),
        (clip(constant_rate=False), None, "scale"),
        (CLIP, NTSC, "fps=fps=30000/1001:round=near,scale"),
        (clip(delay=2), None, "settb=1/25,scale"),
        (clip(delay=2), NTSC, "setpts=round(PTS-2/25/TB),fps=fps=30000/1001:round=near,scale"),
    ],
)
def test_retiming(source: MediaFacts, fps: Fraction | None, filters: str) -> None:
    _, _, following = option(plan_task(settings(fps=fps), source), "-filter:v").partition(f"direct=1,{KINDS_REPORTED},")
    assert following.startswith(filters)


@pytest.mark.parametrize(
    ("container", "filters"),
    [
        (Container.MXF, "fps=fps=30000/1001:round=near:eof_action=round,settb=1001/30000,scale"),
        (Container.MOV, "settb=1001/30000,scale"),
    ],
)
def test_a_rate_that_is_written_in_decimals_is_restated_for_mxf_alone(container: Container, filters: str) -> None:
    source = clip(rate=NTSC, average_rate=Fraction(2997, 100))
    _, _, following = option(plan_task(settings(Codec.DNXHR, container), source), "-filter:v").partition(f"{KINDS_REPORTED},")
    assert following.startswith(filters)


@pytest.mark.parametrize(
    ("container", "start", "moved", "moved_back"),
    [
        (Container.MP4, Fraction(0), None, None),
        (Container.MP4, Fraction(2, 25), None, None),
        (Container.MP4, Fraction(1, 90), "-0.011111", "0.011111"),
        (Container.MKV, Fraction(67, 50), "-0.020000", "0.020000"),
        (Container.MXF, Fraction(121, 90), "-1.344444", None),
    ],
)
def test_a_picture_beside_the_grid_is_moved_onto_it_and_back(
    container: Container, start: Fraction, moved: str | None, moved_back: str | None
) -> None:
    codec = Codec.DNXHR if container is Container.MXF else Codec.H264
    plan = plan_task(settings(codec, container), clip(start=start))
    assert _value(plan.input_options, "-itsoffset") == moved
    assert _value(plan.output_options, "-output_ts_offset") == moved_back


@pytest.mark.parametrize(
    ("codec", "container", "moved"),
    [(Codec.PRORES_LT, Container.MOV, True), (Codec.H264, Container.MP4, True), (Codec.DNXHR, Container.MXF, False)],
)
def test_a_picture_that_the_decoder_delays_and_its_audio_are_moved_and_nothing_else(
    codec: Codec, container: Container, moved: bool
) -> None:
    source = replace(CLIP, formats=("avi",))
    wanted = plan_task(settings(codec, container), source).argv("ffmpeg", "/in", "out")
    if moved:
        audio, place = wanted.index("-filter:a:0") + 1, wanted.index("-movflags") + 2
        wanted[audio] = (
            wanted[audio].replace("first_pts=0", "first_pts=3840").replace(",aresample", ",asetpts=PTS+3840,aresample")
        )
        wanted[place:place] = ["-output_ts_offset", "-0.080000"]
    delayed = replace(source, video=replace(source.video, delay=2))
    assert plan_task(settings(codec, container), delayed).argv("ffmpeg", "/in", "out") == wanted


def _value(words: tuple[str, ...], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


@pytest.mark.parametrize(
    ("container", "codec", "ticks", "scale"),
    [(Container.MOV, Codec.PRORES_LT, "25600", "12800"), (Container.MKV, Codec.VP9, "2000", None)],
)
def test_the_last_frame_of_a_variable_rate_stands_as_long_as_the_source_says(
    container: Container, codec: Codec, ticks: str, scale: str | None
) -> None:
    plan = plan_task(settings(codec, container), clip(constant_rate=False, duration=Fraction(2)))
    assert option(plan, "-bsf:v") == f"setts=duration=if(eq(NEXT_PTS\\,NOPTS)*gt({ticks}\\,PTS)\\,{ticks}-PTS\\,DURATION)"
    if scale is None:
        assert "-video_track_timescale" not in plan.output_options
    else:
        assert option(plan, "-video_track_timescale") == scale


def test_an_end_that_nobody_knows_is_left_to_the_muxer() -> None:
    assert "setts" not in option(plan_task(settings(), clip(constant_rate=False, duration=None)), "-bsf:v")


PLAIN = "filter_units=remove_types=6"


@pytest.mark.parametrize(
    "source", [clip(field_order="tt"), clip(field_order="bb"), clip(color=ColorFacts(content_light="1000,400"))]
)
def test_fields_and_hdr_stay_in_h264(source: MediaFacts) -> None:
    assert not any(PLAIN in word for word in plan_task(settings(), source).output_options)


def test_h264_says_its_range_where_it_says_nothing_else() -> None:
    said = plan_task(settings(), clip(color=ColorFacts(range="tv")))
    assert option(said, "-bsf:v") == f"{PLAIN},h264_metadata=video_full_range_flag=0"
    both = plan_task(settings(), clip(color=ColorFacts(range="pc"), constant_rate=False))
    assert option(both, "-bsf:v").startswith(f"{PLAIN},h264_metadata=video_full_range_flag=1,setts=")
    assert option(plan_task(settings(), clip(color=ColorFacts())), "-bsf:v") == PLAIN
    assert "-bsf:v" not in plan_task(settings(Codec.HEVC), clip(color=ColorFacts(range="tv"))).output_options


@pytest.mark.parametrize(
    ("codec", "container", "timecode", "kept"),
    [
        (Codec.PRORES_LT, Container.MOV, True, ("-metadata:s:v:0", "reel_name=A001")),
        (Codec.PRORES_LT, Container.MOV, False, None),
        (Codec.DNXHR, Container.MXF, False, ("-metadata", "reel_name=A001")),
        (Codec.H264, Container.MP4, True, None),
    ],
)
def test_the_reel_is_kept_where_there_is_a_place_for_it(
    codec: Codec, container: Container, timecode: bool, kept: tuple[str, str] | None
) -> None:
    plan = plan_task(settings(codec, container), replace(CAMERA, timecode=DROP_FRAME if timecode else None))
    assert plan.expected.timing.reel == (kept and "A001")
    assert ("reel_name=A001" in plan.output_options) is (kept is not None)
    if kept is not None:
        assert option(plan, kept[0]) == kept[1]


def test_no_sound_needs_no_silence() -> None:
    silent = plan_task(settings(Codec.DNXHR, Container.MXF), replace(CLIP, audio=()))
    assert not any("apad" in word for word in silent.output_options)
    assert ",apad" not in option(plan_task(settings(Codec.DNXHR, Container.MOV), CLIP), "-filter:a:0")
    assert option(plan_task(settings(Codec.DNXHR, Container.MXF), CLIP), "-filter:a:0").endswith(",apad,atrim=end_sample=528480")


def test_only_mxf_needs_what_ffmpeg_cannot_write() -> None:
    assert plan_task(settings(Codec.DNXHR, Container.MXF), CLIP).completes_mxf
    assert not plan_task(settings(Codec.DNXHR, Container.MOV), CLIP).completes_mxf


@pytest.mark.parametrize(
    ("codec", "container", "matrix", "says"),
    [
        (Codec.DNXHR, Container.MXF, "bt2020nc", True),
        (Codec.DNXHR, Container.MOV, "bt2020nc", True),
        (Codec.DNXHR, Container.MOV, "bt709", False),
        (Codec.DNXHR, Container.MOV, None, False),
        (Codec.PRORES_PROXY, Container.MOV, "bt2020nc", False),
    ],
)
def test_only_dnxhr_must_be_told_of_bt2020(codec: Codec, container: Container, matrix: str | None, says: bool) -> None:
    wide = replace(CLIP, video=replace(CLIP.video, color=replace(CLIP.video.color, matrix=matrix)))
    assert plan_task(settings(codec, container), wide).says_bt2020 is says


@pytest.mark.parametrize("formats", [("concat",), ("hls", "applehttp")])
def test_a_container_that_nobody_asked_to_open_is_refused(formats: tuple[str, ...]) -> None:
    with pytest.raises(ProxxError) as refused:
        plan_task(settings(), replace(CLIP, formats=formats))
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"a source must be in a container that editors use, but this one is {','.join(formats)}: rewrap it",
        {},
    )


def test_the_duration_is_the_pictures_where_it_is_known() -> None:
    assert plan_task(settings(), clip(duration=Fraction(3))).duration == 3
    assert plan_task(settings(), clip(duration=None)).duration == 1


def test_the_fingerprint_knows_no_paths() -> None:
    plan = plan_task(settings(), CLIP)
    assert plan.fingerprint() == plan_task(settings(), CLIP).fingerprint()
    assert len(plan.fingerprint()) == 64
    others = [
        plan_task(settings(resolution=Resolution(ScaleMode.HALF)), CLIP),
        plan_task(settings(fps=Fraction(24)), CLIP),
        plan_task(settings(Codec.DNXHR, Container.MXF, level=DnxhrLevel.LB), CLIP),
        plan_task(settings(), clip(frames=26)),
    ]
    assert len({plan.fingerprint(), *(other.fingerprint() for other in others)}) == 5
    changed = replace(plan, input_options=(*plan.input_options, "-threads", "1"))
    assert changed.fingerprint() != plan.fingerprint()
    _, *without_paths, _ = plan.argv("", "", "")
    assert plan.fingerprint() == fingerprint(plan.settings, plan.facts, without_paths)


def test_a_rate_that_is_slower_than_the_container_claims_gets_a_frame_for_every_place() -> None:
    source = replace(CLIP, video=replace(CLIP.video, index=1), audio=())
    plan, slower = plan_task(settings(), source), plan_slower(settings(), source)
    assert slower.argv("ffmpeg", "/in", "out") == [
        word.replace(",settb=1/25,", ",fps=fps=25:round=near:eof_action=pass,settb=1/25,")
        for word in plan.argv("ffmpeg", "/in", "out")
    ]
    assert (slower.design.schedule.slower, slower.expected) == (True, plan.expected)
    assert slower.argv("ffmpeg", "/in", "out") != plan.argv("ffmpeg", "/in", "out")


@pytest.mark.parametrize(("codec", "decoder"), [("vp8", "libvpx"), ("vp9", "libvpx-vp9")])
def test_alpha_that_is_kept_is_decoded(codec: str, decoder: str) -> None:
    source = clip(codec=codec, has_alpha=True)
    source = replace(source, video=replace(source.video, index=2))
    kept = plan_task(settings(Codec.PRORES_4444), source).input_options
    assert kept[kept.index("-flags") :] == ("-flags", "+bitexact", "-c:2", decoder, "-c:1", "aac_fixed")
    for other in (
        plan_task(settings(Codec.PRORES_HQ), source),
        plan_task(settings(Codec.PRORES_4444), clip(codec=codec)),
        plan_task(settings(Codec.PRORES_4444), clip(codec="prores", has_alpha=True)),
    ):
        assert decoder not in other.input_options


def test_sources_are_decoded_the_same_on_every_cpu() -> None:
    opus = replace(STEREO, codec="opus", index=3)
    plan = plan_task(settings(), replace(clip(codec="theora"), audio=(STEREO, opus)))
    assert plan.input_options[-8:] == ("-flags", "+bitexact", "-threads:v", "1", "-c:1", "aac_fixed", "-c:3", "libopus")
    other = replace(CLIP, audio=(replace(STEREO, profile="HE-AAC"), replace(STEREO, codec="pcm_s16le", profile=None, index=2)))
    assert plan_task(settings(), other).input_options[-2:] == ("-flags", "+bitexact")


def test_colr_is_written_where_the_codec_says_no_tags() -> None:
    source = replace(CLIP, video=replace(CLIP.video, width=1920, height=1080, color=ColorFacts("tv", "bt709", "bt709", None)))
    options = plan_task(settings(Codec.DNXHR, Container.MOV), source).output_options
    assert options[options.index("-movflags") + 1] == "+faststart+write_colr"


def test_a_late_picture_has_its_timecode_and_its_ticks() -> None:
    source = replace(CAMERA, video=replace(CAMERA.video, start=Fraction(1, 90)))
    plan = plan_task(settings(Codec.PRORES_LT, Container.MOV), source)
    assert plan.output_options[plan.output_options.index("-timecode") :] == (
        "-timecode", "01:00:00;02", "-metadata:s:v:0", "reel_name=A001",
        "-video_track_timescale", "30000", "-movflags", "+faststart", "-output_ts_offset", "0.011111", "-f", "mov",
    )  # fmt: skip


@pytest.mark.parametrize("demuxer", ["mpegvideo", "h264"])
def test_the_frames_of_a_bare_stream_are_numbered_at_its_rate(demuxer: str) -> None:
    rate = Fraction(30000, 1001)
    source = replace(clip(rate=rate, average_rate=None, time_base=1 / rate), formats=(demuxer,), audio=())
    assert plan_task(settings(), source).input_options[-2:] == ("-r", "30000/1001")
    assert "-r" not in plan_task(settings(), CLIP).input_options


def test_the_whole_picture_of_a_clean_aperture_is_kept() -> None:
    plan = plan_task(settings(), clip(clean_aperture=True))
    assert plan.input_options[-2:] == ("-apply_cropping:v", "codec")
    assert "-apply_cropping:v" not in plan_task(settings(), CLIP).input_options


def test_what_no_scaler_takes_goes_before_it() -> None:
    plan = plan_task(settings(), clip(color=ColorFacts(primaries="vgamut")))
    filters = plan.output_options[plan.output_options.index("-filter:v") + 1].split(",")
    at = filters.index("setparams=color_primaries=unknown")
    assert filters[at + 1].startswith("scale=")


@pytest.mark.parametrize(
    ("source", "fps", "remedy"),
    [
        (clip(field_order="tt"), Fraction(30), "keep its rate"),
        (clip(field_order="tt", constant_rate=False), Fraction(25), f"choose {ANY_SOURCE}, and keep its rate"),
        (clip(field_order="tt", rate=Fraction(24)), Fraction(25), f"choose {ANY_SOURCE}, and keep its rate"),
    ],
)
def test_a_rate_that_dnxhd_does_not_have_is_not_to_be_kept_in_it(source: MediaFacts, fps: Fraction, remedy: str) -> None:
    with pytest.raises(ProxxError, match=rf"mix its fields; deinterlace it first, or {re.escape(remedy)}$"):
        plan_task(settings(Codec.DNXHD, Container.MXF, fps=fps), source)


H264_MP4, PRORES_MOV, DNXHR_MOV = (Codec.H264, Container.MP4), (Codec.PRORES_PROXY, Container.MOV), (Codec.DNXHR, Container.MOV)
GAP, FAST, SLOW = clip(constant_rate=False), replace(clip(rate=Fraction(300)), timecode=DROP_FRAME), clip(rate=Fraction(15))
GAP_OF_FIELDS = clip(constant_rate=False, field_order="tt")


@pytest.mark.parametrize(
    ("source", "refused", "remedies"),
    [
        (clip(field_order="tt", width=720, height=576), settings(Codec.DNXHD, Container.MXF), [H264_MP4, PRORES_MOV]),
        (clip(width=720, height=576), settings(Codec.DNXHD, Container.MXF), [H264_MP4, PRORES_MOV, DNXHR_MOV]),
        (GAP, settings(Codec.DNXHR, Container.MXF), [H264_MP4, PRORES_MOV, DNXHR_MOV, "25", "29.97"]),
        (GAP, settings(Codec.DNXHD, Container.MXF), [H264_MP4, PRORES_MOV, DNXHR_MOV, "25", "29.97"]),
        (GAP_OF_FIELDS, settings(Codec.DNXHR, Container.MXF), [H264_MP4, PRORES_MOV]),
        (GAP_OF_FIELDS, settings(Codec.DNXHD, Container.MXF), [H264_MP4, PRORES_MOV]),
        (GAP_OF_FIELDS, settings(Codec.DNXHD, Container.MXF, fps=Fraction(25)), [H264_MP4, PRORES_MOV]),
        (SLOW, settings(Codec.DNXHR, Container.MXF), [H264_MP4, PRORES_MOV, DNXHR_MOV, "48", "120"]),
        (SLOW, settings(Codec.DNXHD, Container.MXF), [H264_MP4, PRORES_MOV, DNXHR_MOV, "23.976", "60"]),
        (FAST, settings(*PRORES_MOV), [(Codec.H264, Container.MKV), "0.5", "255"]),
    ],
)
def test_what_a_refusal_names_is_accepted(
    source: MediaFacts, refused: OutputSettings, remedies: list[tuple[Codec, Container] | str]
) -> None:
    with pytest.raises(ProxxError) as fault:
        plan_task(refused, source)
    names = {H264_MP4: "h264 (proxy_h264_low, ", PRORES_MOV: "ProRes (proxy_prores_proxy, ", DNXHR_MOV: "dnxhr in mov"}
    for remedy in remedies:
        if isinstance(remedy, str):
            assert remedy in fault.value.error.message
            plan_task(replace(refused, fps_mode=FpsMode.EXPLICIT, fps=read_rate(Number(remedy))), source)
        else:
            assert names.get(remedy, "h264 in mkv") in fault.value.error.message
            plan_task(settings(*remedy), source)
    unnamed = {name for remedy, name in names.items() if remedy not in remedies}
    assert not [name for name in unnamed if name in fault.value.error.message]
