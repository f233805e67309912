"""Patches finished proxies with what FFmpeg cannot write; see `planning/mxf`, `planning/vc3` and `planning/rdd36`.

`checkpoint` is called between pieces of the file; an exception from it ends the work.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction

from proxx_worker.contract.errors import JOB_LOG, ErrorCode, ProxxError
from proxx_worker.engines.port import StagedOutput
from proxx_worker.media.quicktime_samples import video_frames
from proxx_worker.planning import rdd36, vc3
from proxx_worker.planning.mxf import MxfScanner

_CHUNK_BYTES = 1 << 20


def complete_mxf(staged: StagedOutput, display_aspect: Fraction, checkpoint: Callable[[], object], *, says_bt2020: bool) -> None:
    """Write a UMID derived from the content, the true display aspect and, with `says_bt2020`, each frame's matrix.

    Raises OUTPUT_INVALID if it is not an MXF file, or has no DNxHR.
    """
    scanner = MxfScanner(display_aspect, says_bt2020=says_bt2020)
    offset = 0
    try:
        while chunk := staged.read_at(offset, _CHUNK_BYTES):
            checkpoint()
            scanner.feed(chunk)
            offset += len(chunk)
        patch = scanner.finish()
    except ValueError as error:
        raise _not_whole("MXF", error, staged) from error
    for place, value in patch.writes():
        checkpoint()  # one write per frame, and each may cost a slow disk a seek
        staged.write_at(place, value)


def say_bt2020_in_mov(staged: StagedOutput, checkpoint: Callable[[], object]) -> None:
    """Mark each DNxHR frame as BT.2020. Raises OUTPUT_INVALID if it is not a MOV file, or has no DNxHR."""
    _patch_frames(staged, checkpoint, vc3.COLOR_VOLUME_AT, vc3.HEADER_BYTES, vc3.bt2020_color_volume)


def hide_tags_in_mov(staged: StagedOutput, checkpoint: Callable[[], object], hidden: Sequence[bool]) -> None:
    """Mark `hidden` tags of each ProRes frame as unspecified. Raises OUTPUT_INVALID if it is not a MOV file, or has no ProRes."""
    _patch_frames(staged, checkpoint, rdd36.TAGS_AT, rdd36.HEADER_BYTES, lambda header: rdd36.unspecified(header, hidden))


def _patch_frames(
    staged: StagedOutput, checkpoint: Callable[[], object], at: int, header_bytes: int, patched: Callable[[bytes], bytes]
) -> None:
    """Write what `patched` gives for a frame's first bytes into each frame, `at` bytes from its beginning."""
    try:
        for frame in video_frames(staged.read_at, staged.size()):
            value = patched(staged.read_at(frame, header_bytes))
            checkpoint()
            staged.write_at(frame + at, value)
    except ValueError as error:
        raise _not_whole("MOV", error, staged) from error


def _not_whole(container: str, error: ValueError, staged: StagedOutput) -> ProxxError:
    return ProxxError(
        ErrorCode.OUTPUT_INVALID,
        f"the encoder must write a complete {container} file, but {error}. See the encoder's output in {JOB_LOG}.",
        path=staged.path,
    )
