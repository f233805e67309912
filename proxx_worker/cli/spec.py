"""`spec`: write JobSpecs for sources, so that no JSON has to be written by hand."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from proxx_worker.cli.console import UsageError, fail, say_path
from proxx_worker.cli.interrupts import interrupt_on_stops
from proxx_worker.cli.paths import absolute, as_given
from proxx_worker.contract.candidates import SPEC_SUFFIX, is_candidate_name
from proxx_worker.contract.errors import ProxxError
from proxx_worker.contract.text import has_lone_surrogate, visible
from proxx_worker.feeding.clips import Clip
from proxx_worker.feeding.documents import Document, jobspec_document
from proxx_worker.feeding.drops import drop
from proxx_worker.feeding.orders import PlannedSpec, output_collisions


def spec(arguments: argparse.Namespace) -> int:
    """One JobSpec on stdout, or one file per source in `--per-clip DIR`, their paths on stdout; all else is `spec_folders`."""
    interrupt_on_stops()
    try:
        _require_known_tokens(arguments.output_directory or "")
        if _is_for_folders(arguments):
            from proxx_worker.cli.spec_folders import spec_folders

            return spec_folders(arguments)
        sources = [absolute(source) for source in arguments.sources]
        if arguments.per_clip is None:
            _require_no_name(arguments.output_directory)
            sys.stdout.buffer.write(_document(arguments, sources, _directory(arguments, "")).data)
            return 0
        folder = Path(arguments.per_clip)
        named = [_planned(arguments, source) for source in dict.fromkeys(sources)]
        folder.mkdir(parents=True, exist_ok=True)
        for path in drop(os.fsencode(folder), named):
            say_path(path)
        _tell_collisions(named)
    except UsageError as error:
        return fail(str(error))
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    except OSError as error:
        return fail(f"the JobSpecs cannot be written: {error}")
    return 0


def _tell_collisions(specs: Sequence[PlannedSpec]) -> None:
    """Each spec was requested by name, so it is written; which of them the worker will refuse is told at once."""
    for message in dict.fromkeys(error.message for _, error in output_collisions(specs)):
        sys.stderr.write(f"the worker will refuse this: {visible(message)}\n")


def _is_for_folders(arguments: argparse.Namespace) -> bool:
    """Whether more is requested than a spec for named clips and one profile."""
    wants_more = (arguments.submit, arguments.beside, arguments.mirror, arguments.chunk)
    many = len(arguments.profile) > 1 or any(value is not None for value in wants_more)
    return many or arguments.recursive or arguments.create_directories or "{chunk}" in (arguments.output_directory or "")


_TOKEN = re.compile("{[a-z_]+}")


def _require_known_tokens(output_directory: str) -> None:
    unknown = [token for token in _TOKEN.findall(output_directory) if token not in {"{name}", "{chunk}"}]
    if unknown:
        raise UsageError(
            f"{unknown[0]} in --output-directory is not known: only {{name}} and {{chunk}} are filled in there; "
            "the tokens of file names belong in --naming-template"
        )


def _require_no_name(output_directory: str) -> None:
    if "{name}" in output_directory:
        raise UsageError("{name} in --output-directory is the spec's name, and a spec on stdout has none; use --per-clip DIR")


def _stem_of(source: str) -> str:
    """The name of the source's JobSpec, without `.json`. Raises `UsageError` for a name that no worker would accept."""
    stem = Path(source).stem
    if not is_candidate_name(os.fsencode(stem) + SPEC_SUFFIX):
        raise UsageError(
            f"the JobSpec of {source} would be called {stem}.json, a name that workers ignore "
            "(no .result.json, no leading dot, at most 235 bytes before .json); without --per-clip you choose the name"
        )
    return stem


def _planned(arguments: argparse.Namespace, source: str) -> PlannedSpec:
    """The JobSpec of one source, named after it."""
    stem = _stem_of(source)
    directory = _directory(arguments, stem)
    document = _document(arguments, [source], directory)
    clip = Clip(source, os.path.dirname(source), os.path.basename(source))  # noqa: PTH119, PTH120 - text, see `absolute`
    return PlannedSpec(stem, document.data, (clip,), directory, tuple(f"{directory}/{name}" for name in document.output_names))


def _directory(arguments: argparse.Namespace, stem: str) -> str:
    return absolute(arguments.output_directory).replace("{name}", stem)


def _document(arguments: argparse.Namespace, sources: list[str], directory: str) -> Document:
    """The JobSpec; raises the refusal that a worker would give."""
    (profile,), template, preset = arguments.profile, as_given(arguments.naming_template), arguments.resolve_preset
    texts = (*sources, directory, template, as_given(profile), as_given(preset or ""))
    if any(map(has_lone_surrogate, texts)):
        raise UsageError("a path is not UTF-8, so JSON cannot represent it; rename the file")
    preset = None if preset is None else as_given(preset)
    return jobspec_document(tuple(sources), directory, as_given(profile), template, preset)
