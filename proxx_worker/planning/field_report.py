"""How an encode reports, on its standard error, the first frame of each kind: progressive, top or bottom field first.

Containers and ffprobe show only how a source begins. FFmpeg's `metadata` filter, which reports every frame, cannot tell whether a
frame is interlaced; `select` can compare it, and its expressions can print (`print`, libavutil/eval.c). So this filter selects
every frame, and prints one number for the first frame of each kind: at most three for each start of the filters; a source that
restarts them is refused.

Not in a branch of the filter graph (`split`, `nullsink`), for the reason in `audio_report`; not by `showinfo`, which prints a
line for each frame.
"""

import re

_KINDS = ("progressive", "tt", "bb")
"""By the value of `interlace_type` (libavfilter/f_select.c)."""

_STRIDE = 4
_LINE = re.compile(r"(?:\[Eval @ (?:0x)?[0-9a-f]+\] )?\[info\] -(\d{1,15})\.000000")
"""Only 8.0 and 9.0 name the speaker; seen on 5.1, 7.1, 8.0 and 9.0."""


KINDS_REPORTED = (
    # A cell that was stored keeps its value for the following frames; it is 0 at first.
    f"select=e='if(ld(interlace_type),1,st(interlace_type,1)+0*print(-{_STRIDE}*n-interlace_type-1))'"
)
"""The filter. It passes on every frame, unchanged."""


def read_line(line: str) -> tuple[str, int] | None:
    """The kind (`progressive`, `tt`, `bb`) and the number, from 0, of its first frame; None for any other line."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    frame, kind = divmod(int(found[1]) - 1, _STRIDE)
    return (_KINDS[kind], frame) if frame >= 0 and kind < len(_KINDS) else None
