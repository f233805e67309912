"""A fault of a spec: where, what, and what would be valid. All faults of a spec are reported in one error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError

Allowed: TypeAlias = tuple[str, ...] | str | None
"""The allowed values, a short description of them, or None if there is none."""

SPEC_REFUSED = "the spec is refused"
"""How the message of SPEC_INVALID begins, whenever the faults were found."""

MAX_FAULTS_TOLD = 1000
"""A hostile spec can hold half a million faults. The first of them are reported, and that there are more."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `path` as in `sources[2]` or `resolved_tokens.date`. `meant`: probably meant, one of the allowed."""

    path: str
    message: str
    allowed: Allowed = None
    meant: str | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """As an element of `details.faults`."""
        allowed: JsonValue = list(self.allowed) if isinstance(self.allowed, tuple) else self.allowed
        return {"path": self.path, "message": self.text, "allowed": allowed}

    @property
    def text(self) -> str:
        """The message, with what was probably meant."""
        return self.message if self.meant is None else f"{self.message}: did you mean {self.meant}?"

    def __str__(self) -> str:
        """On one line, with the allowed values: an error's message lists them for every fault (contract section 2)."""
        match self.allowed:
            case None:
                return f"{self.path}: {self.text}"
            case str():
                return f"{self.path}: {self.text} (allowed: {self.allowed})"
            case _:
                return f"{self.path}: {self.text} (allowed: {', '.join(self.allowed)})"


def fault_error(code: ErrorCode, lead: str, faults: Sequence[Fault], **details: JsonValue) -> ProxxError:
    """The error that reports `faults`: `lead` and each of them in the message, and as data in `details.faults`.

    At most `MAX_FAULTS_TOLD` are listed; with more, `details.faults_cut` is true.
    """
    told = faults[:MAX_FAULTS_TOLD]
    cut = len(told) < len(faults)
    message = f"{lead}: {'; '.join(map(str, told))}{'; and more that are not listed' if cut else ''}"
    data: dict[str, JsonValue] = {"faults": [fault.as_json() for fault in told], **details}
    if cut:
        data["faults_cut"] = True
    return ProxxError(code, message, **data)
