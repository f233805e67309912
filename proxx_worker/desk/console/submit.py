"""The form for submitting clips."""

import os
import shlex
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Checkbox, Input, Label, RadioButton, RadioSet, Static

from proxx_worker.contract.text import visible
from proxx_worker.desk.commands import Place, SubmitForm, command_line, needs_preset, paths_in
from proxx_worker.desk.console.files import have_folders
from proxx_worker.desk.console.header import LiveHeader

_SIGNS = {True: "X", False: " "}
_PLACES = {
    Place.BESIDE: "in a folder with this name beside each clip",
    Place.MIRROR: "below this folder, in the same tree as the clips",
    Place.DIRECTORY: "in this folder",
}


class _Choice(Checkbox):
    """A check box that shows its state without colour, which Textual's own does not."""

    def on_mount(self) -> None:
        """The sign is drawn in the box."""
        self.BUTTON_INNER = _SIGNS[self.value]

    def watch_value(self) -> None:
        """As above."""
        self.BUTTON_INNER = _SIGNS[self.value]
        super().watch_value()


class _OneChoice(RadioButton):
    """The same for a radio button."""

    def on_mount(self) -> None:
        """As above."""
        self.BUTTON_INNER = _SIGNS[self.value]

    def watch_value(self) -> None:
        """As above."""
        self.BUTTON_INNER = _SIGNS[self.value]
        super().watch_value()


class SubmitScreen(ModalScreen[SubmitForm | None]):
    """Clips or folders, profiles, destination. It shows what would be written first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Back"),
        Binding("ctrl+s", "submit", "Submit"),
        Binding("f5", "preview", "Preview"),
    ]

    def __init__(
        self,
        workspace: str,
        profiles: Sequence[str],
        preview: Callable[[SubmitForm], list[str]],
        header: LiveHeader,
        given: SubmitForm | None = None,
    ) -> None:
        """`preview` returns what a form would write, or why it cannot. It may take long: it searches folders.

        `given`: what the form begins with.
        """
        super().__init__()
        self._given = given or SubmitForm((), (), Place.BESIDE, "Proxy", create_directories=False)
        self._header = header
        self._workspace = workspace
        self._profiles = profiles
        self._preview = preview

    def compose(self) -> ComposeResult:
        """The form."""
        given = self._given
        yield self._header
        with VerticalScroll(id="form"):
            yield Label("Clips or folders (spaces need quotes)")
            typed = shlex.join(given.sources)
            yield Input(typed, placeholder="/mnt/card, or a.mov 'my clip.mov'", id="source", compact=True)
            yield Label("Profiles (space bar to choose)")
            for name in self._profiles:
                yield _Choice(name, name in given.profiles, name=name, classes="profile", compact=True)
            with Vertical(id="preset_field"):
                yield Label("Render preset in DaVinci Resolve")
                yield Input(given.preset, id="preset", compact=True)
            yield Label("Where the proxies go")
            with RadioSet(id="place", compact=True):
                yield from (_OneChoice(text, value=place is given.place) for place, text in _PLACES.items())
            yield Input(given.directory, id="directory", compact=True)
            yield _Choice("create missing folders", given.create_directories, id="create", compact=True)
            yield Static("", markup=False, id="preview")

    def on_mount(self) -> None:
        """Begin with the clip."""
        form = self.query_one("#form")
        form.can_focus = False
        form.border_subtitle = "F5 preview  ctrl+s submit  esc back"
        self._show_preset()
        self.query_one("#source").focus()

    def on_checkbox_changed(self) -> None:
        """Ask for a preset only while a profile needs one."""
        self._show_preset()

    def _show_preset(self) -> None:
        self.query_one("#preset_field").display = any(map(needs_preset, self._chosen()))

    def _chosen(self) -> tuple[str, ...]:
        return tuple(choice.name or "" for choice in self.query(".profile").results(Checkbox) if choice.value)

    def form(self) -> SubmitForm:
        """The form's content. Raises `ValueError` with what to do if no clip is named."""
        place = self.query_one("#place", RadioSet).pressed_index
        typed = paths_in(self.query_one("#source", Input).value)
        profiles = self._chosen()
        return SubmitForm(
            sources=tuple(os.path.abspath(os.path.expanduser(path)) for path in typed),
            profiles=profiles,
            place=list(Place)[max(0, place)],
            directory=self.query_one("#directory", Input).value,
            create_directories=self.query_one("#create", Checkbox).value,
            preset=self.query_one("#preset", Input).value if any(map(needs_preset, profiles)) else "",
        )

    def action_preview(self) -> None:
        """Show what would be written, and by which command."""
        form = self._filled_in()
        if form is not None:
            self._tell("searching ...")
            self.run_worker(lambda: self._look(form), thread=True, exclusive=True)

    def action_submit(self) -> None:
        """Close, with the form."""
        form = self._filled_in()
        if form is not None:
            self.dismiss(form)

    def action_cancel(self) -> None:
        """Close, with nothing."""
        self.dismiss(None)

    def _look(self, form: SubmitForm) -> None:
        lines = self._preview(form)
        command = command_line(*form.words(self._workspace, recursive=have_folders(form.sources)))
        self.app.call_from_thread(self._tell, *lines, command)

    def _filled_in(self) -> SubmitForm | None:
        """The form; None if it cannot be used, which is told."""
        try:
            return self.form()
        except ValueError as refusal:
            self._tell(f"! {refusal}")
            return None

    def _tell(self, *lines: str) -> None:
        """Show lines at the end of the form, and scroll there: the form is longer than a small terminal."""
        preview, form = self.query_one("#preview", Static), self.query_one("#form")
        preview.update("\n".join(map(visible, lines)))
        form.call_after_refresh(form.scroll_to_widget, preview, animate=False, top=True, force=True)
