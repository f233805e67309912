"""The integrator's page says what the code says: every table is compared with what it describes."""

import re
from pathlib import Path
from typing import Any

from proxx_worker.contract.codecs import CONTAINERS
from proxx_worker.contract.errors import EXIT_OK, EXIT_SIGINT, EXIT_SIGTERM, EXIT_USAGE, ErrorClass, ErrorCode
from proxx_worker.contract.profiles import PROFILES, Profile
from proxx_worker.contract.result import TaskStatus
from proxx_worker.contract.schemas import result_schema
from proxx_worker.contract.spec_model import TOKENS, JobSpecModel
from proxx_worker.contract.strict_json import Number
from proxx_worker.contract.values import read_rate
from tests.support.markdown import Page, code, first_code

SCHEMA: Any = result_schema()
TAKEN_APART = {"error", "jobspec", "worker"}


def resolved(schema: Any) -> Any:  # noqa: ANN401 - a JSON Schema
    """A schema, or what its reference stands for."""
    return SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def json_type(schema: Any) -> str:  # noqa: ANN401 - as above
    """What the page calls the type of a field."""
    kinds = [resolved(option)["type"] for option in schema.get("anyOf", [schema])]
    return " or ".join({"array": "list"}.get(kind, kind) for kind in kinds)


def fields(record: Any, *, above: str = "") -> list[tuple[str, str]]:  # noqa: ANN401 - as above
    """Name and type of each field. A record inside is taken apart; where it can be null, it also stands by itself."""
    found: list[tuple[str, str]] = []
    for name, schema in record["properties"].items():
        apart = record is SCHEMA and name in TAKEN_APART
        if not apart or "anyOf" in schema:
            found.append((above + name, json_type(schema)))
        if apart:
            found += fields(resolved(schema.get("anyOf", [schema])[0]), above=f"{name}.")
    return found


def test_every_field_of_a_spec_is_there(integrator: Page) -> None:
    table = integrator.tables("JobSpec 2.1")[0]
    assert first_code(table.column("field")) == list(JobSpecModel.model_fields)
    needs = dict(zip(first_code(table.column("field")), table.column("need"), strict=True))
    required = {field for field, need in needs.items() if need == "required"}
    assert required == {name for name, field in JobSpecModel.model_fields.items() if field.is_required()}


def test_every_profile_is_there(integrator: Page) -> None:
    table = integrator.table("Profiles")
    assert [tuple(code(row[0]) + list(row[1:])) for row in table.rows] == [_row(profile) for profile in PROFILES.values()]


def _row(profile: Profile) -> tuple[str, ...]:
    settings = profile.settings
    level = "" if settings.dnxhr_level is None else f" ({settings.dnxhr_level.upper()})"
    return profile.name, profile.engine, f"{settings.codec}{level}", settings.container, str(settings.resolution), profile.audio


def test_every_codec_is_there_with_its_containers(integrator: Page) -> None:
    table = integrator.table("Codecs and containers")
    listed = dict(zip(first_code(table.column("codec")), map(code, table.column("containers")), strict=True))
    assert listed == {codec.value: [container.value for container in containers] for codec, containers in CONTAINERS.items()}


def test_the_rates_mean_what_is_said(integrator: Page) -> None:
    table = integrator.table("Frame rate")
    for written, exact in table.rows:
        numerator, denominator = re.findall(r"\d+", exact)[:2]
        for literal in code(written):
            rate = read_rate(Number(literal))
            assert (rate.numerator, rate.denominator) == (int(numerator), int(denominator))


def test_every_token_is_there(integrator: Page) -> None:
    assert first_code(integrator.table("Output names").column("token")) == [f"{{{token}}}" for token in TOKENS]


def test_every_field_of_a_result_is_there(integrator: Page) -> None:
    table = integrator.tables("Result 1.1")[0]
    assert list(zip(first_code(table.column("field")), table.column("type"), strict=True)) == fields(SCHEMA)


def test_every_field_and_status_of_a_task_is_there(integrator: Page) -> None:
    described, statuses = integrator.tables("Tasks")
    assert list(zip(first_code(described.column("field")), described.column("type"), strict=True)) == fields(
        SCHEMA["$defs"]["TaskRecord"]
    )
    assert first_code(statuses.column("task status")) == [status.value for status in TaskStatus]


CHECKING = ("checks.py", "ffmpeg_evidence.py", "field_changes.py", "first_pictures.py", "resolve_evidence.py")


def test_every_check_is_one_that_the_code_makes(integrator: Page, project_root: Path) -> None:
    verification = project_root / "proxx_worker" / "verification"
    source = "".join((verification / name).read_text() for name in CHECKING)
    audio = (verification / "audio_checks.py").read_text()
    for check in first_code(integrator.table("Checks").column("check")):
        what = check.removeprefix("audio_N_")
        if what == check:
            assert f'"{check}"' in source, check
        else:
            assert f'name}}{what}"' in audio or f'_seconds("{what}"' in audio, check


def test_every_error_code_is_there_with_its_class(integrator: Page) -> None:
    table = integrator.tables("Error codes")[0]
    rows = [(code(row[0])[0], row[1], row[2]) for row in table.rows]
    assert rows == [(it.value, it.error_class.name.lower(), str(int(it.error_class))) for it in ErrorCode]


def test_every_exit_code_is_there(integrator: Page) -> None:
    listed = [int(cell) for cell in integrator.table("Exit codes").column("exit code")]
    assert listed == [EXIT_OK, *map(int, ErrorClass), EXIT_USAGE, EXIT_SIGINT, EXIT_SIGTERM]
