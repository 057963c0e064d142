# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder ``NAME.tif.parts`` beside the result: the plan as JSON and a file for each part. It is the truth
about a run; whoever hands out work keeps nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.errors import BandwiseError, InputError, OutputError
from ..engine.execution.parts import PartedRun, compute_part, identity, parted
from ..engine.files.disk import behind_links
from ..engine.grids.parts import SIDE, Tiling
from ..engine.grids.windows import WindowPlan
from ..engine.job_file import job_file
from ..engine.job_file.kinds import Each, Whole
from ..engine.messages import translate
from ..engine.writing.parts import part_file
from .paths import PathMap, here
from .versions import check_versions, own_versions

PLAN = "job.json"
_STARTS = "computed.log"  #: a line for each part that somebody began to compute
_SHAPE = Each((*(Whole(1),) * 6, Whole(0)))
_TILING = Each((Whole(1), Whole(1), Whole(0)))


@dataclass(frozen=True)
class Parts:
    """The parts of a run; ``name`` is that of the plan, which each part's file tells."""

    folder: Path
    run: PartedRun
    name: str

    def path(self, row: int, column: int) -> Path:
        """Return the file of a part."""
        return self.folder / f"r{row}c{column}.tif"

    def is_there(self, row: int, column: int) -> bool:
        """Return whether a part's file has the length that it says; its bytes are not looked at."""
        return part_file.layout_of(self.path(row, column)) is not None

    def is_whole(self, row: int, column: int) -> bool:
        """Return whether a part's file is whole, byte by byte, and of this plan."""
        path = self.path(row, column)
        return bool(part_file.digest_of(path)) and is_part(path, self.name, row, column)

    def compute(self, row: int, column: int, workers: int = 0, memory: int = 0) -> bool:
        """Compute a part, if it is not there whole; return whether that was needed.

        ``workers`` threads at most, within ``memory`` bytes; 0 for what the job says.
        """
        if self.is_whole(row, column):
            return False
        self._note(row, column)
        new = self.folder / f".r{row}c{column}.{uuid.uuid4().hex[:12]}.new"
        facts = {"plan": self.name, "part": [row, column]}
        try:
            compute_part(self.run, row, column, new, facts=facts, workers=workers, memory=memory)
            os.replace(new, self.path(row, column))
        except OSError as error:
            if isinstance(error, BandwiseError):
                raise
            raise _not_written(new, error) from error
        finally:
            with suppress(OSError):
                new.unlink(missing_ok=True)
        return True

    def computed(self) -> int:
        """Return how often somebody began to compute a part."""
        try:
            return (self.folder / _STARTS).read_bytes().count(b"\n")
        except OSError:
            return 0

    def remove(self) -> None:
        """Remove the folder, at once for whoever still writes there."""
        gone = self.folder.with_name(f".{self.folder.name}-{uuid.uuid4().hex[:8]}.gone")
        with suppress(OSError):
            os.replace(self.folder, gone)
        sweep(self.folder)

    def _note(self, row: int, column: int) -> None:
        with suppress(OSError), (self.folder / _STARTS).open("ab", buffering=0) as log:
            log.write(f"r{row}c{column} {os.getpid()}\n".encode("ascii"))


