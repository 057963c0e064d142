# SPDX-License-Identifier: GPL-2.0-or-later
"""Log messages of a run."""

from __future__ import annotations

from collections.abc import Sequence

from ..backend.captured import GdalMessages
from ..backend.choice import library_versions, why_not_rasterio
from ..credentials import file_name
from ..expression.typed_nodata import typed_nodata
from ..grids.grid import Grid
from ..grids.layout import Resampling
from ..grids.windows import WindowPlan
from ..job import Job, Note, Report
from ..messages import Field, Template, Text, join, translate
from ..radiometry.masks import Area
from ..radiometry.scaling import Radiometry
from ..radiometry.storage import storage_of
from ..reading.inputs import Input

MEGABYTE = 10**6


def input_notes(
    job: Job, inputs: Sequence[Input], radiometries: Sequence[Radiometry], grid: Grid
) -> list[Note]:
    """Return lines on each band: file, scaling, nodata and resampling, and its warnings."""
    notes = []
    for ref, band_input, radiometry in zip(job.bands, inputs, radiometries):
        clauses = [
            translate("Bandwise", "band {band} of {file}, {dtype}").format(
                band=ref.number, file=file_name(ref.path), dtype=band_input.band.dtype.name
            ),
            translate("Bandwise", "scale {scale:g}, offset {offset:g} ({source})").format(
                scale=radiometry.scale, offset=radiometry.offset, source=radiometry.scaling_source
            ),
            translate("Bandwise", "nodata {nodata} ({source})").format(
                nodata=translate("Bandwise", "none").format()
                if radiometry.nodata is None
                else f"{radiometry.nodata:g}",
                source=radiometry.nodata_source,
            ),
        ]
        if radiometry.nodata is not None and band_input.nodata is None:
            text = translate(
                "Bandwise", "no pixel of {dtype} can have that value, so it marks none"
            )
            clauses.append(text.format(dtype=band_input.band.dtype.name))
        if radiometry.saturated is not None:
            clauses.append(
                translate("Bandwise", "saturated {value:g}, taken as nodata").format(
                    value=radiometry.saturated
                )
            )
        if band_input.band.masks:
            clauses.append(
                translate("Bandwise", "pixels that the file masks are taken as nodata").format()
            )
        clauses.append(placement(band_input, grid))
        notes.append(
            Note(
                translate("Bandwise", "{name}: {facts}").format(name=ref.name, facts=join(clauses))
            )
        )
        if radiometry.warning:
            notes.append(
                Note(
                    translate("Bandwise", "{name}: {warning}").format(
                        name=ref.name, warning=radiometry.warning
                    ),
                    warning=True,
                )
            )
    if grid.georeference is not None:
        text = translate(
            "Bandwise", "No input has a geotransform: the result gets their {georeference}"
        )
        notes.append(Note(text.format(georeference=grid.georeference.summary())))
    return notes


def area_note(area: Area) -> Note:
    """Return the line on the area of interest."""
    text = translate(
        "Bandwise",
        "Area of interest: {count} polygons; pixels whose centre lies in none are nodata",
    )
    return Note(text.format(count=len(area.polygons)))


def placement(band_input: Input, grid: Grid) -> Text:
    """Describe how a band is brought to the result's grid."""
    if band_input.warp is None:
        if band_input.shift == (0, 0) and band_input.covered:
            return translate("Bandwise", "on the result's grid already").format()
        return translate(
            "Bandwise", "on the result's grid already, from column {column}, row {row}"
        ).format(column=band_input.shift[0], row=band_input.shift[1])
    return translate("Bandwise", "resampled ({method}) from {source} to {target}").format(
        method=METHODS[band_input.warp.resampling],
        source=band_input.band.grid.summary(),
        target=grid.summary(),
    )


METHODS = {
    Resampling.NEAREST: translate("Bandwise", "nearest").format(),
    Resampling.BILINEAR: translate("Bandwise", "bilinear").format(),
    Resampling.CUBIC: translate("Bandwise", "cubic").format(),
    Resampling.AVERAGE: translate("Bandwise", "average").format(),
    Resampling.CUBIC_SPLINE: translate("Bandwise", "cubic spline").format(),
    Resampling.LANCZOS: translate("Bandwise", "Lanczos").format(),
}


def message_notes(messages: GdalMessages, *, last: bool = False) -> list[Note]:
    """Return GDAL's warnings since the last call; in the ``last`` call of a run also how many are not shown."""
    notes = [
        Note(translate("Bandwise", "GDAL warns: {message}").format(message=words), warning=True)
        for words in messages.news()
    ]
    if last and messages.more:
        notes.append(
            Note(
                translate(
                    "Bandwise", "GDAL gave {count} more warnings, which are not shown"
                ).format(count=messages.more),
                warning=True,
            )
        )
    return notes


def _counted(count: int, singular: Template, plural: Template) -> Text:
    return (singular if count == 1 else plural).format(count=count)


def library_notes() -> list[Note]:
    """Return which raster library does the work; and where it is not rasterio why, in a line of its own."""
    text = translate("Bandwise", "Rasters are read and written by {library}")
    notes = [Note(text.format(library=library_versions()))]
    reason = why_not_rasterio()
    return notes if reason is None else [*notes, Note(reason)]


