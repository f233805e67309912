"""The rates and counts are those of real clips; each case names what it comes from."""

from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import JsonValue
from proxx_worker.media.frame_rate import Timing, timing_of
from tests.unit.media.documents import Document, section, video

NTSC = Fraction(30000, 1001)
NTSC_60 = Fraction(60000, 1001)
NTSC_120 = Fraction(120000, 1001)


def timing(demuxer: str = "mov", field_order: str | None = "progressive", fields: Document | None = None) -> Timing:
    found = timing_of(section(video(**(fields or {}))), demuxer, field_order)
    assert found is not None
    return found


def test_a_plain_clip_by_value() -> None:
    assert timing() == Timing(
        rate=Fraction(25),
        average_rate=Fraction(25),
        constant_rate=True,
        time_base=Fraction(1, 12800),
        start=Fraction(0),
        duration=Fraction(1),
        frames=25,
        frames_certain=True,
        told_rate=Fraction(25),
    )


@pytest.mark.parametrize(
    ("demuxer", "order", "nominal", "average", "time_base", "rate", "constant"),
    [
        pytest.param("mov", "bt", "2997/100", "2997/100", "1/2997", NTSC, True, id="old ProRes: 29.97 is NTSC"),
        pytest.param("mov", None, "2997/125", "2997/125", "1/11988", Fraction(24000, 1001), True, id="23.976 is NTSC"),
        pytest.param("mov", None, "1000000/33333", "1000000/33333", "1/1000000", Fraction(30), True, id="30 in microseconds"),
        pytest.param("mov", None, "1/3", "1/3", "1/1000", Fraction(1, 3), True, id="MOV, slow"),
        pytest.param("matroska", None, "1000/1", "1000/1", "1/1000", Fraction(1000), False, id="a tick is no rate"),
        pytest.param("matroska", None, "1000/1", "0/0", "1/1000", Fraction(1000), False, id="WebM without a rate"),
        pytest.param("flv", None, "1000/1", "24/1", "1/1000", Fraction(24), False, id="FLV without a rate"),
        pytest.param("mov", None, "1000/1", "1000/1", "1/1000", Fraction(1000), True, id="high speed, frame by frame"),
        pytest.param("mov", None, "90000/3001", "90000/3001", "1/90000", Fraction(90000, 3001), True, id="phone HLG: as it is"),
        pytest.param("mov", "progressive", "57600/1", "3628800/502589", "1/57600", Fraction(3628800, 502589), False, id="screen"),
        pytest.param("mov", "progressive", "30000/1001", "72000/2401", "1/600", Fraction(72000, 2401), False, id="phone VFR"),
        pytest.param("mov", None, "60000/1001", "10800000/180181", "1/90000", NTSC_60, True, id="59.94 in ticks of 1/90000"),
        pytest.param("mov", None, "30000/1001", "72000/2402", "1/600", NTSC, True, id="29.97 in ticks of 1/600"),
        pytest.param("mov", None, "60000/1001", "119/2", "1/90000", Fraction(119, 2), False, id="59.94 with a frame left out"),
        pytest.param("mpegts", "tt", "60000/1001", "30000/1001", "1/90000", NTSC, True, id="AVCHD: one rate is the fields'"),
        pytest.param("mpegts", "progressive", "60000/1001", "30000/1001", "1/90000", NTSC, False, id="not of progressive media"),
        pytest.param("mpegts", None, "25/1", "0/0", "1/90000", Fraction(25), True, id="one frame only"),
        pytest.param("mov", None, "0/0", "24/1", "1/24", Fraction(24), True, id="no nominal rate"),
        pytest.param("mxf", "tt", "25/1", "25/2", "1/25", Fraction(25), True, id="XAVC MXF: the average counts fields"),
        pytest.param("mxf", None, "0/0", "24/1", "1001/24000", Fraction(24000, 1001), True, id="MXF: the edit rate"),
        pytest.param("gxf", None, "25/1", "50/1", "1/50", Fraction(25), True, id="GXF: ticks are fields"),
        pytest.param("flv", None, "30000/1001", "2997/100", "1/1000", NTSC, True, id="FLV: a rounded average"),
        pytest.param("flv", None, "30/1", "30000/1001", "1/1000", NTSC, False, id="but 30 is not 29.97"),
        pytest.param("matroska", None, "19001/317", "19001/317", "1/1000", NTSC_60, True, id="Matroska: nanoseconds"),
        pytest.param("matroska", None, "19001/317", "0/0", "1/1000", NTSC_60, True, id="Matroska without an average"),
        pytest.param("matroska", None, "29011/242", "29011/242", "1/1000", NTSC_120, True, id="Matroska: 3 ns from 119.88"),
        pytest.param("matroska", None, "29011/243", "29011/243", "1/1000", Fraction(29011, 243), True, id="and nothing near it"),
        pytest.param("matroska", None, "2997/100", "2997/100", "1/1000", Fraction(2997, 100), True, id="33 ns from 29.97"),
        pytest.param("matroska", None, "15/1", "15/1", "1/1000", Fraction(15), True, id="Matroska, whole"),
        pytest.param("matroska", None, "1/3", "1/3", "1/1000", Fraction(1, 3), True, id="Matroska, slow"),
    ],
)
def test_the_rate_is_exact(
    demuxer: str,
    order: str | None,
    nominal: str,
    average: str,
    time_base: str,
    rate: Fraction,
    constant: bool,
) -> None:
    fields: Document = {
        "r_frame_rate": nominal,
        "avg_frame_rate": average,
        "time_base": time_base,
        "nb_frames": "120",
        "duration_ts": None,
    }
    found = timing(demuxer, order, fields)
    assert (found.rate, found.constant_rate) == (rate, constant)


