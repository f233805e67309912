from dataclasses import replace

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import Container
from proxx_worker.media.facts import ColorFacts
from proxx_worker.planning import color_tags
from proxx_worker.planning.color import ColorPlan, plan_color
from proxx_worker.planning.color_tags import EVERYTHING, X264_X265, Tags, same
from proxx_worker.planning.video_codecs import VideoEncoder
from tests.unit.planning.sources import PICTURE, REC709

H264 = VideoEncoder("h264", None, "yuv420p", (), X264_X265, carries_full_range=True)
PRORES = VideoEncoder("prores", "Proxy", "yuv422p10le", (), color_tags.PRORES)
DNX = VideoEncoder("dnxhd", "DNXHD", "yuv422p", (), EVERYTHING, matrices=("bt709",))
DNXHR = VideoEncoder("dnxhd", "DNXHR LB", "yuv422p", (), EVERYTHING, matrices=("bt709", "bt2020nc"))
VP9 = VideoEncoder("vp9", "Profile 0", "yuv420p", (), color_tags.VP9, carries_full_range=True)
ALL_709 = Tags("bt709", "bt709", "bt709")
NOTHING = Tags(None, None, None)


def planned(
    color: ColorFacts, encoder: VideoEncoder = H264, container: Container = Container.MOV, pixel_format: str = "yuv420p"
) -> ColorPlan:
    return plan_color(replace(PICTURE, color=color, pixel_format=pixel_format), encoder, container)


def test_tags_are_copied() -> None:
    plan = planned(REC709)
    assert plan == ColorPlan("tv", ALL_709, ALL_709, ("in_range=tv", "out_range=tv"), ())
    assert plan.parameters() == "range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
    assert plan.options() == (
        "-color_range:v", "tv", "-color_primaries:v", "bt709", "-color_trc:v", "bt709", "-colorspace:v", "bt709"
    )  # fmt: skip


def test_what_the_source_leaves_unsaid_stays_unsaid() -> None:
    plan = planned(ColorFacts())
    assert plan == ColorPlan(None, NOTHING, NOTHING, ("in_range=tv", "out_range=tv"), ())
    assert plan.parameters() == "range=unknown:color_primaries=unknown:color_trc=unknown:colorspace=unknown"
    assert plan.options() == ()


@pytest.mark.parametrize(
    ("pixel_format", "said"), [("yuv420p", "pc"), ("yuvj420p", None), ("yuvj420p", "pc"), ("gray", None), ("gray", "pc")]
)
def test_full_range_is_carried_or_converted(pixel_format: str, said: str | None) -> None:
    full = planned(ColorFacts(range=said), H264, pixel_format=pixel_format)
    assert (full.range, full.scale_options) == ("pc", ("in_range=pc", "out_range=pc"))
    for encoder in (PRORES, DNX):
        limited = planned(ColorFacts(range=said), encoder, pixel_format=pixel_format)
        assert (limited.range, limited.scale_options) == ("tv", ("in_range=pc", "out_range=tv"))


def test_gray_may_be_limited() -> None:
    assert planned(ColorFacts(range="tv"), pixel_format="gray").scale_options == ("in_range=tv", "out_range=tv")


@pytest.mark.parametrize(
    ("primaries", "encoder", "matrix", "scaler"),
    [
        (None, H264, "bt709", "bt709"),
        ("bt2020", H264, "bt2020nc", "bt2020"),
        ("bt2020", DNX, "bt709", "bt709"),
        (None, DNXHR, "bt709", "bt709"),
        ("bt2020", DNXHR, "bt2020nc", "bt2020"),
    ],
)
def test_rgb_becomes_a_named_matrix(primaries: str | None, encoder: VideoEncoder, matrix: str, scaler: str) -> None:
    plan = planned(ColorFacts("pc", "gbr", primaries, None), encoder, pixel_format="gbrp10le")
    assert plan == ColorPlan(
        "tv",
        Tags(matrix, primaries, None),
        Tags(matrix, primaries, None),
        ("in_range=pc", "out_range=tv", f"out_color_matrix={scaler}"),
        (),
        asks_for_colr=primaries is not None and encoder in {DNX, DNXHR},
    )


def test_a_yuv_file_that_calls_itself_rgb_says_nothing() -> None:
    assert planned(ColorFacts(matrix="gbr")).tags.matrix is None


@pytest.mark.parametrize(
    ("matrix", "filters"),
    [
        ("bt709", ()),
        (None, ()),
        ("smpte170m", ("colormatrix=smpte170m:bt709",)),
        ("bt2020nc", ("colormatrix=bt2020:bt709",)),
    ],
)
def test_dnx_says_709_and_is_709(matrix: str | None, filters: tuple[str, ...]) -> None:
    plan = planned(ColorFacts("tv", matrix, "bt2020", "smpte2084"), DNX, Container.MXF)
    assert plan.tags == Tags(matrix and "bt709", "bt2020", "smpte2084")
    assert plan.filters == filters


