"""The app: actions that drop files into the inbox of the workspace, each with its command line."""

import asyncio
import os
import shlex
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from textual.binding import Binding, BindingType

from proxx_worker.contract.errors import Again, ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.desk import drops
from proxx_worker.desk.again import OtherJobs, can_help, mark_resubmittable, resubmit
from proxx_worker.desk.cancel import NoSuchJobError, cancel_if_there, target_in
from proxx_worker.desk.commands import SubmitForm, command_line, operands
from proxx_worker.desk.console.files import have_folders, page_of, path_of
from proxx_worker.desk.console.lists import RowList
from proxx_worker.desk.console.screens import QuestionScreen
from proxx_worker.desk.console.submit import SubmitScreen
from proxx_worker.desk.console.view import ConsoleView
from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.desk.remedies import remedy_of
from proxx_worker.desk.worker import drain
from proxx_worker.workspace.layout import Workspace


class Submitting(Protocol):
    """Turns clips into jobs; the desk does not know how."""

    profiles: Sequence[str]
    """The names to choose from."""

    def preview(self, form: SubmitForm) -> list[str]:
        """What would be written. Raises `ProxxError` or `OSError` with the reason if nothing can be."""
        ...

    def submit(self, form: SubmitForm) -> list[str]:
        """Write it. Returns what was written. Raises `ProxxError`."""
        ...


class Desktop(Protocol):
    """Hands files to what opens them outside the terminal; the desk starts no process."""

    @property
    def command(self) -> str:
        """The command that does it."""
        ...

    def open(self, path: str) -> None:
        """Hand it a file, and do not wait: whether anything opens is not known. Raises `OSError`."""
        ...