def is_part(path: Path, plan: str, row: int, column: int) -> bool:
    """Return whether a file that is whole is this part of this plan."""
    layout = part_file.layout_of(path)
    try:
        facts = json.loads(part_file.behind(path, layout)[1]) if layout else {}
        return bool((facts["plan"], facts["part"]) == (plan, [row, column]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def folder_of(output: str) -> Path:
    """Return the folder of the parts of a result."""
    target = behind_links(output)
    return target.with_name(f"{target.name}.parts")


def sweep(folder: Path) -> None:
    """Remove what is left of removed folders of this name."""
    for path in folder.parent.glob(f".{_escaped(folder.name)}-*.gone"):
        shutil.rmtree(path, ignore_errors=True)


def planned(path: str, paths: PathMap = (), *, side: int = SIDE) -> Parts:
    """Return the parts of the run that a file of a job describes; plan it, if nobody has yet.

    Raises
    ------
    BandwiseError
        For a file that is no job, a job that cannot be run here, and a folder with parts of another one.
    """
    given = job_file.read_job_file(path)
    job = here(given.job, paths)
    folder = folder_of(job.output)
    if not (folder / PLAN).exists():
        run = parted(job, side=side)
        _check_inputs(given.inputs, run, paths)
        _freeze(folder, run)
    parts = opened(folder, paths)
    frozen = parts.run.plan.job
    if _comparable(frozen) != _comparable(job):
        text = translate(
            "Bandwise",
            "{folder} holds parts of another job for the same result; finish that one, or remove "
            "them with the command clean.",
        )
        raise OutputError(text.format(folder=str(folder)))
    return parts


def opened(folder: Path, paths: PathMap = ()) -> Parts:
    """Return the parts of a folder that was planned, on whichever machine.

    Raises
    ------
    BandwiseError
        For a plan that is damaged, of other versions, or whose inputs changed.
    """
    name = str(folder / PLAN)
    contents = job_file.read_json(name)
    given = job_file.parsed(name, contents)
    try:
        shape = WindowPlan(*_SHAPE.read(contents.get("windows"), "windows"))
        tiles = Tiling(*_TILING.read(contents.get("parts"), "parts"))
        if tiles.width % shape.width or tiles.height % shape.height:
            raise ValueError("parts are no whole windows")
    except ValueError as error:
        raise job_file.damaged(name, error) from error
    check_versions(contents.get("versions"), name)
    job = here(given.job, paths)
    if folder_of(job.output).resolve() != folder.resolve():
        text = translate(
            "Bandwise",
            "{folder} is not the folder of the parts of {output}; map the path of the result with --path-map.",
        )
        raise InputError(text.format(folder=str(folder), output=job.output))
    run = parted(job, shape=shape, tiles=tiles)
    _check_inputs(given.inputs, run, paths)
    return Parts(folder, run, identity(json.dumps(contents, sort_keys=True)))


def clean(path: str, paths: PathMap = ()) -> bool:
    """Remove the folder of a job's parts; return whether there was one."""
    folder = folder_of(here(job_file.read_job_file(path).job, paths).output)
    there = folder.is_dir()
    if there:
        gone = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}.gone")
        os.replace(folder, gone)
    sweep(folder)
    return there


def _freeze(folder: Path, run: PartedRun) -> None:
    """Write the plan, unless another machine is first."""
    contents = {
        **job_file.written(run.plan.job, job_file.input_states(run.states)),
        "versions": own_versions(),
        "windows": list(run.shape),
        "parts": list(run.tiling),
    }
    new = folder / f".{PLAN}.{uuid.uuid4().hex[:12]}"
    try:
        folder.mkdir(exist_ok=True)
        new.write_text(json.dumps(contents, ensure_ascii=False, indent=1), encoding="utf-8")
        try:
            os.link(new, folder / PLAN)
        except FileExistsError:
            return
        except OSError:  # a disk without links
            os.replace(new, folder / PLAN)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise _not_written(folder / PLAN, error) from error


def _check_inputs(inputs: tuple[job_file.InputState, ...], run: PartedRun, paths: PathMap) -> None:
    """Raise :class:`InputError` for an input that is not what it was when the job was written."""
    now = {each.path: each for each in job_file.input_states(run.states)}
    for wanted in inputs:
        path = here(wanted.path, paths)
        found = now.get(path)
        if found is None:
            text = translate(
                "Bandwise", "{file}, which the job reads, is not there; check the path of the job."
            )
            raise InputError(text.format(file=path))
        if (found.size, found.modified) != (wanted.size, wanted.modified):
            text = translate(
                "Bandwise",
                "{file} is not the file that the job was written for: {size} bytes and not {wanted}, "
                "or another time of change; write the job again, or use the same file.",
            )
            raise InputError(text.format(file=path, size=found.size, wanted=wanted.size))


def _comparable(job: Any) -> Any:
    return job_file.written(job._replace(notes=(), workers=0), ())["job"]


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _not_written(path: Path, error: OSError) -> OutputError:
    text = translate(
        "Bandwise",
        "{file} cannot be written ({reason}); check the folder of the result and its free space.",
    )
    return OutputError(text.format(file=str(path), reason=error.strerror or str(error)))
