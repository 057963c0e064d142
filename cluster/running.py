# SPDX-License-Identifier: GPL-2.0-or-later
"""A run on workers: checks, parts, copies, and the one file."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from ..engine.errors import BandwiseError, InputError, OutputError
from ..engine.execution.parts import assemble
from ..engine.messages import translate
from ..engine.planning.tags import result_spec
from ..engine.writing.parts import part_file
from ..engine.writing.parts.assembly import AssembledGeoTiff, PlacedPart
from .folder import Parts
from .paths import PathMap
from .versions import check_versions
from .workers.slots import Slots

#: Called with a line or a fraction of what is done, such as ("parts", 3, 64).
Progress = Callable[[str, int, int], None]
_TRIES = 4  #: of a request that fails, as a disk may be full on one machine alone


class RunError(BandwiseError):
    """Work that failed on a worker, with the worker's sentence."""


def run_on(
    slots: Slots,
    parts: Parts,
    paths: PathMap,
    progress: Progress,
    *,
    workers: int = 0,
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """Compute the parts that are missing, put them together, and return the name of the result.

    Raises
    ------
    BandwiseError
        If it cannot be done; what was computed stays for the next run.
    """
    check_workers(slots, parts, paths)
    common = {"folder": str(parts.folder), "paths": [list(pair) for pair in paths]}
    compute_all(slots, parts.run.parts(), common, progress, workers, _count(parts))
    return assembled(parts, progress, slots, common, cancelled)


def compute_all(
    slots: Slots,
    numbers: Iterable[tuple[int, int]],
    common: dict[str, Any],
    progress: Progress,
    workers: int,
    count: int,
) -> int:
    """Have parts computed, those that are there whole by nobody; return how many were."""
    requests = (
        {"task": "compute", "part": list(number), "workers": workers, **common}
        for number in numbers
    )
    computed = 0
    for done, (_, result) in enumerate(insisting(slots, requests), start=1):
        computed += bool(result)
        progress("parts", done, count)
    return computed


def assembled(
    parts: Parts,
    progress: Progress,
    slots: Slots,
    common: dict[str, Any],
    cancelled: Callable[[], bool] = lambda: False,
    *,
    mend: bool = True,
) -> str:
    """Make the result of its parts, remove these, and return its name.

    With ``mend`` a part that is damaged is computed again.

    Raises
    ------
    OutputError
        For missing parts, and damaged ones.
    """
    placed: dict[tuple[int, int], PlacedPart] = {}
    missing: list[tuple[int, int]] = []
    with AssembledGeoTiff(result_spec(parts.run.plan)) as sink:
        for number in parts.run.parts():
            layout = part_file.layout_of(parts.path(*number))
            if layout is None:
                missing.append(number)
            elif not missing:
                placed[number] = sink.room(parts.run.window(*number), parts.path(*number), layout)
        if missing:
            raise missing_error(missing, _count(parts))
        damaged = _copied(parts, sink, placed, slots, common, progress)
        if damaged and mend:
            compute_all(slots, damaged, common, progress, 0, len(damaged))
            for number in damaged:
                if (layout := part_file.layout_of(parts.path(*number))) is not None:
                    path = parts.path(*number)
                    placed[number] = sink.room(parts.run.window(*number), path, layout)
            again = {number: placed[number] for number in damaged}
            damaged = _copied(parts, sink, again, slots, common, progress)
        if damaged:
            raise damaged_error(damaged)
        output, _ = assemble(parts.run, sink, list(placed.values()), cancelled)
    parts.remove()
    return output


def _copied(
    parts: Parts,
    sink: AssembledGeoTiff,
    placed: dict[tuple[int, int], PlacedPart],
    slots: Slots,
    common: dict[str, Any],
    progress: Progress,
) -> list[tuple[int, int]]:
    """Have the blocks of parts copied; return those whose file is not whole."""
    levels = parts.run.tiling.levels
    damaged: list[tuple[int, int]] = []

    def requests() -> Iterator[dict[str, Any]]:
        for number, part in placed.items():
            try:
                segments = [list(segment) for segment in sink.segments(part, levels)]
            except (ValueError, OSError):
                damaged.append(number)
                continue
            target = str(sink.temporary)
            yield {
                "task": "copy",
                "part": list(number),
                "plan": parts.name,
                "target": target,
                "segments": segments,
                **common,
            }

    for done, (request, whole) in enumerate(insisting(slots, requests()), start=1):
        if not whole:
            damaged.append((request["part"][0], request["part"][1]))
        progress("copied", done, len(placed))
    return damaged


def insisting(
    slots: Slots, requests: Iterable[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield requests with what came of them; one that fails is tried again, on whichever worker.

    Raises
    ------
    RunError
        With the sentence of the last try.
    """
    tries = 0
    while True:
        failed = []
        sentence = ""
        for request, answer in slots.answers(requests):
            if "error" in answer:
                failed.append(request)
                sentence = f"{answer['error']} ({answer['on']})"
                if tries + 1 == _TRIES or len(failed) > _TRIES * slots.count:
                    raise RunError(sentence)
            else:
                yield request, answer["done"]
        if not failed:
            return
        requests, tries = failed, tries + 1


def check_workers(slots: Slots, parts: Parts, paths: PathMap) -> None:
    """Check that all workers have the same versions, inputs and folder as this process.

    Raises
    ------
    InputError
        With the name of the worker that has not.
    """
    common = {"folder": str(parts.folder), "paths": [list(pair) for pair in paths]}
    token_file = parts.folder / f".token-{uuid.uuid4().hex[:12]}"
    written = uuid.uuid4().hex
    try:
        token_file.write_text(written, "ascii")
        request = {"task": "facts", "file": token_file.name, **common}
        answers = slots.everywhere(request)
    except OSError as error:
        text = translate("Bandwise", "{file} cannot be written ({reason}); check the folder.")
        reason = error.strerror or str(error)
        raise OutputError(text.format(file=str(token_file), reason=reason)) from error
    finally:
        with suppress(OSError):
            token_file.unlink(missing_ok=True)
    for name, answer in answers.items():
        facts = _of(answer, name)
        check_versions(facts["versions"], name)
        if facts["read"] != written:
            text = translate(
                "Bandwise",
                "{worker} does not see the folder {folder} of this machine; share it, and map its "
                "path with --path-map.",
            )
            raise InputError(text.format(worker=name, folder=str(parts.folder)))
    for name, answer in slots.everywhere({"task": "inputs", **common}).items():
        _of(answer, name)


def _of(answer: dict[str, Any], name: str) -> Any:
    if "error" in answer:
        text = translate("Bandwise", "{worker}: {sentence}")
        raise InputError(text.format(worker=name, sentence=answer["error"]))
    return answer["done"]


def missing_error(missing: list[tuple[int, int]], count: int) -> OutputError:
    """Return the error for parts that nobody computed."""
    names = ", ".join(f"{row},{column}" for row, column in missing[:20])
    text = translate(
        "Bandwise",
        "{missing} of {count} parts are missing (row,column): {names}; compute them with the "
        "command part or run, then go on.",
    )
    names += ", ..." if len(missing) > 20 else ""
    return OutputError(text.format(missing=len(missing), count=count, names=names))


def damaged_error(damaged: list[tuple[int, int]]) -> OutputError:
    """Return the error for parts whose files are cut off or changed."""
    names = ", ".join(f"{row},{column}" for row, column in damaged[:20])
    text = translate(
        "Bandwise",
        "The files of {count} parts are damaged (row,column): {names}; compute them again with the "
        "command part or run, then go on.",
    )
    return OutputError(text.format(count=len(damaged), names=names))


def _count(parts: Parts) -> int:
    rows, columns = parts.run.tiling.shape(parts.run.plan.grid)
    return rows * columns
