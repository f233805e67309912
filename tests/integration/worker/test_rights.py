"""Who keeps the roots: the kernel, or the worker's checks alone and why."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from proxx_worker.process import landlock
from proxx_worker.process.syscalls import ALLOWED
from proxx_worker.rights import describe_rights, give_up_rights
from proxx_worker.settings import Settings

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ALLOWED, reason="Landlock is Linux's, on machines that are known"
)
BOTH = Settings(source_roots=("/mnt/san",), output_roots=("/mnt/proxies",))
ALONE = "only the worker's own checks keep it inside its roots: "


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (Settings(), "source_roots and output_roots are not both set"),
        (Settings(source_roots=("/mnt/san",)), "source_roots and output_roots are not both set"),
        (Settings(output_roots=("/mnt/san",)), "source_roots and output_roots are not both set"),
        (BOTH.model_copy(update={"sandbox": "off"}), 'sandbox = "off"'),
        (BOTH.model_copy(update={"resolve_script_lib": "/opt/lib.so"}), "DaVinci Resolve is set up and needs full rights"),
    ],
)
def test_why_the_worker_keeps_its_rights(settings: Settings, reason: str) -> None:
    assert describe_rights(settings) == ALONE + reason
    assert give_up_rights(settings, None) is None


def test_an_abi_under_which_no_file_can_be_moved_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: 1)
    assert describe_rights(BOTH).startswith(f"{ALONE}Landlock ABI 1 lets no confined process move files between folders")
    assert give_up_rights(BOTH, None) is None


@pytest.mark.parametrize(
    ("version", "left"),
    [
        (2, "; this kernel does not restrict truncation, TCP, devices' controls, signals and abstract sockets"),
        (5, "; this kernel does not restrict signals and abstract sockets"),
        (6, ""),
    ],
)
def test_what_an_older_kernel_does_not_refuse_is_named(monkeypatch: pytest.MonkeyPatch, version: int, left: str) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: version)
    assert describe_rights(BOTH).endswith(f"Landlock ABI {version}{left}")


def test_what_leads_out_of_the_roots_after_the_check_keeps_its_code(tmp_path: Path) -> None:
    """The kernel refuses to open it, so that its real place is not asked of an open file any more."""
    for folder in ("san", "proxies", "outside"):
        (tmp_path / folder).mkdir()
    (tmp_path / "outside" / "clip.mov").write_bytes(b"clip")
    (tmp_path / "san" / "out.mov").symlink_to(tmp_path / "outside" / "clip.mov")
    (tmp_path / "proxies" / "out").symlink_to(tmp_path / "outside")
    body = """
import sys
from pathlib import Path
from proxx_worker.contract.errors import ProxxError
from proxx_worker.delivery.output_directory import OutputDirectory
from proxx_worker.engines.source_file import open_source
from proxx_worker.execution.preflight import Roots
from proxx_worker.rights import give_up_rights
from proxx_worker.settings import Settings
here = sys.argv[1]
sources, outputs = (f"{here}/san",), (f"{here}/proxies",)
def code(attempt):
    try:
        attempt()
        return "opened"
    except ProxxError as fault:
        return fault.code
def attempts():
    path = f"{here}/san/out.mov"
    yield code(lambda: open_source(path, Roots(sources, outputs).check_source(path)).__enter__())
    yield code(lambda: open_source(path).__enter__())
    yield code(lambda: OutputDirectory.hold(f"{here}/proxies/out", outputs).release())
    yield code(lambda: OutputDirectory.hold(f"{here}/proxies", outputs).release())
print(*attempts())
assert give_up_rights(Settings(source_roots=sources, output_roots=outputs), None) is not None
print(*attempts())
"""
    command = [sys.executable, "-c", body, str(tmp_path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[3]).stdout
    assert said.splitlines() == [
        "opened opened PATH_NOT_ALLOWED opened",
        "PATH_NOT_ALLOWED SOURCE_UNREADABLE PATH_NOT_ALLOWED opened",
    ]
