"""How one log event looks, as text and as JSON. Pure, so that it is tested by value."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import orjson

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.text import steady_json

# C0, DEL, C1, line and paragraph separators, the bidirectional controls that can reorder a line on a terminal
# (Unicode TR 9, 2.1-2.5), and lone surrogates, which no UTF-8 stream can carry.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PLAIN = re.compile(r"[^\s\"=]+")


ENCODER = "encoder"
"""The action of a line that the encoder said."""


def printable(text: str) -> str:
    r"""`text` with every character that could steer a terminal written as `\xNN` or `\uNNNN`."""
    return _UNPRINTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - one byte or two


def timestamp(when: datetime) -> str:
    """UTC RFC 3339 with milliseconds and `Z`."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text_line(when: datetime, level: str, action: str, message: str, fields: Mapping[str, JsonValue]) -> str:
    """`TIME LEVEL action message key=value ...`, one line whatever the values hold."""
    return f"{timestamp(when)} {event_text(level, action, message, fields)}"


def event_text(level: str, action: str, message: str, fields: Mapping[str, JsonValue]) -> str:
    """The same without the time."""
    parts = [f"{level:<7}", action]
    if message:
        parts.append(printable(message))
    parts.extend(f"{key}={_value(value)}" for key, value in fields.items())
    return " ".join(parts) + "\n"


def encoder_text(when: datetime, lines: Iterable[str]) -> str:
    """What `text_line` makes of each of the encoder's `lines`, all heard at one time."""
    head = f"{timestamp(when)} {'INFO':<7} {ENCODER} "
    return "".join(f"{head}{printable(line)}\n" for line in lines)


def _value(value: JsonValue) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return printable(value)
    return _json(value)


def json_line(when: datetime, level: str, action: str, message: str, fields: Mapping[str, JsonValue]) -> str:
    """The same event as one JSON object: `time`, `level`, `action`, `message`, then the fields."""
    document: dict[str, JsonValue] = {"time": timestamp(when), "level": level, "action": action, "message": message}
    return _json({**document, **fields}) + "\n"


def _json(value: JsonValue) -> str:
    return steady_json(orjson.dumps(_encodable(value))).decode()


def _encodable(value: JsonValue) -> JsonValue:
    """`value` with lone surrogates escaped: a file name may hold bytes that are not UTF-8, a log line may not."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case list():
            return [_encodable(item) for item in value]
        case dict():
            return {str(key): _encodable(item) for key, item in value.items()}
        case _:
            return value