class Console(ConsoleView):
    """Shows and controls one workspace."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "submit", "Submit"),
        Binding("c", "cancel", "Cancel"),
        Binding("r", "resubmit", "Again"),
        Binding("R", "resubmit_all", "All again"),
        Binding("h", "hold", "Hold/release"),
        Binding("d", "drain", "Drain"),
        Binding("o", "report", "Report"),
    ]

    def __init__(self, workspace: Workspace, submitting: Submitting, desktop: Desktop | None = None) -> None:
        """Nothing is read before the app runs. `desktop`: None where nobody would see it."""
        super().__init__(workspace)
        self._submitting = submitting
        self._desktop = desktop
        self._unwritten: SubmitForm | None = None
        """The last form, until its specs are written: after a refusal it is there to be mended."""

    def action_cancel(self) -> None:
        """Cancel the job at the cursor, after confirmation."""
        job = self.selected
        if job is None or job.state not in {JobState.RUNNING, JobState.WAITING}:
            self._say("only a waiting or running job can be cancelled", bad=True)
            return
        self.run_worker(self._cancel(job), exclusive=True, group="cancel")

    async def _cancel(self, job: JobSummary) -> None:
        """The spec is looked at before the question: another job may get the name while the question is open."""
        try:
            target = await asyncio.to_thread(target_in, self.workspace, job.state, job.stem)
        except (ProxxError, NoSuchJobError) as error:
            self._say(str(error), bad=True)
            return

        def ask_for_it() -> str:
            cancel_if_there(self.workspace, target)
            return f"{job.name} will be cancelled"

        words = ("cancel", self.workspace.name, *operands([job.stem]))
        lost = " Its work so far is discarded." if job.state is JobState.RUNNING else ""
        self._ask(f"Cancel {job.name}?{lost}", words, ask_for_it)

    def action_resubmit(self) -> None:
        """Submit the failed job at the cursor again."""
        job = self.selected
        if job is None or job.state is not JobState.FAILED:
            self._say("only a failed job can be submitted again", bad=True)
            return
        again = remedy_of(job.code or "").again
        if again is Again.AFTER_SOURCE and not can_help(job):
            self._say(f"{job.name}: its source has not changed, so it would end the same way", bad=True)
            return
        words = ("resubmit", self.workspace.name, *operands([job.stem]))
        if again is Again.NEVER:
            self._ask(f"Submit {job.name} again? It would end the same way.", words, lambda: self._drop_again([job]))
        else:
            self._do(words, lambda: self._drop_again([job]))

    def action_resubmit_all(self) -> None:
        """Submit all failed jobs of this list again that can end differently, after confirmation."""
        if self._tab is not JobState.FAILED:
            self._say("only failed jobs can be submitted again", bad=True)
            return
        self.run_worker(self._resubmit_all(self._main.query_one(RowList).rows.jobs()), exclusive=True, group="all")

    async def _resubmit_all(self, listed: list[JobSummary]) -> None:
        try:
            jobs = await asyncio.to_thread(self._resubmittable, listed)
        except ProxxError as fault:
            self._say(fault.error.message, bad=True)
            return
        if not jobs:
            self._say("none of these can end differently yet: see what to do about each", bad=True)
            return
        words = ("resubmit", self.workspace.name, *operands([job.stem for job in jobs]))
        self._ask(f"Submit {len(jobs)} of {len(listed)} again?", words, lambda: self._drop_again(jobs))

    def _resubmittable(self, listed: list[JobSummary]) -> list[JobSummary]:
        return [job for job in mark_resubmittable(listed, OtherJobs.of(self.workspace)) if job.resubmittable]

    def _drop_again(self, jobs: Sequence[JobSummary]) -> str:
        done = resubmit(self.workspace, jobs)
        skipped = f", {len(done.skipped)} already waiting or running" if done.skipped else ""
        return f"{len(done.made)} submitted again{skipped}"

    def action_hold(self) -> None:
        """Hold the workspace, or release it."""
        if self.board.worker.held:
            self._do(("release", self.workspace.name), lambda: "released" if drops.release(self.workspace) else "it was not held")
        else:
            self._do(("hold", self.workspace.name), lambda: "held" if drops.hold(self.workspace) else "it was already held")

    def action_drain(self) -> None:
        """Have the worker end after its job, after confirmation."""
        worker = self.board.worker.holder
        if worker is None or self.board.worker.alive is not True:
            self._say("there is no worker on this host to drain", bad=True)
            return
        if self.board.worker.status is None:
            self._say("the worker has only just started; drain it once its status is there", bad=True)
            return

        def ask_for_it() -> str:
            asked = drain(self.workspace, worker)
            who = f"the worker (pid {worker.pid})"
            return f"{who} will end after its job" if asked else f"{who} has already ended; nothing was drained"

        command = f"kill -USR1 {worker.pid}"
        self._ask(
            "Drain? The worker ends after its job; nothing is claimed until a worker is started again.", command, ask_for_it
        )

    def action_submit(self) -> None:
        """Open the form for submitting clips."""

        def filled_in(form: SubmitForm | None) -> None:
            if form is not None:
                self._unwritten = form
                self.run_worker(lambda: self._submit(form), thread=True)

        form = SubmitScreen(self.workspace.name, self._submitting.profiles, self._preview, self._header(), given=self._unwritten)
        self.push_screen(form, filled_in)

    def _submit(self, form: SubmitForm) -> None:
        """In a thread: the clips may be on slow storage."""
        words = form.words(self.workspace.name, recursive=have_folders(form.sources))

        def write() -> str:
            told = self._submitting.submit(form)
            self._unwritten = None
            return "\n".join(told)

        self.call_from_thread(self._do, words, write)

    def _preview(self, form: SubmitForm) -> list[str]:
        try:
            return self._submitting.preview(form)
        except ProxxError as fault:
            return [f"{fault.code}: {fault.error.message}"]
        except OSError as error:
            return [str(error)]

    def action_report(self) -> None:
        """Hand the report on this job to the desktop, if there is one, and copy its path.

        If there is none: the command that writes it, which reads media for a while and so is not run from here.
        """
        job = self.selected
        if job is None or job.state not in {JobState.DONE, JobState.FAILED}:
            self._say("only a job that has ended can have a report", bad=True)
        elif job.unreadable is not None:
            self._say(f"{job.name}: its result cannot be read: {job.unreadable}", bad=True)
        else:
            page, result = page_of(self.workspace, job), os.path.abspath(path_of(self.workspace, job))
            self.run_worker(self._point_to(page, command_line("report", result, "--html", page)), exclusive=True, group="report")

    async def _point_to(self, page: str, command: str) -> None:
        self._note(command)
        if not await asyncio.to_thread(os.path.isfile, page):
            self._copy(command)
            return
        if self._desktop is None:
            self._copy(page, "path copied", first="the report exists, ")
            return
        self._note(visible(shlex.join((self._desktop.command, page))))
        try:
            await asyncio.to_thread(self._desktop.open, page)
        except OSError as error:
            self._say(f"{self._desktop.command} cannot be started: {error}", bad=True)
        else:
            self._copy(page, "path copied", first=f"passed to {self._desktop.command}; ")

    def _ask(self, question: str, words: Sequence[str] | str, work: Callable[[], str]) -> None:
        command = words if isinstance(words, str) else command_line(*words)

        def answered(yes: bool | None) -> None:  # noqa: FBT001 - what Textual hands over
            if yes:
                self._do(words, work)

        self.push_screen(QuestionScreen(question, command, self._header()), answered)

    def _do(self, words: Sequence[str] | str, work: Callable[[], str]) -> None:
        """Do it in a thread, show the command that does the same, and report the outcome."""
        self._note(words if isinstance(words, str) else command_line(*words))

        def done() -> None:
            try:
                told, bad = work(), False
            except (ProxxError, NoSuchJobError, OSError) as error:
                told, bad = str(error), True
            self.call_from_thread(self._say, told, bad=bad)
            self._nudge.set()

        self.run_worker(done, thread=True)
