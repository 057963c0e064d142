# SPDX-License-Identifier: GPL-2.0-or-later
"""A file of a job: the job as JSON, the engine that wrote it, and the state of each input."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import __version__
from ..errors import InputError, OutputError
from ..files.changes import State
from ..job import Job
from ..messages import translate
from .job_kind import read_job, written_job
from .kinds import Many, Record, Whole, Words

FORMAT = "bandwise_job"  #: the field with the number of the format
VERSION = 1
_LARGEST = 500_000_000  #: bytes; polygons of an area are the longest part


class InputState(NamedTuple):
    """A file that is read: its size in bytes, and when it was changed, in microseconds or, of a
    server, as that says it; it is compared with the file on each machine.
    """

    path: str
    size: int
    modified: int | str


class JobFile(NamedTuple):
    """A job, the version of the ``engine`` that wrote it, and the ``inputs`` as they were then."""

    job: Job
    engine: str
    inputs: tuple[InputState, ...]


class _Modified:
    """The kind of a time of change."""

    def write(self, value: Any) -> Any:
        return value

    def read(self, data: Any, where: str) -> Any:
        return (Words(200) if isinstance(data, str) else Whole(0)).read(data, where)


_INPUTS = Many(
    Record(InputState, {"path": Words(32_000), "size": Whole(-1), "modified": _Modified()})
)


def input_states(states: Mapping[str, State]) -> tuple[InputState, ...]:
    """Return states of files without what differs between machines: inodes and tags of servers."""
    return tuple(
        InputState(
            path,
            state.size,
            state.modified // 1000 if isinstance(state.modified, int) else state.modified,
        )
        for path, state in sorted(states.items())
    )


def written(job: Job, inputs: tuple[InputState, ...]) -> dict[str, Any]:
    """Return the contents of a file of a job.

    Raises
    ------
    OptionError
        For a job that cannot be written to a file.
    """
    contents = {FORMAT: VERSION, "engine": __version__, "job": written_job(job)}
    return {**contents, "inputs": _INPUTS.write(inputs)}


def write_job_file(path: str, job: Job, inputs: tuple[InputState, ...]) -> None:
    """Write a file of a job, whole or not at all.

    Raises
    ------
    OptionError
        For a job that cannot be written to a file.
    OutputError
        Where the file cannot be written.
    """
    text = json.dumps(written(job, inputs), ensure_ascii=False, indent=1, allow_nan=False)
    write_whole(Path(path), text)


def write_whole(path: Path, text: str) -> None:
    """Write a text file under a name of its own, and rename it; raise :class:`OutputError`."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        try:
            new.write_text(text, encoding="utf-8")
            os.replace(new, path)
        finally:
            new.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        sentence = translate(
            "Bandwise",
            "{file} cannot be written ({reason}); check the folder and its free space.",
        )
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(sentence.format(file=str(path), reason=reason)) from error


def read_json(path: str) -> dict[str, Any]:
    """Return the contents of a file of a job, of which only format and version are checked.

    Raises
    ------
    InputError
        For a file that is missing, no JSON, of a newer format or engine.
    """
    try:
        if Path(path).stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        contents = json.loads(
            Path(path).read_bytes().decode("utf-8"),
            object_pairs_hook=_without_twins,
            parse_constant=_no_constant,
        )
        if type(contents) is not dict or type(contents.get(FORMAT)) is not int:
            raise ValueError(f"it has no field {FORMAT}")
    except OSError as error:
        text = translate("Bandwise", "{file} cannot be read ({reason}); check the path.")
        raise InputError(text.format(file=path, reason=error.strerror or str(error))) from error
    except (ValueError, RecursionError) as error:
        raise damaged(path, error) from error
    engine = str(contents.get("engine"))[:40]
    if contents[FORMAT] != VERSION or engine != __version__:
        text = translate(
            "Bandwise",
            "{file} was written by Bandwise {engine} (format {format}) and this is Bandwise {version} "
            "(format {own}); use the same version on all machines.",
        )
        facts = {"engine": engine, "format": str(contents[FORMAT])[:40]}
        raise InputError(text.format(file=path, version=__version__, own=VERSION, **facts))
    return contents


def read_job_file(path: str) -> JobFile:
    """Return what a file of a job holds; see :func:`read_json`."""
    return parsed(path, read_json(path))


def parsed(path: str, contents: Mapping[str, Any]) -> JobFile:
    """Return the job and the inputs of a file's contents; raise :class:`InputError`."""
    try:
        job = read_job(contents.get("job"))
        return JobFile(job, str(contents["engine"]), _INPUTS.read(contents.get("inputs"), "inputs"))
    except (ValueError, RecursionError) as error:
        raise damaged(path, error) from error


def damaged(path: str, error: Exception) -> InputError:
    """Return the error for a file that is no file of a job."""
    text = translate(
        "Bandwise", "{file} is no file of a Bandwise job: {reason}; write it again from QGIS."
    )
    reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
    return InputError(text.format(file=path, reason=" ".join(reason.split())[:200]))


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    contents = dict(pairs)
    if len(contents) != len(pairs):
        raise ValueError("a field stands in it twice")
    return contents


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
