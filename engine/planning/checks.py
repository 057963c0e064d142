# SPDX-License-Identifier: GPL-2.0-or-later
"""Warnings about probable mistakes in a job that can be run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..credentials import file_name
from ..errors import SpaceError
from ..expression.formula import Band, Call, Formula, Number
from ..expression.scaling_check import StoredBand, scaling_changes
from ..expression.typed_nodata import CUSTOMARY_NODATA
from ..files.disk import behind_links, free_bytes
from ..grids.layout import GridRule
from ..job import BandRef, Job, Note
from ..messages import Field, Setting, Text, join, translate
from ..radiometry.band_names import BandName
from ..radiometry.roles import ROLE_TEXTS
from ..radiometry.scaling import KnownScale, Radiometry, Scaling
from ..reading.bands import has_empty_corner
from ..reading.inputs import Input
from .log import MEGABYTE

_LARGEST_BLOCK = 512 * 512  #: pixels
#: Constants that indices of reflectance add (EVI 1, SAVI 0.5) are at most this
_LARGEST_INDEX_CONSTANT = 2.0
#: Range of factors of indices (EVI 6 and 7.5), unlike those that scale stored values
_INDEX_FACTORS = (0.1, 20.0)
_MOST_NAMES = 10  #: of bands, in one sentence


def unused_scaling(
    job: Job, inputs: Sequence[Input], radiometries: Sequence[Radiometry]
) -> list[Note]:
    """Return a warning if stored values are used and known metadata would change the result."""
    names = [ref.name for ref in job.bands]
    dtypes = [band_input.band.dtype for band_input in inputs]
    return unused_scaling_of(job.formula, names, dtypes, radiometries)


def unused_scaling_of(
    formula: Formula,
    names: Sequence[str],
    dtypes: Sequence[np.dtype[Any]],
    radiometries: Sequence[Radiometry],
) -> list[Note]:
    """Return the warning for a formula over bands with these ``names`` and stored types."""
    bands = [
        StoredBand(dtype, radiometry.unused.scale, radiometry.unused.offset)
        if radiometry.unused
        else StoredBand(dtype)
        for dtype, radiometry in zip(dtypes, radiometries)
    ]
    if not scaling_changes(formula, bands):
        return []
    groups: dict[KnownScale, list[str]] = {}
    for index in formula.bands():
        if unused := radiometries[index].unused:
            groups.setdefault(unused, []).append(names[index])
    clauses = []
    for scale_known, scaled in groups.items():
        shown = ", ".join(scaled[:_MOST_NAMES]) + (", ..." if len(scaled) > _MOST_NAMES else "")
        clause = translate("Bandwise", "{bands}: scale {scale:g}, offset {offset:g} ({source})")
        clauses.append(
            clause.format(
                bands=shown,
                scale=scale_known.scale,
                offset=scale_known.offset,
                source=scale_known.source,
            )
        )
    text = translate(
        "Bandwise",
        "Stored values are used, but the known scale and offset would change the result: {groups}; "
        "to apply them, set {setting}",
    )
    return [
        _warning(
            text.format(groups=join(clauses), setting=Setting(Field.SCALING, Scaling.AUTOMATIC))
        )
    ]


def job_warnings(
    job: Job, inputs: Sequence[Input], radiometries: Sequence[Radiometry]
) -> Iterator[Note]:
    """Yield warnings about bands and options; reads the corners of files that declare no nodata."""
    seen: dict[tuple[str, int], BandRef] = {}
    for ref, band_input, radiometry in zip(job.bands, inputs, radiometries):
        twin = seen.setdefault((ref.path, ref.number), ref)
        if twin is not ref:
            if twin.radiometry != ref.radiometry:
                continue  # one band as a stored value and by its role
            text = translate("Bandwise", "{name} and {other} are the same band of {file}")
            yield _warning(text.format(name=twin.name, other=ref.name, file=ref.path))
        elif (
            radiometry.nodata is None
            and not band_input.band.masks
            and band_input.band.dtype.kind in "iu"
            and _may_be_empty(band_input, ref)
        ):
            text = translate(
                "Bandwise",
                "{name}: {file} has zeros at a corner and declares no nodata, so they are used as "
                "values; if they mean nodata, set {nodata} to 0",
            )
            yield _warning(text.format(name=ref.name, file=ref.path, nodata=Field.SOURCE_NODATA))
    if job.layout.reference and job.layout.rule is not GridRule.REFERENCE:
        text = translate(
            "Bandwise",
            "{reference} is given but {grid} does not ask for it, so it is ignored",
        )
        yield _warning(text.format(reference=Field.REFERENCE, grid=Field.GRID))
    stored = [
        (radiometry.scale, radiometry.offset) == (1.0, 0.0)
        and not radiometry.unused
        and band_input.band.dtype.kind in "iu"
        and band_input.band.dtype.itemsize > 1
        for band_input, radiometry in zip(inputs, radiometries)
    ]
    if wants_reflectance(job.formula, stored):
        text = translate(
            "Bandwise",
            "The expression adds a small constant to a band in a denominator, as indices of "
            "reflectance do, but stored values are used unchanged, since no metadata say how to scale "
            "them; set {setting}, or divide the bands by their scale",
        )
        yield _warning(text.format(setting=Setting(Field.SCALING, Scaling.CUSTOM)))


def wants_reflectance(formula: Formula, stored: Sequence[bool]) -> bool:
    """Return whether a denominator adds a small constant to bands that are ``stored``, unscaled integers."""
    plain: list[bool] = []  # whether a node is a weighted sum of such bands
    shifted: list[bool] = []  # whether it is one with a constant added
    for node in formula.nodes:
        is_plain = isinstance(node, Band) and stored[node.index]
        is_shifted = False
        if isinstance(node, Call) and len(node.arguments) == 2:
            numbers = [formula.nodes[argument] for argument in node.arguments]
            constant = next(
                (number.value for number in numbers if isinstance(number, Number)), None
            )
            involved = [plain[argument] or shifted[argument] for argument in node.arguments]
            if node.function == "divide" and shifted[node.arguments[1]]:
                return True
            if node.function in ("add", "subtract"):
                if constant is not None:
                    is_shifted = any(involved) and 0 < abs(constant) <= _LARGEST_INDEX_CONSTANT
                else:
                    is_shifted = all(involved) and any(
                        shifted[argument] for argument in node.arguments
                    )
                    is_plain = all(involved) and not is_shifted
            elif node.function == "multiply" and constant is not None:
                is_plain = any(involved) and _INDEX_FACTORS[0] <= abs(constant) <= _INDEX_FACTORS[1]
        plain.append(is_plain)
        shifted.append(is_shifted)
    return False


def _may_be_empty(band_input: Input, ref: BandRef) -> bool:
    """Return whether a corner is all zeros; large blocks, which take long to decode, are not read."""
    width, height = band_input.band.block
    return width * height <= _LARGEST_BLOCK and has_empty_corner(ref.path, ref.number)


def _warning(text: Text) -> Note:
    return Note(text, warning=True)


def typed_nodata_notes(values: Sequence[float]) -> list[Note]:
    """Return lines on values that are nodata as branches; warnings for those that may be meant as numbers."""
    notes = []
    for value in values:
        text = translate(
            "Bandwise",
            "{value:.0f} as a branch of a condition is taken as nodata, and so is {value:.0f} as "
            "the last value of coalesce",
        )
        if value != CUSTOMARY_NODATA:
            text = translate(
                "Bandwise",
                "{value:.0f} as a branch of a condition is taken as nodata, as it is the nodata "
                "value of the data type; if a number is meant, "
                "choose a larger data type",
            )
        notes.append(Note(text.format(value=value), warning=value != CUSTOMARY_NODATA))
    return notes


def role_warnings(
    job: Job, inputs: Sequence[Input], names: Sequence[BandName | None]
) -> Iterator[Note]:
    """A warning for each band that a formula of ours calls by a role, and that is
    another one by its metadata or file name.
    """
    for ref, band_input, name in zip(job.bands, inputs, names):
        if ref.name not in ROLE_TEXTS:
            continue
        facts = {"role": ROLE_TEXTS[ref.name], "number": ref.number, "file": file_name(ref.path)}
        if band_input.band.classes or (name and name.classes):
            text = translate(
                "Bandwise",
                "Band {number} of {file} holds classes or flags, not {role} reflectance; choose the {role} band",
            )
            yield Note(text.format(**facts), warning=True)
        elif name and ref.name not in name.roles:
            expected = " / ".join(name.expected(ref.name))
            if expected:
                text = translate(
                    "Bandwise",
                    "Band {number} of {file} is {name} of {sensor}, not {role}; choose {expected}",
                )
            else:
                text = translate(
                    "Bandwise",
                    "Band {number} of {file} is {name}, not {role}; choose the {role} band",
                )
            yield Note(
                text.format(**facts, name=name.name, sensor=name.sensor, expected=expected),
                warning=True,
            )


def may_be_negative(
    inputs: Sequence[Input], radiometries: Sequence[Radiometry], names: Sequence[BandName | None]
) -> bool:
    """Return whether values may be negative: all inputs are measurements, and one has an offset."""
    measured = not any(
        band_input.band.classes or (name and name.classes)
        for band_input, name in zip(inputs, names)
    )
    return measured and any(radiometry.offset for radiometry in radiometries)


def check_space(job: Job, size: int, profile: dict[str, str]) -> tuple[Note, ...]:
    """Raise :class:`SpaceError` if the disk is too full, or return a warning if it may be.

    Compressed indices were measured to take half to three quarters of their size.
    """
    compressed = profile.get("COMPRESS", "NONE").upper() != "NONE"
    free = free_bytes(behind_links(job.output).parent)
    if free < (size // 2 if compressed else size):
        raise SpaceError(
            translate(
                "Bandwise",
                "{file} needs about {size} MB and its disk has {free} MB free; make room or choose another folder.",
            ).format(
                file=job.output,
                size=max(1, (size // 2 if compressed else size) // MEGABYTE),
                free=free // MEGABYTE,
            )
        )
    if free < size:
        text = translate(
            "Bandwise",
            "The disk of {file} has {free} MB free and the result may need up to {size} MB.",
        )
        return (
            Note(
                text.format(file=job.output, free=free // MEGABYTE, size=size // MEGABYTE),
                warning=True,
            ),
        )
    return ()
