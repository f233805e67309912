from fractions import Fraction

import pytest

from proxx_worker.media.facts import Timecode
from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.timecode import Found, find_reel, find_timecode, parse_timecode, usual_timecode
from tests.unit.media.documents import data, section

NTSC = Fraction(30000, 1001)


def tagged(**tags: str) -> Section:
    return Section({"tags": dict(tags)})


def track(tag: str, **tags: str) -> Section:
    return section(data(tag, tags=dict(tags)))


@pytest.mark.parametrize(
    ("text", "rate", "expected"),
    [
        ("01:02:03:24", Fraction(25), "01:02:03:24"),
        ("00:01:15;26", Fraction(60000, 1001), "00:01:15;26"),
        ("00:01:15.26", NTSC, "00:01:15;26"),
        ("10:00:00:49", Fraction(50), "10:00:00:49"),
        ("00:10:00;00", NTSC, "00:10:00;00"),
        ("00:01:00;02", NTSC, "00:01:00;02"),
        ("00:01:00;04", Fraction(60000, 1001), "00:01:00;04"),
        ("00:00:59;29", Fraction(2997, 100), "00:00:59;29"),
        ("00:00:01:119", Fraction(120), "00:00:01:119"),
        ("00:00:01:005", Fraction(120), "00:00:01:05"),
        ("01:00:00:5", Fraction(10), "01:00:00:05"),
        ("01:00:00:12", Fraction(25, 2), "01:00:00:12"),
    ],
)
def test_a_timecode_is_kept_with_its_drop_flag(text: str, rate: Fraction, expected: str) -> None:
    assert parse_timecode(text, rate, "stream") == Timecode(expected, ";" in expected, "stream")


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("24:00:00:00", Fraction(25)),
        ("00:60:00:00", Fraction(25)),
        ("00:00:60:00", Fraction(25)),
        ("00:00:00:25", Fraction(25)),
        ("00:00:00:0000", Fraction(25)),
        ("00:00:00:30", Fraction(3002, 100)),
        ("00:00:00:30", NTSC),
        ("00:00:00;00", Fraction(30)),  # 30 drops nothing
        ("00:00:00;00", Fraction(25)),
        ("00:01:00;00", NTSC),  # a label that drop-frame leaves out
        ("00:01:00;01", NTSC),
        ("00:01:00;03", Fraction(60000, 1001)),
        ("-00:00:01:00", Fraction(25)),
        ("1:00:00:00", Fraction(25)),
        ("01:00:00:00 ", Fraction(25)),
        ("garbage", Fraction(25)),
        ("", Fraction(25)),
    ],
)
def test_what_no_clock_can_show_is_none(text: str, rate: Fraction) -> None:
    assert parse_timecode(text, rate, "stream") is None


def test_the_frames_have_two_digits_however_many_were_written() -> None:
    written = ("01:00:00:5", "01:00:00;05", "01:00:00:005", "01:00:00:119", "no timecode:5")
    assert [usual_timecode(text) for text in written] == [
        "01:00:00:05", "01:00:00;05", "01:00:00:05", "01:00:00:119", "no timecode:5"
    ]  # fmt: skip


def found(demuxer: str, container: Section | None = None, picture: Section | None = None, *streams: Section) -> Timecode | None:
    nothing = Section({})
    return find_timecode(demuxer, container or nothing, picture or nothing, streams, Fraction(25)).timecode


def test_a_movie_s_picture_comes_first_then_its_tracks_then_the_container_then_sony_s_metadata() -> None:
    picture, container = tagged(timecode="01:00:00:00"), tagged(timecode="04:00:00:00")
    rtmd, tmcd = track("rtmd", timecode="05:00:00:00"), track("tmcd", timecode="02:00:00:00")
    assert found("mov", container, picture, rtmd, tmcd) == Timecode("01:00:00:00", drop_frame=False, origin="stream")
    assert found("mov", container, None, rtmd, tmcd) == Timecode("02:00:00:00", drop_frame=False, origin="tmcd")
    assert found("mov", container, None, rtmd) == Timecode("04:00:00:00", drop_frame=False, origin="format")
    assert found("mov", None, None, rtmd) == Timecode("05:00:00:00", drop_frame=False, origin="rtmd")
    assert found("mov") is None


