from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import Codec, Container, DnxhrLevel
from proxx_worker.media.facts import ColorFacts, VideoFacts
from proxx_worker.planning.color_tags import EVERYTHING, PRORES
from proxx_worker.planning.geometry import Geometry
from proxx_worker.planning.video_codecs import VideoEncoder, choose_encoder, height_multiple
from tests.unit.planning.sources import PICTURE, settings

HD = Geometry(1920, 1080, Fraction(1))
FIELDS = replace(PICTURE, field_order="tt")
DEEP = replace(PICTURE, bit_depth=10, pixel_format="yuv422p10le")
NTSC = Fraction(30000, 1001)
ANY = "h264 (proxy_h264_low, proxy_h264_quarter) or ProRes (proxy_prores_proxy, proxy_prores_lt)"
ASK = ', or ask for fps_mode "explicit" with 23.976, 24, 25, 29.97, 30, 50, 59.94, 60'
OR = ", or deinterlace the source first"


def chosen(
    codec: Codec,
    container: Container = Container.MOV,
    video: VideoFacts = PICTURE,
    picture: Geometry = HD,
    rate: Fraction | None = Fraction(25),
    level: DnxhrLevel | None = None,
) -> VideoEncoder:
    return choose_encoder(settings(codec, container, level=level), picture, rate, video)


@pytest.mark.parametrize(
    ("codec", "number", "profile"),
    [
        (Codec.PRORES_PROXY, "0", "Proxy"),
        (Codec.PRORES_LT, "1", "LT"),
        (Codec.PRORES_STANDARD, "2", "Standard"),
        (Codec.PRORES_HQ, "3", "HQ"),
    ],
)
def test_prores_422_by_the_fast_encoder(codec: Codec, number: str, profile: str) -> None:
    encoder = chosen(codec, video=replace(PICTURE, has_alpha=True))
    options = ("-c:v", "prores_aw", "-profile:v", number, "-flags:v", "+bitexact")
    assert encoder == VideoEncoder("prores", profile, "yuv422p10le", options, PRORES)


def test_prores_4444_is_slow_only_for_alpha() -> None:
    assert chosen(Codec.PRORES_4444) == VideoEncoder(
        "prores", "4444", "yuv444p10le", ("-c:v", "prores_aw", "-profile:v", "4", "-flags:v", "+bitexact"), PRORES
    )
    options = ("-c:v", "prores_ks", "-profile:v", "4", "-alpha_bits", "16", "-flags:v", "+bitexact")
    alpha = chosen(Codec.PRORES_4444, video=replace(PICTURE, has_alpha=True))
    assert alpha == VideoEncoder("prores", "4444", "yuva444p10le", options, PRORES)
    assert (alpha.keeps_alpha, chosen(Codec.PRORES_4444).keeps_alpha) == (True, False)


@pytest.mark.parametrize(
    ("height", "encoder"),
    [(1080, "prores_aw"), (576, "prores_aw"), (540, "prores_aw"), (270, "prores_aw"), (720, "prores_ks"), (240, "prores_ks")],
)
def test_prores_fields_of_half_blocks_need_the_slow_encoder(height: int, encoder: str) -> None:
    picture = Geometry(1280, height, Fraction(1))
    assert chosen(Codec.PRORES_HQ, video=FIELDS, picture=picture).options == (
        "-c:v", encoder, "-profile:v", "3", "-flags:v", "+bitexact+ildct"
    )  # fmt: skip
    assert chosen(Codec.PRORES_HQ, picture=picture).options[1] == "prores_aw"


