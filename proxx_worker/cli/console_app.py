"""`console`: the terminal app of a workspace."""

import argparse
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from proxx_worker.cli.console import UsageError, fail
from proxx_worker.cli.finished import require_extra
from proxx_worker.contract.errors import EXIT_OK, ErrorCode, ProxxError
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.text import has_lone_surrogate
from proxx_worker.desk.commands import Place, SubmitForm
from proxx_worker.desk.console.files import have_folders
from proxx_worker.feeding.clips import Clip
from proxx_worker.feeding.drops import require_directories
from proxx_worker.feeding.orders import Beside, Destination, Directory, Mirror, Order, plan, require_folder_name
from proxx_worker.feeding.specs import Request, preview_specs, write_specs
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.process.desktop import desktop_of
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

    app = Console(workspace, Submitting(workspace), desktop_of(os.environ, sys.platform))
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
        """What would be written. Raises `ProxxError` with the reason why nothing can be.

        IO_ERROR if the system does not say whether a path is there, as of names that are too long and folders that are closed.
        SOURCE_MISSING and OUTPUT_DIRECTORY_MISSING also for single clips: `spec` writes specs for any named clip, which may come
        later or be mounted elsewhere, but what a person has just typed here is misspelt.
        """
        request = self._request(form)
        _require_there(request)
        return [*preview_specs(request)]

    def submit(self, form: SubmitForm) -> list[str]:
        """Write it, and tell what was written. Raises `ProxxError`."""
        request = self._request(form)
        _require_there(request)
        return [*write_specs(request).told]

    def _request(self, form: SubmitForm) -> Request:
        if not form.profiles:
            raise ProxxError(ErrorCode.PROFILE_UNKNOWN, "no profile is chosen; choose one with the space bar")
        if any(map(has_lone_surrogate, (*form.sources, form.directory, form.preset))):
            raise ProxxError(ErrorCode.SPEC_INVALID, "a path is not UTF-8, so JSON cannot represent it; rename the file")
        folders = have_folders(form.sources)
        order = Order(tuple(form.profiles), _destination(form, folders=folders), resolve_preset=form.preset or None)
        return Request(
            form.sources, folders, order, self._workspace, form.create_directories, how_to_create="choose to create it"
        )


def _require_there(request: Request) -> None:
    """Raise what a job would fail with: clips that are not there, or the folders of their proxies."""
    modes = {source: _mode_of(source) for source in request.sources}
    missing = [source for source, mode in modes.items() if mode is None or (request.recursive and not stat.S_ISDIR(mode))]
    if missing:
        raise _missing(missing[0], len(missing) - 1, clip=modes[missing[0]] is not None)
    if not (request.recursive or request.create_directories):
        root = os.path.commonpath([Path(source).parent for source in request.sources])
        clips = [Clip(source, root, os.path.relpath(source, root)) for source in request.sources]
        require_directories(sorted({spec.output_directory for spec in plan(clips, request.order).specs}), "choose to create it")


def _mode_of(path: str) -> int | None:
    """The kind of a file, as in `stat`; None if nothing is there. Raises IO_ERROR if the system does not say."""
    with translate_os_errors("look for", path):
        try:
            return Path(path).stat().st_mode
        except (FileNotFoundError, NotADirectoryError, ValueError):  # a NUL byte, which no path can hold, is a ValueError
            return None


def _missing(source: str, more: int, *, clip: bool) -> ProxxError:
    if clip:
        message = f"{source} is a clip, and others are folders; submit clips and folders separately"
        return ProxxError(ErrorCode.SPEC_INVALID, message, path=source)
    others = f", and {more} more like it" if more else ""
    message = f"{source} does not exist{others}; check the path, quote a name with spaces, and see that its storage is mounted"
    return ProxxError(ErrorCode.SOURCE_MISSING, message, path=source)


def _destination(form: SubmitForm, *, folders: bool) -> Destination:
    if not form.directory.strip():
        what = "folder name is given; type one, such as Proxy" if form.place is Place.BESIDE else "folder is given; type its path"
        raise ProxxError(ErrorCode.SPEC_INVALID, f"no {what}: the proxies go there")
    if form.place is Place.BESIDE:
        try:
            require_folder_name(form.directory)
        except ValueError as error:
            raise ProxxError(ErrorCode.SPEC_INVALID, f"{form.directory!r}: {error}") from error
        return Beside(form.directory)
    if not form.directory.startswith("/"):
        raise ProxxError(ErrorCode.SPEC_INVALID, f"the folder must be an absolute path, not {form.directory!r}")
    if "\0" in form.directory:
        raise ProxxError(ErrorCode.SPEC_INVALID, f"a folder's path cannot contain a NUL, but {form.directory!r} does; remove it")
    directory = os.path.normpath(form.directory)  # as `spec` does, by the names alone
    if form.place is Place.MIRROR:
        return Mirror(directory, by_root=folders and len(form.sources) > 1)
    if "{chunk}" in directory:
        raise ProxxError(ErrorCode.SPEC_INVALID, "{chunk} is a chunk's number, and this form makes no chunks; use {name}")
    return Directory(directory)
