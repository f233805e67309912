"""The sample configuration: valid as it ships, valid with every key uncommented, and its commented defaults are the defaults."""

import re
from pathlib import Path

import pytest

from proxx_worker.settings import Settings, load_settings


@pytest.fixture
def sample(project_root: Path) -> Path:
    return project_root / "systemd" / "proxx-worker.toml"


def test_it_loads_as_it_ships(sample: Path) -> None:
    settings = load_settings(sample, {})
    assert settings.ffmpeg == "/usr/bin/ffmpeg"
    assert settings.ffprobe == "/usr/bin/ffprobe"


def test_with_every_key_uncommented_it_names_every_setting(tmp_path: Path, sample: Path) -> None:
    full = tmp_path / "full.toml"
    full.write_text(re.sub(r"(?m)^# (?=[a-z_]+ = )", "", sample.read_text()))
    settings = load_settings(full, {})
    assert settings.model_fields_set == set(Settings.model_fields)
    for key in ("poll_seconds", "settle_seconds", "stall_seconds", "log_format", "sandbox"):
        assert getattr(settings, key) == Settings.model_fields[key].default
