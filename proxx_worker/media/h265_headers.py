"""The headers of H.265 that a count of frames needs, by ITU-T H.265 (ISO/IEC 23008-2), clauses 7.3, D.2 and E.2."""

from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.media.bits import Bits, OutOfBitsError, unescaped
from proxx_worker.media.parameter_sets import skip_picture_description, tick_rate

HEADER_BYTES = 2
_CHROMA_444 = 3
_MOST_REFERENCE_SETS = 64
_MOST_PICTURE_SETS = 63
_MOST_PICTURES = 16
_MOST_LONG_TERM = 32
_SLICE_BYTES = 32
_FIRST_RANDOM_ACCESS, _LAST_RANDOM_ACCESS = 16, 23
_IDR = frozenset({19, 20})


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """A sequence parameter set. `rate`: pictures a second, None where it has no timing. `place_bits`: of slice_pic_order_cnt_lsb.

    `fields`: every picture is a field; `tells_structure`: messages of picture timing begin with pic_struct.
    """

    rate: Fraction | None
    separate_planes: bool
    place_bits: int
    fields: bool
    tells_structure: bool


@dataclass(frozen=True, slots=True)
class PictureSet:
    """A picture parameter set. `hides`: pictures may say that they are not shown; `extra_bits`: before a slice's type."""

    hides: bool
    extra_bits: int


def read_video_set(unit: bytes) -> Fraction | None:
    """7.3.2.1: pictures a second by the video parameter set; None where it has no timing. Raises `OutOfBitsError`."""
    bits = Bits(unescaped(unit)[HEADER_BYTES:])
    bits.u(12)  # identifier, layers
    sub_layers = bits.u(3)
    bits.u(17)  # nesting, reserved
    _skip_profile(bits, sub_layers)
    _skip_ordering(bits, sub_layers)
    layers = bits.u(6) + 1
    for _ in range(bits.count(1023)):
        bits.u(layers)
    return tick_rate(bits) if bits.flag() else None


def read_sequence_set(unit: bytes) -> SequenceSet:
    """7.3.2.2.1. Raises `OutOfBitsError`."""
    bits = Bits(unescaped(unit)[HEADER_BYTES:])
    bits.u(4)  # sps_video_parameter_set_id
    sub_layers = bits.u(3)
    bits.flag()  # sps_temporal_id_nesting_flag
    _skip_profile(bits, sub_layers)
    bits.ue()  # sps_seq_parameter_set_id
    separate = bits.ue() == _CHROMA_444 and bits.flag()
    bits.ue()  # width and height
    bits.ue()
    if bits.flag():
        for _ in range(4):
            bits.ue()  # conformance window
    bits.ue()  # bit depths
    bits.ue()
    place_bits = bits.count(12) + 4
    _skip_ordering(bits, sub_layers)
    for _ in range(6):
        bits.ue()  # sizes and depths of blocks
    if bits.flag() and bits.flag():
        _skip_scaling_lists(bits)
    bits.u(2)  # asymmetric motion partitions, sample adaptive offset
    if bits.flag():
        bits.u(8)  # depths of uncompressed samples
        bits.ue()
        bits.ue()
        bits.flag()
    _skip_reference_sets(bits)
    if bits.flag():
        for _ in range(bits.count(_MOST_LONG_TERM)):
            bits.u(place_bits + 1)
    bits.u(2)  # temporal motion vectors, strong smoothing
    rate, fields, tells_structure = _usability(bits) if bits.flag() else (None, False, False)
    return SequenceSet(rate, separate, place_bits, fields, tells_structure)


def _skip_profile(bits: Bits, sub_layers: int) -> None:
    """7.3.3, for `sub_layers` beside the highest."""
    bits.u(96)
    if not sub_layers:
        return
    present = [(bits.flag(), bits.flag()) for _ in range(8)][:sub_layers]
    for profile, level in present:
        bits.u(88 * profile + 8 * level)


def _skip_ordering(bits: Bits, sub_layers: int) -> None:
    for _ in range(sub_layers + 1 if bits.flag() else 1):
        for _ in range(3):
            bits.ue()  # buffering, reordering, latency


def _skip_scaling_lists(bits: Bits) -> None:
    """7.3.4."""
    for size in range(4):
        for _ in range(2 if size == 3 else 6):  # noqa: PLR2004 - of the largest there are two, over the colours
            if not bits.flag():
                bits.ue()  # scaling_list_pred_matrix_id_delta
                continue
            if size > 1:
                bits.se()  # scaling_list_dc_coef_minus8
            for _ in range(min(64, 1 << (4 + 2 * size))):
                bits.se()


def _skip_reference_sets(bits: Bits) -> None:
    """7.3.7, of a sequence parameter set: a set may be told by the one before it, so how many pictures each has must be known."""
    pictures = 0
    for number in range(bits.count(_MOST_REFERENCE_SETS)):
        if number and bits.flag():
            bits.flag()  # delta_rps_sign
            bits.ue()  # abs_delta_rps_minus1
            kept = 0
            for _ in range(pictures + 1):
                used = bits.flag()
                kept += used or bits.flag()
            pictures = kept
        else:
            pictures = bits.count(_MOST_PICTURES) + bits.count(_MOST_PICTURES)
            for _ in range(pictures):
                bits.ue()
                bits.flag()


def _usability(bits: Bits) -> tuple[Fraction | None, bool, bool]:
    """E.2.1: the rate, whether pictures are fields, whether messages tell their structure."""
    skip_picture_description(bits)
    bits.flag()  # neutral_chroma_indication_flag
    fields, tells_structure = bits.flag(), bits.flag()
    if bits.flag():
        for _ in range(4):
            bits.ue()  # default display window
    return tick_rate(bits) if bits.flag() else None, fields, tells_structure


def read_picture_set(unit: bytes) -> tuple[int, PictureSet]:
    """7.3.2.3.1: its number and what it says. Raises `OutOfBitsError`."""
    bits = Bits(unescaped(unit[:_SLICE_BYTES])[HEADER_BYTES:])
    number = bits.count(_MOST_PICTURE_SETS)
    bits.ue()  # pps_seq_parameter_set_id
    bits.flag()  # dependent_slice_segments_enabled_flag
    return number, PictureSet(hides=bits.flag(), extra_bits=bits.u(3))


def place_of(unit: bytes, kind: int, known: SequenceSet, sets: dict[int, PictureSet]) -> int:
    """slice_pic_order_cnt_lsb of the first slice of a picture (7.3.6.1), 0 of an IDR picture. Raises `OutOfBitsError`."""
    if kind in _IDR:
        return 0
    bits = Bits(unescaped(unit[:_SLICE_BYTES])[HEADER_BYTES:])
    bits.flag()  # first_slice_segment_in_pic_flag
    if _FIRST_RANDOM_ACCESS <= kind <= _LAST_RANDOM_ACCESS:
        bits.flag()  # no_output_of_prior_pics_flag
    described = sets.get(bits.ue())
    if described is None:
        raise OutOfBitsError
    bits.u(described.extra_bits)
    bits.ue()  # slice_type
    return bits.u(known.place_bits)