def shape_notes(job: Job, grid: Grid, shape: WindowPlan, arithmetic: str) -> list[Note]:
    """Return lines on windows, workers and memory."""
    notes = [
        Note(
            translate(
                "Bandwise",
                "{width} x {height} pixels in {windows} of {window_width} x {window_height}; {workers}; at most "
                "{memory} MB for buffers and cache; {dtype} arithmetic",
            ).format(
                width=grid.width,
                height=grid.height,
                windows=_counted(
                    shape.count(grid),
                    translate("Bandwise", "1 window"),
                    translate("Bandwise", "{count} windows"),
                ),
                window_width=shape.width,
                window_height=shape.height,
                workers=_counted(
                    shape.workers,
                    translate("Bandwise", "1 worker"),
                    translate("Bandwise", "{count} workers"),
                ),
                memory=-(-shape.memory // MEGABYTE),
                dtype=arithmetic,
            )
        )
    ]
    if shape.memory > job.memory * MEGABYTE:
        notes.append(
            Note(
                translate(
                    "Bandwise",
                    "The smallest windows need {needed} MB, more than the {memory} MB allowed.",
                ).format(needed=-(-shape.memory // MEGABYTE), memory=job.memory),
                warning=True,
            )
        )
    return notes


def size_note(size: int, free: int, *, big: bool) -> Note:
    """Return the line on the size of the result before compression and free disk space, both in bytes."""
    text = translate(
        "Bandwise",
        "The result takes {size} MB before compression, as a classic TIFF; its disk has {free} MB free",
    )
    if big:
        text = translate(
            "Bandwise",
            "The result takes {size} MB before compression, as a BigTIFF; its disk has {free} MB free",
        )
    return Note(text.format(size=max(1, size // MEGABYTE), free=free // MEGABYTE))


def kept_note(output: str, kept: str) -> Note:
    """That the result has another name than the user gave it."""
    text = translate(
        "Bandwise",
        "{file} cannot be replaced, as a program may have it open, such as QGIS itself for a layer; "
        "the result is kept as {kept}",
    )
    return Note(text.format(file=output, kept=kept), warning=True)


def closing_notes(job: Job, report: Report, *, negative: bool) -> list[Note]:
    """Return the last lines of a run, with counts of pixels; ``negative``: reflectances may be negative."""
    notes = []
    is_typed = bool(typed_nodata(job.formula, storage_of(job.data_type).nodata).values)
    for result, band in zip(job.formula.results, report.statistics):
        text = translate(
            "Bandwise",
            "{nodata} nodata in an input, {saturated} saturated, {not_finite} not finite",
        )
        if is_typed:
            text = translate(
                "Bandwise",
                "{nodata} nodata in an input or as a branch, {saturated} saturated, {not_finite} not finite",
            )
        causes = text.format(
            nodata=band.nodata, saturated=band.saturated, not_finite=band.not_finite
        )
        if job.mask or job.area:
            causes = translate(
                "Bandwise", "{causes}, {masked} masked, {outside} outside the area of interest"
            ).format(causes=causes, masked=band.masked, outside=band.outside)
        text = translate("Bandwise", "{name}: {valid} valid pixels, {invalid} nodata ({causes})")
        notes.append(
            Note(
                text.format(name=result.name, valid=band.valid, invalid=band.invalid, causes=causes)
            )
        )
        if band.beyond and result.valid_range:
            low, high = result.valid_range
            clauses = [
                translate("Bandwise", "{name}: {count} pixels lie outside {low:g} to {high:g}")
            ]
            if negative:
                text = translate(
                    "Bandwise",
                    "{name}: {count} pixels lie outside {low:g} to {high:g}, as they do where a "
                    "reflectance is negative",
                )
                clauses = [text]
            if not band.clamped:
                clauses.append(translate("Bandwise", "they are kept as computed"))
            values = {"name": result.name, "count": band.beyond, "low": low, "high": high}
            notes.append(Note(join([clause.format(**values) for clause in clauses]), warning=True))
        if band.clamped:
            text = translate(
                "Bandwise",
                "{name}: {count} values were clamped to the range of {lowest} and {highest} or of the data type",
            )
            notes.append(
                Note(
                    text.format(
                        name=result.name,
                        count=band.clamped,
                        lowest=Field.LOWEST,
                        highest=Field.HIGHEST,
                    ),
                    warning=True,
                )
            )
        if band.moved:
            text = translate(
                "Bandwise",
                "{name}: {count} values are so near the nodata value -9999 that GDAL would take "
                "them for nodata; they were moved about 0.005 away. "
                "If nodata was meant, write -9999 as a branch of a condition, as in where(A > 0, A, -9999)",
            )
            notes.append(Note(text.format(name=result.name, count=band.moved), warning=True))
    notes.append(
        Note(
            translate("Bandwise", "Done in {seconds:.1f} s: {file}").format(
                seconds=report.seconds, file=report.output
            )
        )
    )
    return notes
