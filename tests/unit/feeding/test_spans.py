import struct

from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.feeding.spans import shot_of_p2_clip, span_text, spans_of_p2, spans_of_playlist


def playlist(*items: tuple[str, int]) -> bytes:
    """An AVCHD playlist: each play item's clip, and how it connects with the one before."""
    body = b""
    for name, connection in items:
        item = struct.pack(">5s4sH", name.encode(), b"M2TS", connection) + b"\0" * 30
        body += struct.pack(">H", len(item)) + item
    header = struct.pack(">4s4sI", b"MPLS", b"0100", 40) + b"\0" * 28
    return header + struct.pack(">IHHH", len(body), 0, len(items), 0) + body


def test_a_recording_that_was_divided_is_one_span() -> None:
    data = playlist(("00000", 1), ("00001", 1), ("00002", 5), ("00003", 6), ("00004", 1))
    assert spans_of_playlist(data) == (("00001", "00002", "00003"),)


def test_clips_of_their_own_are_no_span() -> None:
    assert spans_of_playlist(playlist(("00000", 1), ("00001", 1))) == ()
    assert spans_of_playlist(playlist(("00000", 5))) == ()


def test_what_is_cut_off_tells_what_it_still_holds() -> None:
    data = playlist(("00001", 1), ("00002", 5), ("00003", 5))
    assert spans_of_playlist(data[:-40]) == (("00001", "00002"),)
    assert spans_of_playlist(data[:45]) == ()
    assert spans_of_playlist(data[:10]) == ()
    assert spans_of_playlist(b"INDX" + data[4:]) == ()


@given(st.binary(max_size=200))
def test_any_bytes_are_read(data: bytes) -> None:
    spans_of_playlist(b"MPLS0100" + data)
    shot_of_p2_clip(data)


CLIP = b"<P2Main><ClipContent><GlobalClipID>%s</GlobalClipID>%s</ClipContent></P2Main>"
TOP = b"<Relation><Connection><Top><GlobalClipID>ONE</GlobalClipID></Top><Next/></Connection></Relation>"
NEXT = b"<Relation><Connection><Next><GlobalClipID>TWO</GlobalClipID></Next></Connection></Relation>"


def test_a_part_of_a_p2_shot_names_the_first() -> None:
    assert shot_of_p2_clip(CLIP % (b"TWO", TOP)) == "ONE"
    assert shot_of_p2_clip(CLIP % (b"ONE", NEXT)) == "ONE"
    assert shot_of_p2_clip(CLIP % (b"ONE", b"")) is None
    assert shot_of_p2_clip(b"<Connection>") is None


def test_the_clips_of_one_p2_shot_belong_together() -> None:
    shots = {"/V/0001AB.MXF": "ONE", "/V/0002CD.MXF": None, "/V/0003EF.MXF": "ONE", "/V/0004GH.MXF": "LONE"}
    assert spans_of_p2(shots) == (("/V/0001AB.MXF", "/V/0003EF.MXF"),)
    assert span_text(("/V/0001AB.MXF", "/V/0003EF.MXF")) == "0001AB.MXF + 0003EF.MXF"
