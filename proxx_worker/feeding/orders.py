"""Turns clips into the specs to write: which profiles, where the outputs go, the name of each spec."""

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.text import encodable, folded
from proxx_worker.feeding.clips import Clip, Skip
from proxx_worker.feeding.documents import is_for_raw, jobspec_document
from proxx_worker.feeding.names import chunk_stem, spec_stem


@dataclass(frozen=True, slots=True)
class Beside:
    """Outputs go to a folder of this name beside each clip."""

    name: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """Outputs go below this folder, in the same tree as the clips below their root.

    `by_root`: each root in a folder of its own name, so that cards with different names do not collide.
    """

    directory: str
    by_root: bool = False


@dataclass(frozen=True, slots=True)
class Directory:
    """Outputs go to this folder. `{name}` in it is the spec's name, `{chunk}` the chunk's number."""

    template: str


Destination: TypeAlias = Beside | Mirror | Directory


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted from every clip. `chunk`: the number of clips of one profile per spec; None: a spec for each clip."""

    profiles: tuple[str, ...]
    destination: Destination
    naming_template: str = "{source_name}"
    resolve_preset: str | None = None
    chunk: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedSpec:
    """A spec to write as `STEM.json`. `outputs`: the absolute paths that its job will create, in the order of `clips`."""

    stem: str
    data: bytes
    clips: tuple[Clip, ...]
    output_directory: str
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Clips that no spec can be written for, and why."""

    clips: tuple[Clip, ...]
    error: JobError


@dataclass(frozen=True, slots=True)
class Plan:
    """The specs to write, in order, and the clips without one. `unfit`: clips that none of the profiles is for."""

    specs: tuple[PlannedSpec, ...]
    refused: tuple[Refused, ...]
    unfit: tuple[tuple[str, Skip], ...]


@dataclass(frozen=True, slots=True)
class Remedies:
    """What the caller's user can do about a refusal, in words that exist where it was asked for: flags, or keys of a rule."""

    one_clip: str
    """Several specs would write one clip's proxy to one file."""
    two_folders: str
    """Clips of different folders would share an output."""
    one_folder: str
    """Clips of one folder would share an output."""
    over_a_clip: str
    one_stem: str
    """Two specs would have the same name, because their roots do."""


BY_FLAGS = Remedies(
    one_clip="make the names differ with {codec} and {resolution} in the naming template, or use one profile per call",
    two_folders="keep the tree (mirror), or put proxies beside the clips",
    one_folder="make the names differ with {source_ext} in the naming template",
    over_a_clip="choose another folder",
    one_stem="give the folder above both instead of each one",
)


def require_possible(order: Order) -> None:
    """Raise the refusal that every spec of this order would get: an unknown profile, an invalid template, a preset for none."""
    without_use = not any(map(is_for_raw, order.profiles))
    for profile in order.profiles:
        preset = order.resolve_preset if without_use else _preset(order, profile)
        jobspec_document(("/clip",), "/", profile, order.naming_template, preset)


def require_folder_name(name: str) -> None:
    """Raise `ValueError` unless `name` can be a folder's own name, without a path."""
    if "/" in name or "\0" in name or name in {"", ".", ".."}:
        raise ValueError("must be a single folder name, not a path: the folder is created beside each clip")


def require_apart(roots: Collection[str], destination: Destination, real: Callable[[str], str]) -> None:
    """Raise OUTPUT_NAME_COLLISION if outputs would go into a folder that is searched for clips, and be taken for clips.

    `real`: the location of a path, which one folder has under all of its names.
    """
    searched = set(map(real, roots))
    for directory in _tops(roots, destination):
        if real(directory) in searched:
            shown = encodable(directory)
            message = f"proxies in {shown} itself could not be told apart from its clips; choose another folder, or a subfolder"
            raise ProxxError(ErrorCode.OUTPUT_NAME_COLLISION, message, path=shown)


def _tops(roots: Iterable[str], destination: Destination) -> list[str]:
    """The folders that the outputs of whole trees go into."""
    directory = fixed_part(destination)
    if directory is None:
        return []
    by_root = isinstance(destination, Mirror) and destination.by_root
    return [directory, *(posixpath.join(directory, posixpath.basename(root)) for root in roots if by_root)]


def fixed_part(destination: Destination) -> str | None:
    """The folder that all outputs go into or below; None if they go beside their clips."""
    match destination:
        case Beside():
            return None
        case Mirror(directory):
            return directory
        case Directory(template):
            head = template.partition("{chunk}")[0].partition("{name}")[0]
            return template if head == template else posixpath.dirname(head)


def plan(clips: Sequence[Clip], order: Order) -> Plan:
    """The specs of `clips`. Two outputs with one name, or one that is a clip itself, are refused with all clips involved."""
    unfit = [(clip.path, _unfit(clip)) for clip in clips if not any(_fits(clip, profile) for profile in order.profiles)]
    specs: list[PlannedSpec] = []
    refused: list[Refused] = []
    for stem, chunk, profile, members in _jobs(clips, order):
        directory = _directory_of(members[0], order.destination, stem, chunk)
        try:
            document = jobspec_document(
                tuple(clip.path for clip in members), directory, profile, order.naming_template, _preset(order, profile)
            )
        except ProxxError as fault:
            refused.append(Refused(members, fault.error))
        else:
            outputs = tuple(posixpath.join(directory, name) for name in document.output_names)
            specs.append(PlannedSpec(stem, document.data, members, directory, outputs))
    return Plan(tuple(specs), tuple(refused), tuple(unfit))


