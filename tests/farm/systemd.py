"""A real systemd in namespaces of its own, the project's unit in it, and workspaces of the account that the unit runs as."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from tests.acceptance.command import COMMAND, wait_until
from tests.acceptance.specs import Workspace

T = TypeVar("T")

HERE = Path(__file__).parent
SETUP = """#!/bin/sh
set -eu
open() { p=$1; while [ "$p" != / ]; do chmod a+x "$p"; p=$(dirname "$p"); done; }
mkdir -p /opt/project /opt/proxx-worker/bin
mount --bind "$HOSTROOT@ROOT@" /opt/project
mount -o remount,bind,ro /opt/project
open "$(dirname "$(readlink -f @PYTHON@)")"
# Not the command that pip made: it names the project's own place, which the unit's PrivateTmp hides where that is below /tmp.
{
    echo '#!/opt/project/@BIN@/python'
    echo 'import sys; sys.path.insert(0, "/opt/project")'
    echo 'from proxx_worker.cli import main; sys.exit(main())'
} >/opt/proxx-worker/bin/proxx-worker
chmod 755 /opt/proxx-worker/bin/proxx-worker
ln -s /share/etc /etc/proxx-worker
systemd-sysusers /opt/project/systemd/sysusers.conf
"""


class Systemd:
    """`share` is `/share` inside, `units` are the only units there are."""

    def __init__(self, pid: int, folder: Path) -> None:
        """See `systemd_in`."""
        self.pid = pid
        self.share = folder / "share"
        self.units = folder / "units"

    def inside(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command beside it, to its end."""
        argv = ["nsenter", "--target", str(self.pid), "--all", *map(str, command)]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def ctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`systemctl`."""
        return self.inside("systemctl", *arguments, check=check)

    def journal(self, unit: str, *arguments: str) -> list[str]:
        """The messages of a unit, oldest first, as far as the journal has them by now."""
        self.inside("journalctl", "--sync")
        return self.inside("journalctl", "--quiet", "--output=cat", f"--unit={unit}", *arguments).stdout.splitlines()


@contextmanager
def systemd_in(folder: Path, root: Path) -> Iterator[Systemd]:
    """Start it in `folder` for the project at `root`; end it, and all in it, at the end of the block."""
    for name in ("share/etc", "units"):
        (folder / name).mkdir(parents=True)
    folder.joinpath("share").chmod(0o755)
    values = {"@ROOT@": str(root), "@PYTHON@": sys.executable, "@BIN@": str(COMMAND.parent.relative_to(root))}
    setup = SETUP
    for name, value in values.items():
        setup = setup.replace(name, value)
    script = folder / "share" / "setup"
    script.write_text(setup)
    script.chmod(0o755)
    shutil.copy(root / "systemd" / "proxx-worker@.service", folder / "units")
    started = subprocess.run([HERE / "real-systemd", folder, "/share/setup"], capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stderr
    it = Systemd(int(started.stdout), folder)
    try:
        it.ctl("start", "systemd-journald.socket", "systemd-journald.service")
        yield it
    finally:
        subprocess.run(["kill", "-9", str(it.pid)], check=False)
        wait_until(lambda: not Path(f"/proc/{it.pid}/root/share").exists(), "the end of all that ran in it")
    assert str(folder) not in Path("/proc/self/mountinfo").read_text(), "no mount is left on the machine"


@dataclass(frozen=True, slots=True)
class Unit:
    """One worker: its unit, its workspace and an output directory, as the host sees them and as it does."""

    systemd: Systemd
    name: str
    workspace: Workspace
    outputs: Path

    @classmethod
    def make(cls, systemd: Systemd, name: str, *drop_in: str, **settings: str) -> Self:
        """A worker that is not started yet. `drop_in`: lines for [Service], `settings`: paths that replace those on PATH."""
        home = systemd.share / name
        home.mkdir(exist_ok=True)
        workspace, outputs = Workspace(home / "ws"), home / "out"
        outputs.mkdir()
        unit = f"proxx-worker@share-{name}-ws.service"
        folder = systemd.units / f"{unit}.d"
        folder.mkdir()
        lines = ["[Service]", "RestartSec=1", f"ReadWritePaths=/share/{name}/out", *drop_in]
        (folder / "test.conf").write_text("\n".join(lines) + "\n")
        tools = {tool: str(shutil.which(tool)) for tool in ("ffmpeg", "ffprobe")}
        lines = [f'{key} = "{value}"' for key, value in {**tools, **settings}.items()]
        (systemd.share / "etc" / f"share-{name}-ws.toml").write_text("\n".join([*lines, "poll_seconds = 0.2", ""]))
        systemd.inside("chown", "-R", "proxx:proxx", f"/share/{name}")
        systemd.ctl("daemon-reload")
        return cls(systemd, unit, workspace, outputs)

    def start(self) -> None:
        """Start it; returns when it is ready."""
        self.systemd.ctl("start", self.name)

    def stop(self) -> None:
        """Stop it; returns when it has ended."""
        self.systemd.ctl("stop", self.name)

    def kill(self, number: signal.Signals, whom: str = "main") -> None:
        """Signal the main process, or all."""
        self.systemd.ctl("kill", f"--signal={number.name}", f"--kill-whom={whom}", self.name)

    def show(self, key: str) -> str:
        """A property of the unit."""
        return self.systemd.ctl("show", "--value", f"--property={key}", self.name).stdout.strip()

    def processes(self, name: str) -> list[str]:
        """The command lines of this name that anybody runs in there, whatever unit they belong to."""
        return self.systemd.inside("pgrep", "--list-full", "--exact", name, check=False).stdout.splitlines()

    def until(self, condition: Callable[[], T | None], what: str) -> T:
        """`wait_until`, with the journal where it is in vain."""
        try:
            return wait_until(condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(self.systemd.journal(self.name))) from None
