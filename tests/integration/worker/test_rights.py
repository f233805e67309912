"""Who keeps the roots: the kernel, or the worker's checks alone and why."""

import platform
import sys

import pytest

from proxx_worker.process import landlock
from proxx_worker.process.syscalls import ALLOWED
from proxx_worker.rights import describe_rights, give_up_rights
from proxx_worker.settings import Settings

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ALLOWED, reason="Landlock is Linux's, on machines that are known"
)
BOTH = Settings(source_roots=("/mnt/san",), output_roots=("/mnt/proxies",))
ALONE = "roots are kept by the worker's own checks alone: "


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (Settings(), "source_roots and output_roots are not both set"),
        (Settings(source_roots=("/mnt/san",)), "source_roots and output_roots are not both set"),
        (Settings(output_roots=("/mnt/san",)), "source_roots and output_roots are not both set"),
        (BOTH.model_copy(update={"sandbox": "off"}), 'sandbox = "off"'),
        (BOTH.model_copy(update={"resolve_script_lib": "/opt/lib.so"}), "DaVinci Resolve is set up, and needs them"),
    ],
)
def test_why_the_worker_keeps_its_rights(settings: Settings, reason: str) -> None:
    assert describe_rights(settings) == ALONE + reason
    assert give_up_rights(settings, None) is None


def test_an_abi_under_which_no_file_can_be_moved_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: 1)
    assert describe_rights(BOTH).startswith(f"{ALONE}under Landlock ABI 1 it could move no file to another folder")
    assert give_up_rights(BOTH, None) is None


@pytest.mark.parametrize(
    ("version", "left"),
    [
        (2, "; this kernel leaves it truncation, TCP, devices' controls, signals and abstract sockets"),
        (5, "; this kernel leaves it signals and abstract sockets"),
        (6, ""),
    ],
)
def test_what_an_older_kernel_does_not_refuse_is_named(monkeypatch: pytest.MonkeyPatch, version: int, left: str) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: version)
    assert describe_rights(BOTH).endswith(f"Landlock ABI {version}{left}")