def test_in_mxf_the_material_package_comes_first() -> None:
    picture, container = tagged(timecode="01:00:00:00"), tagged(timecode="04:00:00:00")
    assert found("mxf", container, picture) == Timecode("04:00:00:00", drop_frame=False, origin="format")
    assert found("mxf", None, picture) == Timecode("01:00:00:00", drop_frame=False, origin="stream")


def test_matroska_shouts() -> None:
    assert found("matroska", None, tagged(TIMECODE="01:00:00:00")) == Timecode("01:00:00:00", drop_frame=False, origin="stream")


def test_other_data_streams_keep_no_timecode() -> None:
    assert found("mov", None, None, track("gpmd", timecode="01:00:00:00")) is None


def test_what_is_passed_over_is_noted() -> None:
    container, picture = tagged(timecode="04:00:00:00"), tagged(timecode="99:00:00:00")
    tmcd = [track("tmcd", timecode="02:00:00:00"), track("tmcd", timecode="02:00:00:00")]
    result = find_timecode("mov", container, picture, tmcd, Fraction(25))
    assert result.timecode == Timecode("02:00:00:00", drop_frame=False, origin="tmcd")
    assert result.notes == (
        "stream timecode '99:00:00:00' is not valid at 25 frames/s: ignored",
        "format timecode 04:00:00:00 differs from the tmcd timecode: ignored",
    )


def test_the_reel_is_the_picture_s_then_a_timecode_track_s_then_the_container_s() -> None:
    tmcd, nothing = track("tmcd", reel_name="B002"), Section({})
    assert find_reel(tagged(reel_name="C003"), tagged(reel_name="A001"), [tmcd]).name == "A001"
    assert find_reel(tagged(reel_name="C003"), nothing, [track("gpmd", reel_name="x"), tmcd]).name == "B002"
    assert find_reel(tagged(reel_name="C003"), nothing, []).name == "C003"
    assert find_reel(nothing, nothing, [tmcd, tmcd]).name == "B002"
    assert find_reel(nothing, nothing, []).name is None


def varying(text: str, *tracks: Section, rate: Fraction = Fraction(117, 4), told: Fraction = Fraction(30)) -> Found:
    picture = tagged(timecode=text)
    return find_timecode("mov", Section({}), picture, tracks, rate, told)


def timecode(text: str, own_rate: Fraction) -> Timecode:
    return Timecode(text, ";" in text, "stream", own_rate)


def counting(rate: str, text: str) -> Section:
    return section(data("tmcd", tags={"timecode": text}, avg_frame_rate=rate))


def test_where_the_rate_varies_the_tracks_own_counts() -> None:
    last = "01:00:00:29"
    assert varying(last, counting("15360/512", last)).timecode == timecode(last, Fraction(30))
    assert varying("01:00:00;10", counting("30000/1001", "01:00:00;10")).timecode == timecode("01:00:00;10", NTSC)
    # Another track's rate says nothing of this timecode; then what FFmpeg tells, then the average.
    assert varying(last, counting("25/1", "02:00:00:00")).timecode == timecode(last, Fraction(30))
    assert varying(last, counting("0/0", last), told=Fraction(60)).timecode == timecode(last, Fraction(60))
    assert varying("01:00:00:28", counting("25/1", "01:00:00:28"), told=Fraction(24)).timecode == Timecode(
        "01:00:00:28", drop_frame=False, origin="stream"
    )


def test_a_track_is_found_by_its_own_rate_as_well() -> None:
    track = counting("30/1", "01:00:00:29")
    found = find_timecode("mov", Section({}), Section({}), [track], Fraction(25), Fraction(25))
    assert found.timecode == Timecode("01:00:00:29", drop_frame=False, origin="tmcd", own_rate=Fraction(30))


SIXTY, FIFTY = Fraction(60000, 1001), Fraction(50)


