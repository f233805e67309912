"""What becomes of an audio stream's frames, from their times and lengths alone."""

from collections.abc import Sequence

import pytest

from proxx_worker.planning.audio_report import Placement, read_edge
from proxx_worker.verification.encode_observation import EncodeObserver
from proxx_worker.verification.heard_audio import Correction, HeardAudio, Listener
from tests.support.printouts import write_edge

PLACEMENT = Placement(origin=0, shift=0, slack=24, rate=48000)
FRAME = 1024


def hear(listener: Listener, number: int, time: int, samples: int, *, placed: bool = False) -> None:
    for ends in (False, True):
        edge = read_edge(write_edge(0, time + samples * ends, ends=ends, placed=placed))
        assert edge is not None
        listener.hear(number, edge)


def listened(
    frames: Sequence[tuple[int, int]], placement: Placement = PLACEMENT, placed: Sequence[tuple[int, int]] = ()
) -> HeardAudio:
    listener = Listener(placement)
    for is_placed, told in ((False, frames), (True, placed)):
        for number, (time, samples) in enumerate(told):
            hear(listener, number, time, samples, placed=is_placed)
    return listener.heard()


def frames(*times: int) -> list[tuple[int, int]]:
    return [(time, FRAME) for time in times]


@pytest.mark.parametrize(
    ("told", "first", "length", "corrections"),
    [
        ((), None, 0, ()),
        (frames(0, 1024, 2048), 0, 3072, ()),
        # Within the slack frames follow each other, whatever their times say; they do not add up.
        (frames(0, 1034, 2038, 3096), 0, 4096, ()),
        (frames(0, 1034, 2068, 3102), 0, 4126, (Correction(3072, 30),)),
        (frames(0, 1048, 2072), 0, 3072, ()),
        (frames(0, 1049, 2073), 0, 3097, (Correction(1024, 25),)),
        # A late start is silence, also a short one; what precedes the proxy is left out.
        (frames(3), 3, 1027, ()),
        (frames(4800, 5824), 4800, 6848, ()),
        (frames(-1000, 24), -1000, 1048, ()),
        (frames(-4000, -2976, -1952, -928), -4000, 96, ()),
        (frames(-4000), -4000, 0, ()),
        # While nothing has been given yet, the slack is 0.
        (frames(-4000, -2970), -4000, 0, ()),
        (frames(-4000, -2970, -20), -4000, 1004, (Correction(-1946, 1926),)),
        # Twice the same: the later one gives what is not there yet, so that nothing is lost at the end of both.
        (frames(0, 1024, 1024, 2048), 0, 3072, (Correction(2048, -1024),)),
        (frames(0, 1024, 500, 1524), 0, 2548, (Correction(2048, -1548),)),
        (frames(0, 1024, -3000), 0, 2048, (Correction(2048, -5048),)),
        # A hole behind frames that were left out.
        (frames(0, 1024, 0, 4096), 0, 5120, (Correction(2048, -2048), Correction(1024, 3072))),
    ],
)
def test_frames_are_put_where_they_stand(
    told: list[tuple[int, int]], first: int | None, length: int, corrections: tuple[Correction, ...]
) -> None:
    heard = listened(told)
    assert (heard.first, heard.length, heard.corrections) == (first, length, corrections)
    assert (heard.frames, heard.corrected, heard.placed) == (len(told), len(corrections), None)


def test_the_proxy_s_first_sample_is_the_origin() -> None:
    moved = Placement(origin=480, shift=1000, slack=24, rate=48000)
    assert listened(frames(0, 1024), moved).first == 520
    assert listened(frames(0, 1024), moved).length == 2568


def test_nothing_is_too_far_away() -> None:
    heard = listened(frames(0, 1 << 40, (1 << 40) + FRAME))
    assert (heard.length, heard.corrections) == ((1 << 40) + 2 * FRAME, (Correction(FRAME, (1 << 40) - FRAME),))


