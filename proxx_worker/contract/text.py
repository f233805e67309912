"""Text that is safe to display and to store: names from a file system, values from a spec, whatever they contain."""

import json
import re
from unicodedata import normalize

from proxx_worker.contract.errors import JsonValue

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_UNDECODABLE_BYTES = range(0xDC80, 0xDD00)
_SHOWN_CHARACTERS = 80
_LEAST_INTEGER, _END_OF_INTEGERS = -(1 << 63), 1 << 64  # what JSON readers, orjson among them, hold as an integer
# DEL, C1, line and paragraph separators, the bidirectional controls (Unicode TR 9, 2.1-2.5): what JSON leaves unescaped. By code
# points, not by `str.isprintable`, whose answer depends on Python's version of Unicode.
_STEERING = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_STEERING_IN_JSON = re.compile(f"[{_STEERING}]")
_UNSAFE = re.compile(f"[\0-\x1f{_STEERING}\ud800-\udfff]")


def display_name(name: bytes) -> str:
    r"""A file name as text: UTF-8, with each byte that is not part of it as `\xNN`."""
    return name.decode("utf-8", "backslashreplace")


def encodable(text: str) -> str:
    r"""`text` without anything that UTF-8 cannot encode.

    Lone surrogates become visible: those that stand for an undecodable byte of a path (PEP 383) as `\xNN`, others as `\udNNN`.
    """
    return text if text.isascii() else _LONE_SURROGATE.sub(_escape, text)


def visible(text: str) -> str:
    r"""`text` on one line, with everything that could steer a terminal or turn the line around as `\xNN` or `\uNNNN`.

    For people: messages, log lines, terminals. Controls, line and paragraph separators, bidirectional controls, lone surrogates.
    """
    return text if text.isprintable() else _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    point = ord(match[0])
    if point in _UNDECODABLE_BYTES:
        point -= 0xDC00
    return f"\\x{point:02x}" if point <= 0xFF else f"\\u{point:04x}"  # noqa: PLR2004 - one byte or two


def writable(value: JsonValue) -> JsonValue:
    """A JSON value that can be stored: whatever a path or a file contained, writing a record must never fail."""
    match value:
        case str() if type(value) is str:
            return encodable(value)
        case int() if not _LEAST_INTEGER <= value < _END_OF_INTEGERS:
            return str(value)
        case dict():
            return {encodable(key) if type(key) is str else key: writable(item) for key, item in value.items()}
        case list():
            return [writable(item) for item in value]
        case _:
            return value


def has_lone_surrogate(text: str) -> bool:
    """Whether UTF-8 cannot encode `text`."""
    return not text.isascii() and _LONE_SURROGATE.search(text) is not None


def quoted(text: str) -> str:
    """`text` in double quotes for a message: on one line, at most about 80 characters, controls and surrogates escaped."""
    escaped = json.dumps(visible(shortened(text)), ensure_ascii=False)
    return escaped.replace("\\\\", "\\")


def shortened(text: str) -> str:
    """`text`, or its beginning where it has more than 80 characters."""
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


def steady_json(document: bytes) -> bytes:
    r"""The same JSON, with everything in its strings that could steer a terminal or turn a line around as `\uNNNN`."""
    if document.isascii() and b"\x7f" not in document:
        return document
    return _STEERING_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", document.decode()).encode()


def value_text(value: JsonValue) -> str:
    """A check's value for a person, who need not know Python's name for nothing."""
    return "nothing" if value is None else str(value)


def is_control(letter: str) -> bool:
    """Whether one character is a control character: C0, DEL or C1."""
    return letter < " " or "\x7f" <= letter <= "\x9f"


def folded(name: str) -> str:
    """Equal for two names that a file system without case and with composed accents (APFS, SMB) takes for one."""
    return normalize("NFC", normalize("NFC", name).casefold())
