# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run will do, decided before any pixel moves; every bad input is found here."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from . import __version__
from .compiler import BandValue, compile_formula
from .compute import Recipe
from .errors import GridError, OptionError, OutputError, SpaceError
from .geotiff import check_profile, free_bytes
from .grid import Grid
from .job import Job, Note
from .messages import join, translate
from .profile import creation_profile
from .radiometry import Radiometry, as_stored, resolve
from .rasters import BandFacts, describe, same_crs
from .statistics import Statistics
from .windows import Cost, WindowPlan, plan_windows

MEGABYTE = 10**6


@dataclass(frozen=True)
class Plan:
    """A checked job: facts of its bands, the result's grid, the recipe and the creation profile."""

    job: Job
    bands: tuple[BandFacts, ...]
    grid: Grid
    recipe: Recipe
    profile: dict[str, str]
    workers: int
    notes: tuple[Note, ...]

    @property
    def stored_bytes_per_pixel(self) -> int:
        return sum(band.dtype.itemsize for band in self.bands)

    def windows(self, result_block: tuple[int, int]) -> WindowPlan:
        """The windows for a result whose blocks are ``result_block`` (width, height)."""
        masks = sum(len(band.masks) for band in self.bands)
        result = 4 * len(self.job.formula.results)
        encoding = 0 if self.profile["COMPRESS"].upper() == "NONE" else 2 * result
        decoded = sum({band.path: band.decoded for band in self.bands}.values())
        cost = Cost(
            per_pixel=self.stored_bytes_per_pixel + masks + result + encoding,
            fixed=self.recipe.scratch_bytes + decoded,
            per_blocks=decoded + 2 * result_block[0] * result_block[1] * result,
        )
        return plan_windows(
            self.grid,
            result_block=result_block,
            source_blocks=[band.block for band in self.bands],
            cost=cost,
            workers=self.workers,
            memory=self.job.memory * MEGABYTE,
        )

    def tags(self) -> dict[str, str]:
        """What lets someone repeat the run, as tags of the result."""
        names = [band.name for band in self.job.bands]
        tags = {"TIFFTAG_SOFTWARE": f"Bandwise {__version__}", "BANDWISE_VERSION": __version__, "BANDWISE_EXPRESSION": self.job.formula.text}
        results = self.job.formula.results
        for number, (result, text) in enumerate(zip(results, self.job.formula.understood(names)), start=1):
            tags["BANDWISE_FORMULA" if len(results) == 1 else f"BANDWISE_FORMULA_{number}"] = f"{result.name} = {text}"
        for ref, radiometry in zip(self.job.bands, self.recipe.radiometries):
            tags[f"BANDWISE_INPUT_{ref.name.upper()}"] = json.dumps(
                {
                    "path": os.path.abspath(ref.path) if os.path.exists(ref.path) else ref.path,
                    "band": ref.number,
                    "scale": radiometry.scale,
                    "offset": radiometry.offset,
                    "scaling_source": str(radiometry.scaling_source),
                    "nodata": None if radiometry.nodata is None else float(radiometry.nodata),
                    "saturated": radiometry.saturated,
                    "nodata_source": str(radiometry.nodata_source),
                },
                ensure_ascii=False,
            )
        return tags

    def band_tags(self, statistics: Statistics) -> dict[str, str]:
        """GDAL's statistics of a result band, so that no reader has to compute them again."""
        total = statistics.valid + statistics.invalid
        tags = {
            "STATISTICS_VALID_PERCENT": f"{100 * statistics.valid / total:.4g}",
            "BANDWISE_VALID_PIXELS": str(statistics.valid),
            "BANDWISE_NODATA_PIXELS": str(statistics.invalid),
        }
        if statistics.valid:
            tags["STATISTICS_MINIMUM"] = repr(statistics.minimum)
            tags["STATISTICS_MAXIMUM"] = repr(statistics.maximum)
            tags["STATISTICS_MEAN"] = repr(statistics.mean)
            tags["STATISTICS_STDDEV"] = repr(statistics.standard_deviation)
        return tags


def prepare(job: Job) -> Plan:
    """Check ``job`` and decide everything that can be decided without reading pixels; nothing is written.

    Raises the fitting leaf of :class:`~engine.errors.BandwiseError`, one clear sentence, for what cannot be run.
    """
    if job.workers < 0 or job.memory < 1:
        raise OptionError(
            translate("Bandwise", "Workers must be 0 (all cores) or more and memory at least 1 MB, not {workers} and {memory}.").format(
                workers=job.workers, memory=job.memory
            )
        )
    job.radiometry.check()
    bands = tuple(describe(ref.path, ref.number) for ref in job.bands)
    grid = _common_grid(bands)
    radiometries = tuple(resolve(band.path, band.declared, job.radiometry) for band in bands)
    workers = job.workers or _cores()
    profile = creation_profile(job.creation_options)
    check_profile(profile)
    _check_output(job, bands)
    room = _check_space(job, grid, profile)
    values = [_band_value(band, radiometry) for band, radiometry in zip(bands, radiometries)]
    program, clean = (compile_formula(job.formula, some) for some in (values, [replace(value, gaps=False) for value in values]))
    recipe = Recipe(
        program=program,
        clean=clean if clean.dtype == program.dtype else program,
        ranges=tuple(result.valid_range for result in job.formula.results),
        radiometries=radiometries,
        dtypes=tuple(band.dtype for band in bands),
    )
    notes = (*job.notes, *_notes(job, bands, radiometries), *room)
    return Plan(job, bands, grid, recipe, profile, workers, notes)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _band_value(band: BandFacts, radiometry: Radiometry) -> BandValue:
    markers = (as_stored(value, band.dtype) for value in (radiometry.nodata, radiometry.saturated))
    gaps = bool(band.masks) or any(marker is not None for marker in markers)
    return BandValue(band.dtype, radiometry.scale, radiometry.offset, gaps)


