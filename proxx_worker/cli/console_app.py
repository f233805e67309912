"""`console`: the terminal app of a workspace."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from proxx_worker.cli.console import UsageError, fail
from proxx_worker.cli.finished import require_extra
from proxx_worker.contract.errors import EXIT_OK, ErrorCode, ProxxError
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.text import has_lone_surrogate
from proxx_worker.desk.commands import Place, SubmitForm
from proxx_worker.feeding.orders import Beside, Destination, Directory, Mirror, Order, require_folder_name
from proxx_worker.feeding.specs import Request, preview_specs, write_specs
from proxx_worker.workspace.layout import Workspace


def console(arguments: argparse.Namespace) -> int:
    """Run the app until the user quits. Exit code 64 without a terminal or Textual; 4 if it is not a workspace."""
    workspace = Workspace(Path(arguments.workspace))
    try:
        _require_terminal(workspace.name)
        require_extra("console", "textual")
        workspace.require()
    except UsageError as error:
        return fail(str(error))
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    from proxx_worker.desk.console.app import Console

    app = Console(workspace, Submitting(workspace))
    app.run()
    return app.return_code or EXIT_OK


def _require_terminal(workspace: str) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"the console needs a terminal, but this is not one; instead, run: proxx-worker status {workspace}")
    if os.environ.get("TERM", "dumb") in {"dumb", "unknown", ""}:
        raise UsageError(
            f"this terminal cannot move its cursor (TERM=dumb); for plain lines, run: proxx-worker status {workspace}"
        )


class Submitting:
    """Clips to jobs, as `spec --submit` makes them. Satisfies the console's `Submitting`."""

    profiles: Sequence[str] = tuple(PROFILES)

    def __init__(self, workspace: Workspace) -> None:
        """Whose inbox gets the jobs."""
        self._workspace = workspace

    def preview(self, form: SubmitForm) -> list[str]:
        """What would be written. Raises `ProxxError` with the reason why nothing can be."""
        return [*preview_specs(self._request(form))]

    def submit(self, form: SubmitForm) -> list[str]:
        """Write it, and tell what was written. Raises `ProxxError`."""
        return [*write_specs(self._request(form)).told]

    def _request(self, form: SubmitForm) -> Request:
        if not form.profiles:
            raise ProxxError(ErrorCode.PROFILE_UNKNOWN, "no profile is chosen; choose one with the space bar")
        if has_lone_surrogate(form.source + form.directory):
            raise ProxxError(ErrorCode.SPEC_INVALID, "a path is not UTF-8, and JSON cannot carry it; rename the file")
        order = Order(tuple(form.profiles), _destination(form))
        return Request((form.source,), Path(form.source).is_dir(), order, self._workspace, form.create_directories)


def _destination(form: SubmitForm) -> Destination:
    if form.place is Place.BESIDE:
        try:
            require_folder_name(form.directory)
        except ValueError as error:
            raise ProxxError(ErrorCode.SPEC_INVALID, f"{form.directory!r}: {error}") from error
        return Beside(form.directory)
    if not form.directory.startswith("/"):
        raise ProxxError(ErrorCode.SPEC_INVALID, f"the folder must be an absolute path, not {form.directory!r}")
    return Mirror(form.directory) if form.place is Place.MIRROR else Directory(form.directory)
