"""Specs that are refused, each with the paths of its faults. Shared by the tests of the parser and of the schema."""

from collections.abc import Sequence
from dataclasses import dataclass

from proxx_worker.contract.codecs import CONTAINERS
from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.output_settings import Container, Engine
from proxx_worker.contract.profiles import PROFILES
from tests.unit.contract.corpus import EXPLICIT, GONE, RESOLVE, Spec, spec


@dataclass(frozen=True)
class Invalid:
    """A spec that is refused. `paths`: of its faults, in order; `by_schema`: whether a schema can tell."""

    content: Spec
    paths: Sequence[str]
    by_schema: bool = True


_NO_MOMENTS = (
    "",
    "now",
    "2025",
    "2025-12",
    "2025-1229",
    "25-12-29",
    "2025-13-01",
    "2025-00-01",
    "2025-12-32",
    "2025-12-29T",
    "2025-12-29T14",
    "2025-12-29T24:00",
    "2025-12-29T14:60",
    "2025-12-29T14:30:60",
    "2025-12-29T14:3005",
    "2025-12-29X14:30",
    "2025-12-29T14:30:05.",
    "2025-12-29T14:30:05+24:00",
    "2025-12-29T14:30:05+1",
    "2025-12-29T14:30:05 Z",
    "2025-12-29Z",
    " 2025-12-29",
    "\u0662025-12-29",
    "2025-W52-1",
)


def _wrong_kinds() -> dict[str, Invalid]:
    """A value of each wrong kind in each field."""
    cases: dict[str, Invalid] = {}
    kinds: dict[str, JsonValue] = {"number": 5, "fraction": 0.5, "true": True, "list": ["x"], "object": {"x": "y"}, "text": "?"}
    wrong_kinds = {
        "job_id": ("number", "fraction", "true", "list", "object", "text"),
        "sources": ("number", "fraction", "true", "list", "object", "text"),
        "output_directory": ("number", "fraction", "true", "list", "object", "text"),
        "proxy_profile": ("number", "fraction", "true", "list", "object"),
        "codec": ("number", "fraction", "true", "list", "object", "text"),
        "container": ("number", "fraction", "true", "list", "object", "text"),
        "resolution": ("number", "fraction", "true", "list", "object", "text"),
        "naming_template": ("number", "fraction", "true", "list", "object"),
        "fps_mode": ("number", "fraction", "true", "list", "object", "text"),
        "resolved_tokens": ("number", "fraction", "true", "list", "object", "text"),
        "created_at": ("number", "fraction", "true", "list", "object", "text"),
    }
    suffixes = {("sources", "list"): "[0]", ("resolved_tokens", "object"): ".x"}
    for field, wrong in wrong_kinds.items():
        for kind in wrong:
            path = field + suffixes.get((field, kind), "")
            cases[f"{field}: {kind}"] = Invalid(spec({field: kinds[kind]}), [path])
    for kind in ("number", "fraction", "true", "list", "object"):
        cases[f"resolve_preset: {kind}"] = Invalid(spec(RESOLVE, resolve_preset=kinds[kind]), ["resolve_preset"])
    for kind in ("true", "list", "object", "text"):
        content = spec(fps_mode="explicit", fps_explicit=kinds[kind])
        cases[f"fps_explicit: {kind}"] = Invalid(content, ["fps_explicit"])
    return cases


def _shown(text: str) -> str:
    r"""A text as a case's name: printable ASCII without a backslash.

    pytest keeps the names it made on the mark and escapes them again when one process runs twice, as mutmut's does: `a\n` would
    be `a\\n` then, and not be found.
    """
    return repr("".join(c if c.isascii() and c.isprintable() and c != "\\" else f"<{ord(c):02x}>" for c in text))