def _common_grid(bands: tuple[BandFacts, ...]) -> Grid:
    first = bands[0]
    for band in bands[1:]:
        difference = first.grid.difference(band.grid, same_crs=same_crs(first.grid.crs, band.grid.crs))
        if difference:
            raise GridError(
                translate("Bandwise", "{first} and {other} do not share a grid: {difference}; warp one onto the other's grid first.").format(
                    first=first.path, other=band.path, difference=difference
                )
            )
    return first.grid


def _check_output(job: Job, bands: tuple[BandFacts, ...]) -> None:
    target = Path(job.output)
    folder = target.parent
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            target.lstat()
    except (OSError, ValueError) as error:  # too long a name, or one with a null character
        text = translate("Bandwise", "{file} cannot be the name of a file ({reason}); choose another.")
        raise OutputError(text.format(file=job.output[:100].replace("\0", ""), reason=getattr(error, "strerror", None) or error)) from error
    if any(_same_file(target, file) for file in {*job.listed, *(file for band in bands for file in band.files)}):
        raise OutputError(translate("Bandwise", "{file} is an input; the result needs a name of its own.").format(file=job.output))
    if target.suffix.lower() not in (".tif", ".tiff"):
        raise OutputError(translate("Bandwise", "The result is a GeoTIFF; give {file} a name that ends in .tif.").format(file=job.output))
    if not folder.is_dir():
        raise OutputError(translate("Bandwise", "The folder {folder} does not exist; create it or choose another.").format(folder=folder))
    if target.is_dir():
        raise OutputError(translate("Bandwise", "{file} is a folder; choose a file name for the result.").format(file=job.output))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(translate("Bandwise", "The folder {folder} cannot be written to; choose another.").format(folder=folder))


def _same_file(target: Path, other: str) -> bool:
    if target.exists() and os.path.exists(other):
        return os.path.samefile(target, other)
    return os.path.realpath(target) == os.path.realpath(other)


def _check_space(job: Job, grid: Grid, profile: dict[str, str]) -> tuple[Note, ...]:
    """Compressed indices measured half to three quarters of their size; below a half a run is hopeless."""
    size = grid.width * grid.height * 4 * len(job.formula.results)
    compressed = profile.get("COMPRESS", "NONE").upper() != "NONE"
    free = free_bytes(Path(job.output).parent)
    if free < (size // 2 if compressed else size):
        raise SpaceError(
            translate("Bandwise", "{file} needs about {size} MB and its disk has {free} MB free; make room or choose another folder.").format(
                file=job.output, size=max(1, (size // 2 if compressed else size) // MEGABYTE), free=free // MEGABYTE
            )
        )
    if free < size:
        text = translate("Bandwise", "The disk of {file} has {free} MB free and the result may need up to {size} MB.")
        return (Note(text.format(file=job.output, free=free // MEGABYTE, size=size // MEGABYTE), caution=True),)
    return ()


def _notes(job: Job, bands: tuple[BandFacts, ...], radiometries: tuple[Radiometry, ...]) -> list[Note]:
    """For each band what it is and how its stored values are read; cautions after it."""
    notes = []
    for ref, band, radiometry in zip(job.bands, bands, radiometries):
        clauses = [
            translate("Bandwise", "band {band} of {file}, {dtype}").format(band=ref.number, file=os.path.basename(ref.path), dtype=band.dtype.name),
            translate("Bandwise", "scale {scale:g}, offset {offset:g} ({source})").format(
                scale=radiometry.scale, offset=radiometry.offset, source=radiometry.scaling_source
            ),
            translate("Bandwise", "nodata {nodata} ({source})").format(
                nodata=translate("Bandwise", "none").format() if radiometry.nodata is None else f"{radiometry.nodata:g}",
                source=radiometry.nodata_source,
            ),
        ]
        if radiometry.saturated is not None:
            clauses.append(translate("Bandwise", "saturated {value:g}, taken as nodata").format(value=radiometry.saturated))
        if band.masks:
            clauses.append(translate("Bandwise", "pixels that the file masks are taken as nodata").format())
        notes.append(Note(translate("Bandwise", "{name}: {facts}").format(name=ref.name, facts=join(clauses))))
        if radiometry.caution:
            notes.append(Note(translate("Bandwise", "{name}: {caution}").format(name=ref.name, caution=radiometry.caution), caution=True))
    return notes
