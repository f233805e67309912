"""The parameter sets of H.264."""

from fractions import Fraction

from proxx_worker.media.bits import Bits
from proxx_worker.media.uncountable import Uncountable

MOST = 300
"""Different parameter sets of one stream; encoders write one or two of each kind."""

_EXTENDED_SAR = 255


class ParameterSets:
    """Those that were read: they are repeated, and most contain nothing new."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def is_new(self, unit: bytes) -> bool:
        """Whether this one is the first of its kind. Raises `Uncountable` if there are more than MOST."""
        if unit in self._seen:
            return False
        if len(self._seen) == MOST:
            raise Uncountable(f"with more than {MOST} parameter sets")
        self._seen.add(unit)
        return True


def skip_picture_description(bits: Bits) -> None:
    """Skip the first fields of the video usability information: aspect, overscan, colour, chroma.

    ITU-T H.264, E.1.1.
    """
    if bits.flag() and bits.u(8) == _EXTENDED_SAR:
        bits.u(32)
    if bits.flag():
        bits.flag()  # overscan_appropriate_flag
    if bits.flag():
        bits.u(4)  # video_format, video_full_range_flag
        if bits.flag():
            bits.u(24)  # primaries, transfer, matrix
    if bits.flag():
        bits.ue()  # chroma_sample_loc_type_top_field
        bits.ue()


def tick_rate(bits: Bits) -> Fraction | None:
    """Ticks a second, from num_units_in_tick and time_scale; None if one of them is 0, which is not allowed."""
    units, scale = bits.u(32), bits.u(32)
    return Fraction(scale, units) if units and scale else None
