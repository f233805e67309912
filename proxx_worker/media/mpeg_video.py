"""MPEG-1 and MPEG-2 video without a container: its rate and its frames, by ISO/IEC 11172-2 and ISO/IEC 13818-2 (H.262)."""

import re
from fractions import Fraction

from proxx_worker.media.bits import Bits
from proxx_worker.media.uncountable import Uncountable, require_all

WANTED = re.compile(rb"\x00\x00\x01(?:[\x00\xb3\xb8]|\xb5[\x10-\x1f\x80-\x8f])")
"""Picture headers, sequence headers, groups of pictures, and two kinds of extension: of the sequence and of the picture."""

_RATES = {
    1: Fraction(24000, 1001), 2: Fraction(24), 3: Fraction(25), 4: Fraction(30000, 1001), 5: Fraction(30), 6: Fraction(50),
    7: Fraction(60000, 1001), 8: Fraction(60),
}  # fmt: skip
"""13818-2, table 6-4, by frame_rate_code. All others are forbidden or reserved."""

_PICTURE, _EXTENSION, _GROUP = 0x00, 0xB5, 0xB8
_HEADER_BYTES = 12
_OF_SEQUENCE = 1
_I, _B = 1, 3
_FRAME = 3
"""picture_structure: 1 is a top field, 2 a bottom field."""


class MpegVideo:
    """Counts frames in the units that WANTED finds, fed in order. Satisfies `Counter`."""

    def __init__(self) -> None:
        self.frames = 0
        self.left_out = 0
        self._said: Fraction | None = None
        self._rate: Fraction | None = None
        self._place = self._type = self._structure = self._first_field = 0
        self._references = 0
        self._begun = self._closed = False
        self._group: list[int] | None = None

    def feed(self, unit: bytes) -> None:
        """See `Counter`."""
        kind, bits = unit[0], Bits(unit[1:_HEADER_BYTES])
        if kind == _EXTENSION:
            self._extension(bits)
            return
        self._finish_picture()
        if kind == _PICTURE:
            self._place, self._type, self._structure = bits.u(10), bits.u(3), _FRAME
        elif kind == _GROUP:
            self._finish_group()
            self._group = []
            bits.u(25)  # time_code
            self._closed = bits.flag()
        else:  # a sequence header
            self._settle_rate()
            self._begun = True
            bits.u(28)  # size and pixel aspect
            self._said = _RATES.get(bits.u(4))

    def finish(self) -> Fraction | None:
        """See `Counter`."""
        self._finish_picture()
        self._finish_group()
        self._settle_rate()
        if self._first_field:
            raise Uncountable("with a single field")
        return self._rate

    def _extension(self, bits: Bits) -> None:
        if bits.u(4) == _OF_SEQUENCE:
            bits.u(37)  # profile, scan, chroma, sizes, bit rate, buffer, low_delay
            numerator, denominator = bits.u(2) + 1, bits.u(5) + 1
            self._said = None if self._said is None else self._said * numerator / denominator
            return
        bits.u(18)  # f_code, intra_dc_precision
        self._structure = bits.u(2)
        bits.u(6)  # top_field_first to alternate_scan
        if bits.flag():
            raise Uncountable("with pulldown (repeat_first_field), which shows some pictures longer than others")

    def _settle_rate(self) -> None:
        """A sequence header with its extension: it is repeated, and must not change."""
        if self._said is None:
            return
        if self._rate not in {None, self._said}:
            raise Uncountable("whose rate changes partway")
        self._rate = self._said

    def _finish_picture(self) -> None:
        """Count the picture that ends here: a frame, or the second field of one."""
        structure, first = self._structure, self._first_field
        self._structure = self._first_field = 0
        if structure == 0:
            self._first_field = first
            return
        if not self._begun or (not self._references and self._type != _I and not first):
            raise Uncountable("that begins between two keyframes")
        if first and structure in {_FRAME, first}:
            raise Uncountable("with a single field")
        if structure == _FRAME or first:
            self._count_frame()
        else:
            self._first_field = structure

    def _count_frame(self) -> None:
        if self._group is not None:
            self._group.append(self._place)
        if self._type != _B:
            self._references += 1
        elif self._references == 1 and not self._closed:
            # In an open group, pictures shown before its first one depend on the previous group. Decoders leave them out.
            self.left_out += 1
            return
        self.frames += 1

    def _finish_group(self) -> None:
        """Check a group's temporal references, which number its pictures in display order, both fields of one alike.

        They begin with 0, or later if an edit removed the pictures that depend on the previous group. They have ten bits: a
        longer group cannot be checked, nor can pictures without a group.
        """
        group = self._group or []
        if len(group) <= 1 << 10:
            require_all(group, (1,), max(0, self.frames - len(group)))
