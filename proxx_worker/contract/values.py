"""The values that a JobSpec's fields may hold.

Each reader converts the text as written, or raises `ValueError` with the reason.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from proxx_worker.contract.output_settings import Resolution, ScaleMode
from proxx_worker.contract.strict_json import Number
from proxx_worker.contract.text import is_control

MAX_NAME_BYTES = 255
"""The longest file name that every supported file system takes, in bytes of UTF-8."""

MAX_RATE = 1000
"""The highest explicit rate, in frames per second."""

# FFmpeg reads a rate as a fraction of whole numbers up to this (libavutil/parseutils.c, av_parse_video_rate), and silently takes
# the nearest one otherwise. What it would not take exactly is refused here.
_MAX_RATE_TERM = 1_001_000
_MAX_RATE_CHARACTERS = 64
_LEAST_RATE = Decimal("1e-6")

_NTSC_RATES: Mapping[Decimal, Fraction] = {
    Decimal("23.976"): Fraction(24000, 1001),
    Decimal("29.97"): Fraction(30000, 1001),
    Decimal("59.94"): Fraction(60000, 1001),
    Decimal("119.88"): Fraction(120000, 1001),
}

JOB_ID_PATTERN = r"^[A-Za-z0-9._-]{1,128}$"
ABSOLUTE_PATH_PATTERN = r"^/[^\x00]*$"
RESOLUTION_PATTERN = r"^(same|half|quarter|([2-9]|[1-9][0-9]{1,4})x([2-9]|[1-9][0-9]{1,4}))$"
TOKEN_VALUE_PATTERN = r"^([^./\\\x00-\x1f\x7f-\x9f][^/\\\x00-\x1f\x7f-\x9f]*)?$"  # noqa: S105 - not a secret
_MONTH, _DAY, _HOUR, _SIXTY = "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])", "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
_DATE = f"([0-9]{{4}}(?:-{_MONTH}-{_DAY}|{_MONTH}{_DAY}))"
_SECONDS = f"{_SIXTY}(?:[.,][0-9]+)?"
_CLOCK = f"({_HOUR}(?::{_SIXTY}(?::{_SECONDS})?|{_SIXTY}(?:{_SECONDS})?))"
_ZONE = f"([Zz]|[+-]{_HOUR}(?::?{_SIXTY})?)"
MOMENT_PATTERN = f"^{_DATE}(?:[Tt ]{_CLOCK}{_ZONE}?)?$"

_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_MOMENT = re.compile(MOMENT_PATTERN.removeprefix("^").removesuffix("$"), re.ASCII)


def read_rate(number: Number) -> Fraction:
    """An explicit rate, exact: the NTSC rates as n*1000/1001, every other number as the decimal it says."""
    try:
        value = Decimal(number.literal[:_MAX_RATE_CHARACTERS])
    except InvalidOperation:  # truncated mid-exponent, or an exponent beyond what any decimal has
        value = Decimal(0)
    if not 0 < value <= MAX_RATE:
        raise ValueError(f"a rate is greater than 0 and at most {MAX_RATE}")
    if len(number.literal) <= _MAX_RATE_CHARACTERS and value >= _LEAST_RATE:
        rate = _NTSC_RATES.get(value) or Fraction(value)
        if max(rate.numerator, rate.denominator) <= _MAX_RATE_TERM:
            return rate
    raise ValueError("no exact rate: write at most 3 decimals (23.976, 29.97, 59.94 and 119.88 mean n*1000/1001)")


def rate_as_number(rate: Fraction) -> str | None:
    """The number that `read_rate` reads as exactly `rate` (`29.97` for 30000/1001); None if there is none (15000/1001)."""
    ntsc = next((str(number) for number, exact in _NTSC_RATES.items() if exact == rate), None)
    if ntsc is not None:
        return ntsc
    number = Decimal(rate.numerator) / Decimal(rate.denominator)
    exact = Fraction(number) == rate and number not in _NTSC_RATES and _LEAST_RATE <= number <= MAX_RATE
    return f"{number.normalize():f}" if exact and max(rate.numerator, rate.denominator) <= _MAX_RATE_TERM else None


def read_resolution(text: str) -> Resolution:
    """`same`, `half`, `quarter` or `WIDTHxHEIGHT`; `text` matches `RESOLUTION_PATTERN`."""
    size = _SIZE.fullmatch(text)
    if size is None:
        return Resolution(ScaleMode(text))
    return Resolution(ScaleMode.FIT, int(size[1]), int(size[2]))


def read_moment(text: str) -> datetime:
    """An ISO 8601 calendar date, with or without a time of day, with or without an offset from UTC. Without a time: midnight.

    Parsed here, because `datetime.fromisoformat` accepts different forms in different Python versions.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("it is not of that form")
    date = found[1].replace("-", "")
    clock, _, fraction = (found[2] or "").replace(":", "").replace(",", ".").partition(".")
    clock = clock.ljust(6, "0")
    try:
        return datetime(
            int(date[:4]),
            int(date[4:6]),
            int(date[6:]),
            int(clock[:2]),
            int(clock[2:4]),
            int(clock[4:]),
            int(fraction[:6].ljust(6, "0")),
            tzinfo=_zone(found[3]),
        )
    except ValueError as error:  # 30 February, the year 0
        raise ValueError("there is no such date") from error


def timestamp(when: datetime) -> str:
    """A moment as results and logs have it: RFC 3339 in UTC, with milliseconds and `Z`."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def has_time_of_day(text: str) -> bool:
    """Whether a text that `read_moment` accepts has a time of day."""
    return any(mark in text for mark in "Tt ")


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def name_fault(name: str) -> str | None:
    """Why `name` cannot be a file name or a part of one; None if it can."""
    # The characters are counted first: they are at most as many as the bytes, and a hostile name has millions.
    size = len(name) if len(name) > MAX_NAME_BYTES else len(name.encode("utf-8"))
    if size > MAX_NAME_BYTES:
        return f"it is longer than {MAX_NAME_BYTES} bytes"
    if name.startswith("."):
        return "it begins with a dot"
    for letter in name:
        if letter in "/\\":
            return f"it contains {letter}"
        if is_control(letter):
            return f"it contains a control character (U+{ord(letter):04X})"
    return None
