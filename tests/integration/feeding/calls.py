"""Calls of `spec`, without a process, and what came of them."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ProxxError
from proxx_worker.feeding.orders import Beside, Destination, Order
from proxx_worker.feeding.specs import Outcome, Request, write_specs
from proxx_worker.workspace.layout import Workspace

LOW, PRORES = "proxy_h264_low", "proxy_prores_proxy"


def request_for(
    root: Path, to: Workspace | Path, *profiles: str, destination: Destination | None = None, make: bool = True, **more: object
) -> Request:
    order = Order(profiles or (LOW,), destination or Beside("Proxy"), **more)  # type: ignore[arg-type]
    return Request((str(root),), recursive=True, order=order, to=to, create_directories=make)


def refusal(request: Request) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        write_specs(request)
    return caught.value


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def names(outcome: Outcome) -> list[str]:
    return [Path(os.fsdecode(path)).name for path in outcome.made]


def take(made: Iterable[bytes], folder: Path) -> None:
    """As a worker does: the specs are in another folder of the workspace now."""
    folder.mkdir(exist_ok=True)
    for path in map(Path, map(os.fsdecode, made)):
        path.rename(folder / path.name)
