"""A naming template taken apart: literal text, tokens, and braces that are neither."""

import re
from dataclasses import dataclass
from enum import Enum

_PART = re.compile(r"\{([^{}]*)\}|([{}])|[^{}]+")


class PartKind(Enum):
    """What one part of a template is."""

    LITERAL = "literal"
    TOKEN = "token"  # noqa: S105 - a part of a template, not a secret
    STRAY_BRACE = "stray brace"


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `text` is a token's name without its braces, or the literal text, or the one brace."""

    kind: PartKind
    text: str


def template_parts(template: str) -> tuple[Part, ...]:
    """`"{date}_x"` -> token `date`, literal `_x`. Braces cannot be escaped: each belongs to a token or is stray."""
    return tuple(_part(found) for found in _PART.finditer(template))


def _part(found: re.Match[str]) -> Part:
    if found[1] is not None:
        return Part(PartKind.TOKEN, found[1])
    return Part(PartKind.LITERAL if found[2] is None else PartKind.STRAY_BRACE, found[0])
