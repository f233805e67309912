"""What judges every test on the stand-in can find fault: all that a worker must never do is done here by another client."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.resolve.world import API, FILM, StandIn

REACH = "import DaVinciResolveScript as it; resolve = it.scriptapp('Resolve'); manager = resolve.GetProjectManager(); "
UNTITLED = "manager.GetCurrentProject()"


def client(standin: StandIn, program: str) -> None:
    """Run `program` as a client of the stand-in that is no worker."""
    places = {"RESOLVE_SCRIPT_API": str(API), "RESOLVE_SCRIPT_LIB": str(standin.folder / "fusionscript.so")}
    way = f"import sys; sys.path.insert(0, {str(API / 'Modules')!r}); "
    subprocess.run([sys.executable, "-c", way + program], check=True, env=places)


def require_found(folder: Path, act: Callable[[StandIn], object], found: list[str]) -> None:
    """What ends every test on the stand-in ends with `found` where `act` is all that was done."""

    def use() -> None:
        with StandIn.made(folder / "standin") as standin:
            act(standin)

    with pytest.raises(AssertionError, match=re.escape(f"nobody's work must be touched, but: {found}")):
        use()


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("manager.SaveProject()", ["ProjectManager.SaveProject was called"]),
        ("manager.SetCurrentDatabase({'DbType': 'Disk', 'DbName': 'Other'})", ["ProjectManager.SetCurrentDatabase was called"]),
        ("resolve.GetVersion()", ["Resolve.GetVersion was called"]),
        (
            f"{UNTITLED}.DeleteAllRenderJobs()",
            ["Project.DeleteAllRenderJobs was called", "Project.DeleteAllRenderJobs was called for 'Untitled Project'"],
        ),
        (f"{UNTITLED}.StopRendering()", ["Project.StopRendering was called for 'Untitled Project'"]),
        (f"manager.CloseProject({UNTITLED})", ["ProjectManager.CloseProject was called for 'Untitled Project'"]),
        (
            f"{UNTITLED}.GetMediaPool().ImportMedia([])",
            ["Project.GetMediaPool was called for 'Untitled Project'", "MediaPool.ImportMedia was called for 'Untitled Project'"],
        ),
        ("manager.CreateProject('mine')", ["ProjectManager.CreateProject was called for 'mine'"]),
        ("it.scriptapp('Resolve', '192.0.2.1')", ["scriptapp was called with ['Resolve', '192.0.2.1']"]),
        ("it.pinghosts()", ["pinghosts was called"]),
        (
            f'manager.DeleteProject("{FILM}")',
            [f"{FILM!r} is changed or gone", f"ProjectManager.DeleteProject was called for {FILM!r}"],
        ),
        (
            f'manager.LoadProject("{FILM}").SetSetting("timelineFrameRate", "50")',
            [
                f"{FILM!r} is changed or gone",
                "ProjectManager.LoadProject was called",
                f"Project.SetSetting was called for {FILM!r}",
            ],
        ),
    ],
)
def test_what_a_worker_must_never_do_is_found(tmp_path: Path, program: str, found: list[str]) -> None:
    def act(standin: StandIn) -> None:
        standin.start()
        client(standin, REACH)
        assert standin.violations() == [], "to reach it and to look is no fault"
        client(standin, REACH + program)

    require_found(tmp_path, act, found)


def test_a_host_is_found_also_where_nothing_runs(tmp_path: Path) -> None:
    program = "import DaVinciResolveScript as it; it.scriptapp('Resolve', '192.0.2.1'); it.pinghosts('192.0.2.1')"
    found = ["scriptapp was called with ['Resolve', '192.0.2.1']", "pinghosts was called"]
    require_found(tmp_path, lambda standin: client(standin, program), found)


def test_the_database_is_compared_and_not_the_calls_alone(tmp_path: Path) -> None:
    other = json.dumps({FILM: {"timelineFrameRate": "24"}})
    require_found(
        tmp_path, lambda standin: (standin.folder / "projects.json").write_text(other), [f"{FILM!r} is changed or gone"]
    )


def test_a_process_that_is_left_is_found(tmp_path: Path) -> None:
    program = "import DaVinciResolveScript as it, sys; it.scriptapp('Resolve'); print(flush=True); sys.stdin.read()"
    with StandIn.made(tmp_path / "standin") as standin:
        places = {"RESOLVE_SCRIPT_API": str(API), "RESOLVE_SCRIPT_LIB": str(standin.folder / "fusionscript.so")}
        command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(API / 'Modules')!r}); {program}"]
        with subprocess.Popen(command, env=places, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as left:
            assert left.stdout is not None
            left.stdout.readline()
            assert standin.violations(patience=0) == [f"process {left.pid} is left"]


def test_what_is_exempt_is_that_alone(tmp_path: Path) -> None:
    exempt = {"mine": "a test's own", "Resolve.GetVersion": "the same"}
    with StandIn.made(tmp_path / "standin", exempt=exempt) as standin:
        standin.start()
        client(standin, f"{REACH}resolve.GetVersion(); manager.CreateProject('mine').SetSetting('timelineFrameRate', '50')")
        assert standin.violations() == []
