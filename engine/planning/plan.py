# SPDX-License-Identifier: GPL-2.0-or-later
"""Check a job and decide everything before pixels are read; every bad input is found here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..compute.kernel import KernelSpec
from ..errors import OptionError
from ..expression.typed_nodata import typed_nodata
from ..files.output_checks import check_output
from ..grids.grid import Grid
from ..grids.layout import GridRule
from ..job import Job, Note
from ..messages import translate
from ..radiometry.band_names import BandName
from ..radiometry.nodata import as_stored
from ..radiometry.products import Products
from ..radiometry.scaling import Radiometry, resolve
from ..radiometry.storage import Storage, storage_of
from ..reading.bands import BandFacts, Describe, describe
from ..reading.inputs import Input, ReadPlan, input_on, read_plan
from ..reading.polygon_mask import PolygonMask
from ..writing.creation import check_profile, cog_profile, creation_profile
from ..writing.sink import SINKS
from .checks import check_space, job_warnings, role_warnings, typed_nodata_notes, unused_scaling
from .log import area_note, input_notes
from .operations.composite import CompositePlan, composite_plan, scene_mask_notes, statistics_kernel
from .operations.formula import operation_of
from .resources import resources_named
from .target_grid import Raster, check_georeference, result_grid
from .user_mask import UserMask, mask_band, mask_note, user_mask

_LARGE = 4096  #: pixels of a side; larger rasters get overviews, else they are drawn slowly
_LARGE_FOR_COG = 512  #: the same for a COG


@dataclass(frozen=True)
class Plan:
    """A checked job. It can be pickled, so that it can be run elsewhere.

    Attributes
    ----------
    read
        The bands that are read, and how they are brought to ``grid``.
    radiometries, names
        For each band of the formula how its stored values are read, and which band of a sensor it is.
    kernel
        The parameters of computing, and the type of the result.
    mask, area
        Pixels that the user leaves out.
    profile
        GDAL's creation options.
    workers
        The largest number of threads.
    notes
        Lines for the log before the run.
    composite
        The scenes of a composite, which are computed one by one.
    """

    job: Job
    grid: Grid
    read: ReadPlan
    radiometries: tuple[Radiometry, ...]
    names: tuple[BandName | None, ...]
    kernel: KernelSpec
    mask: UserMask | None
    area: PolygonMask | None
    profile: dict[str, str]
    overviews: bool
    workers: int
    notes: tuple[Note, ...]
    composite: CompositePlan | None = None

    @property
    def reads(self) -> tuple[ReadPlan, ...]:
        """What is read of a window in turn: each scene of a composite, then the mask; else all at once."""
        if not self.composite:
            return (self.read,)
        mask = [read_plan((), (), self.mask.input)] if self.mask else []
        return (*(scene.read for scene in self.composite.scenes), *mask)

    @property
    def all_inputs(self) -> tuple[Input, ...]:
        """The bands and masks that are read."""
        return tuple(each for read in self.reads for each in read.all_inputs)

    @property
    def stored_bytes_per_pixel(self) -> int:
        """Number of bytes that are read for a pixel of the result."""
        return sum(band_input.dtype.itemsize for band_input in self.all_inputs)


class View(NamedTuple):
    """Rasters as ``describe`` tells of them, and the ``grid`` of a result of these: those of a preview."""

    grid: Grid
    describe: Describe


@resources_named()
def prepare(job: Job, view: View | None = None) -> Plan:
    """Check ``job`` and decide everything that can be decided without reading pixels; nothing is written.

    Rasters are taken as they are without a ``view``.

    Raises
    ------
    BandwiseError
        The fitting subclass, with one clear sentence, if the job cannot be run.
    """
    _check_numbers(job)
    storage = storage_of(job.data_type, *job.clamp)
    described = view.describe if view else describe
    bands = tuple(described(ref.path, ref.number) for ref in job.bands)
    mask_facts = mask_band(job.mask, described) if job.mask else None
    reference = reference_of(job)
    grid = view.grid if view else grid_of(job, bands, reference)
    radiometries, names = _products(job, bands)
    operation = job.operation
    halo = operation.halo if operation else 0
    inputs = _inputs(job, bands, radiometries, grid, halo)
    mask = _mask(job, bands[0], mask_facts, grid)
    area = PolygonMask(job.area, grid) if job.area else None
    profile = _profile(job, storage)
    others = [facts for facts in (mask_facts, reference) if facts is not None]
    check_output(job.output, _input_names(job, (*bands, *others)), profile, SINKS)
    overviews = _has_overviews(job, grid)
    space_notes = check_space(job, _size(job, grid, storage, overviews=overviews), profile)
    typed = typed_nodata(job.formula, storage.nodata)
    composite = None
    if job.composite:
        composite = composite_plan(job.composite, inputs, radiometries, grid, storage)
    elif operation is None:
        operation = operation_of(typed.formula, inputs, radiometries, storage)
    used = operation.bands if operation else ()
    read = read_plan(inputs, used, mask.input if mask else None, halo)
    ranges = tuple(result.valid_range for result in job.formula.results)
    kernel = (
        KernelSpec(operation, ranges, read.stacks, storage)
        if operation
        else statistics_kernel(job.formula, storage)
    )
    notes = (
        *unused_scaling(job, inputs, radiometries),
        *role_warnings(job, inputs, names),
        *job.notes,
        *input_notes(job, inputs, radiometries, grid),
        *([mask_note(mask, grid)] if mask else []),
        *(scene_mask_notes(composite, grid) if composite else []),
        *([area_note(job.area)] if job.area else []),
        *typed_nodata_notes(typed.values),
        *job_warnings(job, inputs, radiometries),
        *space_notes,
    )
    return Plan(
        job=job,
        grid=grid,
        read=read,
        radiometries=radiometries,
        names=names,
        kernel=kernel,
        mask=mask,
        area=area,
        profile=profile,
        overviews=overviews,
        workers=job.workers or _cores(),
        notes=notes,
        composite=composite,
    )


def _check_numbers(job: Job) -> None:
    """Raise :class:`OptionError` for numbers out of range."""
    if job.workers < 0 or job.memory < 1:
        text = translate(
            "Bandwise",
            "Workers must be 0 (all cores) or more and memory at least 1 MB, not {workers} and {memory}.",
        )
        raise OptionError(text.format(workers=job.workers, memory=job.memory))
    job.radiometry.check()


def reference_of(job: Job) -> BandFacts | None:
    """Return the reference raster, if the result gets its grid."""
    if job.layout.rule is GridRule.REFERENCE and job.layout.reference:
        return describe(job.layout.reference, 1)
    return None


def grid_of(job: Job, bands: Sequence[BandFacts], reference: BandFacts | None) -> Grid:
    """Return the grid of the result. Raises :class:`GridError`, or :class:`OptionError`."""
    rasters = [Raster(band.path, band.grid) for band in bands]
    model = Raster(job.layout.reference, reference.grid) if reference else None
    return result_grid(rasters, job.layout, model)


def _products(
    job: Job, bands: Sequence[BandFacts]
) -> tuple[tuple[Radiometry, ...], tuple[BandName | None, ...]]:
    """Return for each band how its stored values are read, and which band of a sensor it is."""
    products = Products({(ref.path, ref.number): ref.facts for ref in job.bands if ref.facts})
    radiometries = tuple(
        resolve(
            *(band.path, band.declared, ref.radiometry or job.radiometry),
            band=band.number,
            products=products,
        )
        for ref, band in zip(job.bands, bands)
    )
    names = tuple(
        products.band_name(band.path, band.number, band.declared.description, band.declared.name)
        for band in bands
    )
    return radiometries, names


def _inputs(
    job: Job,
    bands: Sequence[BandFacts],
    radiometries: Sequence[Radiometry],
    grid: Grid,
    halo: int,
) -> list[Input]:
    """Return each band on the grid of the result."""
    return [
        input_on(
            grid,
            band,
            job.layout.resampling,
            nodata=as_stored(radiometry.nodata, band.dtype),
            saturated=as_stored(radiometry.saturated, band.dtype),
            halo=halo,
        )
        for band, radiometry in zip(bands, radiometries)
    ]


def _mask(job: Job, first: BandFacts, facts: BandFacts | None, grid: Grid) -> UserMask | None:
    if job.mask is None or facts is None:
        return None
    check_georeference(Raster(first.path, grid), Raster(facts.path, facts.grid))
    return user_mask(job.mask, facts, grid)


def _profile(job: Job, storage: Storage) -> dict[str, str]:
    """Return GDAL's creation options, which GDAL has checked."""
    profile = creation_profile(job.creation_options, storage.dtype)
    if job.cog:
        profile = cog_profile(profile)
    check_profile(profile, storage)
    return profile


def _has_overviews(job: Job, grid: Grid) -> bool:
    if job.overviews is not None:
        return job.overviews
    return max(grid.width, grid.height) > (_LARGE_FOR_COG if job.cog else _LARGE)


def _size(job: Job, grid: Grid, storage: Storage, *, overviews: bool) -> int:
    """Return the bytes on disk while the result is written, before compression."""
    pixels = grid.width * grid.height * storage.dtype.itemsize * len(job.formula.results)
    return int(pixels * (4 / 3 if overviews else 1) * (2 if job.cog else 1))


def _cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _input_names(job: Job, bands: Iterable[BandFacts]) -> list[str]:
    """Return the rasters that the user named, used or not, and the files of those that are read."""
    return [
        *job.listed,
        *filter(None, [job.layout.reference]),
        *(file for band in bands for file in band.files),
    ]
