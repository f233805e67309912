"""Text that is safe to show and to write down: names from a file system, values from a spec, whatever they hold."""

import json
import re
from unicodedata import normalize

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_UNDECODABLE_BYTES = range(0xDC80, 0xDD00)
_SHOWN_CHARACTERS = 80
# DEL, C1, line and paragraph separators, the bidirectional controls (Unicode TR 9, 2.1-2.5): what JSON leaves unescaped.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def display_name(name: bytes) -> str:
    r"""A file name as text: UTF-8, with each byte that is not part of it as `\xNN`."""
    return name.decode("utf-8", "backslashreplace")


def encodable(text: str) -> str:
    r"""`text` with nothing in it that UTF-8 cannot say.

    Lone surrogates become visible: those that stand for an undecodable byte of a path (PEP 383) as `\xNN`, others as `\udNNN`.
    """
    return text if text.isascii() else _LONE_SURROGATE.sub(_visible_surrogate, text)


def _visible_surrogate(match: re.Match[str]) -> str:
    point = ord(match[0])
    return f"\\x{point - 0xDC00:02x}" if point in _UNDECODABLE_BYTES else f"\\u{point:04x}"


def has_lone_surrogate(text: str) -> bool:
    """Whether UTF-8 cannot say `text`."""
    return not text.isascii() and _LONE_SURROGATE.search(text) is not None


def quoted(text: str) -> str:
    """`text` in double quotes for a message: on one line, at most about 80 characters, controls and surrogates escaped."""
    escaped = json.dumps(visible(shortened(text)), ensure_ascii=False)
    return escaped.replace("\\\\", "\\")


def shortened(text: str) -> str:
    """`text`, or its beginning where it has more than 80 characters."""
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


def visible(text: str) -> str:
    r"""`text` with lone surrogates and control characters (C0, DEL, C1) as visible escapes `\xNN` and `\uNNNN`."""
    if text.isprintable():
        return text
    return "".join(f"\\x{ord(letter):02x}" if is_control(letter) else letter for letter in encodable(text))


def steady_json(document: bytes) -> bytes:
    r"""The same JSON, with everything in its strings that could steer a terminal or turn a line around as `\uNNNN`."""
    if document.isascii() and b"\x7f" not in document:
        return document
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", document.decode()).encode()


def is_control(letter: str) -> bool:
    """Whether one character is a control character: C0, DEL or C1."""
    return letter < " " or "\x7f" <= letter <= "\x9f"


def folded(name: str) -> str:
    """Equal for two names that a file system without case and with composed accents (APFS, SMB) takes for one."""
    return normalize("NFC", normalize("NFC", name).casefold())
