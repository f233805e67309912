"""What is wrong with a text that is not JSON, for a person: the place, an excerpt, and the likely mistake.

Only the offset of the library's error is used, so the words do not depend on Python's version (3.13 renamed some of its own).
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from proxx_worker.contract.text import visible

Mistake: TypeAlias = tuple[int, str]
"""Where it is, and what it is with what to do about it."""

_BEFORE, _AFTER = 30, 20  # characters of the line that an excerpt shows on either side
_SPACE = " \t\r\n"
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VALUES = frozenset('"{[-0123456789tfn')  # how a JSON value can begin
_NUMBERS = frozenset("0123456789.+-")
_OTHER_WORDS = {"True": "true", "False": "false", "None": "null", "TRUE": "true", "FALSE": "false", "NULL": "null"}


def describe(text: str, offset: int) -> str:
    """The mistake at or just before `offset`, where a parser gave up on `text`: its place, then what to do."""
    at, words = next(found for find in _MISTAKES if (found := find(text, offset)) is not None)
    return f"{place(text, at)}: {words}"


def place(text: str, offset: int) -> str:
    """`line 3, column 5, near ...`: where `offset` is, counted from 1, and the text around it in its line."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    end = len(text) if end < 0 else end
    line = text.count("\n", 0, offset) + 1
    shown = visible(text[max(start, offset - _BEFORE) : min(end, offset + _AFTER)].strip())
    near = f", near `{shown}`" if shown else ""
    return f"line {line}, column {offset - start + 1}{near}"


def _extra_text(text: str, offset: int) -> Mistake | None:
    brackets = _STRING.sub("", text[:offset])
    if brackets.strip(_SPACE) and sum(map(brackets.count, "[{")) == sum(map(brackets.count, "]}")):
        return offset, "more text after the end: a JobSpec is one object, {...}, and nothing else"
    return None


def _trailing_comma(text: str, offset: int) -> Mistake | None:
    if text[offset : offset + 1] == ",":
        comma, rest = offset, text[offset + 1 :].lstrip(_SPACE)
    else:
        comma, rest = len(text[:offset].rstrip(_SPACE)) - 1, text[offset:]
    if rest[:1] in {"}", "]"} and text[max(comma, 0)] == ",":
        return comma, f"a comma before the closing {rest[0]}: remove it"
    return None


def _cut_off(text: str, offset: int) -> Mistake | None:
    end = len(text.rstrip(_SPACE))
    return (end, "the text ends too early, as if it was cut off: write it again as a whole") if offset >= end else None


def _no_object(text: str, offset: int) -> Mistake | None:
    if text[:offset].strip(_SPACE) == "" and text[offset] not in _VALUES:
        return offset, "a JobSpec begins with {, and this does not"
    return None


def _control(text: str, offset: int) -> Mistake | None:
    if text[offset] < " ":
        return (
            offset,
            "a line break, tab or control character inside a string: close the quote before it, or write it as an escape",
        )
    return None


def _backslash(text: str, offset: int) -> Mistake | None:
    at = offset - 1 if text[offset - 1 : offset] == "\\" else offset  # of a bad \u the library names the `u`
    if text[at] == "\\":
        return at, r"a backslash that begins no escape, as in C:\: write paths with /, as the worker's machine has them"
    return None


def _comment(text: str, offset: int) -> Mistake | None:
    is_comment = text[offset] == "#" or text[offset : offset + 2] in {"//", "/*"}
    return (offset, "a comment: JSON has none, remove it") if is_comment else None


def _mark(marks: str, words: str) -> Callable[[str, int], Mistake | None]:
    return lambda text, offset: (offset, words) if text[offset] in marks else None


def _open_string(text: str, offset: int) -> Mistake | None:
    """A string that is never closed: the library names its opening quote."""
    if text[offset] == '"' and _STRING.match(text, offset) is None:
        return offset, "a string that is not closed: add its closing quote, or write the file again if it was cut off"
    return None


def _number(text: str, offset: int) -> Mistake | None:
    if text[offset] in _NUMBERS and (text[offset] in "+." or text[offset - 1 : offset] in _NUMBERS):
        return offset, "not a number as JSON writes them: 0.5, -1, 24 (no +, no leading zero, digits on both sides of the dot)"
    return None


def _missing_comma(text: str, offset: int) -> Mistake | None:
    if text[offset] in _VALUES and text[:offset].rstrip(_SPACE)[-1:] not in {",", ":", "[", "{"}:
        return offset, "a comma (or a colon) is missing before this"
    return None


def _word(text: str, offset: int) -> Mistake | None:
    word = _WORD.match(text, offset)
    if word is None:
        return None
    if word[0] in _OTHER_WORDS:
        return offset, f"{word[0]} is not JSON: write {_OTHER_WORDS[word[0]]}"
    if text[word.end() :].lstrip(_SPACE)[:1] == ":":
        return offset, f'a field name without quotes: write "{word[0]}"'
    return offset, "text without quotes: put it in double quotes"


_MISTAKES: Sequence[Callable[[str, int], Mistake | None]] = (
    _extra_text,
    _trailing_comma,
    _cut_off,
    _no_object,
    _control,
    _backslash,
    _comment,
    _mark("'", 'a single quote: JSON has double quotes only, "..."'),
    _mark("\u201c\u201d\u201e\u2018\u2019", 'a typographic quote: JSON has straight ones only, "..."'),
    _mark("~*/", 'a path without quotes: write "/the/whole/path"; ~ and wildcards are not expanded'),
    _open_string,
    _number,
    _missing_comma,
    _word,
    lambda text, offset: (offset, f"{visible(text[offset])} is not expected here"),
)
"""The usual mistakes, each as a test of text and offset; the first that fits is reported, and the last always fits."""
