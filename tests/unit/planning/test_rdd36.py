import pytest

from proxx_worker.planning.rdd36 import HEADER_BYTES, TAGS_AT, unspecified

FRAME = bytes.fromhex("00001000") + b"icpf" + bytes.fromhex("00940000") + b"fmpg" + bytes.fromhex("014000b48000090100")


@pytest.mark.parametrize(
    ("hidden", "tags"),
    [
        ((False, False, True), "090102"),
        ((True, False, False), "020100"),
        ((False, True, False), "090200"),
        ((True, True, True), "020202"),
        ((False, False, False), "090100"),
    ],
)
def test_only_hidden_tags_are_unspecified(hidden: tuple[bool, bool, bool], tags: str) -> None:
    assert (len(FRAME), FRAME[TAGS_AT:].hex()) == (HEADER_BYTES, "090100")
    assert unspecified(FRAME, hidden).hex() == unspecified(FRAME + bytes(9), hidden).hex() == tags


@pytest.mark.parametrize("header", [b"", FRAME[:-1], b"\0" + FRAME[:-1], FRAME[:4] + b"icpg" + FRAME[8:]])
def test_anything_else_is_refused(header: bytes) -> None:
    with pytest.raises(ValueError, match=f"begins with {header[:8].hex()}, which is not ProRes"):
        unspecified(header, (True, True, True))
