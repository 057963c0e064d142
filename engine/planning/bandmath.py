# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a job from rasters and a typed expression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import InputError
from ..expression.dialects import DIALECTS, DialectChoice
from ..expression.names import Raster, dialect_of
from ..expression.parser import parse
from ..job import BandRef, Job, Note
from ..messages import translate
from ..radiometry.scaling import RadiometryChoice, Scaling
from ..scenes.scene import Scene
from .jobs.expression_bands import ExpressionBands, UsedBand, result_names
from .jobs.expression_notes import Expression, expression_notes, no_band_note, role_notes
from .jobs.index_bands import given_bands
from .jobs.named_bands import roles_of_rasters, roles_of_scene
from .jobs.scenes import files_of


def bandmath_job(
    rasters: Sequence[tuple[str, str]],
    text: str,
    output: str,
    *,
    dialect: DialectChoice = DialectChoice.AUTOMATIC,
    scene: Scene | None = None,
    notes: Sequence[Note] = (),
    radiometry: RadiometryChoice | None = None,
    **options: Any,
) -> Job:
    """Return the job of an expression.

    Parameters
    ----------
    rasters
        (layer name, path) of each raster.
    text
        The expression.
    output
        Path of the result.
    dialect
        By default it is recognised by how bands are named.
    scene
        Its bands are named by role; without one those of the rasters that are recognised.
    notes
        Lines before those on the expression in the log.
    radiometry
        Of rasters. Bands that are named by role are reflectance where it says stored values.
    options
        Other fields of :class:`Job`.

    Raises
    ------
    InputError
        For a raster that cannot be opened.
    ExpressionError
        For a text that is not valid in the dialect.
    """
    if not rasters and not scene:
        raise InputError(
            translate(
                "Bandwise", "No raster and no scene is given; choose at least one, for its grid."
            ).format()
        )
    radiometry = radiometry or RadiometryChoice()
    given, inputs = given_bands(rasters)
    roles = roles_of_scene(scene) if scene else roles_of_rasters(given)
    choice = dialect_of(text, inputs) if dialect is DialectChoice.AUTOMATIC else dialect
    references = ExpressionBands(
        inputs,
        roles,
        result_names(text),
        by_role=choice is DialectChoice.BANDWISE,
        layers_first=choice is DialectChoice.QGIS,
    )
    formula = parse(text, DIALECTS[choice], references)
    expression = Expression(text, choice, formula, references, inputs)
    lines = [*notes, *expression_notes(expression), *role_notes(expression, roles, radiometry)]
    # in the order of letters, which the choice of the grid depends on
    used = references.used
    order = sorted(range(len(used)), key=lambda index: used[index][:2])
    used_bands = [used[index] for index in order]
    if not formula.bands():
        used_bands = used_bands or [UsedBand(0, 1, None if rasters else roles.finest())]
        lines.append(no_band_note(used_bands[0]))
    return Job(
        bands=tuple(_band_ref(band, inputs, radiometry) for band in used_bands),
        formula=formula.renumbered(order),
        output=output,
        notes=tuple(lines),
        listed=(*(path for _, path in rasters), *(files_of(scene) if scene else ())),
        radiometry=radiometry,
        **options,
    )


def _band_ref(used: UsedBand, inputs: Sequence[Raster], radiometry: RadiometryChoice) -> BandRef:
    """Return a band for the job; one that is named by its role is no stored value."""
    if used.role is None:
        return BandRef(used.name, inputs[used.raster].path, used.number)
    is_stored = radiometry.scaling is Scaling.STORED
    own = radiometry._replace(scaling=Scaling.AUTOMATIC) if is_stored else None
    return BandRef(used.role.name, *used.role.place, used.role.facts, own)
