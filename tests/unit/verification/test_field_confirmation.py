"""The report of a pass with one decoder context."""

import pytest

from proxx_worker.verification.field_confirmation import FieldKinds

P = b"frame|interlaced_frame=0|top_field_first=0"
Q = b"frame|interlaced_frame=0|top_field_first=1"
T = b"frame|interlaced_frame=1|top_field_first=1"
B = b"frame|interlaced_frame=1|top_field_first=0"


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        ((), {}),
        ((P, Q, P), {"progressive": 0}),
        ((P, T, B, P, T), {"progressive": 0, "tt": 1, "bb": 2}),
        ((B, B, Q), {"bb": 0, "progressive": 2}),
    ],
)
def test_the_first_frame_of_each_kind(lines: tuple[bytes, ...], kinds: dict[str, int]) -> None:
    found = FieldKinds()
    found.feed(b"".join(line + b"\n" for line in lines))
    assert (found.of_last(10), found.frames) == (kinds, len(lines))


def test_frames_before_those_of_the_proxy_do_not_count() -> None:
    found = FieldKinds()
    found.feed(b"".join(line + b"\n" for line in (B, B, P, T, P)))
    assert found.of_last(4) == {"bb": 0, "progressive": 1, "tt": 2}
    assert found.of_last(3) == {"progressive": 0, "tt": 1}
    assert found.of_last(1) == {"progressive": 0}


def test_lines_of_side_data_are_no_frames() -> None:
    """FFmpeg 5.1 ends a frame's line with an empty one for its side data; others could say anything."""
    found = FieldKinds()
    found.feed(P + b"|\n\nside_data|interlaced_frame=1|top_field_first=1\n" + T + b"|side_data|x=1\n")
    assert (found.of_last(2), found.frames) == ({"progressive": 0, "tt": 1}, 2)


def test_a_report_in_pieces() -> None:
    report, found = P + b"\n" + T + b"\n", FieldKinds()
    for byte in report:
        found.feed(bytes([byte]))
    assert (found.of_last(2), found.taken) == ({"progressive": 0, "tt": 1}, len(report))


def test_an_endless_line_is_not_kept() -> None:
    found = FieldKinds()
    for _ in range(40):
        found.feed(b"x" * 60_000)
    found.feed(b"\n" + T + b"\n")
    assert (found.of_last(1), found.taken) == ({"tt": 0}, 2_400_000 + len(T) + 2)
