"""Manifests and CI files: strict offline validation by their own schemas, and what those schemas miss."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.farm.venvs import make_venv

pytestmark = pytest.mark.heavy
READ = "import json, sys, yaml; print(json.dumps(yaml.load(open(sys.argv[1]), yaml.BaseLoader)))"
QUANTITY = re.compile(r"[1-9][0-9]*(m|Ki|Mi|Gi)?")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_venv(tmp_path_factory.mktemp("manifests") / "venv", "manifests")


@pytest.fixture
def deploy(project_root: Path) -> Path:
    return project_root / "deploy"


def passes(*argv: str | Path) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


def read(tools: Path, path: Path) -> dict[str, Any]:
    """A YAML file, every scalar as its text."""
    printed = subprocess.run([tools / "python", "-c", READ, path], capture_output=True, text=True, check=True).stdout
    document: dict[str, Any] = json.loads(printed)
    return document


@pytest.mark.parametrize("name", ["job.yaml", "worker.yaml"])
def test_kubernetes(tools: Path, deploy: Path, name: str) -> None:
    passes(tools / "kubernetes-validate", "--strict", "-k", "1.33", deploy / "kubernetes" / name)
    document = read(tools, deploy / "kubernetes" / name)
    pod = document["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == ("true", "10001")
    assert container["securityContext"]["readOnlyRootFilesystem"] == "true"
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    amounts = [amount for part in container["resources"].values() for amount in part.values()]
    assert all(QUANTITY.fullmatch(amount) for amount in amounts)
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_the_job_runs_nothing_twice(tools: Path, deploy: Path) -> None:
    spec = read(tools, deploy / "kubernetes" / "job.yaml")["spec"]
    assert (spec["completionMode"], spec["backoffLimitPerIndex"]) == ("Indexed", "0")
    assert "backoffLimit" not in spec, "it would end the other indexes with the first that fails"
    assert spec["template"]["spec"]["restartPolicy"] == "Never", "which a pod failure policy demands"
    rules = {
        code: rule["action"]
        for rule in spec["podFailurePolicy"]["rules"]
        for code in rule["onExitCodes"]["values"]
        if rule["onExitCodes"]["containerName"] == spec["template"]["spec"]["containers"][0]["name"]
    }
    assert rules == {"1": "FailIndex", "2": "FailIndex", "4": "FailJob", "64": "FailJob"}


def test_the_resident_worker_is_one_and_is_asked_for_its_health(tools: Path, deploy: Path) -> None:
    document = read(tools, deploy / "kubernetes" / "worker.yaml")
    assert (document["kind"], document["spec"]["replicas"]) == ("StatefulSet", "1")
    (container,) = document["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["exec"]["command"] == ["proxx-worker", "status", "/workspace", "--health"]
        assert int(container[probe]["timeoutSeconds"]) <= int(container[probe]["periodSeconds"])


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("github-actions/proxies.yml", ("--builtin-schema", "vendor.github-workflows")),
        ("gitlab-ci/proxies.gitlab-ci.yml", ("--data-transform", "gitlab-ci", "--builtin-schema", "vendor.gitlab-ci")),
        ("docker/compose.yaml", ("--builtin-schema", "vendor.compose-spec")),
    ],
)
def test_schemas(tools: Path, deploy: Path, path: str, arguments: tuple[str, ...]) -> None:
    passes(tools / "check-jsonschema", *arguments, deploy / path)


def test_this_project_s_own_ci(tools: Path, project_root: Path) -> None:
    passes(tools / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", project_root / ".github/workflows/ci.yml")


def test_ci_keeps_results_also_on_failure_and_never_tries_again(tools: Path, deploy: Path) -> None:
    steps = read(tools, deploy / "github-actions" / "proxies.yml")["jobs"]["proxies"]["steps"]
    (kept,) = [step for step in steps if step.get("uses", "").startswith("actions/upload-artifact@")]
    assert (kept["if"], kept["with"]["path"].split()) == ("${{ always() }}", ["results/", "proxies/"])
    assert not any("continue-on-error" in step for step in steps)
    job = read(tools, deploy / "gitlab-ci" / "proxies.gitlab-ci.yml")["proxies"]
    assert (job["retry"], job["artifacts"]["when"]) == ("0", "always")
    jenkins = (deploy / "jenkins" / "Jenkinsfile").read_text()
    assert re.search(r"post \{\s+always \{\s+archiveArtifacts artifacts: 'results/\*\*, proxies/\*\*'", jenkins)
    assert "retry(" not in jenkins


@pytest.mark.parametrize("path", ["github-actions/proxies.yml", "gitlab-ci/proxies.gitlab-ci.yml", "jenkins/Jenkinsfile"])
def test_the_commands_of_ci_are_the_worker_s(deploy: Path, path: str) -> None:
    """The same three lines everywhere, and nothing after `run` that could hide its exit code."""
    commands = re.findall(r"proxx-worker (check|spec|run)\b(.*)", (deploy / path).read_text())
    assert [name for name, _ in commands] == ["check", "spec", "run"]
    assert commands[2][1].strip() == "results/job.json --result results/job.result.json > /dev/null"


def test_the_dockerfile_pins_what_it_is_made_of(deploy: Path) -> None:
    text = (deploy / "docker" / "Dockerfile").read_text()
    assert re.search(r"(?m)^ARG BASE=\S+@sha256:[0-9a-f]{64}$", text)
    assert re.search(r"(?m)^ARG FFMPEG=\S+$", text)
    assert '"ffmpeg=${FFMPEG}"' in text
    assert "--require-hashes" in text
    assert re.search(r"(?m)^USER 10001:10001$", text)
    assert '"proxx-worker", "status", "/workspace", "--health"' in text