@pytest.mark.parametrize(
    ("own", "text", "rate", "wanted"),
    [
        ("30000/1001", "01:00:01;20", SIXTY, "01:00:01;40"),
        ("30000/1001", "00:01:00;02", SIXTY, "00:01:00;04"),
        ("30000/1001", "01:00:01:20", SIXTY, "01:00:01:40"),
        ("30/1", "01:00:00:29", Fraction(60), "01:00:00:58"),
        ("30/1", "01:00:00;29", SIXTY, "01:00:00;58"),  # 30 is said, 29.97 meant: only that has drop-frame
        ("25/1", "01:00:00:24", Fraction(100), "01:00:00:96"),
        ("60000/1001", "00:01:00;04", NTSC, "00:01:00;02"),
        ("60000/1001", "01:00:00:40", NTSC, "01:00:00:20"),
        ("24/1", "01:00:00:12", FIFTY, "01:00:00:25"),
        ("25/1", "10:00:00:00", Fraction(24), "10:00:00:00"),
    ],
)
def test_a_track_that_counts_otherwise_than_a_constant_rate_tells_the_moment(
    own: str, text: str, rate: Fraction, wanted: str
) -> None:
    result = find_timecode("mov", Section({}), tagged(timecode=text), [counting(own, text)], rate)
    assert result.timecode == Timecode(wanted, ";" in text, "stream")
    said = f"stream timecode {text!r} counts {Fraction(own)} frames/s: {wanted} at the video's {rate}"
    assert result.notes == (() if text == wanted else (said,))


@pytest.mark.parametrize(
    ("own", "text", "rate"),
    [
        ("30/1", "01:00:00:29", Fraction(25)),
        ("50/1", "01:00:00:01", Fraction(25)),  # between two pictures
        ("24/1", "01:00:00:01", FIFTY),
        ("30000/1001", "01:00:00;20", Fraction(60)),  # 60 drops nothing
        ("30000/1001", "01:00:00;00", Fraction(24000, 1001)),
        ("25/1", "01:00:00:25", FIFTY),  # not a label of its own rate
    ],
)
def test_a_moment_between_two_pictures_is_no_timecode(own: str, text: str, rate: Fraction) -> None:
    result = find_timecode("mov", Section({}), Section({}), [counting(own, text)], rate)
    why = f"tmcd timecode {text!r} counts {Fraction(own)} frames/s, and no frame of the video's {rate} is there: ignored"
    assert (result.timecode, result.notes) == (None, (why,))


@pytest.mark.parametrize(
    ("own", "text", "rate"),
    [
        ("30000/1001", "01:00:01;20", NTSC),
        ("2997/100", "01:00:01;20", NTSC),
        ("30/1", "01:00:01:20", NTSC),
        ("24/1", "01:00:01:20", Fraction(24000, 1001)),
        ("0/0", "01:00:01:20", SIXTY),
    ],
)
def test_as_many_labels_a_second_are_the_video_s_own(own: str, text: str, rate: Fraction) -> None:
    result = find_timecode("mov", Section({}), Section({}), [counting(own, text)], rate)
    assert result == Found(Timecode(text, ";" in text, "tmcd"), ())


def test_one_of_several_tracks_that_counts_as_the_video_does_is_enough() -> None:
    text = "01:00:01:20"
    tracks = [counting("30/1", text), counting("60/1", text)]
    assert find_timecode("mov", Section({}), Section({}), tracks, Fraction(60)) == Found(
        Timecode(text, drop_frame=False, origin="tmcd"), ()
    )
    other = [counting("30/1", text), counting("60/1", "02:00:00:00")]
    assert find_timecode("mov", Section({}), Section({}), other, Fraction(60)).timecode == Timecode(
        "01:00:01:40", drop_frame=False, origin="tmcd"
    )


def test_a_timecode_that_no_rate_can_count_is_noted_at_the_likeliest() -> None:
    text = "01:00:00:30"
    result = varying(text, counting("15360/512", text))
    assert (result.timecode, result.notes) == (
        None,
        (
            "stream timecode '01:00:00:30' is not valid at 30 frames/s: ignored",
            "tmcd timecode '01:00:00:30' is not valid at 30 frames/s: ignored",
        ),
    )


@pytest.mark.parametrize(
    ("stored", "name", "notes"),
    [
        ("  lead trail  ", "  lead trail  ", ()),
        ("A\nB", "AB", (r"control characters of the reel name 'A\nB' are left out: 'AB'",)),
        (" A\x1b ", " A ", (r"control characters of the reel name ' A\x1b ' are left out: ' A '",)),
        (" \n ", None, ()),
    ],
)
def test_a_reel_keeps_its_spaces(stored: str, name: str | None, notes: tuple[str, ...]) -> None:
    found = find_reel(Section({"tags": {"reel_name": stored}}), Section({}), [])
    assert (found.name, found.notes) == (name, notes)
