# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line; exit codes are 0, 1 after one sentence, and 130 where it was interrupted."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ..engine.errors import BandwiseError, OptionError
from ..engine.grids.parts import SIDE
from ..engine.messages import translate
from . import folder, forecast
from .paths import PathMap, path_map
from .running import assembled, insisting, run_on
from .workers import security
from .workers.processes import Processes
from .workers.slots import Slots, Threads, serve

_SECONDS = 5.0  #: between lines of progress
_COPIERS = 4  #: threads that copy blocks
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit code."""
    options = _parser().parse_args(arguments)
    former = signal.signal(signal.SIGTERM, _interrupt)
    try:
        options.do(options)
    except BandwiseError as error:
        _say(str(error), sys.stderr)
        return 1
    except KeyboardInterrupt:
        _say(
            translate(
                "Bandwise", "Interrupted; what was computed is kept: the same command goes on."
            ).format(),
            sys.stderr,
        )
        return _INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, former)
    return 0


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _say(text: str, stream: Any = None) -> None:
    stream = stream or sys.stdout
    stream.write(f"{text}\n")
    stream.flush()


class Bar:
    """Progress: a bar on a terminal, else a line every few seconds."""

    def __init__(self, stream: Any = None) -> None:
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._last = 0.0

    def __call__(self, what: str, done: int, count: int) -> None:
        now = time.monotonic()
        if done < count and now - self._last < (0.1 if self._is_terminal else _SECONDS):
            return
        self._last = now
        if self._is_terminal:
            filled = 40 * done // max(1, count)
            end = "\n" if done == count else ""
            self._stream.write(f"\r{what:8}[{'#' * filled:40}] {done}/{count}{end}")
        else:
            self._stream.write(f"{what}: {done} of {count}\n")
        self._stream.flush()


def _plan(options: argparse.Namespace) -> None:
    parts = folder.planned(options.job, options.paths, side=options.side)
    _say(forecast.summary(parts))
    if options.forecast:
        measured = forecast.measured(parts, options.bandwidth)
        for count in options.forecast:
            _say(forecast.forecast(parts, measured, count))


def _run(options: argparse.Namespace) -> None:
    with _slots(options) as slots:
        if len(options.jobs) > 1:
            _run_batch(options, slots)
            return
        parts = folder.planned(options.jobs[0], options.paths, side=options.side)
        output = run_on(slots, parts, options.paths, Bar(), workers=_threads(options))
    _say(output)


def _run_batch(options: argparse.Namespace, slots: Slots) -> None:
    """Several jobs, each done by one worker as a whole."""
    paths = [list(pair) for pair in options.paths]
    requests = (
        {"task": "scene", "job": os.path.abspath(job), "paths": paths, "workers": _threads(options)}
        for job in options.jobs
    )
    bar = Bar()
    for done, (_, output) in enumerate(insisting(slots, requests), start=1):
        bar("scenes", done, len(options.jobs))
        _say(output)


def _part(options: argparse.Namespace) -> None:
    parts = folder.planned(options.job, options.paths, side=options.side)
    numbers = list(parts.run.parts())
    chosen = options.part or numbers
    if options.chunk:
        which, count = options.chunk
        chosen = numbers[which - 1 :: count]
    for number in chosen:
        if number not in set(numbers):
            rows, columns = parts.run.tiling.shape(parts.run.plan.grid)
            text = translate(
                "Bandwise",
                "There is no part {part}: rows are 0 to {row} and columns 0 to {column}.",
            )
            name = ",".join(map(str, number))
            raise OptionError(text.format(part=name, row=rows - 1, column=columns - 1))
        is_new = parts.compute(number[0], number[1], options.threads)
        _say(f"{number[0]},{number[1]} {'computed' if is_new else 'was there'}")


def _assemble(options: argparse.Namespace) -> None:
    parts = folder.planned(options.job, options.paths)
    common = {"folder": str(parts.folder), "paths": [list(pair) for pair in options.paths]}
    _say(assembled(parts, Bar(), Threads(_COPIERS), common, mend=False))


def _status(options: argparse.Namespace) -> None:
    parts = folder.planned(options.job, options.paths)
    numbers = list(parts.run.parts())
    there = parts.is_whole if options.verify else parts.is_there
    missing = [number for number in numbers if not there(*number)]
    text = translate("Bandwise", "{done} of {count} parts are there, {starts} were begun; {folder}")
    done, starts = len(numbers) - len(missing), parts.computed()
    _say(text.format(done=done, count=len(numbers), starts=starts, folder=str(parts.folder)))
    for row, column in missing:
        _say(f"{row},{column}")


def _clean(options: argparse.Namespace) -> None:
    removed = folder.clean(options.job, options.paths)
    text = translate("Bandwise", "The parts were removed.")
    if not removed:
        text = translate("Bandwise", "There are no parts of this job.")
    _say(text.format())


def _serve(options: argparse.Namespace) -> None:
    del options
    serve()


def _slots(options: argparse.Namespace) -> AbstractContextManager[Any]:
    if options.processes:
        return Processes(options.processes)
    if options.local or options.scheduler:
        from .workers.dask_slots import cluster  # noqa: PLC0415  dask is needed for this alone

        address = ""
        if options.scheduler:
            address = security.address_of(
                options.scheduler, insecure=options.insecure, keys=bool(options.tls)
            )
        found: AbstractContextManager[Any] = cluster(options.local, address, options.tls)
        return found
    return Processes(1)


def _threads(options: argparse.Namespace) -> int:
    """Return the threads of a worker: an equal share of this machine's cores for local ones."""
    if options.threads or options.scheduler:
        return int(options.threads)
    count = options.processes or options.local or 1
    return max(1, (os.cpu_count() or 1) // count)


def _number(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"a whole number from {least} on, not {text!r}")
        return int(text)

    return number


def _chunk(text: str) -> tuple[int, int]:
    which, _, count = text.partition("/")
    if not (which.isdigit() and count.isdigit() and 1 <= int(which) <= int(count)):
        raise argparse.ArgumentTypeError(f"K/N with K from 1 to N, such as 3/100, not {text!r}")
    return int(which), int(count)


def _row_column(text: str) -> tuple[int, int]:
    row, _, column = text.partition(",")
    if not (row.isascii() and row.isdigit() and column.isascii() and column.isdigit()):
        raise argparse.ArgumentTypeError(f"ROW,COLUMN, such as 0,3, not {text!r}")
    return int(row), int(column)


class _Maps(argparse.Action):
    def __call__(
        self, parser: Any, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        try:
            before: PathMap = getattr(namespace, self.dest)
            setattr(namespace, self.dest, (*before, *path_map([values])))
        except OptionError as error:
            parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bandwise.cluster", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    side: dict[str, Any] = {"type": _number(1), "default": SIDE, "metavar": "PIXELS"}

    def add(name: str, do: Callable[[argparse.Namespace], None], text: str) -> Any:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(do=do)
        command.add_argument(
            "--path-map", dest="paths", action=_Maps, default=(), metavar="THERE=HERE"
        )
        return command

    plan = add("plan", _plan, "divide a job into parts, and say how long it may take")
    run = add("run", _run, "compute the parts that are missing, and put them together")
    part = add("part", _part, "compute parts, as a task of a batch queue")
    assemble = add("assemble", _assemble, "put the parts together, once all are there")
    status = add("status", _status, "say which parts are missing")
    clean = add("clean", _clean, "remove the parts")
    for command in (plan, part, assemble, status, clean):
        command.add_argument("job", help="the file that JOB_FILE wrote")
    run.add_argument("jobs", nargs="+", metavar="job", help="one job, or a batch of several")
    for command in (plan, run, part):
        command.add_argument("--side", **side, help="of a part, about")
    plan.add_argument("--forecast", type=_number(1), nargs="+", metavar="WORKERS", default=[])
    plan.add_argument("--bandwidth", type=float, default=0.0, metavar="MB/S", help="of the disk")
    status.add_argument("--verify", action="store_true", help="look at every byte of the parts")
    where = run.add_mutually_exclusive_group()
    where.add_argument("--processes", type=_number(1), default=0, metavar="N", help="without dask")
    where.add_argument("--local", type=_number(1), default=0, metavar="N", help="dask, here")
    where.add_argument("--scheduler", default="", help="address or scheduler file of dask")
    run.add_argument("--insecure", action="store_true", help="allow tcp:// to other machines")
    run.add_argument("--tls", nargs=3, metavar=("CA", "CERT", "KEY"), help="files for tls://")
    for command in (run, part):
        command.add_argument("--threads", type=_number(0), default=0, help="of each worker")
    which = part.add_mutually_exclusive_group()
    which.add_argument("--chunk", type=_chunk, metavar="K/N", help="every N-th part, from K on")
    which.add_argument("--part", type=_row_column, action="append", metavar="ROW,COLUMN")
    commands.add_parser("serve").set_defaults(do=_serve)
    return parser
