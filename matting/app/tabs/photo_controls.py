"""What the controls of the tab "Photo" say, as its handlers get it."""

from typing import NamedTuple

from matting.app.errors import plain_errors
from matting.app.results.background import PICTURE, BackgroundChoice
from matting.app.results.framing import Look, read_framing
from matting.app.service import Settings, make_background


class Controls(NamedTuple):
    """What the page's controls say, in the order of an event's inputs; see `Settings` and `seen_look`."""

    size: str
    bias: float
    refine: bool
    cross: bool
    ignore_alpha: bool
    choice: str
    picture: str | None
    framing: str

    def settings(self) -> Settings:
        """How the photo is matted."""
        return Settings(self.size, self.bias, self.refine, self.cross, self.ignore_alpha)

    def look(self) -> Look:
        """What the stage shows."""
        return seen_look(self.choice, self.picture, self.framing)


def seen_look(choice: str, picture: str | None, framing: str) -> Look:
    """What the stage shows: without the picture that was chosen but not given yet, no background."""
    with plain_errors():
        framed = read_framing(framing)
    missing = choice == PICTURE and picture is None
    return Look(BackgroundChoice() if missing else make_background(choice, picture, framed.blur), framed)
