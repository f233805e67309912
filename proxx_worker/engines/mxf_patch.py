"""Putting into a finished MXF what FFmpeg cannot write there; see `planning/mxf`."""

from collections.abc import Callable
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.port import StagedOutput
from proxx_worker.planning.mxf import MxfScanner

_CHUNK_BYTES = 1 << 20


def complete_mxf(staged: StagedOutput, display_aspect: Fraction, checkpoint: Callable[[], object]) -> None:
    """Put in the UMID that follows from the content, and the true display aspect. Raises OUTPUT_INVALID where it is no MXF.

    `checkpoint` is called between pieces of the file; what it raises ends the work.
    """
    scanner = MxfScanner(display_aspect)
    offset = 0
    try:
        while chunk := staged.read_at(offset, _CHUNK_BYTES):
            checkpoint()
            scanner.feed(chunk)
            offset += len(chunk)
        patch = scanner.finish()
    except ValueError as error:
        raise ProxxError(
            ErrorCode.OUTPUT_INVALID,
            f"the encoder must write a whole MXF file, but {error}. Look at the encoder's lines in the job's log.",
            path=staged.path,
        ) from error
    for place, value in patch.writes():
        checkpoint()  # one place for each frame, and each may cost a slow disk a seek
        staged.write_at(place, value)
