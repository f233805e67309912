"""Frames are read line by line, most of them by a short cut: what comes out is what every line says."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.verification.damage_places import MOST_PLACES
from proxx_worker.verification.proxy_probe import ProxyReader, StreamReport
from tests.support.printouts import parse_proxy

LOOKS = ("interlaced_frame=0|color_range=tv", "interlaced_frame=1|color_range=tv", "sample_aspect_ratio=1:1|side_data|")
SOUNDS = ((1024, 1024), (1024, 2048), (960, None))
PICTURE = st.tuples(st.integers(-(10**6), 10**12), st.sampled_from(LOOKS))
SOUND = st.tuples(st.integers(-(10**6), 10**12), st.sampled_from(SOUNDS))


def line_of(frame: tuple[int, str | tuple[int, int | None]]) -> str:
    time, words = frame
    if isinstance(words, str):
        return f"frame|stream_index=0|pts={time}|{words}\n"
    samples, length = words
    lasts = "" if length is None else f"pkt_duration={length}|"
    return f"frame|stream_index=1|pts={time}|{lasts}nb_samples={samples}\n"


def streams(frames: list[tuple[int, str | tuple[int, int | None]]]) -> tuple[StreamReport, StreamReport]:
    lines = "".join(map(line_of, frames)) + "stream|index=0|codec_type=video\nstream|index=1|codec_type=audio\n"
    report = parse_proxy(lines.encode())
    return report.of_type("video")[0], report.of_type("audio")[0]


@given(st.lists(PICTURE | SOUND))
def test_each_frame_counts(frames: list[tuple[int, str | tuple[int, int | None]]]) -> None:
    picture, sound = streams(frames)
    seen = [(time, words) for time, words in frames if isinstance(words, str)]
    heard = [(time, *words) for time, words in frames if not isinstance(words, str)]
    assert list(picture.times) == [time for time, _ in seen]
    assert picture.frames == len(seen)
    assert {look.get("interlaced_frame") for look in picture.frame_variants.values()} == {
        "0" if "=0|" in words else "1" if "=1|" in words else None for _, words in seen
    }
    assert list(sound.times) == [time for time, _, _ in heard]
    assert sound.samples == sum(samples for _, samples, _ in heard)
    ends = [(time, time + length) for time, _, length in heard if length is not None]
    holes = [end for (_, end), (time, _) in itertools.pairwise(ends) if time > end]
    assert (sound.end, sound.holes) == (ends[-1][1] if ends else None, holes[:MOST_PLACES])
    assert sound.more_holes == max(0, len(holes) - MOST_PLACES)


def test_a_line_that_says_its_time_twice_is_not_cut_short() -> None:
    reader = ProxyReader()
    for number in range(3):
        reader.feed(b"frame|stream_index=0|pts=%d|interlaced_frame=0|pts=%d\n" % (number, 10 * number))
    reader.feed(b"stream|index=0|codec_type=video\n")
    assert list(reader.finish().streams[0].times) == [0, 10, 20]


def test_side_data_on_its_own_line_belongs_to_the_frame_before_it() -> None:
    frames = b"frame|stream_index=0|pts=0|color_range=tv\nframe|stream_index=0|pts=1|color_range=tv\n"
    hdr = b"side_data|max_content=1000|max_average=400\n"
    (stream,) = parse_proxy(frames + hdr + b"stream|index=0|codec_type=video\n").streams
    assert stream.static_hdr == {"max_content": "1000", "max_average": "400"}


def test_side_data_of_nothing_is_passed_over() -> None:
    assert parse_proxy(b"side_data|side_data_type=Display Matrix|rotation=90\n").streams == ()


def test_the_time_that_a_line_says_last_counts_in_each_like_it() -> None:
    lines = b"".join(b"frame|stream_index=0|pts=%d|interlaced_frame=0|pts=5\n" % number for number in range(3))
    (stream,) = parse_proxy(lines + b"stream|index=0|codec_type=video\n").streams
    assert list(stream.times) == [5, 5, 5]


def test_frames_of_two_streams_that_look_alike_are_kept_apart() -> None:
    lines = [f"frame|stream_index={stream}|pts={time}|nb_samples=1024" for stream, time in ((1, 2), (2, 5), (1, 6), (2, 7))]
    lines += [f"stream|index={stream}|codec_type=audio" for stream in (1, 2)]
    assert [list(stream.times) for stream in parse_proxy("\n".join(lines).encode()).streams] == [[2, 6], [5, 7]]


def test_two_kinds_of_side_data_in_a_line_are_kept_apart() -> None:
    said = b"|side_datum/stereo_3d:type=2D|side_datum/display_matrix:rotation=-90"
    (stream,) = parse_proxy(b"stream|index=0|codec_type=video" + said + b"\n").streams
    assert stream.side_data == ({"type": "2D"}, {"rotation": "-90"})


def test_a_name_that_is_no_text_is_survived() -> None:
    assert parse_proxy(b"format|tag:reel_name=A\xff\n").container == {"tag:reel_name": "A\ufffd"}


def test_a_report_without_end_takes_memory_up_to_a_limit() -> None:
    reader = ProxyReader()
    for number in range(1100):
        reader.feed(f"stream|index={number}\nframe|stream_index={number}|pts=0\n".encode())
    reader.feed(b"frame|stream_index=0|pts=1\n")
    reader.feed(b"".join(b"side_data|max_content=%d|other_%d=1\n" % (number, number) for number in range(1100)))
    report = reader.finish()
    assert len(report.streams) == 1000
    assert report.streams[0].static_hdr == {"max_content": "1099"}
    reader.feed(b"stream|index=0\n")
    reader.feed(b"".join(b"side_data|rotation=%d\n" % number for number in range(1100)))
    assert len(reader.finish().streams[-1].side_data) < 1100


def test_of_very_many_holes_the_first_are_kept_and_the_others_counted() -> None:
    told: list[tuple[int, str | tuple[int, int | None]]] = [(100 * frame, (50, 50)) for frame in range(MOST_PLACES + 3)]
    sound = streams(told)[1]
    assert (sound.holes, sound.more_holes) == ([100 * frame + 50 for frame in range(MOST_PLACES)], 2)
