"""Valid specs of every kind. Shared by the tests of the parser and of the schema."""

import json
from collections.abc import Mapping

from hypothesis import settings

from proxx_worker.contract.codecs import CONTAINERS
from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.profiles import PROFILES

Spec = dict[str, JsonValue]

PROPERTY = settings(deadline=None, max_examples=300, derandomize=True)
"""For properties in `make test`: repeatable, and no wall clock decides. The fuzzers look further."""

GONE = "<this field is left out>"

BASE: Spec = {
    "jobspec_version": "2.1",
    "sources": ["/media/a.mov", "/media/b.mov"],
    "output_directory": "/proxies",
    "proxy_profile": "proxy_h264_low",
    "naming_template": "{source_name}_proxy",
}

EXPLICIT: Spec = {"proxy_profile": GONE, "codec": "prores_lt", "container": "mov", "resolution": "half"}

RESOLVE: Spec = {"proxy_profile": "proxy_prores_hq_resolve", "resolve_preset": "Editorial"}


def spec(*changes: Mapping[str, JsonValue], **more: JsonValue) -> Spec:
    """`BASE` with changes, the later ones over the earlier; `GONE` takes a field out."""
    changed = dict(BASE)
    for change in (*changes, more):
        changed.update(change)
    return {field: value for field, value in changed.items() if value != GONE}


def encoded(value: JsonValue) -> bytes:
    """The bytes of a spec, as a careful writer would make them."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _valid() -> dict[str, Spec]:
    specs: dict[str, Spec] = {"as simple as can be": spec(), "explicit form": spec(EXPLICIT), "Resolve": spec(RESOLVE)}
    for name, profile in PROFILES.items():
        preset: JsonValue = "Editorial" if profile.engine is Engine.RESOLVE else None
        specs[f"profile {name}"] = spec(proxy_profile=name, resolve_preset=preset)
        specs[f"profile {name}, settings that agree"] = spec(
            proxy_profile=name,
            resolve_preset=preset,
            codec=profile.settings.codec.value,
            container=profile.settings.container.value,
            resolution=str(profile.settings.resolution),
        )
    for codec, containers in CONTAINERS.items():
        for container in containers:
            specs[f"{codec} in {container}"] = spec(EXPLICIT, codec=codec.value, container=container.value)
    for resolution in ("same", "half", "quarter", "2x2", "1280x720", "99999x99999"):
        specs[f"resolution {resolution}"] = spec(EXPLICIT, resolution=resolution)
    for rate in (1, 25, 12.5, 23.976, 29.97, 59.94, 119.88, 1000, 0.001):
        specs[f"rate {rate}"] = spec(fps_mode="explicit", fps_explicit=rate)
    for moment in _MOMENTS:
        specs[f"moment {moment}"] = spec(created_at=moment, naming_template="{date}_{source_name}")
    return specs | {
        "every optional field null": spec(
            job_id=None,
            codec=None,
            container=None,
            resolution=None,
            fps_mode=None,
            fps_explicit=None,
            resolved_tokens=None,
            created_at=None,
            resolve_preset=None,
        ),
        "explicit form, profile null": spec(EXPLICIT, proxy_profile=None),
        "explicit form, preset": spec(EXPLICIT, resolve_preset="Editorial"),
        "job_id of every kind of letter": spec(job_id="Day-03_a.B"),
        "job_id of 128": spec(job_id="x" * 128),
        "one setting beside its profile": spec(container="mp4"),
        "odd but absolute paths": spec(sources=["/", "//", "/a/../b", "/ ", "/-rf", "/%d", "/\n", "/\u202e", "/\U0001f3ac"]),
        "same-as-source": spec(fps_mode="same-as-source"),
        "no token": spec(naming_template="x"),
        "an empty template": spec(naming_template=""),
        "every token": spec(
            naming_template="{source_name}{source_ext}{job_id}{date}{time}{index}{codec}{resolution}",
            created_at="2025-12-29T14:30:00",
        ),
        "every token resolved": spec(resolved_tokens=dict.fromkeys(_TOKENS, "x")),
        "date and time resolved": spec(naming_template="{date}{time}{index}", resolved_tokens={"date": "today", "time": "now"}),
        "time resolved, date not": spec(
            naming_template="{date}{time}{index}", created_at="2025-12-29", resolved_tokens={"time": "now"}
        ),
        "braces in a value": spec(naming_template="{job_id}_{index}", resolved_tokens={"job_id": "{date}"}),
        "an empty value": spec(naming_template="{job_id}_{index}", resolved_tokens={"job_id": ""}),
        "no values": spec(resolved_tokens={}),
    }


_TOKENS = ("source_name", "source_ext", "job_id", "date", "time", "index", "codec", "resolution")

_MOMENTS = (
    "2025-12-29",
    "20251229",
    "2025-12-29T14:30",
    "2025-12-29T14:30:05",
    "2025-12-29 14:30:05",
    "2025-12-29t14:30:05z",
    "2025-12-29T14:30:05Z",
    "2025-12-29T14:30:05.123456789Z",
    "2025-12-29T14:30:05,5+01:00",
    "20251229T143005Z",
    "20251229T1430-0330",
    "2024-02-29T23:59:59-08",
)

VALID = _valid()
