"""The one FFmpeg pass, as data."""

from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.media.facts import ColorFacts, OpenEnd
from proxx_worker.report.comparison import comparison_argv, plan_comparison
from tests.unit.report.facts import BT709, media, video


def graph(source_changes: dict[str, object], proxy_changes: dict[str, object], rate: Fraction | None = None) -> str:
    comparison = plan_comparison(media(video(**source_changes)), media(video(**proxy_changes)), rate)
    argv = comparison_argv("/ff", comparison, "/dev/fd/5", "/dev/fd/6")
    return argv[argv.index("-filter_complex") + 1]


def test_the_whole_command_opens_two_files_and_nothing_else() -> None:
    argv = comparison_argv("/ff", plan_comparison(media(), media(video(width=960, height=540)), None), "/dev/fd/5", "/dev/fd/6")
    assert argv[0] == "/ff"
    inputs = [argv[at + 1] for at, word in enumerate(argv) if word == "-i"]
    assert inputs == ["file:/dev/fd/5", "file:/dev/fd/6"]
    assert [argv[at + 1] for at, word in enumerate(argv) if word == "-protocol_whitelist"] == ["file", "file"]
    assert [argv[at + 1] for at, word in enumerate(argv) if word == "-map"] == ["[means]", "[samples]", "[source0]", "[proxy0]"]
    assert argv[-3:] == ["-f", "avi", "pipe:1"]


def test_a_recording_that_stops_within_a_picture_is_read_as_far_as_the_worker_read_it() -> None:
    source = replace(media(), formats=("mpegts",), open_end=OpenEnd(1880, (301_498,)))
    argv = comparison_argv("/ff", plan_comparison(source, media(), None), "/dev/fd/5", "/dev/fd/6")
    inputs = [argv[at + 1] for at, word in enumerate(argv) if word == "-i"]
    assert inputs == ["subfile,,start,0,end,1880,,:file:/dev/fd/5", "file:/dev/fd/6"]
    assert [argv[at + 1] for at, word in enumerate(argv) if word == "-protocol_whitelist"] == ["subfile,file", "file"]
    assert argv.count("+discardcorrupt") == 1


@pytest.mark.parametrize(
    ("width", "height", "field_order", "expected"),
    [
        (960, 540, "progressive", (960, 540)),
        (1920, 1080, "progressive", (960, 540)),
        (720, 486, "tt", (720, 484)),  # whole chroma lines of each field
        (2, 2, "progressive", (32, 32)),
    ],
)
def test_the_size_of_the_comparison(width: int, height: int, field_order: str, expected: tuple[int, int]) -> None:
    comparison = plan_comparison(
        media(video(field_order=field_order)), media(video(width=width, height=height, field_order=field_order)), None
    )
    assert (comparison.width, comparison.height) == expected


def test_frames_are_paired_by_number_on_one_time_base() -> None:
    told = graph({"rate": Fraction(30000, 1001)}, {"rate": Fraction(30000, 1001)})
    assert told.count("settb=1001/30000,setpts=N") == 2


def test_a_converted_rate_is_applied_to_the_source_alone() -> None:
    told = graph({}, {"rate": Fraction(24)}, Fraction(24))
    assert told.count("fps=fps=24:round=near") == 1
    assert "setpts=PTS-STARTPTS" not in told
    source = media()
    in_mxf = plan_comparison(source, media(formats=("mxf",)), Fraction(24))
    assert "setpts=PTS-STARTPTS,fps=fps=24:round=near" in " ".join(comparison_argv("/ff", in_mxf, "/a", "/b"))


def test_range_is_converted_by_each_files_own_tag() -> None:
    told = graph({"color": replace(BT709, range="pc")}, {})
    assert told.count("in_range=pc:out_range=tv") == 2  # the picture, and its samples
    assert told.count("in_range=tv:out_range=tv") == 2


def test_matrices_are_brought_to_the_sources() -> None:
    assert "colormatrix" not in graph({}, {})
    assert "colormatrix=bt709:smpte170m" in graph({"color": replace(BT709, matrix="smpte170m")}, {})


def test_what_a_proxy_leaves_unsaid_is_its_sources() -> None:
    silent = ColorFacts()
    assert "colormatrix" not in graph({"color": silent}, {"color": silent, "width": 480, "height": 270})
    # A codec that can say BT.709 alone had the picture converted: untagged small pictures are BT.601.
    small = {"width": 720, "height": 576}
    assert "colormatrix=bt709:smpte170m" in graph({"color": silent, **small}, {"color": BT709, **small})


def test_rgb_gets_the_matrix_that_its_proxy_says() -> None:
    told = graph({"pixel_format": "gbrp10le", "color": ColorFacts()}, {})
    assert "in_range=pc:out_range=tv:out_color_matrix=bt709" in told
    assert "colormatrix" not in told


def test_a_matrix_that_no_filter_knows_is_left_alone() -> None:
    assert "colormatrix" not in graph({"color": replace(BT709, matrix="ictcp")}, {})


def test_fields_stay_fields() -> None:
    assert "idet" not in graph({}, {})
    told = graph({"field_order": "tt"}, {"field_order": "tt"})
    assert told.count("interl=1") == 2
    assert told.count("idet") == 2


def test_a_container_that_no_worker_opens_is_refused() -> None:
    with pytest.raises(ProxxError) as refusal:
        comparison_argv("/ff", plan_comparison(media(formats=("concat",)), media(), None), "/a", "/b")
    assert refusal.value.code is ErrorCode.SOURCE_UNSUPPORTED
