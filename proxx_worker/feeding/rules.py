"""The rules of `feed`: which folders are watched, and what is made from the clips in them. TOML text in, frozen values out."""

import posixpath
import tomllib
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from proxx_worker.contract.errors import ProxxError
from proxx_worker.contract.hints import closest
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.feeding.orders import (
    Beside,
    Destination,
    Directory,
    Mirror,
    Order,
    Remedies,
    require_apart,
    require_folder_name,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


REMEDIES = Remedies(
    one_clip="give each of the rules another `output_directory`",
    two_folders='set `output` to "beside" or "mirror", or give each rule another `output_directory`',
    one_folder="rename one of them, or leave one out with `extensions`",
    over_a_clip="choose another `output_directory`",
    one_stem="have one rule `watch` the folder above both, or rename one of the watched folders",
)
"""What a rule's author can change: a rule has no naming template."""


class RulesError(Exception):
    """The rules cannot be used; the message says where and why. The command exits with 64."""


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise ValueError("must be an absolute path: a relative one would depend on the working directory")
    return posixpath.normpath(path)


def _known(profile: str) -> str:
    if profile not in PROFILES:
        meant = closest(profile, PROFILES)
        hint = "; `proxx-worker profiles` lists them" if meant is None else f": did you mean {meant}?"
        raise ValueError(f"there is no profile {profile}{hint}")
    if PROFILES[profile].engine is Engine.RESOLVE:
        raise ValueError(
            f"{profile} needs a render preset, but a rule cannot have one; write such specs with `spec --resolve-preset`"
        )
    return profile


def _extension(extension: str) -> str:
    if any(character in extension for character in "*?/"):
        raise ValueError('must be an extension such as "mov", not a pattern')
    return extension


class Rule(BaseModel):
    """One rule.

    `watch`: the folder that clips come to. `output`: `beside` (a folder named `output_directory` beside each clip), `mirror`
    (below `output_directory`, in the same tree as below `watch`) or `flat` (`output_directory` itself). `extensions`:
    if given, other files are ignored. `settle_seconds`: how long a file's size and time must not have changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    watch: Annotated[str, AfterValidator(_absolute)]
    profiles: Annotated[tuple[Annotated[str, AfterValidator(_known)], ...], Field(min_length=1)]
    output: Literal["beside", "mirror", "flat"]
    output_directory: Annotated[str, Field(min_length=1)]
    recursive: bool = True
    create_directories: bool = False
    extensions: Annotated[tuple[Annotated[str, AfterValidator(_extension)], ...], Field(min_length=1)] | None = None
    settle_seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = 30.0

    @field_validator("output_directory")
    @classmethod
    def _fits_output(cls, path: str, info: ValidationInfo) -> str:
        output: object = info.data.get("output")  # None where `output` itself is refused
        if output == "beside":
            require_folder_name(path)
        elif output is not None:
            _absolute(path)
        return path

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        containers = [PROFILES[profile].settings.container for profile in self.profiles]
        if len(set(containers)) < len(containers):
            raise ValueError(
                "two of the profiles use the same extension, so their files would have the same name: give each its own "
                "rule, with another `output_directory`"
            )
        return self

    @property
    def order(self) -> Order:
        """What the rule wants from every clip."""
        return Order(self.profiles, self._destination())

    def _destination(self) -> Destination:
        match self.output:
            case "beside":
                return Beside(self.output_directory)
            case "mirror":
                return Mirror(_absolute(self.output_directory))
            case "flat":
                return Directory(_absolute(self.output_directory))


class _Rules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    rule: Annotated[tuple[Rule, ...], Field(min_length=1)]


def read_rules(text: bytes, real: Callable[[str], str] = posixpath.normpath) -> tuple[Rule, ...]:
    """The rules of a TOML file. `real`: the location of a path, without symlinks.

    Raises `RulesError` with every fault and where it is.
    """
    try:
        document: dict[str, object] = tomllib.loads(text.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise RulesError(f"not TOML: {error}") from error
    try:
        rules = _Rules.model_validate(_frozen(document)).rule
    except ValidationError as error:
        raise RulesError("; ".join(f"{_place(fault['loc'])}: {_reason(fault)}" for fault in _own_faults(error))) from error
    for number, rule in enumerate(rules):
        try:
            require_apart([rule.watch], rule.order.destination, real)
        except ProxxError as fault:
            raise RulesError(f"rule[{number}].output_directory: {fault.error.message}") from fault
    seen: set[tuple[str, str]] = set()
    for rule in rules:
        for profile in rule.profiles:
            if (real(rule.watch), profile) in seen:
                clash = f"two rules make {profile} from the clips in {rule.watch}, but each clip has one proxy per profile"
                raise RulesError(f"{clash}: remove it from one of them")
            seen.add((real(rule.watch), profile))
    return rules


def _frozen(value: object) -> object:
    """TOML has only lists; the models are frozen."""
    match value:
        case dict():
            return {key: _frozen(item) for key, item in value.items()}
        case list():
            return tuple(_frozen(item) for item in value)
        case _:
            return value


def _own_faults(error: ValidationError) -> list["ErrorDetails"]:
    """The faults, without those of a list that is too short only because its members are faulty."""
    faults = error.errors()
    return [
        fault for fault in faults if fault["type"] != "too_short" or not any(_is_below(it["loc"], fault["loc"]) for it in faults)
    ]


def _is_below(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _place(location: tuple[int | str, ...]) -> str:
    """`rule[0].watch`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _reason(fault: "ErrorDetails") -> str:
    match fault["type"]:
        case "extra_forbidden":
            known = Rule.model_fields if len(fault["loc"]) > 1 else _Rules.model_fields
            return f"unknown key (known: {', '.join(known)})"
        case "value_error":
            return str(fault["ctx"]["error"])  # as raised here
        case kind:
            return _REASONS[kind].format(**fault.get("ctx", {})) if kind in _REASONS else fault["msg"]


_REASONS = {
    "missing": "is missing",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "tuple_type": "must be a list",
    "model_type": "must be a table",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
}
"""Every other fault that these models can have, by pydantic's name for it."""
