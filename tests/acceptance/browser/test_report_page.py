"""The report in a real browser: nothing is asked for, nothing is complained of, and everybody can read it."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.acceptance.command import Command
from tests.acceptance.seeded_faults import FAULTS, finished_job, make_source, spoil
from tests.acceptance.specs import Workspace, jobspec

pytestmark = pytest.mark.heavy

HOSTILE = "<img src=x onerror=alert(1)> \"'&\u202e\u00e9 {{7*7}}.mov"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; the tests bring none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on PATH: install the system's package of that name")
    with sync_playwright() as playwright:
        # Root may not have Chromium's own sandbox; the page under test is ours.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(proxx: Command, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report on one slipped proxy with a hostile name, and one on a workspace with that job, a good and a failed one."""
    folder = tmp_path_factory.mktemp("browser")
    source = make_source(folder / HOSTILE)
    result = finished_job(proxx, folder / "job", source)
    spoil(result, source, FAULTS["a frame slipped from the middle on"])
    workspace = Workspace(folder / "workspace")
    (folder / "out").mkdir()
    workspace.drop("a-good", jobspec(source, folder / "out"))
    workspace.drop("b-missing", jobspec(["/nowhere/x.mov"], folder / "out"))
    proxx("watch", workspace, "--once")
    document = json.loads(result.read_bytes())
    document["jobspec"]["name"] = "c-slipped"
    (workspace.done / "c-slipped.result.json").write_text(json.dumps(document))
    pages = {"task": folder / "task.html", "workspace": folder / "workspace.html"}
    assert proxx("report", result, "--html", pages["task"]).exit_code == 2
    assert proxx("report", workspace, "--html", pages["workspace"]).exit_code == 2
    return pages


@pytest.fixture
def heard() -> list[str]:
    """What the browser asked for and complained of, `data:` apart."""
    return []


@pytest.fixture
def page(browser: Browser, heard: list[str]) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("console", lambda message: heard.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: heard.append(f"error: {error}"))
    page.on("dialog", lambda dialog: heard.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: None if request.url.startswith("data:") else heard.append(request.url))
    yield page
    page.close()


@pytest.mark.parametrize("name", ["task", "workspace"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_asks_for_nothing_and_axe_finds_nothing(
    page: Page, heard: list[str], pages: dict[str, Path], name: str, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(pages[name].as_uri())
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert heard == [pages[name].as_uri()]


@pytest.mark.parametrize("name", ["task", "workspace"])
@pytest.mark.parametrize("width", [320, 768])
def test_it_fits_a_narrow_screen(page: Page, pages: dict[str, Path], name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    page.goto(pages[name].as_uri())
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_anchors_lead_to_frames_and_all_pictures_are_there(page: Page, pages: dict[str, Path]) -> None:
    page.goto(f"{pages['task'].as_uri()}#task-1-frame-25")
    assert page.locator("figure:target figcaption").inner_text().startswith("Frame 25, 10:00:01:00")
    page.locator(".findings a").first.click()
    assert page.url.endswith("#task-1-frame-25")
    widths = page.locator(".views img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert len(widths) == 15 or len(widths) == 18
    assert set(widths) == {400}


def test_names_are_shown_as_they_are(page: Page, pages: dict[str, Path]) -> None:
    page.goto(pages["task"].as_uri())
    title = page.locator("article h3").inner_text()
    assert "<img src=x onerror=alert(1)>" in title
    assert "\\u202e" in title
    assert "{{7*7}}" in title


def test_the_table_sorts_and_filters(page: Page, pages: dict[str, Path]) -> None:
    page.goto(pages["workspace"].as_uri())
    names = page.locator(".sortable tbody tr:visible th")
    assert names.all_inner_texts() == ["a-good", "c-slipped", "b-missing"]
    page.get_by_role("button", name="Job").click()
    assert names.all_inner_texts() == ["a-good", "b-missing", "c-slipped"]
    page.get_by_role("button", name="Lowest SSIM").click()
    page.get_by_role("button", name="Lowest SSIM").click()
    assert page.locator("th[aria-sort]").inner_text().startswith("Lowest SSIM")
    page.get_by_label("State").select_option("FAILED")
    assert names.all_inner_texts() == ["b-missing"]
    assert page.get_by_role("status").inner_text() == "1 of 3 jobs"
    page.get_by_label("State").select_option("")
    page.get_by_label("Code").select_option("SOURCE_MISSING")
    assert names.all_inner_texts() == ["b-missing"]
    page.get_by_label("Code").select_option("")
    page.get_by_label("Verdict").select_option("fail")
    assert names.all_inner_texts() == ["c-slipped"]


def test_it_can_be_read_without_script_and_printed(browser: Browser, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["workspace"].as_uri())
    assert page.locator(".sortable tbody tr th").count() == 3
    assert page.locator(".filters").is_hidden()
    assert page.pdf(format="A4").startswith(b"%PDF-")
    context.close()


def test_two_hundred_jobs_open_at_once(proxx: Command, page: Page, pages: dict[str, Path], tmp_path: Path) -> None:
    done = tmp_path / "workspace" / "done"
    done.mkdir(parents=True)
    (done.parent / "failed").mkdir()
    result = (pages["workspace"].parent / "workspace" / "done" / "a-good.result.json").read_bytes()
    for number in range(200):
        document = json.loads(result)
        document["jobspec"]["name"] = f"job-{number:03}"
        (done / f"job-{number:03}.result.json").write_text(json.dumps(document))
    html = tmp_path / "all.html"
    assert proxx("report", done.parent, "--html", html).exit_code == 0
    assert html.stat().st_size < 10_000_000
    page.goto(html.as_uri())
    assert page.locator(".sortable tbody tr").count() == 200
