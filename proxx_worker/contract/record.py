"""What all records of a result have in common: frozen, strict, and always writable as UTF-8 JSON."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue

from proxx_worker.contract.text import writable

Text: TypeAlias = Annotated[str, BeforeValidator(writable)]
Facts: TypeAlias = Annotated[dict[str, JsonValue], BeforeValidator(writable)]


class Record(BaseModel):
    """A part of a result."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, json_schema_serialization_defaults_required=True)