@pytest.mark.parametrize(
    ("width", "height", "rate", "video", "megabits"),
    [
        (1920, 1080, Fraction(24000, 1001), PICTURE, "115M"),
        (1920, 1080, Fraction(25), PICTURE, "120M"),
        (1920, 1080, Fraction(25), FIELDS, "120M"),
        (1920, 1080, NTSC, FIELDS, "145M"),
        (1920, 1080, Fraction(50), PICTURE, "240M"),
        (1280, 720, 2 * NTSC, PICTURE, "145M"),
    ],
)
def test_dnxhd_at_its_own_rates(width: int, height: int, rate: Fraction, video: VideoFacts, megabits: str) -> None:
    encoder = chosen(Codec.DNXHD, Container.MXF, video, Geometry(width, height, Fraction(1)), rate)
    flags = "+bitexact+ildct" if video is FIELDS else "+bitexact"
    options = ("-c:v", "dnxhd", "-profile:v", "dnxhd", "-b:v", megabits, "-flags:v", flags)
    assert encoder == VideoEncoder("dnxhd", "DNXHD", "yuv422p", options, EVERYTHING, matrices=("bt709",))


@pytest.mark.parametrize(
    ("width", "height", "rate", "video", "said", "remedies"),
    [
        (1920, 1080, Fraction(15), PICTURE, "1920x1080 progressive at 15 frames per second", f"dnxhr in mov, {ANY}{ASK}"),
        (1920, 1080, None, PICTURE, "1920x1080 progressive at a variable rate", f"dnxhr in mov, {ANY}{ASK}"),
        (1920, 1080, Fraction(50), FIELDS, "1920x1080 interlaced at 50 frames per second", f"{ANY}{OR}"),
        (1280, 720, Fraction(25), FIELDS, "1280x720 interlaced at 25 frames per second", f"{ANY}{OR}"),
        (960, 540, Fraction(25), PICTURE, "960x540 progressive at 25 frames per second", f"dnxhr in mov, {ANY}"),
        (256, 120, Fraction(25), PICTURE, "256x120 progressive at 25 frames per second", f"dnxhr in mov, {ANY}"),
        (254, 120, Fraction(25), PICTURE, "254x120 progressive at 25 frames per second", ANY),
        (256, 118, Fraction(25), PICTURE, "256x118 progressive at 25 frames per second", ANY),
    ],
)
def test_dnxhd_has_no_other_formats(
    width: int, height: int, rate: Fraction | None, video: VideoFacts, said: str, remedies: str
) -> None:
    with pytest.raises(ProxxError) as refused:
        chosen(Codec.DNXHD, Container.MXF, video, Geometry(width, height, Fraction(1)), rate)
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"DNxHD has no format for {said}: it supports 1920x1080 and 1280x720 at broadcast rates only; choose {remedies}",
        {"width": width, "height": height, "rate": None if rate is None else str(rate), "interlaced": video is FIELDS},
    )


@pytest.mark.parametrize(
    ("level", "option", "profile"),
    [
        (DnxhrLevel.LB, "dnxhr_lb", "DNXHR LB"),
        (DnxhrLevel.SQ, "dnxhr_sq", "DNXHR SQ"),
        (DnxhrLevel.HQ, "dnxhr_hq", "DNXHR HQ"),
        (None, "dnxhr_hq", "DNXHR HQ"),
    ],
)
def test_dnxhr_levels(level: DnxhrLevel | None, option: str, profile: str) -> None:
    options = ("-c:v", "dnxhd", "-profile:v", option, "-flags:v", "+bitexact")
    expected = VideoEncoder("dnxhd", profile, "yuv422p", options, EVERYTHING, matrices=("bt709", "bt2020nc"))
    assert chosen(Codec.DNXHR, level=level) == expected


@pytest.mark.parametrize(
    ("codec", "said"),
    [(Codec.DNXHR, "dnxhr"), (Codec.H265, "h265"), (Codec.HEVC, "hevc"), (Codec.VP9, "vp9"), (Codec.AV1, "av1")],
)
def test_fields_are_refused_where_they_cannot_be_kept(codec: Codec, said: str) -> None:
    with pytest.raises(ProxxError) as refused:
        chosen(codec, video=FIELDS)
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source is interlaced and {said} cannot keep its fields: choose {ANY}{OR}",
        {"codec": said},
    )
    with pytest.raises(
        ProxxError, match=r"\(proxy_prores_proxy, proxy_prores_lt\), and keep its rate, or deinterlace"
    ) as converted:
        choose_encoder(settings(codec, fps=Fraction(50)), Geometry(1920, 1080, Fraction(1)), Fraction(50), FIELDS)
    assert converted.value.code is ErrorCode.SOURCE_UNSUPPORTED


