"""Draw docs/pictures/report.png and report-workspace.png: `proxx-worker report` on generated clips, in Debian's Chromium.

    python -m deploy.pictures.report docs/pictures     (or: make pictures)

One proxy has a frame slipped from the middle on, which the tests' own faults put there: what the page is for can be seen on it.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from proxx_worker.contract.errors import ErrorClass
from tests.acceptance.command import Command
from tests.acceptance.seeded_faults import FAULTS, finished_job, make_source, spoil

SIZES = {"report": (1080, 940), "report-workspace": (1080, 620)}
SLIPPED = "A001C002"


def pages(folder: Path) -> dict[str, Path]:
    """A page on a slipped proxy, and one on a workspace that holds it, two good jobs and a failed one."""
    proxx = Command({"PATH": os.environ["PATH"]}, folder)
    done, failed = folder / "workspace" / "done", folder / "workspace" / "failed"
    done.mkdir(parents=True)
    failed.mkdir()
    for name in ("A001C001", SLIPPED, "A001C003"):
        source = make_source(folder / f"{name}.mov")
        result = finished_job(proxx, folder / name, source)
        if name == SLIPPED:
            spoil(result, source, FAULTS["a frame slipped from the middle on"])
        document = json.loads(result.read_bytes())
        document["jobspec"]["name"] = name
        (done / f"{name}.result.json").write_text(json.dumps(document))
    document = json.loads((done / "A001C003.result.json").read_bytes())
    document["jobspec"]["name"] = "A001C004"
    document["status"] = document["tasks"][0]["status"] = "FAILED"
    document["error"] = document["tasks"][0]["error"] = {
        "code": "SOURCE_MISSING",
        "message": "the source is not there: correct its path in the spec",
        "details": {},
    }
    document["tasks"][0]["output"] = None
    (failed / "A001C004.result.json").write_text(json.dumps(document))
    made = {"report": folder / "task.html", "report-workspace": folder / "workspace.html"}
    for page, what in ((made["report"], folder / SLIPPED / "job.result.json"), (made["report-workspace"], folder / "workspace")):
        ended = proxx("report", what, "--html", page)
        if ended.exit_code != ErrorClass.EXECUTION:  # a proxy fails
            raise SystemExit(f"report ended with {ended.exit_code}: {ended.stderr}")
    return made


def main(target: Path) -> None:
    """Write both pictures into `target`."""
    folder = Path(tempfile.mkdtemp(prefix="pictures-"))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, page in pages(folder).items():
                width, height = SIZES[name]
                view = browser.new_page(viewport={"width": width, "height": height})
                view.goto(page.as_uri())
                view.screenshot(path=target / f"{name}.png")
            browser.close()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
