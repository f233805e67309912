"""Who takes part in a simulated world beside its workers: those who put specs in, and those who get in the way.

Each is called once with the world, and starts processes of its own in it.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from proxx_worker.contract.errors import ProxxError
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.submit import submit
from tests.faults.invariants import digest
from tests.simulation.ledger import Place, Promise, Spec
from tests.simulation.world import World

Actor: TypeAlias = Callable[[World], object]

_NAMES = ("a", "b", "a~2")
_SOURCES = ("clip0.mov", "clip1.mov", "clip0.mov", "clip1.mov", "bad.mov", "none.mov")
_TEMPLATES = ("{job_id}_{index}", "{job_id}_{index}", "{source_name}_{index}")
_OUTPUTS = ("J1_000.mov", "J2_001.mov", "clip0_000.mov", "clip1_001.mov")


def clients(world: World) -> None:
    """Up to three specs for each workspace, by `submit` or by `cp`, under names of which two may be the same."""
    rng, number = world.rng, 0
    for place in world.ledger.places:
        for _ in range(rng.randint(1, 3)):
            number += 1
            spec = _spec(world, place, number)
            place.specs.append(spec)
            bring = rng.choice((_submit, _submit, _copy_in))
            client = world.kernel.start(
                f"client {number}",
                partial(bring, world, place, spec),
                exposed=bring is _submit,  # what `cp` does about errors is not ours
                delay=rng.random() * 2,
            )
            world.bringing[client.pid] = place, spec


def _spec(world: World, place: Place, number: int) -> Spec:
    rng = world.rng
    sources = [f"/media/{rng.choice(_SOURCES)}", *(["/media/clip1.mov"] if world.chance(0.5) else [])]
    document = {
        "job_id": f"J{number}",
        "jobspec_version": "2.1",
        "sources": sources,
        "output_directory": place.outputs,
        "proxy_profile": "proxy_prores_proxy" if world.chance(0.9) else "none",
        "naming_template": rng.choice(_TEMPLATES),
    }
    # Each of its own length, so that zeros in its place are like those of no other.
    data = json.dumps(document).replace(" ", " " * number).encode()
    return Spec(f"J{number}", data, name=rng.choice(_NAMES))


def _submit(world: World, place: Place, spec: Spec) -> None:
    """With `submit`. Once it has said so, the spec is there for good."""
    disk = world.kernel.disk
    disk.put(f"/specs/{spec.job_id}".encode())
    source = f"/specs/{spec.job_id}/{spec.name}.json"
    disk.put(source.encode(), spec.data)
    try:
        made = submit(Workspace(world.system.path(place.root)), world.system.path(source))
    except ProxxError as fault:
        world.kernel.tell(f"submit of {spec.job_id} was refused: {fault}")
        world.ledger.left(place, spec)
    else:
        world.kernel.tell(f"submitted {spec.job_id} as {made.name}")
        spec.promise = Promise.FOR_GOOD


def _copy_in(world: World, place: Place, spec: Spec) -> None:
    """With `cp`: written in place, piece by piece, and not synced."""
    os, whole = world.system.os, spec.data
    try:
        descriptor = os.open(f"{place.root}/inbox/{spec.name}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except OSError:  # there is no inbox yet, or the name is taken
        spec.promise = Promise.GONE
        return
    spec.data, spec.inode = b"", world.kernel.description(descriptor).inode
    middle = world.rng.randrange(1, len(whole))
    for part in (whole[:middle], whole[middle:]):
        os.write(descriptor, part)
        world.kernel.wait(world.rng.random())
    os.close(descriptor)
    world.ledger.left(place, spec)
    world.kernel.tell(f"copied {spec.job_id} in as {spec.name}.json")


def somebody(world: World) -> None:
    """Now and then somebody puts a file of their own where an output is to go: sooner or later, or at the last moment."""
    for place in world.ledger.places:
        if world.chance(0.15):
            take = partial(_take_a_name, world, place, world.rng.choice(_OUTPUTS))
            world.kernel.start("somebody", take, delay=world.rng.random() * 2)

    def take_now() -> None:
        for place in world.ledger.places:
            staged = [
                name.decode()
                for folder, inside in (world.kernel.disk.find(place.outputs.encode()).entries or {}).items()
                if folder.startswith(b".proxx-")
                for name in inside.entries or {}
            ]
            if staged and world.chance(0.25):
                _take_a_name(world, place, max(staged))  # when the others are published already

    world.when_publishing.append(take_now)


def _take_a_name(world: World, place: Place, name: str) -> None:
    if name.encode() not in (world.kernel.disk.find(place.outputs.encode()).entries or {}):
        world.kernel.tell(f"puts {name} into {place.outputs}")
        place.foreign[name] = b"somebody else's"
        world.kernel.disk.put(f"{place.outputs}/{name}".encode(), place.foreign[name])


def collector(world: World) -> None:
    """Now and then somebody collects finished jobs and their outputs durably: one at once, or all once a worker has started."""

    def come(place: Place, job: str) -> None:
        if world.chance(0.1):
            for folder in ("done", "failed"):
                _collect(world, place, folder, job)

    def come_later(place: Place) -> None:
        if world.chance(0.15):
            _collect_all(world, place)

    world.when_finished.append(come)
    world.when_recovered.append(come_later)


def _collect_all(world: World, place: Place) -> None:
    for folder in ("done", "failed"):
        names = [name for name, _ in world.ledger.files(place, folder)]
        for job in [name.removesuffix(".json") for name in names if name.endswith(".json")]:
            _collect(world, place, folder, job)


def _collect(world: World, place: Place, folder: str, job: str) -> Spec | None:
    """Take the job's files, and its outputs. Returns its spec; None where there is no such job, or it is not whole."""
    disk, base = world.kernel.disk, f"{place.root}/{folder}/{job}"
    files = [f"{base}{suffix}" for suffix in (".json", ".result.json", ".log")]
    try:
        data, record, _ = (bytes(disk.find(path.encode()).data) for path in files)
        outputs = [task["output"] for task in json.loads(record)["tasks"] if task["output"]]
    except (OSError, ValueError):
        return None
    world.kernel.tell(f"somebody collects {folder}/{job}")
    for path in (*files, *outputs):
        disk.take(path.encode())
    for spec in place.specs:
        if spec.promise is not Promise.GONE and data == (spec.data if spec.inode is None else bytes(spec.inode.data)):
            spec.promise = Promise.GONE
            return spec
    return None


