"""H.265 without a container: the rate of its parameter sets, and its frames, by ITU-T H.265."""

import re
from fractions import Fraction

from proxx_worker.media.bits import Bits, unescaped
from proxx_worker.media.h265_headers import (
    HEADER_BYTES,
    PictureSet,
    SequenceSet,
    place_of,
    read_picture_set,
    read_sequence_set,
    read_video_set,
)
from proxx_worker.media.parameter_sets import ParameterSets
from proxx_worker.media.supplemental import PICTURE_TIMING, messages
from proxx_worker.media.uncountable import Uncountable, require_all

WANTED = re.compile(
    rb"\x00\x00\x01(?:[\x00\x02\x04\x06\x08\x0a\x0c\x0e\x10\x12\x20\x22\x24\x26\x28\x2a][\x01-\x07][\x80-\xff]|"
    rb"[\x40\x42\x44\x48\x4a\x4e][\x01-\x07])"
)
"""Slices that begin a picture (their first bit says so), parameter sets, ends of a sequence, supplemental messages; of the base
layer alone."""

_VIDEO_SET, _SEQUENCE_SET, _PICTURE_SET, _SEI = 32, 33, 34, 39
_ENDS = frozenset({36, 37})
_LAST_OF_SUB_LAYER = 15
_RADL, _RASL = frozenset({6, 7}), frozenset({8, 9})
_FIRST_BROKEN, _LAST_IDR, _CLEAN = 16, 20, 21
_WHOLE_FRAMES = frozenset({0, 3, 4})
"""pic_struct: a frame, or one of two fields. All others are single fields, or a frame that is shown longer (table D.2)."""


class H265Video:
    """Counts frames while it is fed with the units that WANTED finds, in order. Satisfies `Counter`."""

    def __init__(self) -> None:
        self.frames = 0
        self.left_out = 0
        self._rates: set[Fraction] = set()
        self._known: SequenceSet | None = None
        self._sets = ParameterSets()
        self._pictures: dict[int, PictureSet] = {}
        self._begins = True
        self._skips = False
        self._run: list[int] = []
        self._high = self._low = 0

    def feed(self, unit: bytes) -> None:
        """See `Counter`."""
        kind = unit[0] >> 1
        if kind == _PICTURE_SET:
            self._take_picture_set(unit)
        elif kind in {_VIDEO_SET, _SEQUENCE_SET}:
            if self._sets.is_new(unit):
                self._take_rate(read_video_set(unit) if kind == _VIDEO_SET else self._take_sequence_set(unit))
        elif kind in _ENDS:
            self._begins = True
        elif kind == _SEI:
            self._require_whole_frames(unit)
        else:
            self._picture(unit, kind)

    def finish(self) -> Fraction | None:
        """See `Counter`."""
        self._finish_run()
        return next(iter(self._rates), None)

    def _take_picture_set(self, unit: bytes) -> None:
        number, found = read_picture_set(unit)
        if found.hides:
            raise Uncountable("whose pictures are not all shown (output_flag_present_flag)")
        self._pictures[number] = found

    def _take_sequence_set(self, unit: bytes) -> Fraction | None:
        known = read_sequence_set(unit)
        if known.separate_planes:
            raise Uncountable("whose colours are coded apart")
        if known.fields:
            raise Uncountable("of single fields (field_seq_flag)")
        if self._known not in {None, known}:
            raise Uncountable("whose rate or structure changes on the way")
        self._known = known
        return known.rate

    def _take_rate(self, rate: Fraction | None) -> None:
        if rate is not None:
            self._rates.add(rate)
        if len(self._rates) > 1:
            raise Uncountable("whose parameter sets say different rates")

    def _require_whole_frames(self, unit: bytes) -> None:
        if self._known is None or not self._known.tells_structure:
            return
        for message in messages(unescaped(unit)[HEADER_BYTES:], PICTURE_TIMING):
            if Bits(message).u(4) not in _WHOLE_FRAMES:
                raise Uncountable("with pictures that are single fields, or shown longer than others (pic_struct)")

    def _picture(self, unit: bytes, kind: int) -> None:
        if self._known is None or (self._begins and not _FIRST_BROKEN <= kind <= _CLEAN):
            raise Uncountable("that begins between two keyframes")
        if _FIRST_BROKEN <= kind <= _CLEAN:
            # 8.1.3: what precedes this picture in display and needs others from before it is not decoded (NoRaslOutputFlag).
            self._skips = self._begins or kind <= _LAST_IDR
            if self._skips:
                self._finish_run()
                self._high = self._low = 0
            self._begins = False
        place = place_of(unit, kind, self._known, self._pictures)
        if kind in _RASL and self._skips:
            self.left_out += 1
            return
        self._place(place, kind, unit, 1 << self._known.place_bits)
        self.frames += 1

    def _place(self, low: int, kind: int, unit: bytes, size: int) -> None:
        """8.3.1: the picture's place in the order of display."""
        high = self._high
        if not self._run:
            high = 0
        elif low < self._low and self._low - low >= size // 2:
            high += size
        elif low > self._low and low - self._low > size // 2:
            high -= size
        self._run.append(high + low)
        passed_over = kind in _RADL | _RASL or (kind < _LAST_OF_SUB_LAYER and kind % 2 == 0)
        if unit[1] & 7 == 1 and not passed_over:
            self._high, self._low = high, low

    def _finish_run(self) -> None:
        """Hold the pictures since such a beginning to their places, one or two apart as encoders like."""
        run, self._run = self._run, []
        require_all(run, (1, 2), self.frames - len(run))
