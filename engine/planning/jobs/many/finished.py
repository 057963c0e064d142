# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a result is there already: the same job, as its tags tell, and a complete file."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable
from pathlib import Path

from ....backend.api import Dataset
from ....compute.statistics import Statistics
from ....errors import BandwiseError, MetadataError, OutputError
from ....files.changes import states_of
from ....files.disk import behind_links
from ....files.locations import is_remote
from ....job import BandRef, Job
from ....messages import Field, translate
from ....radiometry.products import Products
from ....radiometry.sensors import modis
from ....reading.opening import facts_of
from ....writing.creation import is_sparse, parse_creation_options
from ....writing.tiff import is_complete, memory_mapped

_TAG = "BANDWISE_JOB"
_TYPES = ("uint16", "int16", "uint8")  #: of stored values, as agencies deliver them


def with_digest(job: Job, **tags: str) -> Job:
    """Return a job whose result tells by a tag of its bands which job it is of, and further ``tags``."""
    more = (*((name, value) for name, value in tags.items() if value), (_TAG, digest(job)))
    results = (result._replace(tags=(*result.tags, *more)) for result in job.formula.results)
    return job._replace(formula=job.formula._replace(results=tuple(results)))


def digest(job: Job) -> str:
    """Return a digest of all that decides on the pixels and the layout of a result.

    Inputs count by name, size, time of change and scaling in their product's metadata, not by folder,
    so that a folder can be moved; output, threads and memory do not count.
    """
    mask, layout, products = job.mask, job.layout, Products()
    files = [band.path for band in job.bands]
    files += [path for path in (mask.path if mask else "", layout.reference) if path]
    facts = (
        job.formula.text,
        [(result.name, result.valid_range, result.tags) for result in job.formula.results],
        [(band.name, band.number, _scaling(band, products)) for band in job.bands],
        (job.radiometry, sorted(parse_creation_options(job.creation_options).items())),
        (mask and mask._replace(path=""), layout._replace(reference=""), job.area),
        (job.data_type, job.clamp, job.overviews, job.cog),
        _states(files),
    )
    return hashlib.sha256(repr(facts).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _scaling(band: BandRef, products: Products) -> object:
    """Return what the product's metadata say of a band: they may come, or be corrected, after a run."""
    try:
        found = (products.facts(band.path, dtype, band=band.number) for dtype in _TYPES)
        facts = band.facts or next(filter(None, found), None)
    except MetadataError as error:
        return str(error)
    return facts and (facts.scale, facts.offset, facts.nodata, facts.saturated, facts.missing)


def _states(paths: Iterable[str]) -> list[tuple[str, int, int | str]]:
    """Return name, size and time of change of files; a server is not asked."""
    states = []
    for path in paths:
        file = modis.subdataset_file(path) or path
        found = {} if is_remote(file) else states_of([file])
        size, modified = found[file][:2] if file in found else (0, 0)
        states.append((os.path.basename(path), size, modified))
    return states


def finished(job: Job) -> tuple[Statistics, ...] | None:
    """Return the statistics of each band of the result of a job that :func:`with_digest` made.

    Returns
    -------
    tuple of Statistics or None
        None where there is no such result, or one that is damaged or of another job, which a run
        replaces.

    Raises
    ------
    OutputError
        For a file that no such job wrote: it is not replaced.
    """
    path = behind_links(job.output)
    if not os.path.lexists(path):
        return None
    try:
        with facts_of(str(path)) as dataset:
            tag = dataset.band_tags(1).get(_TAG, "")
            statistics = _statistics_of(dataset)
    except BandwiseError:
        tag, statistics = "", None
    if not tag:
        text = translate(
            "Bandwise",
            "{file} exists and is no complete result of this algorithm; move or remove it, or choose "
            "another folder or {pattern}.",
        )
        raise OutputError(text.format(file=job.output, pattern=Field.NAME_PATTERN))
    wanted = dict(job.formula.results[0].tags)[_TAG]
    sparse = is_sparse(parse_creation_options(job.creation_options))
    return statistics if tag == wanted and _is_whole(path, sparse=sparse) else None


def _is_whole(path: Path, *, sparse: bool) -> bool:
    """Return whether all blocks lie within the file: a copy may have ended early."""
    try:
        with memory_mapped(path) as data:
            return is_complete(data, sparse=sparse)
    except (OSError, ValueError):
        return False


def _statistics_of(dataset: Dataset) -> tuple[Statistics, ...] | None:
    try:
        return tuple(_statistics(dataset, band + 1) for band in range(len(dataset.dtypes)))
    except (KeyError, ValueError):  # another program took tags away
        return None


def _statistics(dataset: Dataset, band: int) -> Statistics:
    """Return the statistics of a result's band by its tags, in units of the values that are stored."""
    tags = dataset.band_tags(band)
    scale, offset = dataset.scaling(band)
    valid, invalid = (int(tags[f"BANDWISE_{name}_PIXELS"]) for name in ("VALID", "NODATA"))
    if not valid:
        return Statistics(nodata=invalid)
    minimum, maximum, mean, deviation = (
        float(tags.get(f"STATISTICS_{name}", math.nan))
        for name in ("MINIMUM", "MAXIMUM", "MEAN", "STDDEV")
    )
    return Statistics(
        valid=valid,
        nodata=invalid,
        minimum=minimum * scale + offset,
        maximum=maximum * scale + offset,
        mean=mean * scale + offset,
        squares=(deviation * scale) ** 2 * valid,
    )
