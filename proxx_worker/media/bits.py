"""Fields of a few bits each, as in the headers of video standards, read from untrusted bytes."""


class OutOfBitsError(ValueError):
    """A header that ends before its last field, or holds a number that no field may have."""


_LONGEST = 32
"""Zeros before an Exp-Golomb number: no field of H.264 has more (ITU-T H.264, 9.1)."""


class Bits:
    """A reader of bits, the highest of each byte first. Every read raises `OutOfBitsError` where there are too few left."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def u(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        if count > self._left:
            raise OutOfBitsError
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """One bit."""
        return self.u(1) == 1

    def ue(self) -> int:
        """An unsigned Exp-Golomb number."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > _LONGEST:
                raise OutOfBitsError
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb number: 0, 1, -1, 2, -2, ..."""
        number = self.ue()
        return (number + 1) // 2 if number % 2 else -(number // 2)

    def count(self, most: int) -> int:
        """An unsigned Exp-Golomb number that counts what follows; `OutOfBitsError` where it is above `most`."""
        number = self.ue()
        if number > most:
            raise OutOfBitsError
        return number


def unescaped(unit: bytes) -> bytes:
    """A NAL unit's bytes without those that only keep start codes out of it (ITU-T H.264, 7.4.1)."""
    return unit.replace(b"\0\0\3", b"\0\0") if b"\0\0\3" in unit else unit
