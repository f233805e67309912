"""Words of ffprobe's that no version is known to print: passed over or held against the proxy, never an error of the worker's."""

from fractions import Fraction

import pytest

from proxx_worker.contract.output_settings import Container
from proxx_worker.media.ffprobe_json import read_ratio
from proxx_worker.verification.checks import video_duration
from proxx_worker.verification.proxy_probe import ProxyReader, StreamReport
from tests.support.printouts import parse_proxy


@pytest.mark.parametrize("time", ["--5", "9" * 19, "9" * 5000, "٣", "1_0", "nan", "-"])
def test_a_time_that_is_no_64_bit_number_is_none(time: str) -> None:
    (stream,) = parse_proxy(f"frame|stream_index=0|pts={time}\nstream|index=0".encode()).streams
    assert (stream.frames, list(stream.times)) == (1, [])


@pytest.mark.parametrize("samples", ["9" * 5000, "-", "٣"])
def test_samples_that_are_no_number_are_none(samples: str) -> None:
    (stream,) = parse_proxy(f"frame|stream_index=0|nb_samples={samples}\nstream|index=0".encode()).streams
    assert stream.samples == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [("30000/1001", Fraction(30000, 1001)), ("16:9", Fraction(16, 9)), ("0/1", None), ("1/0", None)]
    + [
        (odd, None) for odd in ("", "25", "-90/1", "N/A", "1/", "1_0", "٣", "nan", "inf", "9" * 19, "1/" + "9" * 19, "1/-2", " 1")
    ],
)
def test_a_ratio_is_two_plain_numbers(text: str, value: Fraction | None) -> None:
    assert read_ratio(text) == value


@pytest.mark.parametrize("text", ["00:01", "aa:bb:cc", "00:00:nan", "00:00:1e9", "00:00:00:00", "00:00:" + "9" * 99])
def test_a_duration_that_is_no_clock_is_not_known(text: str) -> None:
    stream = StreamReport({"time_base": "1/1000", "tag:DURATION": text})
    stream.times.append(0)
    assert video_duration(Container.MKV, stream) is None


def test_matroska_says_its_duration_as_a_clock() -> None:
    stream = StreamReport({"time_base": "1/1000", "tag:DURATION": "01:00:02.500000000"})
    stream.times.append(500)
    assert video_duration(Container.MKV, stream) == 3602


def test_a_value_may_hold_the_separator() -> None:
    report = parse_proxy(rb"format|format_name=mov|tag:reel_name=A\|B\\\n=C|duration=1" + b"\n")
    assert report.container == {"format_name": "mov", "tag:reel_name": "A|B\\\n=C", "duration": "1"}


def test_frames_that_all_look_different_agree_on_nothing() -> None:
    lines = [f"frame|stream_index=0|pts={number}|color_range=tv|odd={number}" for number in range(100)]
    (stream,) = parse_proxy("\n".join([*lines, "stream|index=0"]).encode()).streams
    assert (stream.frames, len(stream.frame_variants)) == (100, 64)
    assert stream.frame_value("color_range") is None


def test_a_line_without_end_is_not_kept() -> None:
    reader = ProxyReader()
    for _ in range(40):
        reader.feed(b"x" * (1 << 16))
    reader.feed(b"\nstream|index=0")
    assert len(reader.finish().streams) == 1
