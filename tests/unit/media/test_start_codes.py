"""Units between start codes, wherever a chunk of the file ends."""

import re

import pytest

from proxx_worker.media import start_codes
from proxx_worker.media.start_codes import units
from proxx_worker.media.uncountable import Uncountable
from tests.unit.media.bitstreams import unit

WANTED = re.compile(rb"\x00\x00\x01[ab]")


def found(stream: bytes) -> list[bytes]:
    return list(units(lambda at, size: stream[at : at + size], WANTED))


def test_only_what_is_wanted_is_given_up_to_the_next_unit_of_any_kind() -> None:
    assert found(b"junk" + unit(b"a12") + unit(b"c34") + unit(b"b5\0\0") + unit(b"a")) == [b"a12", b"b5\0\0", b"a"]
    assert found(b"") == []
    assert found(b"\0\0\1") == []


@pytest.mark.parametrize("chunk", range(7, 40))
def test_a_unit_over_the_end_of_a_chunk_is_found_once_and_whole(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(start_codes, "CHUNK", chunk)
    monkeypatch.setattr(start_codes, "UNIT_BYTES", 8)
    stream = b"".join(unit(b"a%d" % number) for number in range(100, 120))
    assert found(stream) == [b"a%d" % number for number in range(100, 120)]


def test_a_long_unit_is_given_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_codes, "UNIT_BYTES", 4)
    assert found(unit(b"a123456") + unit(b"b")) == [b"a123", b"b"]


def test_more_units_than_any_clip_has_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_codes, "MOST_UNITS", 3)
    assert len(found(3 * unit(b"a"))) == 3
    with pytest.raises(Uncountable, match="more than 3 parts"):
        found(4 * unit(b"a"))
