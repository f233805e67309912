"""`profiles` and `schema`: show what can be requested, without touching anything."""

import argparse
import sys

import orjson

from proxx_worker.cli.console import UsageError, fail
from proxx_worker.contract.profiles import PROFILES, Profile


def profiles(arguments: argparse.Namespace) -> int:
    """List the profiles, as a table or as JSON. Those whose engine this machine lacks are marked."""
    from proxx_worker.cli.wiring import environment_of, sandbox_of, settings_from, tools_of
    from proxx_worker.execution.preflight import ready_engines

    try:
        settings = settings_from(arguments)
    except UsageError as error:
        return fail(str(error))
    ready = ready_engines(environment_of(settings, tools_of(settings, sandbox_of(settings))).engines)
    records = [_record(profile, available=profile.engine in ready) for profile in PROFILES.values()]
    if arguments.json:
        sys.stdout.buffer.write(orjson.dumps(records, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return 0
    rows: list[tuple[str, ...]] = [("NAME", "ENGINE", "CODEC", "CONTAINER", "SIZE", "AUDIO", "NOTE")]
    rows += [
        (*(str(record[key]) for key in _COLUMNS), "" if record["available"] else f"{record['engine']} is not set up here")
        for record in records
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    return 0


_COLUMNS = ("name", "engine", "codec", "container", "resolution", "audio")


def _record(profile: Profile, *, available: bool) -> dict[str, str | bool | None]:
    settings = profile.settings
    return {
        "name": profile.name,
        "engine": profile.engine.value,
        "codec": settings.codec.value,
        "dnxhr_level": None if settings.dnxhr_level is None else settings.dnxhr_level.value,
        "container": settings.container.value,
        "resolution": str(settings.resolution),
        "audio": profile.audio,
        "description": profile.description,
        "available": available,
    }


def schema(arguments: argparse.Namespace) -> int:
    """Print a JSON Schema."""
    from proxx_worker.contract.schemas import jobspec_schema, result_schema, schema_bytes, validation_schema

    made = {"jobspec": jobspec_schema, "result": result_schema, "validation": validation_schema}[arguments.document]
    sys.stdout.buffer.write(schema_bytes(made()))
    return 0
