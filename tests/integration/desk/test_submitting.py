"""The form for submitting clips, with the code that writes the specs: what it refuses before it writes anything."""

import errno
import json
import re
from pathlib import Path

import pytest
from textual.widgets import Checkbox, Input, RadioButton

from proxx_worker.cli.console_app import Submitting
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.desk.commands import Place, SubmitForm
from proxx_worker.desk.console.submit import SubmitScreen
from proxx_worker.workspace.layout import Workspace
from tests.integration.desk.consoles import SIZES, Desk, driven
from tests.support.desks import empty_workspace

sizes = pytest.mark.parametrize("size", SIZES, ids=lambda it: f"{it[0]}x{it[1]}")
MOVIE = b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + b"\0\0\0\x08moov"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a workspace `ws` in it, two clips and a folder."""
    monkeypatch.chdir(tmp_path)
    empty_workspace(tmp_path / "ws")
    for name in ("a.mov", "my b.mov", "card/c.mov"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(MOVIE)
    return tmp_path


class Form:
    """The open form."""

    def __init__(self, desk: Desk) -> None:
        """See `opened`."""
        self.desk = desk

    @classmethod
    async def opened(cls, desk: Desk, paths: str, *, choose: bool = True) -> "Form":
        """Type paths; choose the first profile."""
        await desk.press("n")
        await desk.until_true(lambda: getattr(desk.app.focused, "id", None) == "source", "the form, not one that was left")
        await desk.type(paths)
        if choose:
            await desk.press("tab", "space", "shift+tab")
        return cls(desk)

    async def says(self, *words: str) -> None:
        """Preview, and wait until these words are on the screen, however its lines are broken."""
        await self.desk.press("f5")
        await self.desk.until_true(lambda: all(word in self.text() for word in words), f"{words}")

    def text(self) -> str:
        """The screen without borders and line breaks."""
        return re.sub(r"[\s│▁-█]+", " ", self.desk.text())


def specs(place: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_bytes()) for path in sorted((place / "ws" / "inbox").glob("*.json"))]


@sizes
def test_what_cannot_be_submitted_is_said_in_sight(place: Path, size: tuple[int, int]) -> None:
    async def drive(desk: Desk) -> None:
        form = await Form.opened(desk, "", choose=False)
        await form.says("! no clip is given")
        await desk.press("ctrl+s")
        assert "Where the proxies go" in form.text()
        await desk.type("a.mvo")
        await form.says("PROFILE_UNKNOWN: no profile is chosen")
        await desk.press("tab", "space", "shift+tab")
        await form.says("SOURCE_MISSING: ", "does not exist; check the path", "spec --profile")
        await desk.press("ctrl+s")
        await desk.until("$ proxx-worker spec", "[1 running]")
        await desk.until_true(lambda: " ! " in form.text() and "does not exist" in form.text(), "a refusal")

    driven(place / "ws", size, drive, Submitting(Workspace(place / "ws")))
    assert specs(place) == []


@pytest.mark.one_in(3)
@sizes
def test_several_clips_are_looked_at_and_submitted(place: Path, size: tuple[int, int]) -> None:
    async def drive(desk: Desk) -> None:
        form = await Form.opened(desk, "a.mov 'my b.mov'")
        await form.says("OUTPUT_DIRECTORY_MISSING: ", "choose to create it")
        (place / "Proxy").mkdir()
        await form.says("2 clips, none skipped", "2 specs to be written")
        await desk.press("ctrl+s")
        await desk.until("2 specs written")

    app = driven(place / "ws", size, drive, Submitting(Workspace(place / "ws")))
    assert sorted(str(spec["sources"]) for spec in specs(place)) == sorted(
        str([str(place / name)]) for name in ("a.mov", "my b.mov")
    )
    (command,) = app.commands
    assert command.endswith(f"--submit {place}/ws -- {place}/a.mov '{place}/my b.mov'")


def test_a_path_that_the_system_refuses_is_told(place: Path) -> None:
    async def drive(desk: Desk) -> None:
        form = await Form.opened(desk, "x" * 300)
        await form.says("IO_ERROR: cannot look for ", "(ENAMETOOLONG); use a shorter name", "spec --profile")
        await desk.press("ctrl+s")
        await desk.until("$ proxx-worker spec", "[1 running]")
        await desk.until_true(lambda: "! cannot look for " in form.text(), "a refusal")

    driven(place / "ws", (120, 40), drive, Submitting(Workspace(place / "ws")))
    assert specs(place) == []


def test_a_console_lives_on_when_a_preview_fails(place: Path) -> None:
    class Failing(Submitting):
        def preview(self, form: SubmitForm) -> list[str]:
            raise OSError(errno.EIO, "Input/output error", form.sources[0])

    async def drive(desk: Desk) -> None:
        form = await Form.opened(desk, "a.mov")
        await form.says("Input/output error", "a.mov", "spec --profile")

    driven(place / "ws", (120, 40), drive, Failing(Workspace(place / "ws")))


def test_a_refused_form_is_there_to_be_mended(place: Path) -> None:
    async def drive(desk: Desk) -> None:
        form = await Form.opened(desk, "'my b.mov' c.mov")
        screen = form_screen(desk)
        screen.query_one("#place").query(RadioButton)[2].value = True
        screen.query_one("#directory", Input).value = f"{place}/Proxy [b]"
        screen.query_one("#create", Checkbox).value = True
        await desk.pilot.pause()
        filled_in = screen.form()
        assert (filled_in.place, filled_in.create_directories) == (Place.DIRECTORY, True)
        await desk.press("ctrl+s")
        await desk.until_true(lambda: " ! " in form.text() and "does not exist" in form.text(), "a refusal")
        (place / "c.mov").write_bytes(MOVIE)
        await desk.press("n")
        await desk.until_true(lambda: getattr(desk.app.focused, "id", None) == "source", "the form")
        assert form_screen(desk).form() == filled_in
        await desk.press("ctrl+s")
        await desk.until("2 specs written")
        await desk.press("n")
        await desk.until_true(lambda: getattr(desk.app.focused, "id", None) == "source", "an empty form")
        assert form_screen(desk).query_one("#source", Input).value == ""

    driven(place / "ws", (120, 40), drive, Submitting(Workspace(place / "ws")))
    assert {str(spec["output_directory"]) for spec in specs(place)} == {f"{place}/Proxy [b]"}


def form_screen(desk: Desk) -> SubmitScreen:
    assert isinstance(desk.app.screen, SubmitScreen)
    return desk.app.screen


def test_folders_are_searched_and_not_mixed_with_clips(place: Path) -> None:
    (place / "card" / "Proxy").mkdir()
    (place / "card 2").mkdir()

    async def drive(desk: Desk) -> None:
        form = await Form.opened(desk, "card a.mov")
        await form.says("SPEC_INVALID: ", "a.mov is a clip, and others are folders")
        await desk.press("escape")
        form = await Form.opened(desk, "card crad")
        await form.says("SOURCE_MISSING: ", "crad does not exist")
        await desk.press("escape")
        form = await Form.opened(desk, "card 'card 2'")
        await form.says("1 clip, ", "1 spec to be written", "spec --recursive")
        await desk.press("escape")
        form = await Form.opened(desk, "'card 2")
        await form.says("! unclosed quotation mark or trailing backslash")

    driven(place / "ws", (120, 40), drive, Submitting(Workspace(place / "ws")))


@pytest.mark.parametrize(
    ("where", "directory", "says"),
    [
        (Place.BESIDE, "", "no folder name is given; type one, such as Proxy"),
        (Place.MIRROR, " ", "no folder is given; type its path"),
        (Place.DIRECTORY, "", "no folder is given; type its path"),
        (Place.DIRECTORY, "/x\0y", "a folder's path cannot contain a NUL, but '/x\\x00y' does"),
        (Place.MIRROR, "/x\0y", "a folder's path cannot contain a NUL"),
        (Place.BESIDE, "x\0y", "must be a single folder name"),
        (Place.DIRECTORY, "/{chunk}", "{chunk} is a chunk's number, and this form makes no chunks; use {name}"),
        (Place.DIRECTORY, "out", "must be an absolute path"),
    ],
)
def test_a_place_that_is_none_is_told(place: Path, where: Place, directory: str, says: str) -> None:
    with pytest.raises(ProxxError, match=re.escape(says)):
        Submitting(Workspace(place / "ws")).preview(filled(place / "card", where, directory))


@pytest.mark.parametrize("where", [Place.MIRROR, Place.DIRECTORY])
@pytest.mark.parametrize("end", ["", "/", "/.", "/../card", "//"])
def test_proxies_do_not_go_among_the_clips_however_their_folder_is_written(place: Path, where: Place, end: str) -> None:
    with pytest.raises(ProxxError, match="could not be told apart from its clips") as caught:
        Submitting(Workspace(place / "ws")).preview(filled(place / "card", where, f"{place}/card{end}"))
    assert caught.value.code is ErrorCode.OUTPUT_NAME_COLLISION


def filled(source: Path, where: Place, directory: str) -> SubmitForm:
    return SubmitForm((str(source),), (Submitting.profiles[0],), where, directory, create_directories=True)


def test_a_profile_of_resolve_asks_for_its_preset(place: Path) -> None:
    (place / "Proxy").mkdir()
    at = next(number for number, name in enumerate(Submitting.profiles) if name.endswith("_resolve"))

    async def drive(desk: Desk) -> None:
        form = await Form.opened(desk, "a.mov", choose=False)
        assert "Render preset" not in desk.text()
        await desk.press(*["tab"] * (at + 1), "space")
        await form.says("Render preset", "resolve_preset")
        await desk.press(*["tab"] * (len(Submitting.profiles) - at))
        await desk.type("RAW to LT")
        await form.says("1 spec to be written", "--resolve-preset 'RAW to LT'")
        await desk.press("ctrl+s")
        await desk.until("1 spec written")

    driven(place / "ws", (120, 40), drive, Submitting(Workspace(place / "ws")))
    (spec,) = specs(place)
    assert (spec["proxy_profile"], spec["resolve_preset"]) == (Submitting.profiles[at], "RAW to LT")