@pytest.mark.parametrize(
    ("demuxer", "fields", "frames", "certain"),
    [
        pytest.param("mov", {"duration_ts": 12800}, 25, True, id="count and duration agree"),
        pytest.param(
            "mov",
            {"r_frame_rate": "30/1", "avg_frame_rate": "30/1", "time_base": "1/600", "duration_ts": 64, "nb_frames": "5"},
            4,
            False,
            id="iPhone: an edit list presents 4 of 5",
        ),
        pytest.param("mov", {"duration_ts": 25600}, 25, False, id="an edit list repeats: never more than are stored"),
        pytest.param("mov", {"r_frame_rate": "90000/1", "avg_frame_rate": "10/1", "duration_ts": 6400}, 25, False, id="VFR, cut"),
        pytest.param("mov", {"nb_frames": None}, None, False, id="not said"),
        pytest.param("avi", {}, 25, False, id="AVI counts frames that it may leave empty"),
        pytest.param("mpegts", {"nb_frames": None}, None, False, id="a stream counts nothing"),
        pytest.param("mxf", {"time_base": "1/25", "duration_ts": 95, "nb_frames": None}, 95, True, id="MXF: edit units"),
        pytest.param("mxf", {"time_base": "1/25", "duration_ts": None, "nb_frames": None}, None, False, id="MXF, unfinished"),
        pytest.param("gxf", {"time_base": "1/50", "duration_ts": 51, "nb_frames": None}, 26, False, id="GXF: half a frame"),
    ],
)
def test_how_many_frames_are_presented(
    demuxer: str,
    fields: dict[str, JsonValue],
    frames: int | None,
    certain: bool,
) -> None:
    found = timing(demuxer, fields=fields)
    assert (found.frames, found.frames_certain) == (frames, certain)


