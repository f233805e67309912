"""ffprobe's JSON as typed values. Missing or malformed values are None: a file can make ffprobe print anything."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import orjson

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.text import is_control, visible

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,19}(\.[0-9]{1,12})?")
_RATIO = re.compile(r"([0-9]{1,18})[/:]([0-9]{1,18})")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_NOTHING = frozenset({"", "N/A", "unknown", "none", "reserved", "unspecified"})


def read_ratio(text: str | None) -> Fraction | None:
    """`30000/1001` or `16:9`, above zero; None for 0/0, 0/1 and 0:1, FFmpeg's forms of an unknown value."""
    match = None if text is None else _RATIO.fullmatch(text)
    if match is None or int(match[2]) == 0:
        return None
    return Fraction(int(match[1]), int(match[2])) or None


@dataclass(frozen=True, slots=True)
class Section:
    """One JSON object of ffprobe's. The getters never raise."""

    values: Mapping[str, JsonValue]

    def text(self, key: str) -> str | None:
        """A meaningful string, with control characters escaped; None for FFmpeg's placeholders (`unknown`, `N/A`)."""
        value = self.values.get(key)
        return visible(value) if isinstance(value, str) and value not in _NOTHING else None

    def word(self, key: str) -> str | None:
        """A name out of FFmpeg's own tables (`bt709`, `iec61966-2-1`), which may go into a filter's arguments; else None."""
        value = self.text(key)
        return value if value is not None and _WORD.fullmatch(value) else None

    def integer(self, key: str) -> int | None:
        """A whole number, written as a number or as a string."""
        value = self.values.get(key)
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return value
        return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else None

    def positive(self, key: str) -> int | None:
        """A whole number above zero."""
        value = self.integer(key)
        return value if value is not None and value > 0 else None

    def ratio(self, key: str) -> Fraction | None:
        """See `read_ratio`."""
        value = self.values.get(key)
        return read_ratio(value) if isinstance(value, str) else None

    def seconds(self, key: str) -> Fraction | None:
        """Decimal seconds, exactly as printed (ffprobe rounds them to microseconds)."""
        value = self.values.get(key)
        return Fraction(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None

    def flag(self, key: str) -> bool:
        """Whether a 0/1 field is 1."""
        return self.integer(key) == 1

    def section(self, key: str) -> "Section":
        """An object inside this one; an empty section where there is none."""
        value = self.values.get(key)
        return Section(value if isinstance(value, dict) else {})

    def sections(self, key: str) -> "tuple[Section, ...]":
        """A list of objects inside this one; other values are left out."""
        value = self.values.get(key)
        return tuple(Section(item) for item in value if isinstance(item, dict)) if isinstance(value, list) else ()

    def side_data(self, kind: str) -> "Section | None":
        """A stream's side data of that `side_data_type`, or None."""
        return next((data for data in self.sections("side_data_list") if data.values.get("side_data_type") == kind), None)

    def tag(self, name: str) -> str | None:
        """The tag of that name, letters' case aside (Matroska writes `TIMECODE`); None for none or an empty one.

        Stripped, and without control characters: a reel name ends up in a command line, which takes no NUL.
        """
        return next((text for key, text in self.tags() if key.lower() == name), None)

    def exact_tag(self, name: str) -> str | None:
        """The same with all its characters; None for none, or for one with nothing but spaces and control characters."""
        texts = ((key, value) for key, value in self.section("tags").values.items() if isinstance(value, str))
        return next((text for key, text in texts if key.lower() == name and _harmless(text)), None)

    def tags(self) -> Iterator[tuple[str, str]]:
        """All meaningful tags."""
        for key, value in self.section("tags").values.items():
            if isinstance(value, str) and (text := _harmless(value)):
                yield key, text


def _harmless(text: str) -> str:
    return without_controls(text).strip()


def without_controls(text: str) -> str:
    """`text` without control characters."""
    return text if text.isprintable() else "".join(letter for letter in text if not is_control(letter))


def parse_document(stdout: bytes) -> Section | None:
    """The output of ffprobe; None if it is not a JSON object (it died, or printed nothing)."""
    try:
        document: JsonValue = orjson.loads(stdout)
    except orjson.JSONDecodeError:
        return None
    return Section(document) if isinstance(document, dict) else None
