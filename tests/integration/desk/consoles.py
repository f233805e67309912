"""A console without a terminal: what it shows as text, and keys that are pressed one after the other."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual.events import Paste
from textual.pilot import Pilot

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.status import RunningJob, Stage, WorkerState, WorkerStatus, encode_status
from proxx_worker.desk.commands import SubmitForm
from proxx_worker.desk.console.app import Console, Desktop, Submitting
from proxx_worker.workspace.holder import Holder, this_process
from proxx_worker.workspace.layout import Workspace

DEADLINE_SECONDS = 60.0
"""For everything that is waited for. It bounds a hang; nothing is judged by it."""


SIZES = ((50, 20), (80, 24), (120, 40))
JOB = RunningJob("A001C004", "J1", Stage.ENCODING, 1, 2, "/mnt/a.mov", 12.0, 60.0, 300, 2.06)


def works(root: Path, *, age_seconds: float = 0, holder: Holder | None = None, job: RunningJob = JOB) -> None:
    """A worker that says that it is at work: this process, unless another is named."""
    (root / ".proxx" / "worker.lock").write_bytes((holder or this_process("2026-01-01T00:00:00Z")).encode())
    moment = (datetime.now(UTC) - timedelta(seconds=age_seconds)).isoformat().replace("+00:00", "Z")
    status = WorkerStatus(WorkerState.RUNNING, os.getpid(), socket.gethostname(), moment, moment, 1, job)
    (root / ".proxx" / "status.json").write_bytes(encode_status(status))


@dataclass
class Forms:
    """Takes forms, and refuses those without a profile. Satisfies the console's `Submitting`."""

    profiles: Sequence[str] = ("proxy_h264_low", "proxy_prores_proxy")
    submitted: list[SubmitForm] = field(default_factory=list)

    def preview(self, form: SubmitForm) -> list[str]:
        """See `Submitting`."""
        if not form.profiles:
            raise ProxxError(ErrorCode.PROFILE_UNKNOWN, "no profile is chosen")
        return ["1 clip", "1 spec to be written"]

    def submit(self, form: SubmitForm) -> list[str]:
        """See `Submitting`."""
        self.submitted.append(form)
        return ["1 spec written"]


@dataclass(frozen=True)
class Desk:
    """A running console."""

    app: Console
    pilot: Pilot[None]

    def text(self) -> str:
        """The whole screen."""
        strips = self.app.screen._compositor.render_strips()  # noqa: SLF001 - Textual shows its screen no other way but as SVG
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Put text into the field that has the focus, as a terminal pastes it: key by key, a long path takes 20 s."""
        self.app.post_message(Paste(text))
        await self.pilot.pause()

    async def until(self, *words: str) -> str:
        """Wait until the screen has all these words. Returns it."""
        await self.until_true(lambda: all(word in self.text() for word in words), f"{words}")
        return self.text()

    async def until_true(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{self.text()}"
            await self.pilot.pause(0.01)


def driven(
    root: Path,
    size: tuple[int, int],
    drive: Callable[[Desk], Awaitable[None]],
    forms: Submitting | None = None,
    desktop: Desktop | None = None,
) -> Console:
    """Run a console on the workspace at `root`, and `drive` it once it shows what is there."""
    app = Console(Workspace(root), forms or Forms(), desktop)
    nothing = app.board

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            desk = Desk(app, pilot)
            await desk.until_true(lambda: app.board is not nothing, "the first board")
            await desk.until("failed", "done")
            await drive(desk)

    asyncio.run(run())
    return app
