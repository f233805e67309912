"""The page and the figures, from examined jobs by value."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from proxx_worker.contract.finished import read_finished
from proxx_worker.contract.result import TaskStatus
from proxx_worker.report.document import ExaminedJob, ReportDocument, document_of, encode_document, schema_text
from proxx_worker.report.examine import ExaminedTask
from proxx_worker.report.finding import Finding, Kind, Verdict, verdict_of
from proxx_worker.report.findings import judge
from proxx_worker.report.gate import missed_limit
from proxx_worker.report.measurements import AudioPair
from proxx_worker.report.page import ReportPage, render
from proxx_worker.report.pictures import ShownFrame
from proxx_worker.report.summary import extremes, summarize
from tests.unit.contract.test_finished import RESULT, TASK
from tests.unit.report.moving import courses, measure, measurements, noise, picture

HOSTILE = "</title><script>alert(1)</script>\"'&<img src=x onerror=alert(2)>\u202egpj.\x1b[31m{{7*7}}{% x %}"


class Tags(HTMLParser):
    """All tags with their attributes, and all text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def job(name: str = "job", *tasks: ExaminedTask, log: str | None = None) -> ExaminedJob:
    document: dict[str, Any] = RESULT | {"jobspec": {"name": name, "sha256": None, "version": "2.1"}}
    return ExaminedJob(read_finished(json.dumps(document).encode()), tasks, log)


def examined(source: str = "/a/A001.mov", *, slipped: bool = False, index: int = 0) -> ExaminedTask:
    frames = [picture(number + (slipped and number >= 20)) for number in range(40)]
    course = courses(noise(1.0, 1))
    found = measurements(measure(frames), audio_streams=(AudioPair(course, course),))
    findings = judge(found)
    record = json.dumps(
        RESULT | {"tasks": [TASK | {"source": source, "index": index, "command": ["ffmpeg", "-i", "a b"]}]}
    ).encode()
    task = read_finished(record).tasks[0]
    return ExaminedTask(task, verdict_of(findings), findings, summary=summarize(found, findings, 3))


def shown(task: ExaminedTask) -> list[ShownFrame]:
    assert task.summary is not None
    return [ShownFrame(place, 400, 224, b"\xff\xd8source", b"\xff\xd8proxy", b"\xff\xd8x") for place in task.summary.places]


def test_the_frames_that_are_shown() -> None:
    places = {frame.place.frame: frame.place.why for frame in shown(examined(slipped=True))}
    assert places[0].startswith("first frame")
    assert places[39].startswith("last frame")
    assert "middle frame" in places[20]
    assert "frame slip" in places[20]


def test_a_failed_task_names_its_remedy_and_links_to_its_frame() -> None:
    task = examined(slipped=True)
    page = render(ReportPage("job", [job("job", task)], "test", pictures={(0, 0): shown(task)}))
    tags = Tags(page)
    assert "from frame 20 on the proxy is 1 frame ahead" in tags.text
    assert "Make it again from the source" in tags.text
    assert ("a", {"href": "#task-1-frame-20"}) in tags.tags
    ids = [attributes["id"] for _, attributes in tags.tags if "id" in attributes]
    assert "task-1-frame-20" in ids
    assert len(ids) == len(set(ids))
    targets = {attributes["href"] for tag, attributes in tags.tags if tag == "a"}
    assert {str(target)[1:] for target in targets} <= {str(one) for one in ids}


def test_hostile_names_are_text_and_nothing_else() -> None:
    task = examined(f"/a/{HOSTILE}")
    bad = ExaminedTask(task.task, Verdict.FAIL, (Finding(Kind.FILE_CHANGED, HOSTILE, certain=True),), HOSTILE)
    page = render(ReportPage(HOSTILE, [job(HOSTILE, task, bad, log=HOSTILE), job(HOSTILE, bad)], "test"))
    plain = render(ReportPage("x", [job("x", task, bad, log="x"), job("x", bad)], "test"))
    tags = Tags(page)
    assert [tag for tag, _ in tags.tags] == [tag for tag, _ in Tags(plain).tags]
    assert not {name for _, attributes in tags.tags for name in attributes if name.startswith("on") or name == "style"}
    assert "\u202e" not in page.decode()
    assert "\x1b" not in page.decode()
    assert "{{7*7}}" in tags.text


