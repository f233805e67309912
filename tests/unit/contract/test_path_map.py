"""`path_map` by value: whole components, the longest prefix, one mapping."""

import pytest

from proxx_worker.contract.path_map import NO_MAPPINGS, PathMap, PathMapping

MAP = PathMap(
    (
        PathMapping("/Volumes/SAN", "/mnt/san"),
        PathMapping("/Volumes/SAN/proxies", "/fast/proxies/"),
        PathMapping("/mnt/san", "/never"),
        PathMapping("/whole", "/"),
    )
)


@pytest.mark.parametrize(
    ("path", "mapped"),
    [
        ("/Volumes/SAN/day 1/A001.mov", "/mnt/san/day 1/A001.mov"),
        ("/Volumes/SAN", "/mnt/san"),
        ("/Volumes/SAN/", "/mnt/san"),
        ("/Volumes/SAN2/A001.mov", None),
        ("/Volumes/san/A001.mov", None),
        ("/Volumes", None),
        ("/x/Volumes/SAN/A001.mov", None),
        ("/Volumes/SAN/proxies", "/fast/proxies"),
        ("/Volumes/SAN/proxies/a", "/fast/proxies/a"),
        ("/Volumes/SAN/proxies2/a", "/mnt/san/proxies2/a"),
        ("//Volumes/./SAN//a.mov", "/mnt/san/a.mov"),
        ("/Volumes/SAN/../other/a.mov", "/mnt/san/../other/a.mov"),
        ("/whole/a/b", "/a/b"),
        ("/whole", "/"),
    ],
)
def test_a_path(path: str, mapped: str | None) -> None:
    assert MAP.mapped(path) == mapped
    assert MAP.local(path) == (mapped or path)


def test_the_root_fits_every_path() -> None:
    everything = PathMap((PathMapping("/", "/mnt/other"), PathMapping("/a", "/b")))
    assert everything.mapped("/x/y") == "/mnt/other/x/y"
    assert everything.mapped("/a/y") == "/b/y"


def test_without_mappings_nothing_is_mapped() -> None:
    assert NO_MAPPINGS.mapped("/a") is None
    assert NO_MAPPINGS.local("/a//b") == "/a//b"
