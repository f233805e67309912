"""Recordings that stop within a picture or a packet: what is left out is told, and nothing else may be."""

from dataclasses import replace

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import Check
from proxx_worker.media.facts import MediaFacts, OpenEnd
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.verification.encode_fault import encode_error
from proxx_worker.verification.encode_observation import EncodeObserver
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from tests.unit.planning.sources import CLIP, clip, settings
from tests.unit.verification.proxies import perfect_encode, perfect_proxy

LAST = 301_498


def dropped(time: int | str) -> str:
    return f"[mpegts @ 0x55e5] [warning] Packet corrupt (stream = 1, dts = {time}), dropping it."


def planned(end: OpenEnd | None) -> TaskPlan:
    source: MediaFacts = replace(clip(frames=None, frames_certain=False), formats=("mpegts",), open_end=end)
    return plan_task(settings(), source)


def code(end: OpenEnd | None, *times: int | str) -> ErrorCode | None:
    plan = planned(end)
    observer = EncodeObserver()
    for time in times:
        observer.feed_line(dropped(time))  # also as FFmpeg looks into the file, before the encode begins
    heard = observer.finish(0, 1000)
    error = encode_error(plan, replace(perfect_encode(plan), complaints=heard.complaints, heard_at=heard.heard_at))
    return None if error is None else error.code


@pytest.mark.parametrize(
    ("end", "times", "expected"),
    [
        (OpenEnd(None, (LAST,)), (LAST, LAST, LAST), None),
        (OpenEnd(1880, (LAST, 7)), (LAST, 7), None),
        (OpenEnd(None, (LAST,)), (LAST + (1 << 33),), None),
        (OpenEnd(None, (None,)), ("NOPTS",), None),
        (OpenEnd(None, (LAST,)), (LAST - 3600,), ErrorCode.SOURCE_DAMAGED),
        (OpenEnd(None, (LAST,)), (LAST, "NOPTS"), ErrorCode.SOURCE_DAMAGED),
        (OpenEnd(1880), (LAST,), ErrorCode.SOURCE_DAMAGED),
        (None, (LAST,), ErrorCode.SOURCE_DAMAGED),
    ],
)
def test_only_packets_that_are_known_to_be_the_last_ones_may_be_dropped(
    end: OpenEnd | None, times: tuple[int | str, ...], expected: ErrorCode | None
) -> None:
    assert code(end, *times) is expected


def test_what_else_is_wrong_with_such_a_recording_is_damage() -> None:
    plan = planned(OpenEnd(None, (LAST,)))
    complaint = "[h264 @ 0x1] [error] error while decoding MB 21 4, bytestream -30"
    error = encode_error(plan, replace(perfect_encode(plan), complaints=(complaint,)))
    assert error is not None
    assert error.code is ErrorCode.SOURCE_DAMAGED


def test_the_picture_that_was_left_out_is_counted() -> None:
    picture = perfect_proxy(planned(None)).observation().report.of_type("video")[0]
    said = "1 of 26, at the end and not known to be whole"
    left_out = Check(name="frames_left_out_at_end", expected=said, actual=said, ok=True)
    for end, told in ((OpenEnd(1880), True), (OpenEnd(None, (LAST,)), False), (None, False)):
        plan = planned(end)
        assert (left_out in FfmpegEvidence(plan, perfect_encode(plan)).time_checks(picture)) is told


def test_the_command_reads_as_far_as_there_are_whole_pictures() -> None:
    plain, cut, noisy = planned(None), planned(OpenEnd(1880)), planned(OpenEnd(None, (LAST,)))
    assert "file:/in" in plain.argv("ffmpeg", "/in", "out")
    assert "subfile,,start,0,end,1880,,:file:/in" in cut.argv("ffmpeg", "/in", "out")
    assert [plan.input_options[plan.input_options.index("-protocol_whitelist") + 1] for plan in (plain, cut, noisy)] == [
        "file", "subfile,file", "file"
    ]  # fmt: skip
    assert ["+discardcorrupt" in plan.input_options for plan in (plain, cut, noisy)] == [False, False, True]
    assert len({plan.fingerprint() for plan in (plain, cut, noisy)}) == 3
    assert plan_task(settings(), CLIP).fingerprint() == plan_task(settings(), replace(CLIP, open_end=None)).fingerprint()