def _wrong_values() -> dict[str, Invalid]:
    """Values of the right kind that no field takes."""
    cases: dict[str, Invalid] = {}
    for field in ("sources", "output_directory", "naming_template"):
        cases[f"{field} missing"] = Invalid(spec({field: GONE}), [field])
        cases[f"{field} null"] = Invalid(spec({field: None}), [field])
    for template in ("{x}", "{", "}", "{{date}}", "{}", "{a{index}"):
        content = spec(naming_template=template, created_at="2025-12-29")
        cases[f"template {template}"] = Invalid(content, ["naming_template"])
    for resolution in ("1x1", "0x720", "720", "1280X720", "1280x", "01280x720", "+2x2", "100000x2", " half", "Half", "-2x2", ""):
        cases[f"resolution {resolution!r}"] = Invalid(spec(EXPLICIT, resolution=resolution), ["resolution"])
    for moment in _NO_MOMENTS:
        cases[f"created_at {_shown(moment)}"] = Invalid(spec(created_at=moment), ["created_at"])
    for moment in ("2025-02-29", "0000-01-01", "2025-04-31T10:00"):
        cases[f"created_at {moment!r}"] = Invalid(spec(created_at=moment), ["created_at"], by_schema=False)
    for rate in (0, -1, -0.0, 1000.001, 1e300):
        cases[f"rate {rate}"] = Invalid(spec(fps_mode="explicit", fps_explicit=rate), ["fps_explicit"])
    for rate in (29.97002997002997, 1e-7, 1e-300):
        cases[f"rate {rate}"] = Invalid(spec(fps_mode="explicit", fps_explicit=rate), ["fps_explicit"], by_schema=False)
    for value in ("/", "a/b", "\\", "a\n", "\x00", "\x7f", "\x9f", ".a"):
        content = spec(resolved_tokens={"date": value})
        # In the schemas' dialect `$` is the end of the text; Python's own `re` takes it before a last newline as well.
        cases[f"token value {_shown(value)}"] = Invalid(content, ["resolved_tokens.date"], by_schema=value != "a\n")
    return cases


def _wrong_combinations() -> dict[str, Invalid]:
    """What the tables of codecs and profiles do not hold."""
    cases: dict[str, Invalid] = {}
    for codec, containers in CONTAINERS.items():
        for container in [choice for choice in Container if choice not in containers]:
            content = spec(EXPLICIT, codec=codec.value, container=container)
            cases[f"{codec} in {container}"] = Invalid(content, ["container"])
    for name, profile in PROFILES.items():
        preset: JsonValue = "Editorial" if profile.engine is Engine.RESOLVE else None
        other = {"codec": "h265", "container": "webm", "resolution": "1280x720"}
        for field, value in other.items():
            content = spec({field: value}, proxy_profile=name, resolve_preset=preset)
            cases[f"{name} with {field} {value}"] = Invalid(content, [field])
        wrong_preset: JsonValue = None if profile.engine is Engine.RESOLVE else "Editorial"
        cases[f"{name} with preset {wrong_preset}"] = Invalid(
            spec(proxy_profile=name, resolve_preset=wrong_preset), ["resolve_preset"]
        )
        if profile.engine is Engine.RESOLVE:
            rate = spec(proxy_profile=name, resolve_preset=preset, fps_mode="explicit", fps_explicit=25)
            cases[f"{name} with a rate"] = Invalid(rate, ["fps_mode"])
    return cases


