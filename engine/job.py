# SPDX-License-Identifier: GPL-2.0-or-later
"""The values that go into a run and come out of it; paths, numbers and text only, so that a job can travel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .compute.operation import Operation
from .compute.statistics import Statistics
from .expression.formula import Formula
from .grids.layout import Layout
from .messages import Text
from .radiometry.masks import Area, MaskChoice
from .radiometry.scaling import RadiometryChoice
from .radiometry.storage import DataType


class Note(NamedTuple):
    """A line for the log; a ``warning`` is one that the user should not miss."""

    text: Text
    warning: bool = False


class BandRef(NamedTuple):
    """Band ``number`` (from 1) of the raster ``path``, called ``name`` in formulas and tags."""

    name: str
    path: str
    number: int = 1


class Job(NamedTuple):
    """A run: the results of ``formula`` computed from ``bands``, written to the GeoTIFF ``output``.

    ``creation_options`` is GDAL's ``NAME=VALUE|NAME=VALUE``; ``workers`` 0 stands for all cores;
    ``memory`` bounds buffers and GDAL's cache, in MB (10**6 bytes). ``notes`` are said at the start
    of the log. ``listed`` are rasters that the user named, used or not: the output may be none of
    them. ``layout`` chooses the grid; pixels that ``mask`` or ``area`` leave out are nodata.
    ``data_type`` and ``clamp``, the lowest and highest value, are the result's. ``overviews`` None
    stands for those of a raster with a side longer than 4096 pixels; ``cog`` lays the file out for
    the cloud. An ``operation`` is computed instead of the formula, which then only names the results.
    """

    bands: tuple[BandRef, ...]
    formula: Formula
    output: str
    radiometry: RadiometryChoice = RadiometryChoice()
    creation_options: str = ""
    workers: int = 0
    memory: int = 512
    notes: tuple[Note, ...] = ()
    listed: tuple[str, ...] = ()
    layout: Layout = Layout()
    mask: MaskChoice | None = None
    area: Area | None = None
    data_type: DataType = DataType.FLOAT32
    clamp: tuple[float | None, float | None] = (None, None)
    overviews: bool | None = None
    cog: bool = False
    operation: Operation | None = None


@dataclass(frozen=True)
class RunOptions:
    """What a user chooses beside bands and formula; see :class:`Job` for the fields."""

    radiometry: RadiometryChoice = field(default_factory=RadiometryChoice)
    creation_options: str = ""
    workers: int = 0
    memory: int = 512
    layout: Layout = field(default_factory=Layout)
    mask: MaskChoice | None = None
    area: Area | None = None
    data_type: DataType = DataType.FLOAT32
    clamp: tuple[float | None, float | None] = (None, None)
    overviews: bool | None = None
    cog: bool = False

    def job(self, bands: tuple[BandRef, ...], formula: Formula, output: str, **more: Any) -> Job:
        """Return the job of a formula over bands with these options; ``more`` are its other fields."""
        return Job(bands, formula, output, **vars(self), **more)


class Report(NamedTuple):
    """What a run did. ``statistics`` has one entry a result band; ``seconds`` is wall time.

    ``estimate`` is what was known before it, and which of GDAL's drivers read each file, as JSON.
    ``handles`` is how many datasets were opened for reading;
    ``thread_safe`` whether threads shared them.
    """

    output: str
    statistics: tuple[Statistics, ...]
    windows: int
    window_size: tuple[int, int]
    workers: int
    seconds: float
    handles: int
    thread_safe: bool
    estimate: str = ""
