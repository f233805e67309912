"""What the Debian package is made of: all units, and nothing by a name that could become something else."""

from pathlib import Path


def test_every_unit_is_in_it(project_root: Path) -> None:
    listed = [line.split() for line in (project_root / "deploy/debian/package/proxx-worker.install").read_text().splitlines()]
    units = {
        str(path.relative_to(project_root))
        for kind in ("service", "timer")
        for path in (project_root / "systemd").glob(f"*.{kind}")
    }
    assert {source for source, _ in listed} == units
    assert {target for _, target in listed} == {"usr/lib/systemd/system"}


def test_the_units_command_is_where_the_package_puts_it(project_root: Path) -> None:
    (link,) = (project_root / "deploy/debian/package/proxx-worker.links").read_text().splitlines()
    target, name = link.split()
    assert name == "usr/bin/proxx-worker"
    for unit in (project_root / "systemd").glob("*.service"):
        assert f"ExecStart=/{target} " in unit.read_text()


def test_what_generates_its_pages_is_pinned_by_hash(project_root: Path) -> None:
    text = (project_root / "deploy/debian/requirements-build.txt").read_text().replace("\\\n", "")
    assert [line.split("==")[0] for line in text.splitlines()] == ["argparse-manpage", "shtab"]
    assert all(" --hash=sha256:" in line for line in text.splitlines())
