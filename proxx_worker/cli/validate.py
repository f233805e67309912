"""`validate`: would these JobSpecs run? Spec, sources and output directory are looked at, nothing is written."""

import argparse
import os

from proxx_worker.cli.console import UsageError, fail, reason_of, say, unreadable
from proxx_worker.cli.signals import Signals
from proxx_worker.cli.wiring import environment_of, sandbox_of, settings_from, tools_of
from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import EXIT_USAGE, ErrorCode, exit_code
from proxx_worker.contract.jobspec import MAX_SPEC_BYTES
from proxx_worker.delivery.output_directory import check_output_directory
from proxx_worker.execution.preflight import AcceptedJob, inspect


def validate(arguments: argparse.Namespace) -> int:
    """One line per file on stdout: `ok` or the code and the message. Exit code: the highest class, 64 where one is unreadable."""
    signals = Signals()
    signals.install()
    try:
        settings = settings_from(arguments)
    except UsageError as error:
        return fail(str(error))
    environment = environment_of(settings, tools_of(settings, sandbox_of(settings)))
    codes: list[ErrorCode] = []
    some_unreadable = False
    for path in arguments.jobspecs:
        shown = display_name(os.fsencode(path))
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - a path as given, shown as given
                data = file.read(MAX_SPEC_BYTES + 1)
        except (OSError, ValueError) as error:
            some_unreadable = True
            say(f"{shown}: cannot be read: {reason_of(error)}")
            fail(unreadable(path, error))
            continue
        inspection = inspect(data, environment, signals.stop, check_output_directory)
        if isinstance(inspection, AcceptedJob):
            say(f"{shown}: ok ({len(inspection.tasks)} task{'s' if len(inspection.tasks) != 1 else ''})")
        else:
            codes.append(inspection.error.code)
            say(f"{shown}: {inspection.error.code}: {inspection.error.message}")
        if signals.exit_code is not None:
            return signals.exit_code
    return EXIT_USAGE if some_unreadable else exit_code(codes)
