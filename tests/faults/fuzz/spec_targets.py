"""Fuzz targets of the contract: a spec's bytes, and the names that a spec gives its outputs."""

import json
import re
from unicodedata import normalize

import orjson

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.contract.jobspec import JobSpec, is_whole_json_object, parse_jobspec, summarize_spec
from proxx_worker.contract.naming import output_names
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.result import ErrorRecord
from proxx_worker.contract.spec_model import FIELDS, TOKENS
from tests.faults.fuzz.consume import Choices
from tests.unit.contract.corpus import BASE, VALID, encoded

NOT_WHOLE = frozenset({ErrorCode.SPEC_NOT_JSON, ErrorCode.SPEC_TOO_LARGE})
SPEC_CODES = NOT_WHOLE | {ErrorCode.SPEC_VERSION, ErrorCode.SPEC_INVALID, ErrorCode.PROFILE_UNKNOWN}
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
NAME_CODES = frozenset({ErrorCode.OUTPUT_NAME_INVALID, ErrorCode.OUTPUT_NAME_COLLISION})

_RAW_VALUES = (
    b"null", b"true", b"false", b"0", b"-0", b"-1", b"25", b"23.976", b"1e400", b"1E-400", b"9" * 5000, b"0." + b"3" * 500,
    b"NaN", b"Infinity", b"[]", b"{}", b"[[[[[]]]]]", b"[" * 70, b'"\\ud800"', b'"\\u0000"', b'"\\u202e"', b'"/a"', b'["/a"]',
    b'["/a", "/a"]', b'["/a", 1, null, ""]', b'"explicit"', b'"same-as-source"', b'"prores_lt"', b'"mov"', b'"h264"', b'"mp4"',
    b'"half"', b'"2x2"', b'"99999x99999"', b'"{date}{time}"', b'"{{index}}"', b'"2025-02-30"', b'"2025-12-29T14:30"', b'""',
    b'"proxy_h264_low"', b'"proxy_prores_hq_resolve"', b'"nothing"', b'{"date": "x"}', b'{"date": "x", "date": "y", "z": 1}',
)  # fmt: skip
_ODD_TEXTS = (
    "",
    ".",
    "/",
    "\\",
    "{",
    "}",
    "{}",
    "{index}",
    "{date}",
    "{time}",
    "{source_name}",
    "\0",
    "\x9b",
    "\u202e",
    "e\u0301",
)
_SOURCE_NAMES = ("/a.mov", "/A.MOV", "/a", "/", "//", "/.hidden", "/a.b.c", "/-rf", "/%d.jpg", "/\n", "/é.mov", "/e\u0301.mov")
_MOMENTS = (None, "2025-12-29", "2025-12-29T14:30:05Z")
_MOSTLY = 8


def check_refusal(refusal: ProxxError, codes: frozenset[ErrorCode]) -> None:
    """A refusal has one of `codes`, shows on one line, and can be written into a result."""
    assert refusal.code in codes
    assert CONTROL.search(refusal.error.message) is None
    orjson.dumps(ErrorRecord.of(refusal.error).model_dump(mode="json"))


def read_spec(data: bytes) -> JobSpec | None:
    """Parse; hold what a refusal may be, and that what is provably whole is exactly what is one strict JSON object."""
    summary = summarize_spec(data)
    assert len(summary.job_id) <= 128
    assert summary.sha256 is not None
    spec, code = None, None
    try:
        spec = parse_jobspec(data)
    except ProxxError as refusal:
        check_refusal(refusal, SPEC_CODES)
        code = refusal.code
    assert is_whole_json_object(data) is (code not in NOT_WHOLE)
    assert spec is None or (spec.job_id, spec.sources, spec.sha256) == (summary.job_id, summary.sources, summary.sha256)
    return spec


def hold_names(spec: JobSpec) -> None:
    """Every name is a safe file name and no two are one; or the refusal is a name's."""
    try:
        names = output_names(spec)
    except ProxxError as refusal:
        check_refusal(refusal, NAME_CODES)
        return
    assert len(names) == len(spec.sources)
    for name in names:
        assert len(name.encode()) <= 255
        assert not name.startswith(".")
        assert not set(name) & set("/\\\0")
        assert CONTROL.search(name) is None
        assert name.endswith(f".{spec.settings.container}")
    assert len({normalize("NFC", normalize("NFC", name).casefold()) for name in names}) == len(names)


def fuzz_jobspec(data: bytes) -> None:
    """Bytes as they come, or a good spec with fields changed, doubled, left out and invented."""
    choices = Choices(data)
    spec = read_spec(choices.rest() if choices.byte() % 2 else _altered_spec(choices))
    if spec is not None:
        hold_names(spec)


def _altered_spec(choices: Choices) -> bytes:
    fields = [(key.encode(), encoded(value)) for key, value in choices.one_of(tuple(VALID.values())).items()]
    for _ in range(choices.below(5)):
        key = choices.text(12) if choices.byte() % _MOSTLY == 0 else choices.one_of(FIELDS)
        raw = choices.take(choices.below(24)) if choices.byte() % _MOSTLY == 0 else choices.one_of(_RAW_VALUES)
        if choices.byte() % 2:
            fields = [field for field in fields if field[0] != key.encode()]
        fields.insert(choices.below(len(fields) + 1), (encoded(key)[1:-1], raw))
    return b"{" + b",".join(b'"' + key + b'":' + value for key, value in fields) + b"}" + choices.take(choices.byte() % 3)


def fuzz_naming(data: bytes) -> None:
    """A template, sources, tokens and a moment; the rest of the spec is good."""
    choices = Choices(data)
    document: dict[str, JsonValue] = {**BASE, "proxy_profile": choices.one_of(tuple(PROFILES)), "resolve_preset": "P"}
    if "resolve" not in str(document["proxy_profile"]):
        del document["resolve_preset"]
    document["naming_template"] = "".join(_pieces(choices, 6))
    document["sources"] = [_source(choices) for _ in range(1 + choices.below(4))]
    if choices.byte() % 2:
        document["resolved_tokens"] = {choices.one_of(TOKENS): "".join(_pieces(choices, 2)) for _ in range(choices.below(4))}
    document["created_at"] = choices.one_of(_MOMENTS)
    if choices.byte() % 2:
        document["job_id"] = choices.text(130)
    spec = read_spec(json.dumps(document, ensure_ascii=choices.byte() % 2 == 0).encode("utf-8", "surrogatepass"))
    if spec is not None:
        hold_names(spec)


def _pieces(choices: Choices, limit: int) -> list[str]:
    pieces = []
    for _ in range(choices.below(limit + 1)):
        piece = choices.text(40) if choices.byte() % 2 else choices.one_of((*_ODD_TEXTS, *TOKENS))
        pieces.append(piece * 100 if choices.byte() % 32 == 1 else piece)
    return pieces


def _source(choices: Choices) -> str:
    return choices.one_of(_SOURCE_NAMES) if choices.byte() % 2 else f"/{choices.text(60)}"
