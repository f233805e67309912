import pytest

from proxx_worker.verification.encode_observation import EncodeObservation, EncodeObserver
from proxx_worker.verification.progress import Progress

ERROR = "[h264 @ 0x55d5] [error] error while decoding MB 21 4, bytestream -30"


def test_nothing_was_said() -> None:
    assert EncodeObserver().finish(-9, 48) == EncodeObservation(exit_code=-9, progress=Progress(), file_size=48)


def test_a_whole_encode() -> None:
    observer = EncodeObserver()
    observer.feed_line(ERROR)  # while FFmpeg looked into the file
    observer.feed_line("[info] Stream mapping:")
    assert observer.feed_stdout(b"frame:0 pts:7 pts_time:0\nframe=1\nprogress=end\n") == [Progress(frames=1, ended=True)]
    observer.feed_line(ERROR)
    observer.feed_stdout(b"frame:1 pts:9 pts_time:0\n")
    observer.feed_line("[warning] file:/x: corrupt input packet in stream 0")
    observer.feed_line("[info] done")
    assert observer.finish(1, 100) == EncodeObservation(
        exit_code=1,
        progress=Progress(frames=1, ended=True),
        file_size=100,
        stderr_tail=(
            ERROR, "[info] Stream mapping:", ERROR, "[warning] file:/x: corrupt input packet in stream 0", "[info] done"
        ),
        complaints=(ERROR, "[warning] file:/x: corrupt input packet in stream 0"),
        times=(7, 9),
        restarts=0,
        complained_at=1,
        heard_at=(1, 2),
        complained_last=2,
    )  # fmt: skip


@pytest.mark.parametrize(
    "line", ["[fatal] Error", "[panic] Error", "[aac @ 0x1] [error] x", "[warning] x: corrupt decoded frame"]
)
def test_complaints(line: str) -> None:
    observer = EncodeObserver()
    observer.feed_line("[info] Stream mapping:")
    observer.feed_line(line)
    assert observer.finish(0, 0).complaints == (line,)


def test_memory_is_bounded() -> None:
    observer = EncodeObserver()
    observer.feed_line("[info] Stream mapping:")
    for number in range(1000):
        observer.feed_line(f"[error] {number}")
    observation = observer.finish(1, 0)
    assert observation.complaints == tuple(f"[error] {number}" for number in range(100))
    assert observation.stderr_tail == tuple(f"[error] {number}" for number in range(980, 1000))


@pytest.mark.parametrize("unit", ["kB", "KiB"])
def test_how_much_audio_was_encoded(unit: str) -> None:
    observer = EncodeObserver()
    observer.feed_line(f"[info] video:1024{unit} audio:2065{unit} subtitle:0{unit} other streams:0{unit}")
    assert observer.finish(0, 0).audio_units == 2065


def test_a_harmless_complaint_is_none() -> None:
    observer = EncodeObserver()
    observer.feed_line("[info] Stream mapping:")
    observer.feed_line("[hevc @ 0x1] [error] SEI type 5 size 12 truncated at 8")
    seen = observer.finish(0, 0)
    assert (seen.complaints, seen.complained_at, len(seen.stderr_tail)) == ((), None, 2)


def test_a_picture_that_changes_on_the_way_is_counted() -> None:
    observer = EncodeObserver()
    observer.feed_stdout(2 * b"frame:0 pts:7 pts_time:0\nframe:1 pts:8 pts_time:0\n")
    assert observer.finish(0, 0).restarts == 1
