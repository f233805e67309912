"""Colour tags: FFmpeg's names for them, which mean the same, and which of them a codec and container can carry."""

from collections.abc import Mapping
from dataclasses import dataclass

from proxx_worker.contract.output_settings import Container

_NOTHING: frozenset[str] = frozenset()

# ITU-T H.273: the curves 1, 6, 14 and 15 are functionally the same, so are the matrices 5 and 6 and the primaries 6 and 7.
_SAME: Mapping[str, Mapping[str, str]] = {
    "transfer": {"smpte170m": "bt709", "bt2020-10": "bt709", "bt2020-12": "bt709"},
    "matrix": {"bt470bg": "smpte170m"},
    "primaries": {"smpte240m": "smpte170m"},
}

# ffprobe's and setparams' names on the left, those of the encoder's options on the right.
_OPTION_NAMES: Mapping[str, Mapping[str, str]] = {
    "transfer": {"bt470m": "gamma22", "bt470bg": "gamma28", "log100": "log", "log316": "log_sqrt"},
    "matrix": {},
    "primaries": {"ebu3213": "jedec-p22"},
}


@dataclass(frozen=True, slots=True)
class Tags:
    """One set of colour tags in ffprobe's names; None for what is unspecified."""

    matrix: str | None
    primaries: str | None
    transfer: str | None

    def known(self) -> int:
        """How many are specified."""
        return sum(tag is not None for tag in (self.matrix, self.primaries, self.transfer))


@dataclass(frozen=True, slots=True)
class TagSupport:
    """The tags that a codec's bitstream can carry (None: all), and those that must not even be passed to its encoder."""

    matrices: frozenset[str] | None = None
    primaries: frozenset[str] | None = None
    transfers: frozenset[str] | None = None
    unrepresentable: frozenset[str] = _NOTHING


EVERYTHING = TagSupport()
"""A bitstream that can carry every tag, or none at all."""

PRORES = TagSupport(
    frozenset({"bt709", "smpte170m", "bt2020nc"}),
    frozenset({"bt709", "bt470bg", "smpte170m", "bt2020", "smpte431", "smpte432"}),
    frozenset({"bt709", "smpte2084", "arib-std-b67"}),
)
"""SMPTE RDD 36, table of the frame header; the encoder writes "reserved", or RGB, for anything else."""

VP9 = TagSupport(frozenset({"bt709", "bt470bg", "smpte170m", "smpte240m", "bt2020nc"}))
"""The bitstream can carry only these matrices; everything else is in the container."""

X264_X265 = TagSupport(unrepresentable=frozenset({"primaries:ebu3213"}))
"""Both libraries refuse or drop these primaries."""

# FFmpeg 9 reads Panasonic's own from a movie; its encoders' options have no name for them, and its scaler refuses them. Earlier
# versions call them unknown.
_OF_NO_ENCODER = frozenset({"primaries:vgamut", "transfer:vlog"})

# FFmpeg's MXF muxer writes these as something else, or not at all.
_MXF_UNREPRESENTABLE = frozenset(
    {
        "primaries:bt470m", "primaries:film", "primaries:ebu3213",
        "transfer:bt470bg", "transfer:iec61966-2-1", "transfer:log100", "transfer:log316",
    }
)  # fmt: skip


def same(kind: str, first: str | None, second: str | None) -> bool:
    """Whether two tags of one kind (`matrix`, `primaries`, `transfer`) mean the same."""
    return first == second or (first is not None and second is not None and canonical(kind, first) == canonical(kind, second))


def canonical(kind: str, tag: str) -> str:
    """The usual name among tags that mean the same."""
    return _SAME.get(kind, {}).get(tag, tag)


def option_name(kind: str, tag: str) -> str:
    """The name of a tag as the encoder's option."""
    return _OPTION_NAMES[kind].get(tag, tag)


def representable(support: TagSupport, container: Container, tags: Tags) -> Tags:
    """`tags` without those that would be written as something else."""
    in_mxf = _MXF_UNREPRESENTABLE if container is Container.MXF else _NOTHING
    unrepresentable = support.unrepresentable | _OF_NO_ENCODER | in_mxf

    def kept(kind: str, tag: str | None) -> str | None:
        return None if f"{kind}:{tag}" in unrepresentable else tag

    return Tags(kept("matrix", tags.matrix), kept("primaries", tags.primaries), kept("transfer", tags.transfer))


def nameless(tags: Tags) -> tuple[str, ...]:
    """Those of the options of `setparams` that take from a frame what no encoder has a name for, and no scaler takes."""
    kinds = (("primaries", tags.primaries, "color_primaries"), ("transfer", tags.transfer, "color_trc"))
    return tuple(f"{option}=unknown" for kind, tag, option in kinds if f"{kind}:{tag}" in _OF_NO_ENCODER)


def of_bitstream(support: TagSupport, tags: Tags) -> Tags:
    """Those of `tags` that the codec's frames can carry, under its own names."""

    def said(kind: str, tag: str | None, names: frozenset[str] | None) -> str | None:
        if tag is None or names is None or tag in names:
            return tag
        usual = canonical(kind, tag)
        return usual if usual in names else None

    return Tags(
        said("matrix", tags.matrix, support.matrices),
        said("primaries", tags.primaries, support.primaries),
        said("transfer", tags.transfer, support.transfers),
    )