def second_thoughts(world: World) -> None:
    """Now and then somebody takes a cancelled job out of `failed/` and puts the same spec in again: that one is not cancelled."""

    def come(place: Place, job: str) -> None:
        try:
            error = json.loads(world.kernel.disk.find(f"{place.root}/failed/{job}.result.json".encode()).data)["error"]
        except (OSError, ValueError):
            return
        if error["code"] == "CANCELLED" and world.chance(0.5):
            spec = _collect(world, place, "failed", job)
            if spec is not None and _ask(world, place, spec.data, f"{spec.name}.json"):
                world.ledger.put_in_again(place, spec)

    world.when_finished.append(come)


def desk(world: World) -> None:
    """Now and then somebody cancels a job, whether it is there or not, or holds the workspace for a while."""
    rng = world.rng
    for place in world.ledger.places:
        for spec in place.specs:
            if world.chance(0.15):
                name, request = f"{spec.name}.cancel", partial(_ask, world, place, digest(spec.data).encode())
                world.kernel.start(f"cancel of {spec.job_id}", partial(request, name), delay=rng.random() * 3)
        if world.chance(0.1):
            world.kernel.start("hold", partial(_hold, world, place), delay=rng.random() * 2)


def _ask(world: World, place: Place, content: bytes, name: str) -> bool:
    """Put a request into the inbox, whole and durable; False where there is no inbox yet, or one of its name is there."""
    folder = world.kernel.disk.find(place.root.encode())
    inbox = (folder.entries or {}).get(b"inbox")
    if inbox is None or name.encode() in (inbox.entries or {}):
        return False
    world.kernel.tell(f"puts {name} into {place.root}")
    world.kernel.disk.put(f"{place.root}/inbox/{name}".encode(), content)
    return True


def _hold(world: World, place: Place) -> None:
    if _ask(world, place, b"", ".hold"):
        world.kernel.wait(world.rng.random() * 3)
        world.kernel.tell(f"lets {place.root} go on")
        world.ledger.let_work(place)


ACTORS: Sequence[Actor] = (clients, somebody, second_thoughts, collector, desk)
"""Everybody. Whoever else is to take part is added here."""
