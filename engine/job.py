# SPDX-License-Identifier: GPL-2.0-or-later
"""The input and output values of a run: paths, numbers and text only, so that a job can be pickled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .compute.composite.statistic import Reduction
from .compute.operation import Operation
from .compute.statistics import Statistics
from .expression.formula import Formula
from .grids.layout import Layout
from .messages import Text
from .radiometry.formats.metadata_file import ProductFacts
from .radiometry.masks import Area, MaskChoice
from .radiometry.scaling import RadiometryChoice
from .radiometry.storage import DataType


class Note(NamedTuple):
    """A line for the log; a ``warning`` is shown more clearly."""

    text: Text
    warning: bool = False


class BandRef(NamedTuple):
    """Band ``number`` (from 1) of the raster ``path``, called ``name`` in formulas and tags.

    ``facts`` are scale, offset and nodata where a scene tells them, and nothing beside the file does.
    ``radiometry`` is how its stored values are read; None: as the job says. A band that is read in
    two ways, as a stored value and as reflectance, is two of these.
    """

    name: str
    path: str
    number: int = 1
    facts: ProductFacts | None = None
    radiometry: RadiometryChoice | None = None


class CompositeScene(NamedTuple):
    """A scene of a composite: an index as a ``formula`` over the bands at the positions ``bands`` of a
    job, whose roles are ``roles``.

    ``date`` is ISO, and empty if it is not known. Pixels that ``mask`` leaves out do not count.
    """

    name: str
    sensor: str
    date: str
    formula: Formula
    bands: tuple[int, ...]
    roles: tuple[str, ...]
    mask: MaskChoice | None = None


class Composite(NamedTuple):
    """Statistics of each pixel over ``scenes``, in the order of their dates."""

    scenes: tuple[CompositeScene, ...]
    reduction: Reduction


class Job(NamedTuple):
    """A run: the results of ``formula`` computed from ``bands``, written to the GeoTIFF ``output``.

    Attributes
    ----------
    radiometry
        How stored values are read.
    creation_options
        Options of GDAL as ``NAME=VALUE|NAME=VALUE``.
    workers
        Number of threads; 0 for all cores.
    memory
        Upper bound for buffers and GDAL's cache, in MB (10**6 bytes).
    notes
        Lines for the start of the log.
    listed
        Rasters that the user named, used or not; the output may be none of them.
    layout
        Choice of the grid.
    mask, area
        Pixels that these leave out are nodata.
    data_type, clamp
        Type of the result, and its lowest and highest value.
    overviews
        Whether to build them; None: if a side is longer than 4096 pixels.
    cog
        Whether the file is a Cloud Optimized GeoTIFF.
    operation
        Computed instead of the formula, which then only names the results.
    composite
        Computed instead of the formula, which is then that of the first scene for each statistic.
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
    composite: Composite | None = None


@dataclass(frozen=True)
class RunOptions:
    """The user's choices besides bands and formula; see :class:`Job` for the fields."""

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
    """The report of a run: ``statistics`` of each result band, ``seconds`` of wall time.

    ``estimate`` is what was known before it, and which of GDAL's drivers read each file, as JSON.
    ``ranges`` are the 2nd and 98th percentile of each result band, of sampled pixels.
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
    ranges: tuple[tuple[float, float], ...] = ()
