"""`spec`: write JobSpecs for sources, so that nobody has to write JSON by hand."""

import argparse
import os
import sys
from pathlib import Path

import orjson

from proxx_worker.cli.console import UsageError, fail, say_path
from proxx_worker.contract.candidates import SPEC_SUFFIX, is_candidate_name, job_names
from proxx_worker.contract.errors import JsonValue, ProxxError
from proxx_worker.contract.jobspec import parse_jobspec
from proxx_worker.contract.naming import output_names
from proxx_worker.contract.text import steady_json
from proxx_worker.files.durable import create_file, write_all
from proxx_worker.files.locations import path_text


def spec(arguments: argparse.Namespace) -> int:
    """One JobSpec on stdout, or one file per source in `--per-clip DIR`, their paths on stdout."""
    try:
        sources = [os.path.abspath(source) for source in arguments.sources]  # noqa: PTH100 - keeps `..` of symlinks out of it
        if arguments.per_clip is None:
            sys.stdout.buffer.write(_document(arguments, sources))
            return 0
        folder = Path(arguments.per_clip)
        documents = [(_stem_of(source), _document(arguments, [source])) for source in sources]
        folder.mkdir(parents=True, exist_ok=True)
        for stem, document in documents:
            say_path(_write_new(folder, stem, document))
    except UsageError as error:
        return fail(str(error))
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    except OSError as error:
        return fail(f"the JobSpecs cannot be written: {error}")
    return 0


def _stem_of(source: str) -> str:
    """What the source's JobSpec is called, without `.json`. Raises `UsageError` for a name that no worker would take."""
    stem = Path(source).stem
    if not is_candidate_name(os.fsencode(stem) + SPEC_SUFFIX):
        raise UsageError(
            f"the JobSpec of {source} would be called {stem}.json, a name that no worker takes from an inbox "
            "(no .result.json, no dot in front, at most 235 bytes before .json); without --per-clip it gets any name you like"
        )
    return stem


def _write_new(folder: Path, stem: str, document: bytes) -> Path:
    """Write `STEM.json`, or `STEM~2.json`, ...: two clips of one name are two specs, and nothing is overwritten."""
    for job in job_names(os.fsencode(stem)):
        path = folder / os.fsdecode(job + SPEC_SUFFIX)
        try:
            descriptor = create_file(path)
        except FileExistsError:
            continue
        try:
            write_all(descriptor, document)
        finally:
            os.close(descriptor)
        return path
    raise AssertionError("numbers do not end")


def _as_given(argument: str) -> str:
    """An argument of the command line as UTF-8, which it is whatever the locale took it for."""
    return path_text(os.fsencode(argument))


def _document(arguments: argparse.Namespace, sources: list[str]) -> bytes:
    """The JobSpec's bytes; raises what a worker would say of it."""
    texts = {
        "output_directory": os.path.abspath(arguments.output_directory),  # noqa: PTH100 - as above
        "proxy_profile": arguments.profile,
        "naming_template": arguments.naming_template,
    }
    if arguments.resolve_preset is not None:
        texts["resolve_preset"] = arguments.resolve_preset
    document: dict[str, JsonValue] = {"jobspec_version": "2.1", "sources": list(map(_as_given, sources))}
    document.update({field: _as_given(text) for field, text in texts.items()})
    try:
        data = steady_json(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    except orjson.JSONEncodeError as error:
        raise UsageError("a path is not UTF-8, and JSON cannot carry it; rename the file") from error
    output_names(parse_jobspec(data))
    return data
