"""What a module makes when it is read is made again by a second reading.

mutmut changes a function after its module was read: without a second reading no test could notice such a change.
"""

import runpy
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest

from proxx_worker.contract import json_errors, profiles

TABLES: dict[ModuleType, Callable[[ModuleType | SimpleNamespace], object]] = {
    profiles: lambda module: repr(module.PROFILES),
    json_errors: lambda module: [module.describe(text, 1) for text in ("{'a'}", "{~/a}", "{\u201ca\u201d}", "{]}")],
}


@pytest.mark.parametrize("module", TABLES, ids=lambda module: module.__name__)
def test_a_second_reading_makes_the_same(module: ModuleType) -> None:
    again = SimpleNamespace(**runpy.run_path(str(module.__file__), run_name=module.__name__))
    assert TABLES[module](again) == TABLES[module](module)