def test_a_frame_starts_where_the_one_before_it_ended_unless_it_is_said() -> None:
    listener = Listener(PLACEMENT)
    # The start of the third frame is told before the end of the second, whose number it does not have.
    for number, time, ends in ((0, 1024, True), (2, 9000, False), (1, 2048, True), (2, 10024, True), (3, 11048, True)):
        edge = read_edge(write_edge(0, time, ends=ends))
        assert edge is not None
        listener.hear(number, edge)
    heard = listener.heard()
    assert (heard.frames, heard.length, heard.corrections) == (4, 11048, (Correction(2048, 6952),))


@pytest.mark.parametrize(
    ("told", "widest"),
    [
        ((), Correction(0, 0)),
        (frames(0, 1024), Correction(0, 0)),
        (frames(4800, 5824), Correction(0, 4800)),
        (frames(0, 1030, 2042, 3080), Correction(3072, 8)),
        (frames(0, 1030, 2042), Correction(1024, 6)),
        (frames(480, 1504, 3000, 4024, 3024), Correction(5048, -2024)),
        (frames(-4000, -2976, 0), Correction(0, -4000)),
    ],
)
def test_the_widest_jump_is_kept(told: list[tuple[int, int]], widest: Correction) -> None:
    assert listened(told).widest == widest


def test_many_corrections_are_counted_and_the_first_ones_told() -> None:
    heard = listened(frames(*range(0, 2000 * 100, 2000)))
    assert (heard.corrected, len(heard.corrections)) == (99, 20)


def test_filters_that_begin_again_are_a_change_of_the_sound() -> None:
    listener = Listener(PLACEMENT)
    for number, time in ((0, 0), (1, 1024), (0, 2048), (1, 3072), (0, 4096)):
        hear(listener, number, time, FRAME)
    assert listener.heard() == HeardAudio(rate=48000, frames=5, first=0, length=5120, restarts=2)


def test_what_was_given_is_counted_whatever_its_times() -> None:
    assert listened([], placed=[(500, 100), (900, 50)]).placed == 150


def lines_of(number: int, stream: int, time: int, *, placed: bool = False) -> bytes:
    start, end = (write_edge(stream, time + FRAME * ends, ends=ends, placed=placed) for ends in (False, True))
    line = b"frame:%-4d pts:%-7d pts_time:%g\nheard=1\n"
    return (line + line) % (number, start, -1.8e11, number, end, -1.8e11)


def test_lines_of_picture_and_sound_may_stand_between_each_other() -> None:
    observer = EncodeObserver([PLACEMENT, None, PLACEMENT])
    lines = [
        lines_of(0, 0, 0), b"frame:0    pts:0       pts_time:0\n", lines_of(0, 2, 480), b"presented=1\n", b"heard=1\n",
        lines_of(1, 0, 1024), b"heard=1\n", b"heard=1\n", b"frame=1\nprogress=continue\n", lines_of(0, 1, 0), lines_of(0, 3, 0),
        b"frame:1    pts:512     pts_time:0.04\n", lines_of(0, 0, 0, placed=True),
        lines_of(0, 2, 1504),
    ]  # fmt: skip
    for said in lines:
        observer.feed_stdout(said)
    seen = observer.finish(0, 0)
    assert (seen.times, seen.restarts, seen.progress.frames) == ((0, 512), 0, 1)
    first, copied, last = seen.audio
    assert copied is None
    assert (first and (first.length, first.placed, first.restarts)) == (2048, FRAME, 0)
    assert (last and (last.first, last.restarts)) == (480, 1)


def test_the_two_reports_of_a_stream_may_take_turns() -> None:
    listener = Listener(PLACEMENT)
    for placed, ends, time in ((False, False, 100), (True, False, 5000), (False, True, 1124), (True, True, 6000)):
        edge = read_edge(write_edge(0, time, ends=ends, placed=placed))
        assert edge is not None
        listener.hear(0, edge)
    heard = listener.heard()
    assert (heard.first, heard.length, heard.placed) == (100, 1124, 1000)
