"""The headers of H.264 that a count of frames needs, by ITU-T H.264 (ISO/IEC 14496-10), clauses 7.3, D.1 and E.1."""

from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.media.bits import Bits, unescaped
from proxx_worker.media.parameter_sets import skip_picture_description, tick_rate
from proxx_worker.media.supplemental import PICTURE_TIMING, messages

_WITH_CHROMA_FORMAT = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""profile_idc of 7.3.2.1.1."""

_CHROMA_444 = 3
_MOST_CYCLES = 255
_MOST_BUFFERS = 31
_IDR = 5
_SLICE_BYTES = 32
_TICKS_OF_A_FRAME = 2


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """A sequence parameter set. `rate`: frames a second, None if it has no timing.

    `frame_number_bits`, `place_bits`: the lengths of frame_num, and of pic_order_cnt_lsb (None if order is coded in another way).
    `may_skip_numbers`: frame_num need not grow by one. `delay_bits`: what precedes pic_struct in a picture timing message;
    `tells_structure`: whether it is there.
    """

    rate: Fraction | None
    separate_planes: bool
    frame_number_bits: int
    may_skip_numbers: bool
    place_bits: int | None
    frames_only: bool
    delay_bits: int
    tells_structure: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """The first slice of a picture. `field`: 0 for a frame, 1 for a top and 2 for a bottom field. `place`: pic_order_cnt_lsb."""

    idr: bool
    reference: bool
    frame_number: int
    field: int
    place: int | None


def read_sequence_set(unit: bytes) -> SequenceSet:
    """7.3.2.1.1. Raises `OutOfBitsError`."""
    bits = Bits(unescaped(unit)[1:])
    profile = bits.u(8)
    bits.u(16)  # constraints, level
    bits.ue()  # seq_parameter_set_id
    separate = _skip_format(bits) if profile in _WITH_CHROMA_FORMAT else False
    frame_number_bits = bits.count(12) + 4
    place_bits = _order(bits)
    bits.ue()  # max_num_ref_frames
    may_skip_numbers = bits.flag()  # gaps_in_frame_num_value_allowed_flag
    bits.ue()  # width and height in macroblocks
    bits.ue()
    frames_only = bits.flag()
    if not frames_only:
        bits.flag()  # mb_adaptive_frame_field_flag
    bits.flag()  # direct_8x8_inference_flag
    if bits.flag():
        for _ in range(4):
            bits.ue()  # cropping
    rate, delay_bits, tells_structure = _usability(bits) if bits.flag() else (None, 0, False)
    return SequenceSet(rate, separate, frame_number_bits, may_skip_numbers, place_bits, frames_only, delay_bits, tells_structure)


def _skip_format(bits: Bits) -> bool:
    """Chroma, depth and scaling lists; whether the three colours are coded separately."""
    chroma = bits.ue()
    separate = chroma == _CHROMA_444 and bits.flag()
    bits.ue()  # bit depths
    bits.ue()
    bits.flag()  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():
        for number in range(12 if chroma == _CHROMA_444 else 8):
            if bits.flag():
                _skip_scaling_list(bits, 16 if number < 6 else 64)  # noqa: PLR2004 - six lists of 4x4, then those of 8x8
    return separate


def _skip_scaling_list(bits: Bits, size: int) -> None:
    """7.3.2.1.1.1."""
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _order(bits: Bits) -> int | None:
    kind = bits.ue()
    if kind == 0:
        return bits.count(12) + 4
    if kind == 1:
        bits.flag()  # delta_pic_order_always_zero_flag
        bits.se()  # offset_for_non_ref_pic
        bits.se()  # offset_for_top_to_bottom_field
        for _ in range(bits.count(_MOST_CYCLES)):
            bits.se()
    return None


def _usability(bits: Bits) -> tuple[Fraction | None, int, bool]:
    """E.1.1: the rate, and how a picture timing message is read."""
    skip_picture_description(bits)
    ticks = None
    if bits.flag():
        ticks = tick_rate(bits)
        bits.flag()  # fixed_frame_rate_flag: libx264 leaves it 0 at constant rates too
    delays = [_delay_bits(bits) for _ in range(2) if bits.flag()]
    if delays:
        bits.flag()  # low_delay_hrd_flag
    return ticks and ticks / _TICKS_OF_A_FRAME, delays[-1] if delays else 0, bits.flag()


def _delay_bits(bits: Bits) -> int:
    """E.1.2: the lengths of cpb_removal_delay and dpb_output_delay together."""
    buffers = bits.count(_MOST_BUFFERS) + 1
    bits.u(8)  # scales
    for _ in range(buffers):
        bits.ue()  # bit rate
        bits.ue()  # size
        bits.flag()  # cbr_flag
    bits.u(5)  # initial_cpb_removal_delay_length_minus1
    lengths = bits.u(5) + 1 + bits.u(5) + 1
    bits.u(5)  # time_offset_length
    return lengths


def read_slice(unit: bytes, known: SequenceSet) -> Slice:
    """7.3.3, of a slice with first_mb_in_slice 0. Raises `OutOfBitsError`."""
    bits = Bits(unescaped(unit[:_SLICE_BYTES])[1:])
    for _ in range(3):
        bits.ue()  # first_mb_in_slice, slice_type, pic_parameter_set_id
    frame_number = bits.u(known.frame_number_bits)
    field = 0
    if not known.frames_only and bits.flag():
        field = 1 + bits.u(1)
    idr = unit[0] & 31 == _IDR
    if idr:
        bits.ue()  # idr_pic_id
    place = None if known.place_bits is None else bits.u(known.place_bits)
    return Slice(idr, unit[0] & 0x60 != 0, frame_number, field, place)


def picture_structure(unit: bytes, known: SequenceSet) -> int | None:
    """pic_struct of a supplemental message (D.1.2, table D-1); None if it has none. Raises `OutOfBitsError`."""
    if not known.tells_structure:
        return None
    for message in messages(unescaped(unit)[1:], PICTURE_TIMING):
        bits = Bits(message)
        bits.u(known.delay_bits)
        return bits.u(4)
    return None
