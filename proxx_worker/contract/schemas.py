"""The published JSON Schemas, made from the models. Tests compare the copies in `docs/schema/` with them."""

from typing import cast

import orjson
from pydantic import BaseModel

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.result import Check, ErrorRecord, JobResult, SpecRecord, TaskRecord, WorkerRecord
from proxx_worker.contract.schema_texts import RESULT_TEXTS, SPEC_EXAMPLES
from proxx_worker.contract.spec_model import JobSpecModel
from proxx_worker.contract.spec_schema import Schema, jobspec_rules
from proxx_worker.contract.validation import ValidationDocument

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_RECORDS: tuple[type[BaseModel], ...] = (Check, ErrorRecord, SpecRecord, TaskRecord, WorkerRecord)


def jobspec_schema() -> Schema:
    """The JSON Schema of JobSpec 2.1."""
    schema: Schema = {"$schema": _DIALECT, "$id": "urn:proxx-worker:schema:jobspec:2.1"}
    schema.update(JobSpecModel.model_json_schema(mode="validation"))
    schema["allOf"] = [*jobspec_rules()]
    schema["examples"] = [*SPEC_EXAMPLES]
    return schema


def result_schema() -> Schema:
    """The JSON Schema of result 1.1, as it is written: every field is there."""
    schema: Schema = {"$schema": _DIALECT, "$id": "urn:proxx-worker:schema:result:1.1"}
    schema.update(JobResult.model_json_schema(mode="serialization"))
    schema["title"] = "Result 1.1"
    definitions = _object(schema["$defs"])
    _describe(schema, JobResult)
    for record in _RECORDS:
        _describe(_object(definitions[record.__name__]), record)
    return schema


def validation_schema() -> Schema:
    """The JSON Schema of what `validate --json` prints."""
    schema: Schema = {"$schema": _DIALECT, "$id": "urn:proxx-worker:schema:validation:1.0"}
    schema.update(ValidationDocument.model_json_schema(mode="serialization"))
    schema["title"] = "Validation 1.0"
    _describe(_object(_object(schema["$defs"])[ErrorRecord.__name__]), ErrorRecord)
    return schema


def schema_bytes(schema: Schema) -> bytes:
    """A schema as a file: UTF-8, two-space indent, a trailing newline."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _describe(schema: Schema, record: type[BaseModel]) -> None:
    properties = _object(schema["properties"])
    for name in record.model_fields:
        _object(properties[name])["description"] = RESULT_TEXTS[f"{record.__name__}.{name}"]


def _object(value: JsonValue) -> Schema:
    """What pydantic always makes an object."""
    return cast("Schema", value)
