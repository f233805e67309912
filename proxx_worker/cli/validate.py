"""`validate`: would these JobSpecs run? Spec, sources and output directory are checked, nothing is written."""

import argparse
import os
import sys
from collections.abc import Iterator

from proxx_worker.cli.console import UsageError, error_lines, fail, reason_of, say, unreadable
from proxx_worker.cli.signals import Signals
from proxx_worker.cli.wiring import environment_of, sandbox_of, settings_from, tools_of
from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import EXIT_USAGE, exit_code
from proxx_worker.contract.jobspec import MAX_SPEC_BYTES, summarize_spec
from proxx_worker.contract.result import ErrorRecord
from proxx_worker.contract.validation import FileValidation, SourceValidation, ValidationDocument, Validity, encode_validation
from proxx_worker.delivery.output_directory import check_output_directory
from proxx_worker.execution.preflight import Environment, RefusedJob, inspect
from proxx_worker.process.stop import StopSignal


def validate(arguments: argparse.Namespace) -> int:
    """Check each file. Exit code: the highest class, 64 where one is unreadable, 130/143 when stopped.

    For a person one line per file, `ok` or what is wrong, and one more for each further fault and source; or one document.
    """
    signals = Signals()
    signals.install()
    try:
        settings = settings_from(arguments)
    except UsageError as error:
        return fail(str(error))
    environment = environment_of(settings, tools_of(settings, sandbox_of(settings)))
    files: list[FileValidation] = []
    for path in arguments.jobspecs:
        found = _look_at(path, environment, signals.stop)
        files.append(found)
        if not arguments.json:
            for line in _lines(found):
                say(line)
        if signals.exit_code is not None:
            return signals.exit_code
    if arguments.json:
        sys.stdout.buffer.write(encode_validation(ValidationDocument(files=files)))
    if any(found.status is Validity.UNREADABLE for found in files):
        return EXIT_USAGE
    return exit_code(found.error.code for found in files if found.error is not None)


def _look_at(path: str, environment: Environment, stop: StopSignal) -> FileValidation:
    shown = display_name(os.fsencode(path))
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path as given, shown as given
            data = file.read(MAX_SPEC_BYTES + 1)
    except (OSError, ValueError) as error:
        fail(unreadable(path, error))
        return FileValidation(file=shown, status=Validity.UNREADABLE, error=None, reason=reason_of(error), sources=[])
    found = inspect(data, environment, stop, check_output_directory)
    refused = found if isinstance(found, RefusedJob) else None
    errors = {} if refused is None else refused.errors
    sources = [
        SourceValidation(
            index=at,
            source=source,
            source_path=environment.paths.mapped(source),
            error=ErrorRecord.of(errors[at]) if at in errors else None,
        )
        for at, source in enumerate(summarize_spec(data).sources)
    ]
    if refused is None:
        return FileValidation(file=shown, status=Validity.OK, error=None, reason=None, sources=sources)
    refusal = ErrorRecord.of(refused.error)
    return FileValidation(file=shown, status=Validity.REFUSED, error=refusal, reason=None, sources=sources)


def _lines(found: FileValidation) -> Iterator[str]:
    """The lines for one file: its own error first, then that of every further source."""
    if found.status is Validity.UNREADABLE:
        yield f"{found.file}: cannot be read: {found.reason}"
        return
    if found.error is None:
        yield f"{found.file}: ok ({len(found.sources)} task{'' if len(found.sources) == 1 else 's'})"
        return
    first, *others = error_lines(found.error.code, found.error.message, found.error.details)
    yield f"{found.file}: {first}"
    yield from others
    yield from (
        f"  {source.error.code}: {source.error.message}"
        for source in found.sources
        if source.error is not None and source.error != found.error
    )
