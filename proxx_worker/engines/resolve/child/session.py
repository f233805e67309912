"""A session with Resolve: attach to it or start it, check it, remove what an earlier child left, and quit.

Only projects and renders with our names are ever touched. The database is never changed, nothing is saved, no queue is emptied,
and no host is ever named, as `scriptapp` can connect to other machines too.
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
_PAGE = "See docs/resolve.md for the setup."


class Session:
    """A connection to Resolve. `resolve`, `manager`: its API objects. `started`: the process, if this child started it."""

    def __init__(self, wire: Wire, request: Request) -> None:
        """Does not connect yet; `quit` works at any point."""
        self.wire = wire
        self.request = request
        self.resolve: object = None
        self.manager: object = None
        self.project: object = None
        self.started: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Connect, check that Resolve can be used, and remove what an earlier child left. Raises `RefusalError`."""
        self._connect()
        product = self.wire.call(self.resolve, "GetProductName")
        self.wire.send("connected", product=str(product), started=self.started is not None)
        if "Studio" not in str(product):
            refuse(UNAVAILABLE, f"external scripting needs DaVinci Resolve Studio, but this is {product}. Install Studio.")
        self.manager = self.wire.call(self.resolve, "GetProjectManager")
        database = dictionary(self.manager and self.wire.call(self.manager, "GetCurrentDatabase"))
        if not database:
            refuse(UNAVAILABLE, "Resolve must have a project database open, but has none. Restart it; it cannot recover.")
        self.clear()

    def require_target(self) -> None:
        """Raise `RefusalError` unless the target is below a Media Storage location: a headless Resolve would never return."""
        storage = self.wire.call(self.resolve, "GetMediaStorage")
        locations = texts(self.wire.call(storage, "GetMountedVolumeList"))
        target = self.request.target
        # As written, and without `..`: it is not known which of the two Resolve uses.
        if not all(any(_is_below(path, location) for location in locations) for path in (target, os.path.normpath(target))):
            refuse(
                UNAVAILABLE,
                f"Resolve writes only below its Media Storage locations ({', '.join(locations) or 'none'}), and {target} is "
                "below none of them. Add one in Preferences > System > Media Storage, spelled as in this path, then restart it.",
                locations=locations,
                target=target,
            )

    def create_project(self) -> object:
        """Create the project for this request, as `project`. Raises `RefusalError`."""
        name = self.request.project
        self.project = self.wire.call(self.manager, "CreateProject", name)
        if self.project is None:
            refuse(
                UNAVAILABLE,
                f"Resolve must create a project, but did not create {name!r}: a dialog may be open, or the database may be "
                "read-only. Check Resolve.",
                project=name,
            )
        return self.project

    def clear(self) -> None:
        """Stop and remove what an earlier child of ours left. Raises `RefusalError` if somebody else is using Resolve."""
        current = self.wire.call(self.manager, "GetCurrentProject")
        if current is not None:
            self._clear_current(current, str(self.wire.call(current, "GetName")))
        for name in texts(self.wire.call(self.manager, "GetProjectListInCurrentFolder")):
            if OURS.fullmatch(name) and self.wire.call(self.manager, "DeleteProject", name) is False:
                # The first try is refused at times, and a project that stays would block the name for the same job's next one.
                self.wire.call(self.manager, "DeleteProject", name)

    def remove(self, project: object) -> None:
        """Close and delete one of our projects. Deletion may be refused while it unloads, so it is tried twice."""
        name = str(self.wire.call(project, "GetName"))
        if not OURS.fullmatch(name):
            return
        self.wire.call(self.manager, "CloseProject", project)
        if self.wire.call(self.manager, "DeleteProject", name) is False:
            current = self.wire.call(self.manager, "GetCurrentProject")
            if current is not None and self.wire.call(current, "GetName") == name:
                self.wire.call(self.manager, "CloseProject", current)
            if self.wire.call(self.manager, "DeleteProject", name) is False:
                self.wire.send("left", project=name)

    def quit(self) -> None:
        """Quit a Resolve that this child started, not one it attached to. An unclean exit costs the next start minutes."""
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
        """Refuse if somebody is using Resolve: in a project that is not ours, or one that is not saved yet."""
        if rendering:
            refuse(UNAVAILABLE, f"Resolve must be idle, but is rendering {name!r}, which is not ours. Wait for it.", project=name)
        if name != UNTITLED:
            refuse(
                UNAVAILABLE,
                f"Resolve must have no project open except {UNTITLED!r}, so that nobody's work is closed, but {name!r} is "
                "open. Close it, or give the worker a Resolve of its own.",
                project=name,
            )
        timelines = self.wire.call(current, "GetTimelineCount")
        if isinstance(timelines, int | float) and timelines > 0:
            refuse(
                UNAVAILABLE,
                f"Resolve must have no unsaved work, but its {name!r} has timelines ({timelines:g}), and the worker's project "
                "would replace it. Save it under a name and close it.",
                project=name,
            )

    def _end_render(self, current: object, name: str) -> None:
        self.wire.call(current, "StopRendering")

        def ended() -> bool:
            self.wire.send("waiting", for_="an earlier render of ours to end")
            return self.wire.call(current, "IsRenderingInProgress", poll=True) is not True

        seconds = self.request.limits.stop
        if not self.wire.wait(seconds, interval=self.request.limits.poll, done=ended):
            refuse(
                UNAVAILABLE,
                f"Resolve must be idle, but still renders {name!r}, an earlier job of ours, {seconds:g} s after it was stopped. "
                "Wait for it, or restart Resolve.",
                project=name,
            )

    def _connect(self) -> None:
        module = self._module()

        def app() -> object:
            return self.wire.call(module, "scriptapp", "Resolve")

        executable = self.request.executable
        if executable is None:
            self.resolve = app()
            if self.resolve is None:
                refuse(
                    UNAVAILABLE,
                    "DaVinci Resolve Studio must be running, be ready, and allow external scripting (Preferences > System > "
                    f"General: Local), but it cannot be reached. Start it, or set `resolve_executable`. {_PAGE}",
                )
            return
        if app() is not None:
            refuse(
                UNAVAILABLE,
                "`resolve_executable` asks for a Resolve of the worker's own, but one is running already, and only one can. "
                "Quit that one, or remove the setting to use it.",
            )
        self._start(executable, app)

    def _module(self) -> object:
        os.environ["RESOLVE_SCRIPT_API"] = self.request.script_api
        os.environ["RESOLVE_SCRIPT_LIB"] = self.request.script_lib
        if self.request.home is not None:
            os.environ["HOME"] = self.request.home
        sys.path.insert(0, f"{self.request.script_api}/Modules")
        self.wire.send("call", name="import DaVinciResolveScript", poll=False)
        try:
            return importlib.import_module("DaVinciResolveScript")
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything
            refuse(UNAVAILABLE, f"Resolve's scripting module must load, but does not: {error!r}. {_PAGE}", error=repr(error))

    def _start(self, executable: str, app: Callable[[], object]) -> None:
        try:
            self.started = subprocess.Popen(
                [executable, "-nogui"],
                stdin=subprocess.DEVNULL,
                stdout=2,
                # Qt programs decode file names by the locale's encoding, which is ASCII in the worker's `C`.
                env={**os.environ, "LC_ALL": "C.UTF-8"},
                pass_fds=self.request.keep,
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 - no other thread here runs Python
            )
        except OSError as error:
            refuse(UNAVAILABLE, f"{executable} must start, but does not: {error.strerror}. Correct `resolve_executable`.")
        began = time.monotonic()

        def reached() -> bool:
            self.wire.send("waiting", for_="Resolve to start")
            self.resolve = app()
            return self.resolve is not None or self.started is None or self.started.poll() is not None

        self.wire.wait(self.request.limits.start, interval=self.request.limits.poll, done=reached)
        if self.resolve is not None:
            return
        code = self.started.poll()
        if code is not None:
            refuse(
                UNAVAILABLE,
                f"Resolve must keep running, but {executable} exited with {code} before it could be scripted. Another one may be "
                "running in this session, and only one can: quit that one, or see its log.",
                exit_code=code,
            )
        refuse(
            UNAVAILABLE,
            f"Resolve must be ready within {self.request.limits.start:g} s, but {executable} cannot be scripted "
            f"{time.monotonic() - began:.0f} s after its start. Allow external scripting (Preferences > System > General: "
            "Local), or set a longer `resolve_start_seconds`.",
        )


def _is_below(path: str, location: str) -> bool:
    return location.startswith("/") and f"{path}/".startswith(f"{location.rstrip('/')}/")


def _die_with_parent() -> Callable[[], None] | None:
    """A `preexec_fn` that makes Resolve die with this process, on Linux; elsewhere the worker kills the process group."""
    bound: Callable[[], None] | None = None
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - before the fork, and only if needed

        prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

        def bind() -> None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        bound = bind
    return bound
