"""Resolve, reached: attached to or started, found fit for work, cleared of what an earlier child left, and left again.

Only projects and renders with our name are ever touched. The database is never changed, nothing is saved, no queue is emptied,
and no host is ever named: `scriptapp` reaches other machines too.
"""

import importlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from proxx_worker.engines.resolve.child.request import Request
from proxx_worker.engines.resolve.child.wire import UNAVAILABLE, Wire, dictionary, refuse, texts

OURS = re.compile(r"proxx-worker [0-9a-f]{12} (survey|[0-9]+)")
UNTITLED = "Untitled Project"
_PR_SET_PDEATHSIG = 1
_QUIT_SECONDS = 10.0
_PAGE = "See docs/resolve.md for how it is set up."


class Session:
    """A Resolve that answers. `resolve`, `manager`: its API objects. `started`: the process, where it is the child's own."""

    def __init__(self, wire: Wire, request: Request) -> None:
        """Nothing is reached yet: `open` does that, and `close` works at any point."""
        self.wire = wire
        self.request = request
        self.resolve: object = None
        self.manager: object = None
        self.project: object = None
        self.started: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Reach it, judge it, clear it. Raises `RefusalError`."""
        self._reach()
        product = self.wire.call(self.resolve, "GetProductName")
        self.wire.tell("connected", product=str(product), started=self.started is not None)
        if "Studio" not in str(product):
            refuse(UNAVAILABLE, f"scripting from outside needs DaVinci Resolve Studio, but this is {product}. Install Studio.")
        self.manager = self.wire.call(self.resolve, "GetProjectManager")
        database = dictionary(self.manager and self.wire.call(self.manager, "GetCurrentDatabase"))
        if not database:
            refuse(UNAVAILABLE, "Resolve must have a project database open, but it has none. Restart it: it does not recover.")
        self.clear()

    def require_target(self) -> None:
        """Raise `RefusalError` for a target below none of the Media Storage locations: a headless Resolve would never return."""
        storage = self.wire.call(self.resolve, "GetMediaStorage")
        places = texts(self.wire.call(storage, "GetMountedVolumeList"))
        target = self.request.target
        # As it is written, and without its `..`: which of the two Resolve goes by is not known.
        if not all(any(_lies_below(path, place) for place in places) for path in (target, os.path.normpath(target))):
            refuse(
                UNAVAILABLE,
                f"Resolve writes only below its Media Storage locations ({', '.join(places) or 'none'}), and {target} is below "
                "none. Add one in Preferences > System > Media Storage, written as this path is, and restart Resolve.",
                locations=places,
                target=target,
            )

    def create_project(self) -> object:
        """Make the project that this request works in, `project` from then on. Raises `RefusalError`."""
        name = self.request.project
        self.project = self.wire.call(self.manager, "CreateProject", name)
        if self.project is None:
            refuse(
                UNAVAILABLE,
                f"Resolve must let a project be made, but it made no {name!r}: a dialog may be open, or the database is "
                "read-only. Look at Resolve.",
                project=name,
            )
        return self.project

    def clear(self) -> None:
        """End and remove what an earlier child of ours left. Raises `RefusalError` where somebody else is at work."""
        current = self.wire.call(self.manager, "GetCurrentProject")
        if current is not None:
            self._clear_current(current, str(self.wire.call(current, "GetName")))
        for name in texts(self.wire.call(self.manager, "GetProjectListInCurrentFolder")):
            if OURS.fullmatch(name) and self.wire.call(self.manager, "DeleteProject", name) is False:
                # Refused now and then at the first try; a project that stays would take the name of the same job's next one.
                self.wire.call(self.manager, "DeleteProject", name)

    def remove(self, project: object) -> None:
        """Close and delete one of our projects. A deletion may be refused while it unloads: once more, then it is left."""
        name = str(self.wire.call(project, "GetName"))
        if not OURS.fullmatch(name):
            return
        self.wire.call(self.manager, "CloseProject", project)
        if self.wire.call(self.manager, "DeleteProject", name) is False:
            current = self.wire.call(self.manager, "GetCurrentProject")
            if current is not None and self.wire.call(current, "GetName") == name:
                self.wire.call(self.manager, "CloseProject", current)
            if self.wire.call(self.manager, "DeleteProject", name) is False:
                self.wire.tell("left", project=name)

    def quit(self) -> None:
        """End the Resolve that the child started, not one that it attached to. An unclean end costs the next start minutes."""
        if self.started is None:
            return
        if self.resolve is not None:
            self.wire.call(self.resolve, "Quit")
        else:
            self.started.terminate()
        try:
            self.started.wait(_QUIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.started.kill()

    def _clear_current(self, current: object, name: str) -> None:
        rendering = self.wire.call(current, "IsRenderingInProgress") is True
        if not OURS.fullmatch(name):
            self._require_free(current, name, rendering=rendering)
            return
        if rendering:
            self._end_render(current, name)
        self.remove(current)

    def _require_free(self, current: object, name: str, *, rendering: bool) -> None:
        """Refuse where somebody is at work: in a project that is not ours, or in one that is not saved yet."""
        if rendering:
            refuse(UNAVAILABLE, f"Resolve must be idle, but it renders {name!r}, which is not ours. Wait for it.", project=name)
        if name != UNTITLED:
            refuse(
                UNAVAILABLE,
                f"Resolve must have no project open but its own {UNTITLED!r}, so that nobody's work is closed, but {name!r} is "
                "open. Close it, or give the worker a Resolve of its own.",
                project=name,
            )
        timelines = self.wire.call(current, "GetTimelineCount")
        if isinstance(timelines, int | float) and timelines > 0:
            refuse(
                UNAVAILABLE,
                f"Resolve must have nothing open that is not saved, but its {name!r} has timelines ({timelines:g}), and the "
                "worker's own project would take its place. Save it under a name and close it.",
                project=name,
            )

    def _end_render(self, current: object, name: str) -> None:
        self.wire.call(current, "StopRendering")

        def ended() -> bool:
            self.wire.tell("waiting", for_="an earlier render of ours to end")
            return self.wire.call(current, "IsRenderingInProgress", poll=True) is not True

        seconds = self.request.limits.stop
        if not self.wire.wait(seconds, rest=self.request.limits.poll, done=ended):
            refuse(
                UNAVAILABLE,
                f"Resolve must be idle, but it still renders {name!r}, an earlier job of ours, {seconds:g} s after its stop. "
                "Wait for it, or restart Resolve.",
                project=name,
            )

    def _reach(self) -> None:
        module = self._module()

        def app() -> object:
            return self.wire.call(module, "scriptapp", "Resolve")

        executable = self.request.executable
        if executable is None:
            self.resolve = app()
            if self.resolve is None:
                refuse(
                    UNAVAILABLE,
                    "DaVinci Resolve Studio must run here, be ready, and allow external scripting (Preferences > System > "
                    f"General: Local), but it cannot be reached. Start it, or set `resolve_executable`. {_PAGE}",
                )
            return
        if app() is not None:
            refuse(
                UNAVAILABLE,
                "`resolve_executable` asks for a Resolve of this worker's own, but one runs here already, and there can be one "
                "only. End it, or leave the setting out to use that one.",
            )
        self._start(executable, app)

    def _module(self) -> object:
        os.environ["RESOLVE_SCRIPT_API"] = self.request.script_api
        os.environ["RESOLVE_SCRIPT_LIB"] = self.request.script_lib
        if self.request.home is not None:
            os.environ["HOME"] = self.request.home
        sys.path.insert(0, f"{self.request.script_api}/Modules")
        self.wire.tell("call", name="import DaVinciResolveScript", poll=False)
        try:
            return importlib.import_module("DaVinciResolveScript")
        except Exception as error:  # noqa: BLE001 - whatever foreign code raises, it is not there
            refuse(UNAVAILABLE, f"Resolve's scripting module must load, but it does not: {error!r}. {_PAGE}", error=repr(error))

    def _start(self, executable: str, app: Callable[[], object]) -> None:
        try:
            self.started = subprocess.Popen(
                [executable, "-nogui"],
                stdin=subprocess.DEVNULL,
                stdout=2,
                # Programs of its kind (Qt) read names of files in the locale's encoding, and in the worker's `C` that is ASCII.
                env={**os.environ, "LC_ALL": "C.UTF-8"},
                pass_fds=self.request.keep,
                preexec_fn=_end_with_parent(),  # noqa: PLW1509 - no other thread here runs Python
            )
        except OSError as error:
            refuse(UNAVAILABLE, f"{executable} must start, but it does not: {error.strerror}. Correct `resolve_executable`.")
        began = time.monotonic()

        def reached() -> bool:
            self.wire.tell("waiting", for_="Resolve to start")
            self.resolve = app()
            return self.resolve is not None or self.started is None or self.started.poll() is not None

        self.wire.wait(self.request.limits.start, rest=self.request.limits.poll, done=reached)
        if self.resolve is not None:
            return
        code = self.started.poll()
        if code is not None:
            refuse(
                UNAVAILABLE,
                f"Resolve must stay, but {executable} ended with {code} before it could be scripted. Another one may run in this "
                "session, and there can be one only: end it, or see its log.",
                exit_code=code,
            )
        refuse(
            UNAVAILABLE,
            f"Resolve must be ready within {self.request.limits.start:g} s, but {executable} cannot be scripted "
            f"{time.monotonic() - began:.0f} s after its start. Allow external scripting (Preferences > System > General: "
            "Local), or set a longer `resolve_start_seconds`.",
        )


def _lies_below(path: str, place: str) -> bool:
    return place.startswith("/") and f"{path}/".startswith(f"{place.rstrip('/')}/")


def _end_with_parent() -> Callable[[], None] | None:
    """What makes a started Resolve die with this process, on Linux; elsewhere the worker ends the whole process group."""
    bound: Callable[[], None] | None = None
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - before the fork, and only where it is needed

        prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

        def bind() -> None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        bound = bind
    return bound