def test_the_page_asks_for_nothing_from_anywhere() -> None:
    task = examined()
    page = render(ReportPage("job", [job("job", task)], "test", pictures={(0, 0): shown(task)}))
    tags = Tags(page)
    policy = next(attributes["content"] for tag, attributes in tags.tags if "http-equiv" in attributes) or ""
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    for _, attributes in tags.tags:
        for name in ("src", "href", "action", "srcset"):
            value = attributes.get(name)
            assert value is None or re.match(r"data:|#", value), value
    assert "http://" not in page.decode()
    assert "https://" not in page.decode()


def test_a_page_without_pictures_is_small_and_a_workspace_is_a_table() -> None:
    tasks = [examined(f"/a/{number}.mov", index=0) for number in range(2)]
    jobs = [job(f"job-{number}", tasks[number % 2]) for number in range(200)]
    page = render(ReportPage("workspace", jobs, "test", compact=True))
    assert len(page) < 10_000_000 // 2
    tags = Tags(page)
    assert sum(tag == "tr" for tag, _ in tags.tags) >= 200
    assert ("a", {"href": "#job-200"}) in tags.tags


def test_the_figures_fit_their_schema() -> None:
    tasks = (examined(slipped=True), ExaminedTask(examined().task, Verdict.NOT_COMPARED, (), "no proxy"))
    document = json.loads(encode_document(document_of([job(HOSTILE, *tasks)])))
    Draft202012Validator(ReportDocument.model_json_schema(mode="serialization")).validate(document)
    first, second = document["jobs"][0]["tasks"]
    assert (first["verdict"], first["frames_compared"], first["findings"][0]["kind"]) == ("fail", 40, "frame_slip")
    assert first["audio"] == [{"index": 0, "lag_seconds": 0.0, "lufs_source": None, "lufs_proxy": None}]
    assert (second["verdict"], second["frames_compared"], second["ssim"]) == (
        "not_compared", 0, {"mean": None, "min": None, "min_frame": None},
    )  # fmt: skip


@pytest.mark.parametrize(("count", "columns", "groups"), [(0, 3, 0), (2, 3, 2), (3, 3, 3), (10_000, 300, 300)])
def test_one_bad_frame_survives_the_decimation(count: int, columns: int, groups: int) -> None:
    values = [0.99] * count
    if count:
        values[count // 2] = 0.5
    found = extremes(values, columns)
    assert len(found) == groups
    assert min((least for least, _ in found), default=0.5) == 0.5


def test_the_published_schema_is_the_models(project_root: Path) -> None:
    assert (project_root / "docs" / "schema" / "report.schema.json").read_text() == schema_text()


def test_a_limit_that_was_missed_is_told_by_name() -> None:
    good, unseen = examined(), replace(examined(index=2), summary=None)
    assert good.summary is not None
    bad = replace(examined(index=1), summary=replace(good.summary, ssim_min=0.8125, ssim_min_frame=20))
    jobs = [job("a", good, bad), job("b", unseen)]
    told = [
        "a task 2: frame 20 has an SSIM of 0.8125, and the limit is 0.9",
        "b task 3: it could not be compared, and the limit is 0.9",
    ]
    assert missed_limit(jobs, 0.9) == told
    assert missed_limit(jobs, None) == []
    assert missed_limit([job("a", bad)], 0.8125) == []
    failed = replace(unseen, task=unseen.task.model_copy(update={"status": TaskStatus.FAILED}))
    assert missed_limit([job("a", failed)], 0.9) == []
    for compact in (True, False):
        text = Tags(render(ReportPage("x", jobs, "test", gate=0.9, compact=compact))).text
        assert all(line in text for line in told)
    assert "missed limit" not in Tags(render(ReportPage("x", jobs, "test"))).text
