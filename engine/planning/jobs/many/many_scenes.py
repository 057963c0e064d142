# SPDX-License-Identifier: GPL-2.0-or-later
"""From the scenes of a folder to the results that are to be made of them, each with a name of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ....errors import Cancelled, InputError, OptionError
from ....job import Job, Note
from ....messages import Field, Text, translate
from ....scenes.folder import scenes_in
from ....scenes.opening import Subdatasets, open_scene
from ....scenes.scene import Scene
from ..period import Period
from .file_names import NamePattern

#: Makes the job of a scene for some indices, written to a file
MakeJob = Callable[[Scene, Sequence[str], str], Job]


@dataclass(frozen=True)
class Candidate:
    """A scene of a folder, or why it cannot be opened; ``source`` is its name there."""

    source: str
    scene: Scene | None
    error: Exception | None = None


@dataclass(frozen=True)
class Task:
    """A result to be made: some ``indices`` of a scene in a ``file``; a candidate that failed has none."""

    candidate: Candidate
    indices: tuple[str, ...]
    file: str = ""
    make: Callable[[], Job] | None = None


def candidates(
    folder: str,
    period: Period,
    subdatasets: Subdatasets,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[list[Candidate], list[Note]]:
    """Open the scenes of a folder that a period holds, in the order of their dates.

    Returns
    -------
    tuple
        Scenes, with those that cannot be opened, and lines for the log on those that are left out.

    Raises
    ------
    InputError
        For a folder that cannot be used, or holds no scene of the period.
    """
    period.check()
    paths = scenes_in(folder)
    found = list[Candidate]()
    for path in paths:
        if cancelled():
            raise Cancelled(translate("Bandwise", "Cancelled").format())
        found.append(_opened(path, subdatasets))
    kept, notes = _without_twins(found)
    chosen = [each for each in kept if each.scene is None or _is_in(each.scene, period)]
    text = translate("Bandwise", "{count} scenes in {folder}, {left_out} of them of other dates")
    left_out = len(kept) - len(chosen)
    facts = {"folder": folder, "count": len(paths), "left_out": left_out}
    if not chosen:
        text = translate(
            "Bandwise",
            "There is no scene in {folder} whose sensor is known; choose a folder that holds products as "
            "they were delivered.",
        )
        if left_out:
            text = translate(
                "Bandwise", "None of the {count} scenes in {folder} is of these dates."
            )
        raise InputError(text.format(**facts))
    if not left_out:
        text = translate("Bandwise", "{count} scenes in {folder}")
    undated = [each for each in chosen if each.scene and not each.scene.date]
    if undated and (period.start or period.end):
        warning = translate(
            "Bandwise", "The date of {scene} is not known; it is computed whatever the dates."
        )
        notes += [Note(warning.format(scene=_name(each)), warning=True) for each in undated]
    chosen.sort(key=lambda each: (each.scene.date if each.scene else "", each.source))
    return chosen, [Note(text.format(**facts)), *notes]


def _opened(path: str, subdatasets: Subdatasets) -> Candidate:
    try:
        return Candidate(path, open_scene(path, subdatasets))
    except Exception as error:  # whatever is wrong with one stops no other
        return Candidate(path, None, error)


def _is_in(scene: Scene, period: Period) -> bool:
    return not scene.date or period.holds(scene.date)


def _without_twins(found: Sequence[Candidate]) -> tuple[list[Candidate], list[Note]]:
    """Return scenes without those that are one product a second time, and a warning for each of these."""
    first: dict[object, Candidate] = {}
    notes = list[Note]()
    for each in found:
        scene = each.scene
        key = (scene.name, scene.level) if scene and scene.date else each.source
        if key in first:
            text = translate(
                "Bandwise", "{file} is the same scene as {other}, and is left out: {scene}"
            )
            facts = {"file": each.source, "other": first[key].source, "scene": _name(each)}
            notes.append(Note(text.format(**facts), warning=True))
        else:
            first[key] = each
    return list(first.values()), notes


def tasks(
    scenes: Sequence[Candidate],
    indices: Sequence[str],
    folder: str,
    pattern: NamePattern,
    make: MakeJob,
) -> list[Task]:
    """Return the results to be made, one a scene or, where the pattern names indices, one a scene and index.

    Raises :class:`OptionError` where two of them would have one name.
    """
    groups = [(name,) for name in indices] if pattern.has_index else [tuple(indices)]
    made = list[Task]()
    names: dict[str, Task] = {}
    for each in scenes:
        scene = each.scene
        if scene is None:
            made.append(Task(each, (";".join(indices),)))
            continue
        for group in groups:
            name = pattern.file_name(scene, group[0] if pattern.has_index else "")
            file = os.path.join(folder, name)
            task = Task(each, group, file, partial(make, scene, group, file))
            other = names.setdefault(name.lower(), task)  # on some disks capitals do not matter
            if other is not task:
                raise _clash(name, other, task)
            made.append(task)
    return made


def _clash(name: str, first: Task, second: Task) -> OptionError:
    scenes = [_name(task.candidate) for task in (first, second)]
    facts = {"pattern": Field.NAME_PATTERN, "name": name, "first": scenes[0], "second": scenes[1]}
    text = translate(
        "Bandwise",
        "{pattern}: {first} and {second} would both be written to {name}; add {field} to it.",
    )
    if first.candidate is second.candidate:
        facts.update(first=first.indices[0], second=second.indices[0])
        text = translate(
            "Bandwise",
            "{pattern}: {first} and {second} would both be written to {name}, as capitals do not matter on "
            "all disks; leave {field} out, so that they are bands of one file.",
        )
        return OptionError(text.format(**facts, field="{index}"))
    field = "{level}" if scenes[0] == scenes[1] else "{scene}"
    return OptionError(text.format(**facts, field=field))


def _name(candidate: Candidate) -> str:
    return candidate.scene.name if candidate.scene else os.path.basename(candidate.source)


def title(candidate: Candidate, number: int, count: int) -> Text:
    """Return the first line for the log on a scene."""
    scene = candidate.scene
    facts = {"number": number, "count": count, "name": _name(candidate)}
    if scene is None or not scene.date:
        return translate("Bandwise", "Scene {number} of {count}: {name}").format(**facts)
    text = translate("Bandwise", "Scene {number} of {count}: {name}, {sensor} of {date}")
    sensor = f"{scene.sensor} {scene.level}".strip()
    return text.format(**facts, sensor=sensor, date=scene.date)
