"""Formats log events as text and as JSON. Pure, so that it is tested by value."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import orjson

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.text import steady_json, visible, writable
from proxx_worker.contract.values import timestamp

_PLAIN = re.compile(r"[^\s\"=]+")


ENCODER = "encoder"
"""The action of a line of encoder output."""


def text_line(when: datetime, level: str, action: str, message: str, fields: Mapping[str, JsonValue]) -> str:
    """`TIME LEVEL action message key=value ...`, always one line."""
    return f"{timestamp(when)} {event_text(level, action, message, fields)}"


def event_text(level: str, action: str, message: str, fields: Mapping[str, JsonValue]) -> str:
    """The same without the time."""
    parts = [f"{level:<7}", action]
    if message:
        parts.append(visible(message))
    parts.extend(f"{key}={_value(value)}" for key, value in fields.items())
    return " ".join(parts) + "\n"


def encoder_text(when: datetime, lines: Iterable[str]) -> str:
    """The encoder's `lines` as `text_line` formats them, all with the same time."""
    head = f"{timestamp(when)} {'INFO':<7} {ENCODER} "
    return "".join(f"{head}{visible(line)}\n" for line in lines)


def _value(value: JsonValue) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return visible(value)
    return _json(value)


def json_line(when: datetime, level: str, action: str, message: str, fields: Mapping[str, JsonValue]) -> str:
    """The same event as one JSON object: `time`, `level`, `action`, `message`, then the fields."""
    document: dict[str, JsonValue] = {"time": timestamp(when), "level": level, "action": action, "message": message}
    return _json({**document, **fields}) + "\n"


def _json(value: JsonValue) -> str:
    return steady_json(orjson.dumps(writable(value))).decode()
