"""`profiles` and `schema`: what can be asked for, without touching anything."""

import argparse
import sys

import orjson

from proxx_worker.contract.profiles import PROFILES, Profile


def profiles(arguments: argparse.Namespace) -> int:
    """List the profiles, as a table or as JSON."""
    if arguments.json:
        document = [_record(profile) for profile in PROFILES.values()]
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return 0
    rows: list[tuple[str, ...]] = [("NAME", "ENGINE", "CODEC", "CONTAINER", "SIZE", "AUDIO")]
    rows += [tuple(str(record[key]) for key in _COLUMNS) for record in map(_record, PROFILES.values())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    return 0


_COLUMNS = ("name", "engine", "codec", "container", "resolution", "audio")


def _record(profile: Profile) -> dict[str, str | None]:
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
    }


def schema(arguments: argparse.Namespace) -> int:
    """Print a JSON Schema."""
    from proxx_worker.contract.schemas import jobspec_schema, result_schema, schema_bytes, validation_schema

    made = {"jobspec": jobspec_schema, "result": result_schema, "validation": validation_schema}[arguments.document]
    sys.stdout.buffer.write(schema_bytes(made()))
    return 0
