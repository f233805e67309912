"""Strict JSON (RFC 8259): a spec's bytes are parsed in one way only, or refused with the reason.

Stricter than the standard library (no `NaN`, no byte-order mark, bounded depth) and more explicit than `orjson` (duplicate keys
and lone surrogates are reported with their paths; numbers keep their literal, so that 29.97 is exactly that).
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

import orjson

from proxx_worker.contract.json_errors import describe, place
from proxx_worker.contract.text import encodable, has_lone_surrogate, quoted

MAX_SPEC_BYTES = 1 << 20
"""The size of the largest JobSpec, in bytes."""

MAX_DEPTH = 64
"""How deep arrays and objects may be nested, the outermost counted. A JobSpec needs 2."""

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_HEAD_BYTES = 4096
_EXCERPT_BYTES = 20
# Possessive, and the closing quote is optional: an unclosed string full of escaped quotes would otherwise cost quadratic time.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_STRING_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number as it was written. No rounding, no limit of digits."""

    literal: str


Value: TypeAlias = "str | Number | bool | list[Value] | dict[str, Value] | None"
"""The parser's output: JSON with numbers as literals."""

Nest: TypeAlias = "list[Nest | str | float | None] | dict[str, Nest | str | float | None]"

Path: TypeAlias = tuple[str | int, ...]
"""The path of a value: keys and indexes from the outside in."""


class _NotFiniteError(ValueError):
    """`NaN` or an infinity, which the library takes for numbers; `str()` is the literal."""


class NotJsonError(ValueError):
    """The bytes are not one strict JSON object; `str()` says why, and where."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Valid JSON grammar that is still refused: a duplicate key or a lone surrogate, at `path`."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    r"""One object. `flaws` is empty for a valid one; lone surrogates appear in `content` as visible text (`\ud800`)."""

    content: dict[str, Value]
    flaws: tuple[Flaw, ...]


class _Doubled(dict[str, Value]):
    """An object in which keys were repeated. The last value of each wins, as in most parsers."""

    __slots__ = ("doubled",)

    def __init__(self, pairs: list[tuple[str, Value]]) -> None:
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs)
        self.doubled = tuple(key for key, count in counts.items() if count > 1)


def parse_object(data: bytes) -> Document:
    """Read `data` as one JSON object. Raises `NotJsonError`; nothing else, whatever the bytes."""
    _refuse_unreadable(data)
    found_doubled = False

    def build_object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
        nonlocal found_doubled
        built = dict(pairs)
        if len(built) == len(pairs):
            return built
        found_doubled = True
        return _Doubled(pairs)

    decoder = json.JSONDecoder(
        object_pairs_hook=build_object, parse_float=Number, parse_int=Number, parse_constant=_refuse_constant
    )
    content: Value = _decode(decoder, data)
    if not isinstance(content, dict):
        raise NotJsonError("it is JSON, but not an object: the outermost value must be {...}")
    if not found_doubled and _SURROGATE_ESCAPE.search(data) is None:
        return Document(content, ())
    flaws: list[Flaw] = []
    cleaned = _clean_object(content, (), flaws)
    return Document(cleaned, tuple(flaws))


def is_whole_json_object(data: bytes) -> bool:
    """Whether `data` is provably a whole spec: at most 1 MiB that parse as one strict JSON object. Never raises.

    Cheap enough to run whenever a file is seen: `orjson` takes a few milliseconds per MiB, and what it accepts the strict parser
    accepts too, except for depth. The slower parser only decides what it refuses (lone surrogates, numbers beyond a double).
    """
    if len(data) > MAX_SPEC_BYTES:
        return False
    try:
        content: Nest | str | float | None = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _is_strict(data)
    return isinstance(content, dict) and not _nests_too_deep(content)


def path_text(path: Path) -> str:
    """A path as a fault shows it: `sources[2]`, `resolved_tokens.date`, `["odd key"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{quoted(step)}]"
    return text


def is_binary(data: bytes) -> bool:
    """Whether data begins with zero bytes, which no text has. A spec with zeros further in is another matter."""
    head = data[:_HEAD_BYTES]
    return b"\0" in head and not head.lstrip().startswith((b"{", *_UTF_16))


def _refuse_unreadable(data: bytes) -> None:
    if not data.strip(b" \t\r\n"):
        raise NotJsonError("it is empty: write the JobSpec into it")
    if is_binary(data):
        raise NotJsonError("it is binary data, not text; if it is a clip, make a JobSpec for it with `proxx-worker spec`")
    if data.startswith(_BOM):
        raise NotJsonError("it begins with a byte-order mark: write UTF-8 without one")
    if data.startswith(_UTF_16):
        raise NotJsonError("it is UTF-16: write UTF-8")
    if _is_too_deep(data):
        raise NotJsonError(f"its values nest more than {MAX_DEPTH} deep")


def _decode(decoder: json.JSONDecoder, data: bytes) -> Value:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        shown = before + data[error.start :][:_EXCERPT_BYTES].decode("utf-8", "backslashreplace")
        where = place(shown, len(before))
        raise NotJsonError(f"{where}: it is not UTF-8, byte {data[error.start]:#04x} at offset {error.start}") from error
    try:
        content: Value = decoder.decode(text)
    except _NotFiniteError as error:
        literal = str(error)
        where = place(text, _STRING_TEXT.sub(lambda found: " " * len(found[0]), text).find(literal))
        raise NotJsonError(f"{where}: {literal} is not JSON, whose numbers are finite") from error
    except json.JSONDecodeError as error:
        raise NotJsonError(describe(text, error.pos)) from error
    return content


def _refuse_constant(literal: str) -> None:
    raise _NotFiniteError(literal)


def _is_strict(data: bytes) -> bool:
    try:
        parse_object(data)
    except NotJsonError:
        return False
    return True


def _nests_too_deep(outermost: Nest) -> bool:
    """Whether a value that was parsed already has more than `MAX_DEPTH` levels, found level by level."""
    level, depth = [outermost], 0
    while level and depth < MAX_DEPTH:
        depth += 1
        inner = (item for value in level for item in (value.values() if isinstance(value, dict) else value))
        level = [item for item in inner if isinstance(item, dict | list)]
    return bool(level)


def _is_too_deep(data: bytes) -> bool:
    """Whether brackets outside strings open more than `MAX_DEPTH` levels: known before parsing, so no parser recurses far."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    return max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0) > MAX_DEPTH


def _clean_object(value: dict[str, Value], path: Path, flaws: list[Flaw]) -> dict[str, Value]:
    if isinstance(value, _Doubled):
        flaws.extend(Flaw((*path, encodable(key)), "the key is given more than once: keep one of them") for key in value.doubled)
    cleaned: dict[str, Value] = {}
    for key, item in value.items():
        here = (*path, encodable(key))
        if has_lone_surrogate(key):
            flaws.append(Flaw(here, "the key has half of a surrogate pair, which UTF-8 cannot encode: correct the escape"))
        cleaned[encodable(key)] = _clean(item, here, flaws)
    return cleaned


def _clean(value: Value, path: Path, flaws: list[Flaw]) -> Value:
    """`value` without lone surrogates and doubled keys; each is added to `flaws`. Recursion is bounded by `MAX_DEPTH`."""
    if isinstance(value, str) and has_lone_surrogate(value):
        flaws.append(Flaw(path, "the text has half of a surrogate pair, which UTF-8 cannot encode: correct the escape"))
        return encodable(value)
    if isinstance(value, list):
        return [_clean(item, (*path, index), flaws) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return _clean_object(value, path, flaws)
    return value
