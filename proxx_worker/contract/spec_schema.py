"""What a JobSpec's fields require of each other, as JSON Schema.

The parser has the same rules in code (`spec_faults`); a test compares both. What a schema cannot express is left to the parser:
duplicate keys, lone surrogates, dates that do not exist, names rendered from sources, rates that are not exact fractions.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from proxx_worker.contract.codecs import CONTAINERS
from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.output_settings import Codec, Container, Engine, FpsMode
from proxx_worker.contract.profiles import PROFILES, Profile

Schema: TypeAlias = dict[str, JsonValue]

_EXPLICIT = ("codec", "container", "resolution")


def jobspec_rules() -> Iterator[Schema]:
    """Each rule holds for every valid spec, so together they go under `allOf`."""
    yield {
        "description": "Either a profile, or complete explicit settings.",
        "anyOf": [_given("proxy_profile"), {"allOf": [_given(field) for field in _EXPLICIT]}],
    }
    yield {
        "description": "fps_explicit goes with fps_mode explicit, and only with it.",
        "if": _given("fps_mode", {"const": FpsMode.EXPLICIT.value}),
        "then": _given("fps_explicit"),
        "else": _absent("fps_explicit"),
    }
    yield _moment_rule("date", {"type": "string"})
    yield _moment_rule("time", {"type": "string", "pattern": "[Tt ]"})
    groups: dict[tuple[Container, ...], list[Codec]] = {}
    for codec, containers in CONTAINERS.items():
        groups.setdefault(containers, []).append(codec)
    for containers, codecs in groups.items():
        yield _container_rule(codecs, containers)
    for profile in PROFILES.values():
        yield _profile_rule(profile)


def _container_rule(codecs: list[Codec], containers: tuple[Container, ...]) -> Schema:
    named, allowed = ", ".join(codecs), [container.value for container in containers]
    return {
        "description": f"The containers of {named}.",
        "if": _given("codec", {"enum": [codec.value for codec in codecs]}),
        "then": _if_given({"container": {"enum": [*allowed, None]}}),
    }


def _profile_rule(profile: Profile) -> Schema:
    settings = profile.settings
    fixed: dict[str, Schema] = {field: {"enum": [str(getattr(settings, field)), None]} for field in _EXPLICIT}
    if profile.engine is Engine.RESOLVE:
        fixed["fps_mode"] = {"enum": [FpsMode.SAME_AS_SOURCE.value, None]}
    preset = _given("resolve_preset") if profile.engine is Engine.RESOLVE else _absent("resolve_preset")
    return {
        "description": f"{profile.name}: {profile.description}.",
        "if": _given("proxy_profile", {"const": profile.name}),
        "then": {"allOf": [_if_given(fixed), preset]},
    }


def _moment_rule(token: str, moment: Schema) -> Schema:
    uses_token = _given("naming_template", {"pattern": f"\\{{{token}\\}}"})
    resolves_it = _given("resolved_tokens", {"required": [token]})
    return {
        "description": f"{{{token}}} comes from created_at or from resolved_tokens.",
        "if": {"allOf": [uses_token, {"not": resolves_it}]},
        "then": _given("created_at", moment),
    }


def _given(field: str, value: Schema | None = None) -> Schema:
    """The field is present, is not null, and matches `value`."""
    checks: Schema = {"not": {"type": "null"}, **(value or {})}
    return {"required": [field], "properties": {field: checks}}


def _absent(field: str) -> Schema:
    """The field is missing or null, which mean the same."""
    return _if_given({field: {"type": "null"}})


def _if_given(properties: Mapping[str, Schema]) -> Schema:
    return {"properties": {**properties}}