@pytest.mark.parametrize(
    ("matrix", "said", "filters"),
    [
        ("bt709", "bt709", ()),
        (None, None, ()),
        ("bt470bg", "bt709", ("colormatrix=bt470bg:bt709",)),
        ("bt2020nc", "bt2020nc", ()),
    ],
)
def test_dnxhr_can_say_2020_too(matrix: str | None, said: str | None, filters: tuple[str, ...]) -> None:
    plan = planned(ColorFacts("tv", matrix, "bt2020", "smpte2084"), DNXHR, Container.MXF)
    assert (plan.tags, plan.frames) == (Tags(said, "bt2020", "smpte2084"),) * 2
    assert plan.filters == filters


@pytest.mark.parametrize(
    ("width", "height", "filters"),
    [
        (720, 576, ("colormatrix=smpte170m:bt709",)),
        (576, 1024, ("colormatrix=smpte170m:bt709",)),
        (1280, 720, ()),
        (720, 1280, ()),
        # Small on one side alone.
        (1920, 540, ()),
        (1024, 768, ()),
    ],
)
def test_an_untagged_picture_of_standard_definition_is_601(width: int, height: int, filters: tuple[str, ...]) -> None:
    source = replace(PICTURE, width=width, height=height, color=ColorFacts())
    plan = plan_color(source, DNX, Container.MXF)
    assert (plan.tags.matrix, plan.filters) == ("bt709" if filters else None, filters)
    assert plan_color(source, PRORES, Container.MOV).tags == NOTHING


def test_a_matrix_that_cannot_be_converted_is_refused() -> None:
    for encoder, supported in ((DNX, "bt709"), (DNXHR, "bt709 or bt2020nc")):
        with pytest.raises(ProxxError) as refused:
            planned(ColorFacts(matrix="ycgco"), encoder)
        assert refused.value.error == JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the codec only supports the matrix {supported}, and the source's ycgco cannot be converted to it: "
            "choose h264 (proxy_h264_low, proxy_h264_quarter) or ProRes (proxy_prores_proxy, proxy_prores_lt), which keep it",
            {"matrix": "ycgco"},
        )


@pytest.mark.parametrize("pixel_format", ["xyz12le", "bayer_rggb16le", "vaapi"])
def test_no_picture_of_its_own_is_refused(pixel_format: str) -> None:
    with pytest.raises(ProxxError) as refused:
        planned(REC709, pixel_format=pixel_format)
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"pixel format {pixel_format} cannot be converted faithfully: convert the clip to ordinary Y'CbCr or RGB first",
        {"pixel_format": pixel_format},
    )


@pytest.mark.parametrize(
    ("encoder", "container", "tags", "kept", "frames"),
    [
        # ProRes frames say what RDD 36 lists, by its names; the container says the rest.
        (PRORES, Container.MOV, Tags("bt470bg", "bt470bg", "smpte170m"), None, Tags("smpte170m", "bt470bg", "bt709")),
        (PRORES, Container.MOV, Tags("bt709", "smpte240m", "bt2020-10"), None, Tags("bt709", "smpte170m", "bt709")),
        (PRORES, Container.MOV, Tags("fcc", "film", "iec61966-2-1"), None, NOTHING),
        (PRORES, Container.MOV, Tags("bt2020nc", "bt2020", "arib-std-b67"), None, Tags("bt2020nc", "bt2020", "arib-std-b67")),
        (VP9, Container.WEBM, Tags("ycgco", "bt709", "bt709"), None, Tags(None, "bt709", "bt709")),
        (H264, Container.MP4, Tags("bt709", "ebu3213", "bt709"), Tags("bt709", None, "bt709"), Tags("bt709", None, "bt709")),
        (DNX, Container.MXF, Tags("bt709", "film", "iec61966-2-1"), Tags("bt709", None, None), Tags("bt709", None, None)),
        (DNX, Container.MOV, Tags("bt709", "film", "log100"), None, Tags("bt709", "film", "log100")),
    ],
)
def test_each_layer_says_what_it_has_words_for(
    encoder: VideoEncoder, container: Container, tags: Tags, kept: Tags | None, frames: Tags
) -> None:
    plan = planned(ColorFacts("tv", tags.matrix, tags.primaries, tags.transfer), encoder, container)
    assert (plan.tags, plan.frames) == (kept or tags, frames)


@pytest.mark.parametrize(
    ("primaries", "transfer", "kept", "first"),
    [
        ("vgamut", "vlog", Tags("bt709", None, None), ("setparams=color_primaries=unknown:color_trc=unknown",)),
        ("vgamut", "bt709", Tags("bt709", None, "bt709"), ("setparams=color_primaries=unknown",)),
        ("bt2020", "vlog", Tags("bt709", "bt2020", None), ("setparams=color_trc=unknown",)),
        ("bt2020", "log100", Tags("bt709", "bt2020", "log100"), ()),
    ],
)
def test_tags_that_no_encoder_has_a_name_for_are_left_out_and_taken_from_the_frames(
    primaries: str, transfer: str, kept: Tags, first: tuple[str, ...]
) -> None:
    plan = planned(ColorFacts("tv", "bt709", primaries, transfer))
    assert (plan.tags, plan.frames, plan.before_scaling) == (kept, kept, first)