def test_h264_keeps_fields_and_names_the_earlier_one_from_the_first_picture_on() -> None:
    assert chosen(Codec.H264, video=FIELDS).options[-2:] == ("-flags:v", "+bitexact+ildct+ilme")
    assert "cpu-independent=1" in chosen(Codec.H264, video=FIELDS).options
    bottom_first = replace(FIELDS, field_order="bt")
    assert "cpu-independent=1:bff=1" in chosen(Codec.H264, video=bottom_first).options
    assert "cpu-independent=1" in chosen(Codec.H264).options


def test_only_interlaced_h264_needs_a_multiple_of_four_lines() -> None:
    assert height_multiple(Codec.H264, interlaced=True) == 4
    assert {height_multiple(codec, interlaced=False) for codec in Codec} == {2}
    assert height_multiple(Codec.PRORES_LT, interlaced=True) == 2


@pytest.mark.parametrize(
    ("codec", "name", "shallow", "deep"),
    [
        (Codec.H264, "h264", (None, "yuv420p"), (None, "yuv420p")),
        (Codec.H265, "hevc", ("Main", "yuv420p"), ("Main 10", "yuv420p10le")),
        (Codec.HEVC, "hevc", ("Main", "yuv420p"), ("Main 10", "yuv420p10le")),
        (Codec.VP9, "vp9", ("Profile 0", "yuv420p"), ("Profile 2", "yuv420p10le")),
        (Codec.AV1, "av1", ("Main", "yuv420p"), ("Main", "yuv420p10le")),
    ],
)
def test_bit_depth(codec: Codec, name: str, shallow: tuple[str | None, str], deep: tuple[str | None, str]) -> None:
    found = [(encoder.profile, encoder.pixel_format) for encoder in (chosen(codec), chosen(codec, video=DEEP))]
    assert found == [shallow, deep]
    assert chosen(codec).codec == name
    assert chosen(codec).carries_full_range


def test_sample_entries() -> None:
    tags = {
        (codec, container): chosen(codec, container).container_tag
        for codec in (Codec.H264, Codec.HEVC)
        for container in (Container.MP4, Container.MOV, Container.MKV)
    }
    assert tags == {
        (Codec.H264, Container.MP4): "avc1",
        (Codec.H264, Container.MOV): "avc1",
        (Codec.H264, Container.MKV): None,
        (Codec.HEVC, Container.MP4): "hvc1",
        (Codec.HEVC, Container.MOV): "hvc1",
        (Codec.HEVC, Container.MKV): None,
    }


def test_static_hdr_metadata_goes_into_the_bitstream() -> None:
    display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    hdr = replace(PICTURE, color=ColorFacts(mastering_display=display, content_light="1000,400"))
    parameters = {codec: chosen(codec, Container.MKV, hdr).options for codec in (Codec.H264, Codec.HEVC, Codec.AV1)}
    assert f"cpu-independent=1:mastering-display={display}:cll=1000,400" in parameters[Codec.H264]
    assert (
        f"subme=1:pools=4:frame-threads=1:info=0:log-level=warning:master-display={display}:max-cll=1000,400"
        in parameters[Codec.HEVC]
    )
    plain = "G(0.26500,0.69000)B(0.15000,0.06000)R(0.68000,0.32000)WP(0.31270,0.32900)L(1000.00000,0.00010)"
    assert f"lp=2:mastering-display={plain}:content-light=1000,400" in parameters[Codec.AV1]
