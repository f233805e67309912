"""`relink` on real jobs: read back by OpenTimelineIO's own readers, and by the ASC's own tools."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from tests.acceptance.command import Command
from tests.acceptance.results import names
from tests.acceptance.specs import encode, explicit, jobspec

otio = pytest.importorskip("opentimelineio", reason="OpenTimelineIO has no wheel for this Python yet")

PROGRAMS = {"diff": "ascmhl", "verify": "ascmhl-debug"}
"""The ASC's own commands, and the programs that have them."""


def finished(proxx: Command, folder: Path, *sources: Path) -> Path:
    proxies = folder / "Proxy"
    proxies.mkdir(exist_ok=True)
    spec, result = folder / "job.json", folder / "job.result.json"
    spec.write_bytes(encode(jobspec(list(sources), proxies, **explicit("prores_proxy", "mov"), naming_template="{source_name}")))
    ended = proxx("run", spec, "--result", result)
    assert ended.exit_code == 0, ended.stderr
    return result


def test_no_command_writes_over_a_result_that_it_reads(proxx: Command, clip: Path, tmp_path: Path) -> None:
    result = finished(proxx, tmp_path, clip)
    data = result.read_bytes()
    page = tmp_path / "page.html"
    for command in (
        ("relink", result, "--ale", result),
        ("report", result, "--html", result),
        ("report", result, "--html", page, "--json", result),
        ("report", result, "--html", page, "--json", page),
    ):
        ended = proxx(*command)
        assert ended.exit_code == 64, command
        assert "name another file" in ended.stderr
    assert result.read_bytes() == data
    assert not page.exists()


def test_a_history_that_is_damaged_is_not_continued(proxx: Command, clip: Path, tmp_path: Path) -> None:
    result = finished(proxx, tmp_path, clip)
    proxies = tmp_path / "Proxy"
    assert proxx("relink", result, "--mhl", proxies).exit_code == 0
    (proxies / "ascmhl" / "ascmhl_chain.xml").write_text("<")
    ended = proxx("relink", result, "--mhl", proxies)
    assert ended.exit_code == 1
    assert "cannot be continued" in ended.stderr
    assert "Traceback" not in ended.stderr


