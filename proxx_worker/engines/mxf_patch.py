"""Putting into a finished MXF what FFmpeg cannot write there; see `planning/mxf`."""

from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.port import StagedOutput
from proxx_worker.planning.mxf import MxfScanner

_CHUNK_BYTES = 1 << 20


def complete_mxf(staged: StagedOutput, display_aspect: Fraction) -> None:
    """Put in the UMID that follows from the content, and the true display aspect. Raises OUTPUT_INVALID where it is no MXF."""
    scanner = MxfScanner(display_aspect)
    offset = 0
    try:
        while chunk := staged.read_at(offset, _CHUNK_BYTES):
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
        staged.write_at(place, value)
