import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.verification.progress import Progress, ProgressParser

BLOCK = b"""frame=25
fps=12.50
stream_0_0_q=-1.0
bitrate= 999.2kbits/s
total_size=259768
out_time_us=2079856
out_time_ms=2079856
out_time=00:00:02.079856
dup_frames=1
drop_frames=2
speed=4.82x
progress=end
"""
PROGRESS = Progress(25, Fraction(2079856, 1_000_000), 4.82, 259768, ended=True)
FRAMES = b"frame:0    pts:0       pts_time:0\npresented=1\nframe:1    pts:9000    pts_time:0.1\npresented=1\n"


def test_a_block() -> None:
    parser = ProgressParser()
    assert parser.feed(BLOCK) == [PROGRESS]
    assert parser.last == PROGRESS


def test_nothing_seen_is_nothing_known() -> None:
    parser = ProgressParser()
    assert (parser.last, [*parser.times], [*parser.untimed], parser.count, parser.restarts) == (Progress(), [], [], 0, 0)


def test_a_block_before_the_first_frame() -> None:
    lines = b"frame=0\nfps=0.00\nbitrate=N/A\ntotal_size=N/A\nout_time_us=N/A\nspeed=N/A\nprogress=continue\n"
    assert ProgressParser().feed(lines) == [Progress()]


def test_a_block_may_say_almost_nothing() -> None:
    assert ProgressParser().feed(b"progress=continue\n") == [Progress()]


def test_presented_frames_between_the_blocks() -> None:
    parser = ProgressParser()
    assert parser.feed(FRAMES + BLOCK + b"frame:2    pts:NOPTS   pts_time:NOPTS\nframe:3    pts:-512    pts_time:-0.1\n") == [
        PROGRESS
    ]
    assert ([*parser.times], [*parser.untimed]) == ([0, 9000, -512], [2])
    assert (parser.count, parser.restarts) == (4, 0)


def test_frames_counted_anew_are_a_restart() -> None:
    parser = ProgressParser()
    parser.feed(FRAMES + FRAMES + b"frame:0    pts:5       pts_time:0\n")
    assert (parser.restarts, parser.count) == (2, 5)


@given(st.lists(st.integers(0, 600), max_size=8))
def test_the_chunks_do_not_matter(cuts: list[int]) -> None:
    data = FRAMES + BLOCK + FRAMES
    parser = ProgressParser()
    edges = [0, *sorted(cuts), len(data)]
    blocks = [block for start, end in itertools.pairwise(edges) for block in parser.feed(data[start:end])]
    assert (blocks, [*parser.times]) == ([PROGRESS], [0, 9000, 0, 9000])


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_are_survived(chunks: list[bytes]) -> None:
    parser = ProgressParser()
    for chunk in chunks:
        parser.feed(chunk)
    assert parser.feed(b"\n" + BLOCK)[-1] == PROGRESS


@given(st.text(alphabet="frame:pts=0123456789-NOPTS_ \n\x00progress", max_size=300))
def test_anything_that_looks_like_it_is_survived(text: str) -> None:
    ProgressParser().feed(text.encode() + b"\n")


def test_a_line_without_end_is_dropped_whole() -> None:
    parser = ProgressParser()
    assert parser.feed(b"x" * 5000) == []
    assert parser.feed(b"progress=end\n") == []
    assert parser.feed(BLOCK) == [PROGRESS]


def test_a_line_of_4096_bytes_is_whole() -> None:
    parser = ProgressParser()
    assert parser.feed(b"progress=end".ljust(4096)) == []
    assert parser.feed(b"\n") == [Progress(ended=True)]
    assert parser.feed(b"progress=end".ljust(4097)) == []
    assert parser.feed(b"\n") == []


def test_a_value_may_contain_what_ends_a_key() -> None:
    assert ProgressParser().feed(b"frame=3\nprogress=end=x\n") == [Progress(frames=3)]
