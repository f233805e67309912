"""The alert rules' own tests, and what they and the dashboard name is what the worker says."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorClass, ErrorCode
from proxx_worker.observe.metrics_text import Values, metrics_text

FOLDER = "deploy/prometheus"
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here (Debian: prometheus)")


def promtool(project_root: Path, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["promtool", *arguments], cwd=project_root / FOLDER, input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_promtool
def test_the_rules_do_what_their_tests_say(project_root: Path) -> None:
    assert "5 rules found" in promtool(project_root, "check", "rules", "proxx-worker.rules.yml")
    assert "SUCCESS" in promtool(project_root, "test", "rules", "proxx-worker.rules.test.yml")


@needs_promtool
def test_the_file_is_good_style(project_root: Path) -> None:
    assert promtool(project_root, "check", "metrics", stdin=metrics_text(Values(), workspace="/w", version="1")) == ""


def test_every_environment_code_is_an_alert(project_root: Path) -> None:
    rules = (project_root / FOLDER / "proxx-worker.rules.yml").read_text()
    (listed,) = re.findall(r'code=~"([A-Z_|]+)"', rules)
    assert set(listed.split("|")) == {code.value for code in ErrorCode if code.error_class is ErrorClass.ENVIRONMENT}


@pytest.mark.parametrize("name", ["proxx-worker.rules.yml", "proxx-worker.rules.test.yml", "dashboard.json"])
def test_no_series_is_named_that_the_worker_does_not_have(project_root: Path, name: str) -> None:
    there = set(re.findall(r"(?m)^# TYPE (\w+) ", metrics_text(Values(), workspace="/w", version="1")))
    assert set(re.findall(r"proxx_worker_\w+", (project_root / FOLDER / name).read_text())) <= there


def test_the_dashboard_has_panels_that_do_not_overlap(project_root: Path) -> None:
    panels = json.loads((project_root / FOLDER / "dashboard.json").read_bytes())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
