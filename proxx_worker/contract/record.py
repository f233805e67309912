"""What all records of a result have in common: frozen, strict, and writable as UTF-8 JSON whatever they hold."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue

from proxx_worker.contract.text import encodable

_LEAST_INTEGER, _END_OF_INTEGERS = -(1 << 63), 1 << 64  # what JSON readers, orjson among them, hold as an integer


def writable(value: object) -> object:
    """`value` as a result can say it: paths and messages may hold what UTF-8 cannot, and a record must never fail for that."""
    match value:
        case str() if type(value) is str:
            return encodable(value)
        case int() if not _LEAST_INTEGER <= value < _END_OF_INTEGERS:
            return str(value)
        case dict():
            return {writable(key): writable(item) for key, item in value.items()}
        case list():
            return [writable(item) for item in value]
        case _:
            return value


Text: TypeAlias = Annotated[str, BeforeValidator(writable)]
Facts: TypeAlias = Annotated[dict[str, JsonValue], BeforeValidator(writable)]


class Record(BaseModel):
    """A part of a result."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, json_schema_serialization_defaults_required=True)
