"""The eight orientations of a display matrix: each proxy stands as its source is shown, and carries no matrix of its own.

The judge: the colours of the decoded proxy's four corners, and where the matrix sends each of them by its definition (ISO/IEC
14496-12, 6.2.2): a point (x, y) goes to (a x + c y, b x + d y). Pictures state theirs by EXIF (TIFF 6.0, Orientation).
"""

import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg, probe
from tests.acceptance.command import Command
from tests.acceptance.media.liars import Lie
from tests.acceptance.results import Result, names, parse_result
from tests.acceptance.specs import encode, explicit, jobspec

WIDTH, HEIGHT = 128, 64
COLORS = {"red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
STORED = {(-1, -1): "red", (1, -1): "green", (-1, 1): "blue", (1, 1): "white"}
"""By corner: x to the right, y down, from the centre."""

MATRICES = {
    "upright": (1, 0, 0, 1),
    "a quarter turn": (0, 1, -1, 0),
    "half a turn": (-1, 0, 0, -1),
    "three quarter turns": (0, -1, 1, 0),
    "left to right": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "over the main diagonal": (0, 1, 1, 0),
    "over the other diagonal": (0, -1, -1, 0),
}
MIRRORED = [name for name, (a, b, c, d) in MATRICES.items() if a * d < b * c]
_MATRIX_AFTER_NAME = 44
"""From the letters `tkhd` of version 0 to its matrix."""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Half a second of H.264 in QuickTime with a colour in each corner, and the identity as its matrix."""
    path = tmp_path_factory.mktemp("corners") / "stored.mov"
    boxes = ",".join(
        f"drawbox=x={(x + 1) * WIDTH // 4}:y={(y + 1) * HEIGHT // 4}:w={WIDTH // 2}:h={HEIGHT // 2}:color={color}:t=fill"
        for (x, y), color in STORED.items()
    )
    ffmpeg(
        "-f", "lavfi", "-i", f"color=black:size={WIDTH}x{HEIGHT}:rate=24:duration=0.5,format=rgb24,{boxes}",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", path,
    )  # fmt: skip
    return path.read_bytes()


def turned(stored: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """The same file with another matrix in its track header."""
    a, b, c, d = (entry << 16 for entry in matrix)
    at = stored.index(b"tkhd") + _MATRIX_AFTER_NAME
    return stored[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + stored[at + 36 :]


def shown(matrix: tuple[int, int, int, int]) -> Mapping[tuple[int, int], str]:
    """The colour in each corner of the screen."""
    a, b, c, d = matrix
    return {(a * x + c * y, b * x + d * y): color for (x, y), color in STORED.items()}


def corners(path: Path) -> Mapping[tuple[int, int], str]:
    """The colour in each corner of the first frame as it is stored, whatever a matrix says."""
    (video,) = (stream for stream in probe(path)["streams"] if stream["codec_type"] == "video")
    width, height = video["width"], video["height"]
    pixels = subprocess.run(
        [
            "ffmpeg", "-nostdin", "-v", "error", "-noautorotate", "-i", path, "-frames:v", "1", "-pix_fmt", "rgb24",
            "-f", "rawvideo", "-",
        ],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    found = {}
    for x, y in STORED:
        at = 3 * ((2 + y) * height // 4 * width + (2 + x) * width // 4)
        seen = pixels[at : at + 3]
        found[x, y] = min(COLORS, key=lambda name: sum((was - is_) ** 2 for was, is_ in zip(COLORS[name], seen, strict=True)))
    return found


EXIF = {"a quarter turn": 6, "half a turn": 3, "left to right": 2, "over the main diagonal": 5}
"""What EXIF calls some of the orientations."""


@pytest.fixture(scope="module")
def jpegs(tmp_path_factory: pytest.TempPathFactory, stored: bytes) -> Sequence[bytes]:
    """The pictures of `stored` as JPEGs, each without the two bytes with which it begins."""
    folder = tmp_path_factory.mktemp("jpegs")
    (folder / "stored.mov").write_bytes(stored)
    ffmpeg("-i", folder / "stored.mov", "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "2", "-f", "mjpeg", folder / "all.mjpeg")
    return [b"\xff" + picture for picture in (folder / "all.mjpeg").read_bytes().split(b"\xff\xd8\xff")[1:]]


def stating(jpegs: Sequence[bytes], path: Path, orientations: Sequence[int]) -> bytes:
    """An AVI of the JPEGs, each with EXIF that states its orientation. `path` is written on the way."""
    pictures = b""
    for picture, orientation in zip(jpegs, orientations, strict=True):
        tiff = b"MM\0*\0\0\0\x08" + struct.pack(">H HHIHH I", 1, 0x112, 3, 1, orientation, 0, 0)
        pictures += b"\xff\xd8\xff\xe1" + struct.pack(">H", 2 + 6 + len(tiff)) + b"Exif\0\0" + tiff + picture
    bare = path.with_suffix(".mjpeg")
    bare.write_bytes(pictures)
    ffmpeg("-f", "mjpeg", "-framerate", "24", "-i", bare, "-c", "copy", path)
    return path.read_bytes()


def run(proxx: Command, folder: Path, data: bytes, codec: str, container: str, lie: Lie | None = None) -> Result:
    source, proxies, spec = folder / "source.mov", folder / "proxies", folder / "spec.json"
    source.write_bytes(data)
    proxies.mkdir()
    spec.write_bytes(encode(jobspec(source, proxies, **explicit(codec, container))))
    return parse_result(proxx("run", spec, *(("--ffmpeg", lie.program(folder / "ffmpeg")) if lie else ())).stdout)


def matrix_of(path: Path) -> bool:
    """Whether the file has a display matrix."""
    return any("displaymatrix" in datum for stream in probe(path)["streams"] for datum in stream.get("side_data_list", ()))


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("codec", "container"), [("h264", "mp4"), ("prores_proxy", "mov"), ("h265", "mkv")])
@pytest.mark.parametrize("name", MATRICES)
def test_a_proxy_stands_as_its_source_is_shown(
    proxx: Command, tmp_path: Path, stored: bytes, name: str, codec: str, container: str
) -> None:
    matrix = MATRICES[name]
    result = run(proxx, tmp_path, turned(stored, matrix), codec, container)
    assert result["error"] is None
    proxy = Path(result["tasks"][0]["output"])
    assert corners(proxy) == shown(matrix)
    video = probe(proxy)["streams"][0]
    assert (video["width"], video["height"]) == ((WIDTH, HEIGHT) if matrix[0] else (HEIGHT, WIDTH))
    assert not matrix_of(proxy)
    told = result["tasks"][0]["source_media"]["video"]
    assert told["mirrored"] is (name in MIRRORED)


@pytest.mark.parametrize("name", MIRRORED)
def test_the_judge_sees_a_mirror_that_was_not_applied(tmp_path: Path, stored: bytes, name: str) -> None:
    """A proxy that is turned as its source, but not mirrored: what a worker would make that reads only the rotation."""
    a, b, c, d = MATRICES[name]
    source, proxy = tmp_path / "source.mov", tmp_path / "proxy.mov"
    source.write_bytes(turned(stored, (-a, -b, c, d)))
    ffmpeg("-i", source, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", proxy)
    assert corners(proxy) != shown(MATRICES[name])


LEFT = """
data = bytearray(open(output, 'rb').read())
at = data.index(b'tkhd') + 44
data[at + {entry} * 4 : at + {entry} * 4 + 4] = b'\\xff\\xff\\x00\\x00'
f = open(output, 'r+b'); f.write(data); f.close()
"""


@pytest.mark.parametrize("entry", [0, 4], ids=["left to right", "upside down"])
def test_a_mirror_left_in_the_proxys_own_matrix_is_caught(proxx: Command, tmp_path: Path, stored: bytes, entry: int) -> None:
    result = run(proxx, tmp_path, stored, "prores_proxy", "mov", Lie(after=LEFT.format(entry=entry)))
    assert result["error"] is not None
    assert result["error"]["code"] == "OUTPUT_INVALID"
    (failed,) = result["error"]["details"]["failed"]
    assert failed["name"] == "rotation"
    assert names(tmp_path / "proxies") == []


@pytest.mark.parametrize("matrix", [(1, 1, -1, 1), (1, 0, 0, 0)], ids=["tilted", "flat"])
def test_another_matrix_is_refused(proxx: Command, tmp_path: Path, stored: bytes, matrix: tuple[int, int, int, int]) -> None:
    error = run(proxx, tmp_path, turned(stored, matrix), "h264", "mp4")["error"]
    assert error is not None
    assert (error["code"], "multiple of 90 degrees" in error["message"]) == ("SOURCE_UNSUPPORTED", True)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", EXIF)
def test_an_orientation_that_only_the_pictures_state_is_applied(
    proxx: Command, tmp_path: Path, jpegs: Sequence[bytes], name: str
) -> None:
    source = stating(jpegs, tmp_path / "stated.avi", [EXIF[name]] * len(jpegs))
    result = run(proxx, tmp_path, source, "prores_proxy", "mov")
    assert result["error"] is None
    proxy = Path(result["tasks"][0]["output"])
    assert corners(proxy) == shown(MATRICES[name])
    video = probe(proxy)["streams"][0]
    assert (video["width"], video["height"]) == ((WIDTH, HEIGHT) if MATRICES[name][0] else (HEIGHT, WIDTH))
    assert any("the pictures state an orientation" in note for note in result["tasks"][0]["source_media"]["notes"])


@pytest.mark.parametrize(
    ("first", "then", "cause"),
    [(6, 1, "only the source's pictures state its orientation"), (1, 6, "size, format or orientation")],
)
def test_pictures_that_do_not_all_state_it_are_refused_for_that(
    proxx: Command, tmp_path: Path, jpegs: Sequence[bytes], first: int, then: int, cause: str
) -> None:
    half = len(jpegs) // 2
    source = stating(jpegs, tmp_path / "mixed.avi", [first] * half + [then] * (len(jpegs) - half))
    error = run(proxx, tmp_path, source, "prores_proxy", "mov")["error"]
    assert error is not None
    assert (error["code"], cause in error["message"]) == ("SOURCE_UNSUPPORTED", True)


def test_a_container_and_pictures_that_disagree_are_refused(proxx: Command, tmp_path: Path, jpegs: Sequence[bytes]) -> None:
    stating(jpegs, tmp_path / "stated.avi", [3] * len(jpegs))
    ffmpeg("-i", tmp_path / "stated.avi", "-c", "copy", tmp_path / "stated.mov")
    source = turned((tmp_path / "stated.mov").read_bytes(), MATRICES["a quarter turn"])
    error = run(proxx, tmp_path, source, "prores_proxy", "mov")["error"]
    assert error is not None
    assert (error["code"], "state different orientations" in error["message"]) == ("SOURCE_UNSUPPORTED", True)