@pytest.mark.parametrize(
    ("nominal", "average", "time_base", "stored", "constant"),
    [
        pytest.param("30/1", "18000/607", "1/600", "30", "constant", id="the last frame is 27 ticks, not 20"),
        pytest.param("30/1", "18000/593", "1/600", "30", "constant", id="or 13"),
        pytest.param("30/1", "18000/620", "1/600", "30", "varying", id="a whole frame more: one was held somewhere"),
        pytest.param("30000/1001", "72000/2401", "1/600", "120", "varying", id="iPhone: 20.02 ticks"),
        pytest.param("90000/1", "750000/71393", "1/90000", "25", "varying", id="phone: a tick rate"),
        pytest.param("30/1", "18000/607", "1/600", None, "varying", id="uncounted"),
    ],
)
def test_a_last_frame_of_another_length_makes_no_varying_rate(
    nominal: str, average: str, time_base: str, stored: str | None, constant: str
) -> None:
    fields: Document = {"r_frame_rate": nominal, "avg_frame_rate": average, "time_base": time_base, "nb_frames": stored}
    found = timing(fields=fields)
    assert found.constant_rate == (constant == "constant")
    assert found.rate == Fraction(nominal if constant == "constant" else average)


def test_asf_gives_the_file_s_time_to_every_stream() -> None:
    assert timing("asf").duration is None


def test_start_and_duration_may_be_unsaid() -> None:
    found = timing(fields={"start_pts": None, "duration_ts": None})
    assert replace(found, frames=None) == replace(timing(), start=None, duration=None, frames=None, frames_certain=False)


@pytest.mark.parametrize("fields", [{"time_base": "0/1"}, {"r_frame_rate": "0/0", "avg_frame_rate": "0/0"}])
def test_without_a_rate_or_a_clock_there_is_no_timing(fields: dict[str, JsonValue]) -> None:
    assert timing_of(section(video(**fields)), "mov", None) is None


@pytest.mark.parametrize(("frames", "rate"), [(99_999, NTSC), (100_000, Fraction(2997, 100))])
def test_a_rounded_rate_is_exact_only_while_every_frame_stays_at_its_place(frames: int, rate: Fraction) -> None:
    # 1/29970000 s a frame: 3.337 ms after 100,000 frames, which is a tenth of one.
    rates: Document = {"r_frame_rate": "2997/100", "avg_frame_rate": "2997/100", "time_base": "1/2997"}
    assert timing(fields={**rates, "nb_frames": str(frames), "duration_ts": 100 * frames}).rate == rate


@pytest.mark.parametrize(
    ("average", "stored", "length", "constant"),
    [
        pytest.param("6900/227", "69", 950, True, id="cut in QuickTime: 47 of 69 frames"),
        pytest.param("6900/227", "69", 1362, False, id="nothing is cut off"),
        pytest.param("6900/220", "69", 950, False, id="more than a frame away"),
        pytest.param("6900/227", None, 950, False, id="uncounted"),
        pytest.param("6900/227", "69", None, False, id="without a length"),
    ],
)
def test_frames_that_an_edit_list_leaves_out_make_no_varying_rate(
    average: str, stored: str | None, length: int | None, constant: bool
) -> None:
    fields: Document = {"r_frame_rate": "30000/1001", "avg_frame_rate": average, "time_base": "1/600"}
    found = timing(fields={**fields, "nb_frames": stored, "duration_ts": length})
    assert (found.rate == NTSC, found.constant_rate) == (constant, constant)


@pytest.mark.parametrize(
    ("nominal", "average", "told"),
    [
        ("30/1", "117/4", Fraction(30)),
        ("90000/1", "117/4", Fraction(117, 4)),
        ("210/1", "30/1", Fraction(210)),
        ("211/1", "69/1", Fraction(69)),
        ("211/1", "70/1", Fraction(211)),
        ("0/0", "24/1", Fraction(24)),
        ("25/1", "0/0", Fraction(25)),
    ],
)
def test_a_rate_is_told_as_ffmpeg_guesses_it(nominal: str, average: str, told: Fraction) -> None:
    assert timing(fields={"r_frame_rate": nominal, "avg_frame_rate": average}).told_rate == told