def ascmhl(command: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    program = Path(sys.executable).with_name(PROGRAMS[command])
    return subprocess.run([program, command, folder], capture_output=True, check=False)


def valid(document: Path, schema: Path) -> None:
    found = etree.XMLSchema(etree.parse(str(schema)))
    assert found.validate(etree.parse(str(document))), found.error_log


def test_otio_comes_back_as_it_was(proxx: Command, clip: Path, ntsc_clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "clips.otio"
    result = finished(proxx, tmp_path, clip, ntsc_clip)
    assert proxx("relink", result, "--otio", target).exit_code == 0
    first, second = otio.adapters.read_from_file(str(target))
    outputs = [task["output"] for task in json.loads(result.read_bytes())["tasks"]]
    for made, source, output, start, frames, rate in (
        (first, clip, outputs[0], 10 * 90_000 + 11 * 1500 + 12 * 25 + 13, 25, 25.0),
        (second, ntsc_clip, outputs[1], 107_892 + 2, 30, 30000 / 1001),
    ):
        references = made.media_references()
        assert references["DEFAULT_MEDIA"].target_url == source.as_uri()
        assert references["proxy"].target_url == Path(output).as_uri()
        for reference in references.values():
            assert reference.available_range == otio.opentime.TimeRange(
                otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(frames, rate)
            )
        assert made.active_media_reference_key == "DEFAULT_MEDIA"
    assert second.metadata["proxx_worker"]["timecode"] == "01:00:00;02"
    whole = otio.adapters.read_from_file(str(target))
    assert whole.is_equivalent_to(otio.adapters.read_from_string(whole.to_json_string(), "otio_json"))


def test_ale_is_read_by_otios_reader(proxx: Command, clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "clips.ale"
    assert proxx("relink", finished(proxx, tmp_path, clip), "--ale", target).exit_code == 0
    [made] = otio.adapters.read_from_file(str(target))
    assert made.name == clip.stem
    assert made.source_range == otio.opentime.TimeRange(
        otio.opentime.from_timecode("10:11:12:13", 25), otio.opentime.RationalTime(25, 25)
    )
    assert made.media_reference.target_url == clip.name
    assert made.metadata["ALE"]["Source Path"] == str(clip)


def test_fcpxml_is_valid(proxx: Command, clip: Path, ntsc_clip: Path, tmp_path: Path, fcpxml_dtd: Path | None) -> None:
    target = tmp_path / "clips.fcpxml"
    assert proxx("relink", finished(proxx, tmp_path, clip, ntsc_clip), "--fcpxml", target).exit_code == 0
    document = etree.parse(str(target))
    assert document.docinfo.doctype == "<!DOCTYPE fcpxml>"
    assert document.getroot().attrib["version"] == "1.11"
    assert [rep.attrib["kind"] for rep in document.iter("media-rep")] == ["original-media", "proxy-media"] * 2
    assert [made.attrib["tcFormat"] for made in document.iter("asset-clip")] == ["NDF", "DF"]
    references = {made.attrib["ref"] for made in document.iter("asset-clip")} | {
        made.attrib["format"] for made in document.iter("asset")
    }
    assert references == {made.attrib["id"] for made in document.find("resources")}
    if fcpxml_dtd is not None:
        dtd = etree.DTD(str(fcpxml_dtd))
        assert dtd.validate(document), dtd.error_log


def test_a_history_is_begun_continued_and_broken_by_one_byte(
    proxx: Command, clip: Path, ntsc_clip: Path, tmp_path: Path, mhl_xsd: Path | None
) -> None:
    proxies = tmp_path / "Proxy"
    first = finished(proxx, tmp_path, clip)
    ended = proxx("relink", first, "--mhl", proxies)
    assert ended.exit_code == 0, ended.stderr
    assert b"a generation with 1 proxy" in ended.stdout
    assert ascmhl("diff", proxies).returncode == 0
    assert ascmhl("verify", proxies).returncode == 0
    (tmp_path / "more").mkdir()
    second = tmp_path / "more" / "job.result.json"
    spec = tmp_path / "more" / "job.json"
    spec.write_bytes(encode(jobspec([ntsc_clip], proxies, **explicit("prores_proxy", "mov"), naming_template="{source_name}")))
    assert proxx("run", spec, "--result", second).exit_code == 0
    assert ascmhl("diff", proxies).returncode != 0, "a proxy that no generation names"
    assert proxx("relink", second, "--mhl", proxies).exit_code == 0
    manifests = list((proxies / "ascmhl").glob("*.mhl"))
    assert len(manifests) == 2
    if mhl_xsd is not None:
        for manifest in manifests:
            valid(manifest, mhl_xsd / "ASCMHL.xsd")
        valid(proxies / "ascmhl" / "ascmhl_chain.xml", mhl_xsd / "ASCMHLDirectory__combined.xsd")
    assert ascmhl("diff", proxies).returncode == 0
    assert ascmhl("verify", proxies).returncode == 0
    proxy = proxies / clip.name
    data = bytearray(proxy.read_bytes())
    data[len(data) // 2] ^= 1
    proxy.write_bytes(data)
    assert ascmhl("verify", proxies).returncode != 0
    before = names(proxies / "ascmhl")
    refused = proxx("relink", first, "--mhl", proxies)
    assert refused.exit_code == 1
    assert "is not the file that its result names" in refused.stderr
    assert names(proxies / "ascmhl") == before


def test_a_history_may_be_named_by_a_symlink(proxx: Command, clip: Path, tmp_path: Path) -> None:
    result = finished(proxx, tmp_path, clip)
    (tmp_path / "link").symlink_to("Proxy")
    assert proxx("relink", result, "--mhl", tmp_path / "link").exit_code == 0
    assert ascmhl("verify", tmp_path / "Proxy").returncode == 0


def test_proxies_that_were_gathered_are_found_by_the_list_of_it(proxx: Command, clip: Path, tmp_path: Path) -> None:
    result, target, everything = finished(proxx, tmp_path, clip), tmp_path / "clips.ale", tmp_path / "all"
    everything.mkdir()
    assert proxx("gather", result, "--into", everything).exit_code == 0
    for option, path in (("--ale", target), ("--fcpxml", target), ("--otio", target), ("--mhl", everything)):
        refused = proxx("relink", result, option, path)
        assert refused.exit_code == 4, refused.stderr
        assert "If `gather` has moved it, name the gathered.json of its new folder" in refused.stderr
    assert not target.exists()
    assert proxx("relink", result, everything / "gathered.json", "--ale", target).exit_code == 0
    [made] = otio.adapters.read_from_file(str(target))
    assert made.metadata["ALE"]["Proxy Path"] == str(everything / clip.name)
    assert proxx("relink", result, everything / "gathered.json", "--mhl", everything).exit_code == 0
    (history,) = (everything / "ascmhl").glob("*.mhl")
    assert clip.name in history.read_text()


def test_an_output_is_never_put_in_a_pipe_s_place(proxx: Command, clip: Path, tmp_path: Path) -> None:
    result = finished(proxx, tmp_path, clip)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("clips")
    for command in (
        ("relink", result, "--ale", tmp_path / "pipe"),
        ("relink", result, "--fcpxml", tmp_path / "pipe"),
        ("report", result, "--html", tmp_path / "pipe"),
        ("report", result, "--html", tmp_path / "page", "--json", tmp_path / "pipe"),
        ("run", tmp_path / "job.json", "--result", tmp_path / "pipe"),
    ):
        refused = proxx(*command)
        assert (refused.exit_code, (tmp_path / "pipe").is_fifo()) == (64, True), command
        assert "it is a pipe, which a file must not replace" in refused.stderr
    assert proxx("relink", result, "--ale", tmp_path / "link").exit_code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "clips").read_bytes().startswith(b"Heading")


def test_what_does_not_fit_is_refused_and_nothing_is_written(proxx: Command, clip: Path, tmp_path: Path) -> None:
    result = finished(proxx, tmp_path, clip)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    refused = proxx("relink", result, "--mhl", elsewhere)
    assert (refused.exit_code, names(elsewhere)) == (1, [])
    assert "is not in" in refused.stderr
    document = json.loads(result.read_bytes())
    document["tasks"][0]["source_media"]["video"]["constant_rate"] = False
    result.write_text(json.dumps(document))
    for option in ("--fcpxml", "--otio", "--ale"):
        refused = proxx("relink", result, option, tmp_path / "x")
        assert refused.exit_code == 1
        assert "variable frame rate" in refused.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("option", "module"), [("--otio", "opentimelineio"), ("--mhl", "ascmhl")])
def test_without_the_extra_the_command_says_which(proxx: Command, tmp_path: Path, option: str, module: str) -> None:
    (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError('no', name={module!r})")
    ended = proxx("relink", "x.json", option, tmp_path, environment={"PYTHONPATH": str(tmp_path)})
    assert ended.exit_code == 64
    assert "proxx-worker[relink]" in ended.stderr
