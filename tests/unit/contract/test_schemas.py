"""The published schemas: what is under docs is what the models say, and a schema judges as the parser does."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from proxx_worker.contract.errors import JsonValue, ProxxError
from proxx_worker.contract.jobspec import parse_jobspec
from proxx_worker.contract.result import JobResult, encode_result
from proxx_worker.contract.schema_texts import RESULT_TEXTS
from proxx_worker.contract.schemas import jobspec_schema, result_schema, schema_bytes, validation_schema
from proxx_worker.contract.spec_model import FIELDS
from proxx_worker.contract.spec_schema import Schema
from tests.unit.contract.corpus import BASE, EXPLICIT, GONE, PROPERTY, RESOLVE, VALID, Spec, encoded, spec
from tests.unit.contract.refusals import INVALID, Invalid
from tests.unit.contract.test_result import REFUSED, RESULTS

SPEC_VALIDATOR: Validator = Draft202012Validator(jobspec_schema())
RESULT_VALIDATOR: Validator = Draft202012Validator(result_schema())
SCHEMAS = {"jobspec": jobspec_schema, "result": result_schema, "validation": validation_schema}
VERSIONS = {"jobspec": "2.1", "result": "1.1", "validation": "1.0"}
TITLES = {"jobspec": "JobSpec 2.1", "result": "Result 1.1", "validation": "Validation 1.0"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_copy_under_docs_is_what_the_models_say(name: str, project_root: Path) -> None:
    published = project_root / "docs" / "schema" / f"{name}.schema.json"
    renew = f"renew it: proxx-worker schema {name} > {published.relative_to(project_root)}"
    assert published.read_bytes() == schema_bytes(SCHEMAS[name]()), renew


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_a_schema_that_says_what_it_is(name: str) -> None:
    schema = SCHEMAS[name]()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:proxx-worker:schema:{name}:{VERSIONS[name]}"
    assert schema["title"] == TITLES[name]


def _records(schema: Schema) -> list[Schema]:
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)
    return [schema, *(item for item in definitions.values() if isinstance(item, dict) and "properties" in item)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described_and_no_other_is_allowed(name: str) -> None:
    for record in _records(SCHEMAS[name]()):
        assert record["additionalProperties"] is False
        properties = record["properties"]
        assert isinstance(properties, dict)
        assert all(isinstance(field, dict) and field["description"] for field in properties.values())


def test_every_field_of_a_spec_has_a_valid_example() -> None:
    properties = jobspec_schema()["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == list(FIELDS)
    for field in properties.values():
        assert isinstance(field, dict)
        examples = field["examples"]
        assert isinstance(examples, list)
        rule = Draft202012Validator({**field, "$defs": jobspec_schema()["$defs"]})
        assert all(rule.is_valid(example) for example in examples)


def test_the_examples_are_valid_specs() -> None:
    examples = jobspec_schema()["examples"]
    assert isinstance(examples, list)
    assert len(examples) == 2
    for example in examples:
        parse_jobspec(encoded(example))
        SPEC_VALIDATOR.validate(example)


def test_no_text_describes_a_field_that_is_gone() -> None:
    names = set(RESULT_TEXTS)
    for record in _records(result_schema()):
        title, properties = record["title"], record["properties"]
        assert isinstance(properties, dict)
        names -= {f"{'JobResult' if title == 'Result 1.1' else title}.{field}" for field in properties}
    assert not names


# --- the schema of specs judges as the parser does ---


@pytest.mark.parametrize("content", VALID.values(), ids=VALID)
def test_what_the_parser_takes_is_valid(content: Spec) -> None:
    SPEC_VALIDATOR.validate(content)


@pytest.mark.parametrize("case", INVALID.values(), ids=INVALID)
def test_what_the_parser_refuses_is_invalid_as_far_as_a_schema_can_say(case: Invalid) -> None:
    assert SPEC_VALIDATOR.is_valid(case.content) is not case.by_schema


@pytest.mark.parametrize("version", [GONE, None, 2.1, "2.0", "2.1.0", ["2.1"]])
def test_other_versions_are_invalid(version: JsonValue) -> None:
    assert not SPEC_VALIDATOR.is_valid(spec(jobspec_version=version))


def test_no_object_is_no_spec() -> None:
    assert not any(SPEC_VALIDATOR.is_valid(value) for value in (None, [], "", 5, [BASE]))


POOL: dict[str, list[JsonValue]] = {
    "job_id": ["day-03", ""],
    "sources": [["/b"], []],
    "output_directory": ["/p", "p"],
    "proxy_profile": ["proxy_h264_low", "proxy_prores_lt", "proxy_dnxhr_lb_resolve", "none"],
    "codec": ["h264", "prores_lt", "dnxhr", "vp9", 1],
    "container": ["mp4", "mov", "mxf", "webm"],
    "resolution": ["half", "same", "64x64", "0x0"],
    "naming_template": ["{source_name}", "{date}", "{time}{index}", "{", "x"],
    "fps_mode": ["same-as-source", "explicit", "x"],
    "fps_explicit": [25, 23.976, 0, "25"],
    "resolved_tokens": [{}, {"date": "x"}, {"time": "x"}, {"date": 1}, {"x": "y"}],
    "created_at": ["2025-12-29", "2025-12-29T14:30", "x"],
    "resolve_preset": ["Editorial", ""],
    "nope": [1],
}
CHANGES = st.dictionaries(st.sampled_from(sorted(POOL)), st.integers(0, 5), max_size=6).map(
    lambda picks: {field: [*POOL[field], None, GONE][pick % (len(POOL[field]) + 2)] for field, pick in picks.items()}
)


@PROPERTY
@given(st.sampled_from([{}, EXPLICIT, RESOLVE]), CHANGES)
def test_schema_and_parser_agree_on_any_combination(form: Spec, changes: Spec) -> None:
    content = spec(form, changes)
    try:
        parse_jobspec(encoded(content))
    except ProxxError:
        assert not SPEC_VALIDATOR.is_valid(content)
    else:
        SPEC_VALIDATOR.validate(content)


# --- the schema of results ---


@PROPERTY
@given(RESULTS)
def test_every_result_is_valid(result: JobResult) -> None:
    RESULT_VALIDATOR.validate(json.loads(encode_result(result)))


def test_a_result_with_another_shape_is_invalid() -> None:
    document = json.loads(encode_result(REFUSED))
    for field in document:
        assert not RESULT_VALIDATOR.is_valid({name: value for name, value in document.items() if name != field})
    assert not RESULT_VALIDATOR.is_valid({**document, "more": 1})
    assert not RESULT_VALIDATOR.is_valid({**document, "result_version": "1.0"})
    assert not RESULT_VALIDATOR.is_valid({**document, "status": "OK"})
