"""What explains wrong levels and colours, by value."""

import random

import pytest

from proxx_worker.report.hypotheses import Planes, Reading, Votes

WIDTH, HEIGHT = 48, 28
WEIGHTS = {"601": (0.299, 0.114), "709": (0.2126, 0.0722)}


def planes(points: list[tuple[float, float, float]]) -> Planes:
    """A picture from one colour per chroma place."""
    half = WIDTH // 2
    luma = bytearray(WIDTH * HEIGHT)
    for number, (value, _, _) in enumerate(points):
        row, column = divmod(number, half)
        for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
            luma[(2 * row + y) * WIDTH + 2 * column + x] = round(value)
    return Planes(bytes(luma), bytes(round(b) for _, b, _ in points), bytes(round(r) for _, _, r in points), WIDTH)


def random_colours() -> list[tuple[float, float, float]]:
    chance = random.Random(1)  # noqa: S311 - the same colours every time
    return [(chance.uniform(40, 200), chance.uniform(80, 176), chance.uniform(80, 176)) for _ in range(WIDTH * HEIGHT // 4)]


def coded(point: tuple[float, float, float], read: str, again: str) -> tuple[float, float, float]:
    """Y'CbCr read by one matrix to R'G'B', and coded by another: ITU-R BT.601 and BT.709 as they are written down."""
    red_weight, blue_weight = WEIGHTS[read]
    y, cb, cr = (point[0] - 16) / 219, (point[1] - 128) / 224, (point[2] - 128) / 224
    red, blue = y + 2 * (1 - red_weight) * cr, y + 2 * (1 - blue_weight) * cb
    green = (y - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    red_weight, blue_weight = WEIGHTS[again]
    y = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    return 16 + 219 * y, 128 + 224 * (blue - y) / (2 * (1 - blue_weight)), 128 + 224 * (red - y) / (2 * (1 - red_weight))


def scaled(point: tuple[float, float, float], luma: float, chroma: float, black: float) -> tuple[float, float, float]:
    """Range changed: luma times `luma` plus `black`, chroma stretched about its middle."""
    return point[0] * luma + black, 128 + (point[1] - 128) * chroma, 128 + (point[2] - 128) * chroma


@pytest.mark.parametrize(
    ("change", "reading"),
    [
        (lambda p: scaled(p, 255 / 219, 255 / 224, -16 * 255 / 219), Reading.FULL_AS_LIMITED),
        (lambda p: scaled(p, 219 / 255, 224 / 255, 16), Reading.LIMITED_AS_FULL),
        (lambda p: coded(p, "709", "601"), Reading.BT601_AS_BT709),
        (lambda p: coded(p, "601", "709"), Reading.BT709_AS_BT601),
    ],
)
def test_the_reading_that_made_it_wins(change: object, reading: Reading) -> None:
    assert callable(change)
    colours, votes = random_colours(), Votes()
    votes.add(planes(colours), planes([change(point) for point in colours]))
    assert (votes.cast, votes.unlike) == (1, 1)
    assert votes.won == {reading: 1}


def test_a_good_picture_votes_for_nothing() -> None:
    colours, votes = random_colours(), Votes()
    votes.add(planes(colours), planes([(y + 0.6, b, r) for y, b, r in colours]))
    assert (votes.cast, votes.unlike, votes.won) == (1, 0, {})


def test_another_picture_is_unlike_and_explained_by_nothing() -> None:
    votes = Votes()
    votes.add(planes(random_colours()), planes(list(reversed(random_colours()))))
    assert (votes.unlike, votes.won) == (1, {})


def test_a_brighter_picture_says_by_how_much() -> None:
    colours, votes = random_colours(), Votes()
    votes.add(planes(colours), planes([(round(y) + 5, b, r) for y, b, r in colours]))
    assert votes.brightness == [pytest.approx(5, abs=0.01)]
