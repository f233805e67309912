"""H.264 without a container: the rate of its parameter sets, and its frames, by ITU-T H.264."""

import re
from fractions import Fraction

from proxx_worker.media.h264_headers import SequenceSet, Slice, picture_structure, read_sequence_set, read_slice
from proxx_worker.media.parameter_sets import ParameterSets
from proxx_worker.media.uncountable import PicturesMissing, Uncountable, require_all

WANTED = re.compile(rb"\x00\x00\x01(?:[\x01\x21\x41\x61\x25\x45\x65][\x80-\xff]|[\x27\x47\x67\x06])")
"""Slices that begin a picture (their first number is 0, a single bit), sequence parameter sets, supplemental messages."""

_KIND = 31
_SEI, _SET = 6, 7
_FIRST_REPEATED = 5


class H264Video:
    """Counts frames in the units that WANTED finds, fed in order. Satisfies `Counter`."""

    def __init__(self) -> None:
        self.frames = 0
        self.left_out = 0
        self._known: SequenceSet | None = None
        self._sets = ParameterSets()
        self._first_field: Slice | None = None
        self._run: list[int] = []
        self._high = self._low = 0
        self._last_number = 0

    def feed(self, unit: bytes) -> None:
        """See `Counter`."""
        kind = unit[0] & _KIND
        if kind == _SET:
            self._take_set(unit)
        elif self._known is None:
            if kind != _SEI:
                raise Uncountable("that begins between two keyframes")
        elif kind == _SEI:
            if (picture_structure(unit, self._known) or 0) >= _FIRST_REPEATED:
                raise Uncountable("with pulldown (pic_struct), which shows some pictures longer than others")
        else:
            self._picture(read_slice(unit, self._known), self._known)

    def finish(self) -> Fraction | None:
        """See `Counter`."""
        if self._first_field is not None:
            raise Uncountable("with a single field")
        self._finish_run()
        return None if self._known is None else self._known.rate

    def _take_set(self, unit: bytes) -> None:
        if not self._sets.is_new(unit):
            return
        found = read_sequence_set(unit)
        if self._known not in {None, found}:
            raise Uncountable("whose rate or structure changes partway")
        if found.separate_planes:
            raise Uncountable("with separately coded colour planes")
        self._known = found

    def _picture(self, first: Slice, known: SequenceSet) -> None:
        if not self.frames and not first.idr and self._first_field is None:
            raise Uncountable("that does not begin with an IDR picture")
        before, self._first_field = self._first_field, None
        if before is not None:
            if first.field not in {1, 2} - {before.field} or first.frame_number != before.frame_number:
                raise Uncountable("with a single field")
            return
        self._require_number(first, known)
        if first.field:
            self._first_field = first
        self._place(first, known)
        self.frames += 1

    def _require_number(self, first: Slice, known: SequenceSet) -> None:
        """7.4.3: frame_num is one more than that of the last reference picture, and restarts with an IDR picture."""
        following = 0 if first.idr else (self._last_number + 1) % (1 << known.frame_number_bits)
        if first.frame_number != following and not known.may_skip_numbers:
            if first.frame_number == 1:  # as after memory_management_control_operation 5, which is not read
                raise Uncountable("whose picture numbers restart between keyframes")
            raise PicturesMissing(self.frames)
        if first.reference:
            self._last_number = first.frame_number

    def _place(self, first: Slice, known: SequenceSet) -> None:
        """8.2.1.1: the picture's position in display order since the last IDR picture; for fields, that of the first one."""
        if first.idr:
            self._finish_run()
            self._high = self._low = 0
        if first.place is None or known.place_bits is None:
            return
        size = 1 << known.place_bits
        high = self._high
        if first.place < self._low and self._low - first.place >= size // 2:
            high += size
        elif first.place > self._low and first.place - self._low > size // 2:
            high -= size
        self._run.append(high + first.place)
        if first.reference:
            self._high, self._low = high, first.place

    def _finish_run(self) -> None:
        """Check the positions of the pictures since an IDR picture: one or two apart, as encoders choose; one for fields."""
        run, self._run = self._run, []
        fields = self._known is not None and not self._known.frames_only
        places = [place // 2 for place in run] if fields else run
        require_all(places, (1,) if fields else (1, 2), self.frames - len(run))
