"""What to do about an error code in a result. Pure."""

from typing import Final

from proxx_worker.contract.errors import Again, ErrorCode, Remedy

_BY_TEXT: Final = {code.value: code.remedy for code in ErrorCode}
_OF_A_NEWER_WORKER: Final = Remedy("a code that this version does not know", "read the message", Again.NEVER)


def remedy_of(code: str) -> Remedy:
    """The remedy for a code as a result says it, which a newer worker may have written."""
    return _BY_TEXT.get(code, _OF_A_NEWER_WORKER)
