"""The names of the specs for a folder's clips: root, path below it and profile, the same for the same clip at every call."""

import hashlib
import posixpath

from proxx_worker.contract.candidates import MAX_STEM_BYTES

_SEPARATOR = "+"
_ESCAPES = str.maketrans({"%": "%25", "+": "%2B"})
_DIGEST_DIGITS = 12
_MOST = MAX_STEM_BYTES - len("~9999999")
"""Where such a name is taken in the inbox, a number is added, and the longer one must still be a spec's."""


def spec_stem(root: str, relative: str, profile: str) -> str:
    """`CARD_A+CLIP+C0001.MP4+proxy_h264_low`: unique below one root, and independent of where the root is.

    `root`: the folder that was named, absolute; its own name comes first, so that two cards do not collide. A name that would
    be too long for an inbox keeps its end, with a digest of the whole in front.
    """
    return _fitted(_joined(root, relative, profile), _MOST)


def chunk_stem(root: str, folder: str, profile: str, number: int) -> str:
    """`CARD_A+proxy_h264_low-000`: the spec of one chunk. `folder`: below `root`, empty where chunks reach across folders."""
    suffix = f"-{number:03d}"
    return _fitted(_joined(root, folder, profile), _MOST - len(suffix)) + suffix


def _joined(root: str, relative: str, profile: str) -> str:
    parts = [posixpath.basename(root), *relative.split("/"), profile]
    name = _SEPARATOR.join(part.translate(_ESCAPES) for part in parts if part)
    return f"%2E{name[1:]}" if name.startswith(".") else name  # a hidden file in an inbox is no spec


def _fitted(name: str, most: int) -> str:
    data = name.encode("utf-8", "surrogateescape")
    if len(data) <= most:
        return name
    digest = hashlib.sha256(data).hexdigest()[:_DIGEST_DIGITS]
    kept = data[len(data) - (most - len(digest) - 1) :]
    return f"{digest}{_SEPARATOR}{kept.decode('utf-8', 'ignore')}"
