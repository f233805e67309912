"""`feed`: turns clips in watched folders into specs in an inbox, in the foreground, until a signal ends it."""

import argparse
import sys
import time
from pathlib import Path
from typing import Final

from proxx_worker.cli.console import fail, reason_of, stderr_is_journal
from proxx_worker.cli.signals import Signals
from proxx_worker.contract.errors import EXIT_OK, ErrorClass, ErrorCode, ProxxError, exit_code
from proxx_worker.feeding.feeder import Feeder, Look
from proxx_worker.feeding.rules import RulesError, read_rules
from proxx_worker.files.locations import real_path_of
from proxx_worker.observe.logs import EventLog, start_worker_log
from proxx_worker.process.waiting import wait_readable
from proxx_worker.workspace.layout import Workspace

_POLL_SECONDS: Final = 2.0
_SHARE_OF_TIME: Final = 10
"""Scanning takes at most a tenth of the time: a share with a million files is scanned less often."""


def feed(arguments: argparse.Namespace) -> int:
    """Feed. Exit codes: 0 after a clean stop, 4 when it must not go on, 64 for rules that cannot be used.

    With `--once`: what does not change for its rule's seconds is fed, what still grows is left for another call; the exit code is
    the highest class of what could not be fed.
    """
    signals = Signals()
    signals.install()
    try:
        rules = read_rules(Path(arguments.rules).read_bytes(), real_path_of)
    except OSError as error:
        return fail(f"the rules {arguments.rules} cannot be read: {reason_of(error)}")
    except RulesError as error:
        return fail(f"the rules {arguments.rules} cannot be used: {error}")
    log = EventLog()
    start_worker_log(sys.stderr.write, "text", encoder_lines=False, journal=stderr_is_journal())
    workspace = Workspace(Path(arguments.workspace))
    feeder = Feeder(workspace, rules, log, lambda: signals.stop.requested() or signals.finish.requested())
    log.event("feed_started", workspace.name, rules=len(rules))
    try:
        codes = _once(feeder, signals) if arguments.once else _until_stopped(feeder, signals)
    except ProxxError as fault:
        log.event("feed_stopped", fault.error.message, level="ERROR", code=fault.code, **fault.error.details)
        return int(ErrorClass.ENVIRONMENT)
    log.event("feed_ended")
    return exit_code(codes) if arguments.once else EXIT_OK


def _until_stopped(feeder: Feeder, signals: Signals) -> list[ErrorCode]:
    while not _stopped(signals):
        look, took = _look(feeder)
        pause = max(_POLL_SECONDS, took * _SHARE_OF_TIME)
        if look.settles_at is not None:
            pause = min(pause, max(took * _SHARE_OF_TIME, look.settles_at - time.monotonic()))
        _wait(signals, pause)
    return []


def _once(feeder: Feeder, signals: Signals) -> list[ErrorCode]:
    """Scan until every file of the first scan has either settled or been seen to change."""
    look, _ = _look(feeder)
    end = look.all_settle_at
    while end is not None and look.settles_at is not None and look.settles_at <= end and not _stopped(signals):
        _wait(signals, look.settles_at - time.monotonic())
        look, _ = _look(feeder)
    return look.faults


def _look(feeder: Feeder) -> tuple[Look, float]:
    """One scan, and how many seconds it took."""
    began = time.monotonic()
    look = feeder.look(began)
    return look, time.monotonic() - began


def _stopped(signals: Signals) -> bool:
    return signals.stop.requested() or signals.finish.requested()


def _wait(signals: Signals, seconds: float) -> None:
    """Wait, unless a signal asks to stop."""
    wait_readable([signals.stop.fileno(), signals.finish.fileno()], seconds)
