"""A report is handed to the desktop where there is one, and only there."""

import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.process.desktop import Desktop, desktop_of
from tests.integration.desk.consoles import Desk, driven
from tests.support.desks import finished


def opener(folder: Path, name: str, script: str) -> Path:
    """A command of this name that writes down what it is given, as a desktop's would open it."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"DISPLAY": ":0"}, "linux", "xdg-open"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", "xdg-open"),
        ({}, "darwin", "open"),
        ({}, "linux", None),
        ({"DISPLAY": ""}, "linux", None),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "1 2 3 4"}, "linux", None),
        ({"SSH_TTY": "/dev/ttys001"}, "darwin", None),
        ({"DISPLAY": ":10", "SUDO_UID": "1000"}, "linux", None),
        ({"SUDO_UID": "501"}, "darwin", None),
        ({"DISPLAY": ":0", "PATH": "/nowhere"}, "linux", None),
    ],
)
def test_a_browser_is_only_where_a_desktop_is(
    environment: Mapping[str, str], platform: str, expected: str | None, tmp_path: Path
) -> None:
    for name in ("xdg-open", "open"):
        opener(tmp_path / "bin", name, "true")
    found = desktop_of({"PATH": str(tmp_path / "bin"), **environment}, platform)
    assert found == (None if expected is None else Desktop(str(tmp_path / "bin" / expected)))


def test_a_report_that_is_there_is_handed_over(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(root, "a b", ErrorCode.NO_SPACE)
    page, opened = root / "failed" / "a b.html", tmp_path / "opened"
    command = opener(tmp_path / "bin", "xdg-open", f'echo "$1" >{opened}.new && /bin/mv {opened}.new {opened}')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    async def drive(desk: Desk) -> None:
        await desk.press("3")
        await desk.until("> a b", "NO_SPACE")
        await desk.press("o")
        await desk.until("copied: proxx-worker report")
        assert not opened.exists()
        page.write_text("<title>a b</title>")
        await desk.press("o")
        await desk.until("passed to xdg-open; path copied")
        await desk.until_true(opened.exists, "the browser")
        assert opened.read_text() == f"{page}\n"
        assert desk.app.clipboard == str(page)
        assert desk.app.commands[-1] == f"xdg-open '{page}'"
        command.write_text("#!/nowhere\n")
        await desk.press("o")
        await desk.until("! xdg-open cannot be started: ")

    app = driven(root, (120, 40), drive, desktop=Desktop("xdg-open"))
    assert app.commands[0].startswith("proxx-worker report ")
