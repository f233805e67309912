"""Every fault of a spec's fields, each by itself and in combination, in one pass: none hides another."""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from proxx_worker.contract.codecs import CONTAINERS, refusal
from proxx_worker.contract.faults import MAX_FAULTS_TOLD, Fault
from proxx_worker.contract.hints import closest, relative_path_hint
from proxx_worker.contract.output_settings import Codec, Container, Engine, FpsMode
from proxx_worker.contract.profiles import PROFILES, Profile
from proxx_worker.contract.resolve_rules import KEEPS_RATE
from proxx_worker.contract.spec_model import FIELDS, RULES, TOKENS, JobSpecModel
from proxx_worker.contract.strict_json import Document, Number, Path, Value, path_text
from proxx_worker.contract.template import PartKind, template_parts
from proxx_worker.contract.text import quoted, shortened
from proxx_worker.contract.values import ABSOLUTE_PATH_PATTERN, has_time_of_day

_PATH = re.compile(ABSOLUTE_PATH_PATTERN)
_ENOUGH = MAX_FAULTS_TOLD + 1  # to report, and to know that there are more
_EXPLICIT = ("codec", "container", "resolution")


def find_faults(document: Document) -> list[Fault]:
    """All faults of a document of the right version, in the order of the contract's fields, unknown ones last."""
    given = {key: value for key, value in document.content.items() if value is not None}
    alone = list(_field_faults(document.content))
    faulty = {path[0] for path, _ in alone}
    valid = {key: value for key, value in given.items() if key not in faulty}
    located = [(flaw.path, Fault(path_text(flaw.path), flaw.message)) for flaw in document.flaws]
    located += alone
    located += (((fault.path,), fault) for fault in _cross_faults(given, valid))
    located.sort(key=lambda item: _rank(item[0]))
    return [fault for _, fault in located]


def _rank(path: Path) -> int:
    name = path[0]
    return FIELDS.index(name) if name in FIELDS else len(FIELDS)


def _field_faults(content: Mapping[str, Value]) -> Iterator[tuple[Path, Fault]]:
    """What the model alone can find: types, values, required and unknown fields."""
    bounded = dict(_first_unknown(content, FIELDS))
    tokens, sources = content.get("resolved_tokens"), content.get("sources")
    if isinstance(tokens, dict):
        bounded["resolved_tokens"] = dict(_first_unknown(tokens, TOKENS))
    if isinstance(sources, list):
        wrong = (index for index, source in enumerate(sources) if not (isinstance(source, str) and _PATH.search(source)))
        bounded["sources"] = sources[: next(islice(wrong, _ENOUGH, None), len(sources))]
    try:
        JobSpecModel.model_validate(bounded)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield _translate(detail)


def _first_unknown(content: Mapping[str, Value], known: Collection[str]) -> Iterator[tuple[str, Value]]:
    """The known entries and as many unknown ones as are reported: a hostile spec could fill the memory."""
    unknown = (key for key in content if key not in known)
    told = {*known, *islice(unknown, _ENOUGH)}
    return ((key, value) for key, value in content.items() if key in told)


def _translate(detail: ErrorDetails) -> tuple[Path, Fault]:
    path: Path = detail["loc"]
    name = str(path[0])
    if detail["type"] == "extra_forbidden":
        return path, _unknown_field(name)
    key_of_tokens = name == "resolved_tokens" and path[2:] == ("[key]",)
    if key_of_tokens:
        path = path[:2]
    rule = RULES[name if len(path) == 1 else f"{name}[key]" if key_of_tokens else f"{name}[]"]
    if detail["type"] == "missing":
        return path, Fault(path_text(path), "this field is required", rule.allowed)
    given: object = detail["input"]
    reason = str(detail.get("ctx", {}).get("error", "")) or _path_reason(path, given)
    message = f"{_shown(given)} is not {rule.noun}" + (f": {reason}" if reason else "")
    meant = closest(given, rule.allowed) if isinstance(given, str) and isinstance(rule.allowed, tuple) else None
    return path, Fault(path_text(path), message, rule.allowed, meant)


def _path_reason(path: Path, given: object) -> str:
    """What is wrong with a text given as a path, or instead of a list of paths."""
    if path == ("sources",) and isinstance(given, str):
        return "put it in brackets, even if it is the only one"
    is_path = path[0] == "sources" or path == ("output_directory",)
    return relative_path_hint(given) if is_path and isinstance(given, str) and given and not given.startswith("/") else ""


def _unknown_field(name: str) -> Fault:
    return Fault(path_text((name,)), "there is no such field in JobSpec 2.1", FIELDS, closest(name, FIELDS))


def _shown(value: object) -> str:
    match value:
        case str():
            return quoted(value)
        case Number(literal):
            return f"the number {shortened(literal)}"
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case dict():
            return "an object"
        case _:
            return "a list" if value else "an empty list"


def _cross_faults(given: Mapping[str, Value], valid: Mapping[str, Value]) -> Iterator[Fault]:
    """Faults between fields. `given`: all fields that are present; `valid`: those without a fault of their own."""
    name = valid.get("proxy_profile")
    profile = PROFILES[name] if isinstance(name, str) else None
    yield from _form_faults(given, valid)
    yield from _agreement_faults(profile, valid) if profile else _combination_faults(valid)
    yield from _rate_faults(given, valid)
    yield from _engine_faults(profile, given)
    yield from _template_faults(given, valid)