@pytest.mark.parametrize(
    ("encoder", "container", "tags", "asks"),
    [
        # DNxHR's frames say the matrix only, and FFmpeg takes it for BT.709 unless the container says otherwise.
        (DNXHR, Container.MOV, Tags("bt2020nc", None, None), True),
        (DNXHR, Container.MOV, Tags("bt2020nc", "bt2020", None), True),
        (DNXHR, Container.MOV, Tags(None, "bt709", None), True),
        (DNXHR, Container.MOV, Tags("bt709", None, "bt709"), True),
        (DNXHR, Container.MOV, Tags("bt709", None, None), False),
        (DNXHR, Container.MOV, Tags("bt2020nc", "bt2020", "smpte2084"), False),
        (DNXHR, Container.MOV, NOTHING, False),
        (DNXHR, Container.MXF, Tags("bt2020nc", None, None), False),
        (PRORES, Container.MOV, Tags("smpte240m", None, None), True),
        (PRORES, Container.MOV, Tags("bt709", None, "log100"), True),
        (PRORES, Container.MOV, Tags("bt709", "film", "bt709"), True),
        (PRORES, Container.MOV, Tags("bt470bg", None, None), False),
        (PRORES, Container.MOV, ALL_709, False),
        (H264, Container.MP4, Tags("ycgco", None, None), False),
        (VP9, Container.WEBM, Tags("ycgco", None, None), False),
    ],
)
def test_colr_is_asked_for_where_nothing_else_says_a_tag(
    encoder: VideoEncoder, container: Container, tags: Tags, asks: bool
) -> None:
    large = replace(PICTURE, width=1920, height=1080, color=ColorFacts("tv", tags.matrix, tags.primaries, tags.transfer))
    assert plan_color(large, encoder, container).asks_for_colr is asks


@pytest.mark.parametrize(
    ("tags", "hidden", "said"),
    [
        (Tags("ycgco", "bt709", "bt709"), (False, False, True), ("bt709", "bt709", "ycgco")),
        (Tags("bt709", "film", "log100"), (True, True, False), ("film", "log100", "bt709")),
        (Tags("bt470bg", "smpte240m", "bt2020-10"), (False, False, False), ("smpte170m", "bt709", "smpte170m")),
        (Tags("smpte240m", None, None), (False, False, True), ("unknown", "unknown", "smpte240m")),
    ],
)
def test_prores_frames_say_all_tags_to_the_encoder(tags: Tags, hidden: tuple[bool, ...], said: tuple[str, str, str]) -> None:
    """What its header has no word for is hidden again after the encode."""
    plan = planned(ColorFacts("tv", tags.matrix, tags.primaries, tags.transfer), PRORES)
    assert plan.hidden == hidden
    assert plan.parameters() == "range=tv:color_primaries={}:color_trc={}:colorspace={}".format(*said)


@pytest.mark.parametrize(
    ("matrix", "before"),
    [
        (None, ()), ("bt709", ()), ("fcc", ()), ("bt470bg", ()), ("smpte170m", ()), ("smpte240m", ()), ("bt2020nc", ()),
        ("gbr", ()),
        ("ycgco", ("setparams=colorspace=unknown",)), ("bt2020c", ("setparams=colorspace=unknown",)),
    ],
)  # fmt: skip
def test_the_scaler_sees_no_matrix_that_it_does_not_take(matrix: str | None, before: tuple[str, ...]) -> None:
    assert planned(ColorFacts("tv", matrix, None, None)).before_scaling == before


def test_prores_has_one_name_for_the_matrix_in_frames_and_container() -> None:
    plan = planned(ColorFacts(None, "bt470bg", None, None), PRORES, Container.MOV)
    assert (plan.tags.matrix, plan.options()) == ("bt470bg", ("-colorspace:v", "smpte170m"))
    assert planned(ColorFacts(None, "fcc", None, None), PRORES, Container.MOV).options() == ("-colorspace:v", "fcc")


def test_options_have_their_own_names_for_some_tags() -> None:
    options = planned(ColorFacts(None, "bt709", "ebu3213", "bt470m"), VP9, Container.WEBM).options()
    assert options == ("-color_primaries:v", "jedec-p22", "-color_trc:v", "gamma22", "-colorspace:v", "bt709")


@pytest.mark.parametrize(
    ("kind", "first", "second", "equal"),
    [
        ("transfer", "bt709", "smpte170m", True),
        ("transfer", "bt2020-10", "bt2020-12", True),
        ("transfer", "bt709", "iec61966-2-1", False),
        ("matrix", "bt470bg", "smpte170m", True),
        ("matrix", "bt709", "smpte170m", False),
        ("matrix", "bt709", None, False),
        ("matrix", None, None, True),
        ("range", "tv", "pc", False),
        ("range", "tv", "tv", True),
    ],
)
def test_tags_that_mean_the_same(kind: str, first: str | None, second: str | None, equal: bool) -> None:
    assert same(kind, first, second) is equal
