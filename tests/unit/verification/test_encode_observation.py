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


@pytest.mark.parametrize("other", ["[matroska,webm @ 0x1] [error] 0x00 at pos 7", "[error] x: Input/output error"])
def test_a_demuxer_s_complaints_do_not_hide_a_decoder_s(other: str) -> None:
    observer = EncodeObserver()
    observer.feed_line("[info] Stream mapping:")
    for _ in range(101):
        observer.feed_line(other)
    observer.feed_stdout(b"frame:0 pts:7 pts_time:0\n")
    late = ("[error] Error while decoding stream #0:0: Invalid data", ERROR, "[mov @ 0x1] [error] Non-monotonic DTS")
    for line in late:
        observer.feed_line(line)
    seen = observer.finish(0, 0)
    assert seen.complaints == (*100 * (other,), *late)
    assert seen.heard_at == (*100 * (0,), 1, 1, 1)
    assert (seen.complained_at, seen.complained_last) == (0, 1)


def test_kinds_of_complaints_are_bounded_too() -> None:
    observer = EncodeObserver()
    observer.feed_line("[info] Stream mapping:")
    for number in range(102):
        observer.feed_line(f"[speaker{number} @ 0x1] [error] x")
    observer.feed_line("[speaker99 @ 0x1] [error] y")
    seen = observer.finish(0, 0)
    assert seen.complaints == (*(f"[speaker{number} @ 0x1] [error] x" for number in range(100)), "[speaker99 @ 0x1] [error] y")


DROPPED = "[mpegts @ 0x1] [warning] Packet corrupt (stream = 1, dts = 301498), dropping it."
DESCRIBED = "[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/dev/fd/0':"
FORGED = (
    "[info]     k",
    "[fatal] x: No space left on device",
    DESCRIBED,
    DROPPED,
    "[info] video:1KiB audio:7KiB subtitle:0KiB",
    "[info] -2.000000",
    "[info] Stream mapping:",
    ERROR,
    "[info] -3.000000",
    "[info] video:1KiB audio:8KiB subtitle:0KiB",
    "x             : y",
)
"""What a metadata key may contain."""


def test_whatever_the_source_s_description_contains_is_forgotten() -> None:
    observer = EncodeObserver()
    for line in ("[info] libx", DROPPED, DESCRIBED, *FORGED, "[info] Stream mapping:"):
        observer.feed_line(line)
    seen = observer.finish(0, 0)
    assert (seen.complaints, seen.heard_at, seen.complained_at) == ((DROPPED,), (0,), 0)
    assert seen.stderr_tail == ("[info] libx", DROPPED, "[info] Stream mapping:")
    assert (seen.audio_units, seen.kinds) == (None, {})


def test_what_is_said_after_the_description_counts() -> None:
    observer = EncodeObserver()
    for line in (DESCRIBED, *FORGED, "[info] Stream mapping:", "[info] -1.000000", ERROR, "[info] video:1KiB audio:9KiB "):
        observer.feed_line(line)
    seen = observer.finish(0, 0)
    assert seen.complaints == (ERROR,)
    assert (seen.audio_units, seen.kinds) == (9, {"progressive": 0})
    assert seen.stderr_tail == ("[info] Stream mapping:", ERROR, "[info] video:1KiB audio:9KiB ")


def test_a_name_or_value_in_brackets_is_no_complaint() -> None:
    observer = EncodeObserver()
    observer.feed_line("[info] Stream mapping:")
    observer.feed_line("[info]       reel_name       : [error] x")
    observer.feed_line("                       : [error] concealing 1 DC, 1 AC, 1 MV errors")
    observer.feed_line("[info] Output #0, mov, to '[error] corrupt decoded frame.mov':")
    assert observer.finish(0, 0).complaints == ()


def test_what_is_said_where_no_encode_began_is_kept() -> None:
    observer = EncodeObserver()
    lines = (DESCRIBED, "[info]   Metadata:", "[fatal] Unknown encoder 'x'")
    for line in lines:
        observer.feed_line(line)
    seen = observer.finish(1, 0)
    assert (seen.stderr_tail, seen.complaints) == (lines, ())


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


def test_frames_without_a_time_are_listed_by_their_place() -> None:
    observer = EncodeObserver()
    observer.feed_stdout(b"frame:0 pts:7 pts_time:0\nframe:1 pts:NOPTS pts_time:NOPTS\nframe:2 pts:9 pts_time:0\n")
    observation = observer.finish(0, 1)
    assert ([*observation.times], [*observation.untimed]) == ([7, 9], [1])
