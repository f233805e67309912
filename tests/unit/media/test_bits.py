"""Fields of bits, by value, and what is no such field."""

import pytest

from proxx_worker.media.bits import Bits, OutOfBitsError, unescaped
from tests.unit.media.bitstreams import packed, se, ue


def test_numbers_stand_one_after_another_the_highest_bit_first() -> None:
    bits = Bits(bytes.fromhex("a5f0"))
    assert (bits.u(3), bits.flag(), bits.u(0), bits.u(8), bits.u(4)) == (5, False, 0, 0x5F, 0)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 7, 254, 255, 2**32 - 2])
def test_exp_golomb_numbers(number: int) -> None:
    assert Bits(packed(ue(number))).ue() == number
    assert Bits(packed(ue(number))).count(number) == number


@pytest.mark.parametrize("number", [0, 1, -1, 2, -2, 100, -100])
def test_signed_exp_golomb_numbers(number: int) -> None:
    assert Bits(packed(se(number))).se() == number


def test_what_is_not_there_is_told() -> None:
    for content in (b"", b"\0", bytes(5), bytes(100)):
        with pytest.raises(OutOfBitsError):
            Bits(content).ue()
    with pytest.raises(OutOfBitsError):
        Bits(b"\xff").u(9)
    with pytest.raises(OutOfBitsError):
        Bits(packed(ue(17))).count(16)


def test_bytes_that_keep_start_codes_out_are_taken_away() -> None:
    assert unescaped(bytes.fromhex("42 000003 00 000003 01 0003 000003")) == bytes.fromhex("42 0000 00 0000 01 0003 0000")
    assert unescaped(b"plain") == b"plain"
