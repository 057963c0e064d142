# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenes of a period: opened, in the order of their dates, and why others are left out."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...credentials import file_name
from ...errors import BandwiseError, InputError, LibraryError, ResourceError
from ...job import Note
from ...messages import Field, Text, join, translate
from ...scenes.opening import Subdatasets, open_scene
from ...scenes.scene import Scene
from .period import Period

_MOST_REASONS = 3  #: in one sentence


@dataclass
class SceneSeries:
    """Scenes in the order of their dates, and lines for the log on those that are left out."""

    scenes: list[Scene] = field(default_factory=list)
    left_out: list[Note] = field(default_factory=list)

    def leave_out(self, name: str, reason: Text) -> None:
        """Note why a scene is not used."""
        text = translate("Bandwise", "The scene {scene} is left out: {reason}")
        self.left_out.append(Note(text.format(scene=name, reason=reason), warning=True))

    def no_scene(self) -> InputError:
        """Return the error for a series of which no scene can be used."""
        text = translate("Bandwise", "No scene is given; choose them in {scenes}.")
        if not self.left_out:
            return InputError(text.format(scenes=Field.SCENES))
        text = translate("Bandwise", "No scene can be used: {reasons}")
        reasons = join([note.text for note in self.left_out[:_MOST_REASONS]])
        return InputError(text.format(reasons=reasons))


def scene_series(paths: Sequence[str], subdatasets: Subdatasets, period: Period) -> SceneSeries:
    """Open scenes, and leave out those that cannot be opened or lie outside of the period.

    ``paths`` and ``subdatasets`` are those of :func:`~engine.scenes.opening.open_scene`. A scene that
    is given twice is taken once.

    Raises
    ------
    OptionError
        For what is no period.
    """
    period.check()
    series, seen = SceneSeries(), set[tuple[str, ...]]()
    limited = bool(period.start or period.end)
    for path in paths:
        try:
            scene = open_scene(path, subdatasets)
        except (LibraryError, ResourceError):
            raise
        except BandwiseError as error:
            series.leave_out(file_name(path.rstrip("/\\")), error.args[0])
            continue
        key = tuple(sorted(band.path for band in scene.bands))
        if key in seen:
            continue
        seen.add(key)
        if limited and not scene.date:
            text = translate("Bandwise", "its date is not known, and a period is asked for")
            series.leave_out(scene.name, text.format())
        elif not period.holds(scene.date):
            text = translate("Bandwise", "its date {date} lies outside of the period")
            series.leave_out(scene.name, text.format(date=scene.date))
        else:
            series.scenes.append(scene)
    series.scenes.sort(key=lambda scene: (scene.date, scene.name))
    return series


def days_of(date: str) -> int:
    """Return a day, ISO, as days since 1970-01-01; 0 where it is not known."""
    return (datetime.date.fromisoformat(date) - datetime.date(1970, 1, 1)).days if date else 0
