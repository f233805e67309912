"""The launchd property list: known keys, and the same decisions as the systemd unit."""

import plistlib
from pathlib import Path

import pytest

# launchd.plist(5): a misspelt key is ignored in silence, so every key we use stands here.
KNOWN_KEYS = {
    "AbandonProcessGroup",
    "ExitTimeOut",
    "GroupName",
    "KeepAlive",
    "Label",
    "ProcessType",
    "ProgramArguments",
    "RunAtLoad",
    "StandardErrorPath",
    "ThrottleInterval",
    "Umask",
    "UserName",
    "WorkingDirectory",
}


@pytest.fixture
def plist(project_root: Path) -> dict[str, object]:
    with (project_root / "deploy" / "launchd" / "proxx-worker.plist").open("rb") as file:
        loaded: dict[str, object] = plistlib.load(file, fmt=plistlib.FMT_XML)
    return loaded


def test_it_uses_known_keys_only(plist: dict[str, object]) -> None:
    assert set(plist) == KNOWN_KEYS


def test_it_watches_one_workspace_with_one_configuration_and_absolute_paths(plist: dict[str, object]) -> None:
    assert plist["ProgramArguments"] == [
        "/opt/proxx-worker/bin/proxx-worker",
        "watch",
        "--config",
        "/etc/proxx-worker/main.toml",
        "/Users/Shared/proxx/main",
    ]


def test_it_restarts_after_any_end_but_a_clean_one_and_never_at_once(plist: dict[str, object]) -> None:
    assert plist["KeepAlive"] == {"SuccessfulExit": False}
    assert plist["ThrottleInterval"] == 30


def test_a_stop_leaves_time_for_the_record_and_takes_the_encoder_along(plist: dict[str, object]) -> None:
    assert plist["ExitTimeOut"] == 15
    assert plist["AbandonProcessGroup"] is False


def test_it_runs_under_its_own_account_and_unthrottled(plist: dict[str, object]) -> None:
    assert plist["UserName"] not in ("root", "")
    assert plist["ProcessType"] == "Standard"
