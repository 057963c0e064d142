# SPDX-License-Identifier: GPL-2.0-or-later
"""What a worker does for a request: JSON text in, JSON text out, whoever carries it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...engine.errors import BandwiseError
from ...engine.execution.pipeline import run
from ...engine.job_file.job_file import input_states, read_job_file
from ...engine.messages import translate
from ...engine.writing.parts.part_file import copy_blocks
from ..folder import PLAN, Parts, is_part, opened
from ..paths import here
from ..versions import own_versions


def answer(request: str) -> str:
    """Do what a request asks for; errors are part of the answer, as one sentence."""
    try:
        wanted = json.loads(request)
        return json.dumps({"done": _TASKS[wanted["task"]](wanted), "on": _name()})
    except BandwiseError as error:
        return json.dumps({"error": str(error), "on": _name()})
    except Exception as error:  # a fault of ours is a sentence, too: the client shows it
        text = translate("Bandwise", "{kind}: {reason}; please report this.")
        sentence = text.format(kind=type(error).__name__, reason=str(error)[:300])
        return json.dumps({"error": str(sentence), "on": _name()})


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _facts(wanted: dict[str, Any]) -> dict[str, Any]:
    """Versions, and whether the folder of the parts is the same one: its token file is read back."""
    try:
        path = Path(here(wanted["folder"], wanted["paths"])) / Path(wanted["file"]).name
        read = path.read_text("ascii")
    except (OSError, ValueError):
        read = ""
    return {"versions": own_versions(), "read": read}


def _inputs(wanted: dict[str, Any]) -> list[Any]:
    """States of the inputs; an input that is not as the plan says is an error."""
    return [list(state) for state in input_states(_parts(wanted).run.states)]


def _compute(wanted: dict[str, Any]) -> bool:
    row, column = wanted["part"]
    workers, memory = wanted.get("workers", 0), wanted.get("memory", 0)
    return _parts(wanted).compute(row, column, workers, memory)


def _copy(wanted: dict[str, Any]) -> bool:
    """Copy the blocks of a part into the result; False if the part's file is not whole."""
    folder, paths = here(wanted["folder"], wanted["paths"]), wanted["paths"]
    row, column = wanted["part"]
    segments = [(int(start), int(to), int(size)) for start, to, size in wanted["segments"]]
    target = Path(here(wanted["target"], paths))
    path = Path(folder) / f"r{int(row)}c{int(column)}.tif"
    try:
        return copy_blocks(path, target, segments) and is_part(path, wanted["plan"], row, column)
    except FileNotFoundError:
        return False


def _scene(wanted: dict[str, Any]) -> str:
    """Do a whole job, one of a batch."""
    job = here(read_job_file(wanted["job"]).job, wanted["paths"])
    return run(job._replace(workers=wanted.get("workers", 0) or job.workers)).output


_TASKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "facts": _facts,
    "inputs": _inputs,
    "compute": _compute,
    "copy": _copy,
    "scene": _scene,
}


def _parts(wanted: dict[str, Any]) -> Parts:
    folder = here(wanted["folder"], wanted["paths"])
    changed = (Path(folder) / PLAN).stat().st_mtime_ns if os.path.exists(folder) else 0
    return _kept(folder, tuple(map(tuple, wanted["paths"])), changed)


@lru_cache(maxsize=2)
def _kept(folder: str, paths: tuple[tuple[str, str], ...], changed: int) -> Parts:
    """The parts of a folder; a worker opens it once, not for each part."""
    del changed
    return opened(Path(folder), paths)
