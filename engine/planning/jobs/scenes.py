# SPDX-License-Identifier: GPL-2.0-or-later
"""What a job takes from a scene: bands by role, its mask, and the lines on it for the log."""

from __future__ import annotations

from collections.abc import Iterable

from ...job import BandRef, Note
from ...messages import translate
from ...radiometry.masks import MaskChoice
from ...scenes.scene import Scene


def bands_of(scene: Scene, roles: Iterable[str]) -> tuple[BandRef, ...]:
    """Return the band of each role, called by it.

    Raises
    ------
    InputError
        For a role that no band of the scene has, or several.
    """
    bands = ((role, scene.band(role)) for role in roles)
    return tuple(BandRef(role, band.path, band.number, band.facts) for role, band in bands)


def mask_of(scene: Scene, classes: MaskChoice) -> MaskChoice | None:
    """Return the scene's own mask with the classes and flags of ``classes``; None where it has none."""
    mask = scene.mask
    return classes._replace(path=mask.path, number=mask.number, rule=mask.rule) if mask else None


def scene_notes(scene: Scene) -> tuple[Note, ...]:
    """Return lines for the log: which scene it is, and where each role was found."""
    text = translate("Bandwise", "Scene: {name}, {sensor} {level} of {date}")
    if not (scene.level and scene.date):
        text = translate("Bandwise", "Scene: {name}, {sensor}")
    title = text.format(name=scene.name, sensor=scene.sensor, level=scene.level, date=scene.date)
    return tuple(map(Note, (title, *scene.listing())))


def no_mask_note(scene: Scene) -> Note:
    """Return the line for a scene whose clouds were to be left out, and that has no mask."""
    text = translate(
        "Bandwise", "The scene {name} has no mask of clouds that is known; its clouds stay."
    )
    return Note(text.format(name=scene.name))


def files_of(scene: Scene) -> tuple[str, ...]:
    """Return the rasters of a scene, none of which a result may replace."""
    masks = [scene.mask.path] if scene.mask else []
    return tuple(dict.fromkeys([*(band.path for band in scene.bands), *masks]))