def without_collisions(
    specs: Sequence[PlannedSpec], remedies: Remedies = BY_FLAGS
) -> tuple[tuple[PlannedSpec, ...], tuple[Refused, ...]]:
    """The specs with unique names and outputs, and the others, refused.

    Upper and lower case, composed and decomposed accents count as one, as on macOS and shares.
    """
    stems: dict[str, list[PlannedSpec]] = {}
    for spec in specs:
        stems.setdefault(folded(spec.stem), []).append(spec)
    faults = {spec.stem: error for spec, error in output_collisions(specs, remedies)}
    for spec in specs:
        if len(stems[folded(spec.stem)]) > 1:
            faults[spec.stem] = _one_stem(spec.stem, stems[folded(spec.stem)], remedies)
    alone = tuple(spec for spec in specs if spec.stem not in faults)
    return alone, tuple(Refused(spec.clips, faults[spec.stem]) for spec in specs if spec.stem in faults)


def output_collisions(specs: Sequence[PlannedSpec], remedies: Remedies = BY_FLAGS) -> Iterator[tuple[PlannedSpec, JobError]]:
    """The specs with an output that another one has, or that is a clip; upper and lower case as in `without_collisions`."""
    sources = {folded(clip.path) for spec in specs for clip in spec.clips}
    outputs: dict[str, list[PlannedSpec]] = {}
    for spec in specs:
        for output in spec.outputs:
            outputs.setdefault(folded(output), []).append(spec)
    for spec in specs:
        for clip, output in zip(spec.clips, spec.outputs, strict=True):
            rivals = outputs[folded(output)]
            if folded(output) in sources:
                yield spec, _over_a_source(clip, output, remedies)
            elif len(rivals) > 1:
                yield spec, _one_output(output, rivals, remedies)


def _jobs(clips: Sequence[Clip], order: Order) -> Iterator[tuple[str, int | None, str, tuple[Clip, ...]]]:
    """Stem, chunk, profile and clips of every spec: clip by clip, or chunk by chunk if ordered so."""
    if order.chunk is None:
        for clip in clips:
            for profile in order.profiles:
                if _fits(clip, profile):
                    yield spec_stem(clip.root, clip.relative, profile), None, profile, (clip,)
        return
    for profile in order.profiles:
        folders: dict[tuple[str, str], list[Clip]] = {}
        for clip in clips:
            if _fits(clip, profile):
                folders.setdefault((clip.root, _folder_of_chunk(clip, order.destination)), []).append(clip)
        for (root, folder), members in folders.items():
            for number, chunk in enumerate(_in_chunks(members, order.chunk)):
                yield chunk_stem(root, folder, profile, number), number, profile, chunk


def _in_chunks(clips: Iterable[Clip], size: int) -> Iterator[tuple[Clip, ...]]:
    rest = iter(clips)
    while chunk := tuple(islice(rest, size)):
        yield chunk


def _folder_of_chunk(clip: Clip, destination: Destination) -> str:
    """A spec has one output directory: if that follows the clip's folder, so does the chunk."""
    return "" if isinstance(destination, Directory) else posixpath.dirname(clip.relative)


def _directory_of(clip: Clip, destination: Destination, stem: str, chunk: int | None) -> str:
    match destination:
        case Beside(name):
            return posixpath.join(posixpath.dirname(clip.path), name)
        case Mirror(directory, by_root):
            top = posixpath.basename(clip.root) if by_root else ""
            return posixpath.normpath(posixpath.join(directory, top, posixpath.dirname(clip.relative)))
        case Directory(template):
            number = "" if chunk is None else f"{chunk:03d}"
            return template.replace("{name}", stem).replace("{chunk}", number)


def _fits(clip: Clip, profile: str) -> bool:
    return clip.raw is None or clip.raw == is_for_raw(profile)


def _unfit(clip: Clip) -> Skip:
    return Skip.CAMERA_RAW if clip.raw else Skip.NOT_RAW


def _preset(order: Order, profile: str) -> str | None:
    return order.resolve_preset if is_for_raw(profile) else None


def _over_a_source(clip: Clip, output: str, remedies: Remedies) -> JobError:
    message = f"the proxy of {encodable(clip.path)} would be {encodable(output)}, which is a clip itself; {remedies.over_a_clip}"
    return JobError(ErrorCode.OUTPUT_NAME_COLLISION, message, {"sources": [clip.path], "output": output})


def _one_output(output: str, rivals: Sequence[PlannedSpec], remedies: Remedies) -> JobError:
    sources = sorted({clip.path for spec in rivals for clip in spec.clips})
    if len(sources) == 1:
        cause = f"several profiles, or rules, would write the proxy of {encodable(sources[0])} to {encodable(output)}"
        remedy = remedies.one_clip
    else:
        cause = f"{encodable(sources[0])} and {encodable(sources[1])} would both become {encodable(output)}"
        apart = len({posixpath.dirname(source) for source in sources}) > 1
        remedy = remedies.two_folders if apart else remedies.one_folder
    message = f"{cause} (upper and lower case count as the same): {remedy}"
    return JobError(ErrorCode.OUTPUT_NAME_COLLISION, message, {"sources": [*sources], "output": output})


def _one_stem(stem: str, rivals: Sequence[PlannedSpec], remedies: Remedies) -> JobError:
    sources = sorted({clip.path for spec in rivals for clip in spec.clips})
    message = (
        f"the specs of {encodable(sources[0])} and {encodable(sources[-1])} would both be called {encodable(stem)}.json: "
        f"{remedies.one_stem}"
    )
    return JobError(ErrorCode.OUTPUT_NAME_COLLISION, message, {"sources": [*sources], "stem": stem})
