"""Why the frames of a bare stream cannot be numbered by their order."""

from collections.abc import Sequence


class Uncountable(Exception):  # noqa: N818 - a property of the stream, and no error of the reader's
    """The words complete `the file is a bare H.264 stream ...`."""


class PicturesMissing(Exception):  # noqa: N818 - a property of the stream too
    """Its own numbers show that pictures are missing, in the run that begins with frame `frame` (0 is the first)."""

    def __init__(self, frame: int) -> None:
        super().__init__(frame)
        self.frame = frame


def require_all(places: Sequence[int], steps: Sequence[int], frame: int) -> None:
    """Raise `PicturesMissing` if `places` in display order are not one run with a single step, one of `steps`."""
    run = sorted(places)
    if run and not any(run == list(range(run[0], run[0] + step * len(run), step)) for step in steps):
        raise PicturesMissing(frame)
