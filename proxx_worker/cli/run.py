"""`run`: one job, for a person at a workstation or a CI task. The result goes to stdout, everything else to stderr."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from proxx_worker.cli.console import UsageError, fail, say, stderr_is_journal, terminal_is_dumb, unreadable
from proxx_worker.cli.paths import require_writable
from proxx_worker.cli.run_log import RunLog
from proxx_worker.cli.run_summary import summary_lines
from proxx_worker.cli.signals import Signals
from proxx_worker.cli.streams import discard_stdout
from proxx_worker.cli.wiring import environment_of, sandbox_of, settings_from, tools_of, worker_record
from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import ErrorCode, ProxxError, exit_code
from proxx_worker.contract.jobspec import MAX_SPEC_BYTES, too_large
from proxx_worker.contract.result import JobResult, encode_result
from proxx_worker.contract.text import visible
from proxx_worker.delivery.names import RUN_OWNER
from proxx_worker.delivery.publishing import PublishingStuckError
from proxx_worker.engines.tools import Tools
from proxx_worker.execution.executor import Executor, Job, demote_to_failed
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.hashing import sha256_of
from proxx_worker.files.places import write_output
from proxx_worker.observe.display import progress_for
from proxx_worker.observe.joblog import JobLog
from proxx_worker.observe.logs import start_worker_log
from proxx_worker.process.sandbox import require_kernel
from proxx_worker.process.stop import StopRequestedError, StopSignal, raise_if_stopped
from proxx_worker.rights import give_up_rights
from proxx_worker.settings import Settings


class InMemoryJournal:
    """`run` has no state folders: what a crash leaves behind is staging, which the next job there removes."""

    result: JobResult | None = None

    def reserve_space(self, tasks: int) -> None:
        """It only uses memory."""

    def commit(self, result: JobResult) -> None:
        """Keep the decision for as long as the process lives."""
        self.result = result


def run(arguments: argparse.Namespace) -> int:
    """Execute one JobSpec. Exit code: the result's, 130/143 when a signal stopped it, 64 when the spec cannot be read."""
    signals = Signals()
    signals.install()
    try:
        settings = settings_from(arguments)
        job = _read(arguments.jobspec, signals.stop)
        place = None if arguments.result is None else require_writable("--result", arguments.result)
        log = RunLog(job.name, arguments.log)
    except UsageError as error:
        return fail(str(error))
    tools = tools_of(settings, sandbox_of(settings))
    try:
        _confine(settings, tools, place)
    except ProxxError as fault:
        log.close()
        return fail(fault.error.message, fault.error.code)
    observer, write = progress_for(sys.stderr, log, settings.progress_format, dumb=terminal_is_dumb())
    # The encoder's output goes where the log goes, but not over a person's progress bar.
    on_terminal = sys.stderr.isatty()
    start_worker_log(write, settings.log_format, encoder_lines=not on_terminal, journal=stderr_is_journal())
    executor = Executor(environment_of(settings, tools), worker_record(settings, tools), observer, ())
    journal = InMemoryJournal()
    try:
        result = executor.execute(job, journal, log, signals.stop)
    except (ProxxError, PublishingStuckError) as fault:
        if journal.result is None:
            return fail(fault.error.message, fault.error.code)
        result = _after_all(journal.result, fault, log)
    if on_terminal and result.error is not None:
        _show_last_lines(log)
    undelivered = _deliver(result, place, as_json=arguments.json or not sys.stdout.isatty())
    if (unwritten := log.close()) is not None:
        undelivered.append(unwritten)
    if undelivered:
        return max(fail(fault.error.message, fault.code) for fault in undelivered)
    if result.error is not None and result.error.code is ErrorCode.INTERRUPTED and signals.exit_code is not None:
        return signals.exit_code
    return exit_code([] if result.error is None else [result.error.code])


def _confine(settings: Settings, tools: Callable[[], Tools], result: bytes | None) -> None:
    """Confine this process (`rights.give_up_rights`). A missing tool, or no Landlock, fails the job later, with a result."""
    found = None
    with suppress(ProxxError):
        found = tools()
    try:
        require_kernel()
    except ProxxError:
        return
    give_up_rights(settings, found, [] if result is None else [Path(os.fsdecode(result)).parent])


def _show_last_lines(log: RunLog) -> None:
    """Print the encoder's last output before the job failed; a terminal does not show it otherwise."""
    if log.last_lines:
        sys.stderr.write("The last lines of FFmpeg (--log FILE keeps all of them):\n")
        sys.stderr.writelines(f"  {visible(line)}\n" for line in log.last_lines)


def _after_all(decided: JobResult, fault: ProxxError | PublishingStuckError, log: JobLog) -> JobResult:
    """The outcome of a decided job whose output directory failed after the decision."""
    if isinstance(fault, PublishingStuckError):
        # Some outputs have their names and cannot be taken back: the decision is no longer true.
        log.event("job_failed", fault.error.message, level="ERROR", code=fault.error.code)
        return demote_to_failed(decided, fault.error)
    # The outputs are as decided; only the clearing away of staging was refused, which the next job there does, or complains of.
    log.event("left_behind", fault.error.message, level="WARNING", code=fault.error.code)
    return decided


def _read(path: str, stop: StopSignal) -> Job:
    """The job of the spec at `path`. One that is too large is hashed, unless a stop is requested, not taken in.

    Raises `UsageError`.
    """
    name = display_name(os.fsencode(Path(path).name.removesuffix(".json")))
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_SPEC_BYTES + 1)
            if len(data) <= MAX_SPEC_BYTES:
                return Job.of(name, data, RUN_OWNER)
            digest = None
            with suppress(StopRequestedError):
                digest = sha256_of(file.fileno(), partial(raise_if_stopped, stop, StopRequestedError()))
            return Job.refused(name, RUN_OWNER, digest, too_large(os.fstat(file.fileno()).st_size, data).error)
    except (OSError, ValueError) as error:
        raise UsageError(unreadable(path, error)) from error


def _deliver(result: JobResult, path: bytes | None, *, as_json: bool) -> list[ProxxError]:
    """Write the result to the file and to stdout; if one fails, the other still has it. Returns the failures.

    A closed stdout does not count: the job has ended, and its exit code says how.
    """
    document, refusals = encode_result(result), []
    if path is not None:
        try:
            write_output(path, document)
        except OSError as error:
            refusals.append(classify_os_error(error, "write the result to", path))
    try:
        if as_json:
            sys.stdout.buffer.write(document)
        else:
            for line in summary_lines(result):
                say(line)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()
        kept = "" if path is not None else "; --result FILE keeps it"
        sys.stderr.write(f"proxx-worker: stdout was closed before the result was written{kept}\n")
    except OSError as error:
        discard_stdout()
        refusals.append(classify_os_error(error, "write the result to", "stdout"))
    return refusals