def _others() -> dict[str, Invalid]:
    """Single cases, within a field and between fields."""
    return {
        "no source": Invalid(spec(sources=[]), ["sources"]),
        "sources of every wrong kind": Invalid(
            spec(sources=["/a", "b", "", None, 1, ["/c"], "/d\x00"]), [f"sources[{index}]" for index in range(1, 7)]
        ),
        "output_directory with NUL": Invalid(spec(output_directory="/a\x00b"), ["output_directory"]),
        "job_id empty": Invalid(spec(job_id=""), ["job_id"]),
        "job_id of 129": Invalid(spec(job_id="x" * 129), ["job_id"]),
        "job_id with a slash": Invalid(spec(job_id="a/b"), ["job_id"]),
        "job_id with an umlaut": Invalid(spec(job_id="\u00fc"), ["job_id"]),
        "resolve_preset empty": Invalid(spec(RESOLVE, resolve_preset=""), ["resolve_preset"]),
        "an unknown field": Invalid(spec(source=["/a"]), ["source"]),
        "an unknown field, null": Invalid(spec(priority=None), ["priority"]),
        "an odd field": Invalid(spec({"a b.c": 1}), ['["a b.c"]']),
        "neither form": Invalid(spec(proxy_profile=GONE), ["proxy_profile"]),
        "neither form, all null": Invalid(
            spec(proxy_profile=None, codec=None, container=None, resolution=None), ["proxy_profile"]
        ),
        "codec alone": Invalid(spec(proxy_profile=GONE, codec="h264"), ["container", "resolution"]),
        "codec missing": Invalid(spec(EXPLICIT, codec=GONE), ["codec"]),
        "container missing": Invalid(spec(EXPLICIT, container=GONE), ["container"]),
        "resolution null": Invalid(spec(EXPLICIT, resolution=None), ["resolution"]),
        "explicit without its rate": Invalid(spec(fps_mode="explicit"), ["fps_explicit"]),
        "explicit with rate null": Invalid(spec(fps_mode="explicit", fps_explicit=None), ["fps_explicit"]),
        "a rate without its mode": Invalid(spec(fps_explicit=25), ["fps_explicit"]),
        "a rate with the other mode": Invalid(spec(fps_mode="same-as-source", fps_explicit=25), ["fps_explicit"]),
        "a wrong rate without its mode": Invalid(spec(fps_explicit=0), ["fps_explicit", "fps_explicit"]),
        "a wrong mode does not hide the rate": Invalid(spec(fps_mode="x", fps_explicit=0), ["fps_mode", "fps_explicit"]),
        "a wrong mode says nothing of the rate": Invalid(spec(fps_mode="x", fps_explicit=25), ["fps_mode"]),
        "{date} from nowhere": Invalid(spec(naming_template="{date}_{index}"), ["created_at"]),
        "{time} from nowhere": Invalid(spec(naming_template="{time}_{index}", resolved_tokens={"date": "x"}), ["created_at"]),
        "{date} from null": Invalid(spec(naming_template="{date}_{index}", created_at=None), ["created_at"]),
        "{time} from a date": Invalid(spec(naming_template="{time}_{index}", created_at="2025-12-29"), ["created_at"]),
        "{date} from a wrong moment": Invalid(spec(naming_template="{date}_{index}", created_at="now"), ["created_at"]),
        "many faults of a template": Invalid(spec(naming_template="{a}{b}{{a}"), ["naming_template"] * 3),
        "a token too long": Invalid(spec(resolved_tokens={"date": "\u00fc" * 128}), ["resolved_tokens.date"], by_schema=False),
        "a token null": Invalid(spec(resolved_tokens={"date": None}), ["resolved_tokens.date"]),
        "a key called [key]": Invalid(spec(resolved_tokens={"[key]": "x"}), ['resolved_tokens["[key]"]']),
        "wrong tokens": Invalid(
            spec(resolved_tokens={"dat": "x", "time": 5, "date": "ok"}), ["resolved_tokens.dat", "resolved_tokens.time"]
        ),
        "faults of every field, and between them": Invalid(
            {
                "jobspec_version": "2.1",
                "job_id": "",
                "sources": ["a"],
                "output_directory": "b",
                "codec": "dnxhd",
                "container": "mov",
                "naming_template": "{nope}{date}",
                "fps_mode": "explicit",
                "resolved_tokens": {"index": 1},
                "resolve_preset": 1,
                "colour": "blue",
            },
            [
                "job_id",
                "sources[0]",
                "output_directory",
                "container",
                "resolution",
                "naming_template",
                "fps_explicit",
                "resolved_tokens.index",
                "created_at",
                "resolve_preset",
                "colour",
            ],
        ),
        "profile and settings disagree in all": Invalid(
            spec(codec="vp9", container="webm", resolution="same"), ["codec", "container", "resolution"]
        ),
        "an unknown profile is not alone": Invalid(spec(proxy_profile="x", job_id=""), ["job_id", "proxy_profile"]),
        "an unknown profile and settings that cannot be": Invalid(
            spec(proxy_profile="x", codec="dnxhd", container="mov"), ["proxy_profile", "container"]
        ),
    }


INVALID = _wrong_kinds() | _wrong_values() | _wrong_combinations() | _others()