def _form_faults(given: Mapping[str, Value], valid: Mapping[str, Value]) -> Iterator[Fault]:
    if "proxy_profile" in given:
        return
    missing = [field for field in _EXPLICIT if field not in given]
    if len(missing) == len(_EXPLICIT):
        message = "the spec does not say what to make: give a proxy_profile, or codec, container and resolution"
        yield Fault("proxy_profile", message, RULES["proxy_profile"].allowed)
        return
    for field in missing:
        message = "explicit settings need codec, container and resolution, and this one is missing"
        codec = valid.get("codec") if field == "container" else None
        yield Fault(field, message, _containers(codec) if isinstance(codec, str) else RULES[field].allowed)


def _containers(codec: str) -> tuple[str, ...]:
    return tuple(container.value for container in CONTAINERS[Codec(codec)])


def _agreement_faults(profile: Profile, valid: Mapping[str, Value]) -> Iterator[Fault]:
    for field in _EXPLICIT:
        said = str(getattr(profile.settings, field))
        if field in valid and valid[field] != said:
            message = f"{quoted(str(valid[field]))} disagrees with {profile.name}, which says {quoted(said)}: leave it out"
            yield Fault(field, message, (said,))


def _combination_faults(valid: Mapping[str, Value]) -> Iterator[Fault]:
    if "codec" in valid and "container" in valid:
        codec, container = Codec(str(valid["codec"])), Container(str(valid["container"]))
        reason = refusal(codec, container)
        if reason:
            yield Fault("container", reason, _containers(codec))


def _rate_faults(given: Mapping[str, Value], valid: Mapping[str, Value]) -> Iterator[Fault]:
    if "fps_mode" in given and "fps_mode" not in valid:
        return
    explicit = given.get("fps_mode") == FpsMode.EXPLICIT
    if explicit and "fps_explicit" not in given:
        yield Fault("fps_explicit", "fps_mode `explicit` requires it", RULES["fps_explicit"].allowed)
    if "fps_explicit" in given and not explicit:
        message = "it is only valid with fps_mode `explicit`: set that, or leave this out"
        yield Fault("fps_explicit", message, "absent, or together with fps_mode explicit")


def _engine_faults(profile: Profile | None, given: Mapping[str, Value]) -> Iterator[Fault]:
    """Where a profile determines the engine. In explicit form the sources do, after probing."""
    if profile is None:
        return
    has_preset = "resolve_preset" in given
    if profile.engine is Engine.RESOLVE and not has_preset:
        message = f"{profile.name} is made by DaVinci Resolve, which needs the name of a render preset"
        yield Fault("resolve_preset", message, RULES["resolve_preset"].allowed)
    if profile.engine is Engine.RESOLVE and given.get("fps_mode") == FpsMode.EXPLICIT:
        yield Fault("fps_mode", KEEPS_RATE, (FpsMode.SAME_AS_SOURCE.value,))
    if profile.engine is Engine.FFMPEG and has_preset:
        yield Fault("resolve_preset", f"{profile.name} is made by FFmpeg, which has no presets: leave it out", "absent")


def _template_faults(given: Mapping[str, Value], valid: Mapping[str, Value]) -> Iterator[Fault]:
    template = valid.get("naming_template")
    if not isinstance(template, str):
        return
    parts = template_parts(template)
    if any(part.kind is PartKind.STRAY_BRACE for part in parts):
        message = f"{quoted(template)} has a stray brace: braces may only enclose tokens"
        yield Fault("naming_template", message, RULES["naming_template"].allowed)
    used = {part.text: None for part in parts if part.kind is PartKind.TOKEN}
    for token in islice((token for token in used if token not in TOKENS), _ENOUGH):
        meant = closest(token, TOKENS)
        message = f"there is no token {quoted(f'{{{token}}}')}"
        yield Fault("naming_template", message, RULES["naming_template"].allowed, None if meant is None else f"{{{meant}}}")
    yield from _moment_faults(used, given, valid)


def _moment_faults(used: Collection[str], given: Mapping[str, Value], valid: Mapping[str, Value]) -> Iterator[Fault]:
    """`{date}` and `{time}` come from `created_at` or from `resolved_tokens`, and from nowhere else: never from a clock."""
    resolved = given.get("resolved_tokens")
    open_tokens = [
        token for token in ("date", "time") if token in used and not (isinstance(resolved, dict) and token in resolved)
    ]
    created_at = valid.get("created_at")
    if open_tokens and "created_at" not in given:
        named = " and ".join(f"{{{token}}}" for token in open_tokens)
        message = f"the naming template uses {named}, whose values come only from created_at or resolved_tokens"
        yield Fault("created_at", message, RULES["created_at"].allowed)
    elif "time" in open_tokens and isinstance(created_at, str) and not has_time_of_day(created_at):
        message = f"the naming template uses {{time}}, and {quoted(created_at)} has no time of day"
        yield Fault("created_at", message, RULES["created_at"].allowed)
