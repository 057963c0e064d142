# SPDX-License-Identifier: GPL-2.0-or-later
"""From the scenes of a period and an index to the job of a composite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...compute.composite.statistic import Reduction, Statistic
from ...errors import BandwiseError, GridError, LibraryError, OptionError, ResourceError
from ...expression.formula import Formula, Result
from ...grids.grid import Grid
from ...grids.layout import GridRule, Layout
from ...job import BandRef, Composite, CompositeScene, Job, Note
from ...messages import Field, Text, translate
from ...radiometry.masks import MaskChoice, rule_of
from ...radiometry.products import Products
from ...radiometry.scaling import RadiometryChoice, resolve
from ...radiometry.storage import DataType
from ...reading.bands import BandFacts, describe
from ...scenes.scene import Scene
from ..target_grid import Raster, result_grid
from ..user_mask import mask_band
from .scene_index import SceneFormula, SceneIndex
from .scene_series import SceneSeries, days_of
from .scenes import bands_of, files_of, mask_of

_SCALED = (DataType.INT16_SCALED, DataType.UINT8_SCALED)


def composite_job(
    series: SceneSeries,
    index: str,
    output: str,
    *,
    statistics: Sequence[Statistic] = (Statistic.MEDIAN,),
    percentile: float = 90.0,
    constants: str = "",
    clouds: MaskChoice | None = None,
    own_indices: str = "",
    notes: Sequence[Note] = (),
    **options: Any,
) -> Job:
    """Return the job of statistics of an index over scenes; each is a band of the result.

    Parameters
    ----------
    series
        The scenes, as :func:`~engine.planning.jobs.scene_series.scene_series` returns them. Those that
        lack a band, cannot be read, or share no area with those before are left out with a warning.
    index
        A name of the list, such as NDVI, or an expression over roles such as nir and red.
    percentile
        From 0 to 100, for the statistic of that name.
    constants
        Numbers for constants of an index of the list, such as ``L=0.5``.
    clouds
        The classes and flags that leave a pixel of a scene out by its own mask; None to keep all.
    own_indices
        The file of the user's own indices, which need not exist.
    options
        Other fields of :class:`Job`.

    Raises
    ------
    OptionError
        For an index or a statistic that means nothing.
    InputError
        If no scene can be used.
    """
    reduction = _reduction(statistics, percentile, options.get("data_type", DataType.FLOAT32))
    wanted = SceneIndex(index, constants, own_indices, series.scenes)
    choice = _Choice(series, wanted, reduction, clouds, options)
    for scene in series.scenes:
        choice.consider(scene)
    if not choice.scenes:
        raise series.no_scene()
    scenes = tuple(choice.scenes)
    formula = scenes[0].formula
    results = [_result(formula, wanted.name, each, reduction) for each in reduction.statistics]
    days = tuple(days_of(scene.date) for scene in scenes)
    return Job(
        bands=tuple(choice.bands),
        formula=formula._replace(results=tuple(results)),
        output=output,
        notes=(
            *notes,
            *wanted.notes,
            *series.left_out,
            *_scene_notes(scenes, formula),
            *choice.notes,
        ),
        listed=tuple(choice.files),
        composite=Composite(scenes, reduction._replace(days=days)),
        **options,
    )


class _Choice:
    """The scenes that can be used, one considered after the other, and what the job takes of them."""

    def __init__(
        self,
        series: SceneSeries,
        index: SceneIndex,
        reduction: Reduction,
        clouds: MaskChoice | None,
        options: dict[str, Any],
    ) -> None:
        self.scenes, self.bands = list[CompositeScene](), list[BandRef]()
        self.notes, self.files = list[Note](), list[str]()
        self._series, self._index, self._clouds = series, index, clouds
        self._dated = Statistic.DATE_OF_MAXIMUM in reduction.statistics
        self._radiometry: RadiometryChoice = options.get("radiometry", RadiometryChoice())
        self._layout: Layout = options.get("layout", Layout())
        self._rasters = dict[Grid, Raster]()
        self._reference: Raster | None = None
        self._tiles = Counter[tuple[str, str, str]]()
        if self._layout.rule is GridRule.REFERENCE and self._layout.reference:
            path = self._layout.reference
            self._reference = Raster(path, describe(path, 1).grid)

    def consider(self, scene: Scene) -> None:
        """Take a scene, or leave it out with a reason."""
        if self._dated and not scene.date:
            text = translate("Bandwise", "its date is not known, which the date of maximum needs")
            self._series.leave_out(scene.name, text.format())
            return
        try:
            bands = bands_of(scene, self._index.roles)
            mask = mask_of(scene, self._clouds) if self._clouds else None
            facts = self._checked(bands, mask)
            self._check_grid(facts)
        except (LibraryError, ResourceError):
            raise
        except BandwiseError as error:
            self._series.leave_out(scene.name, error.args[0])
            return
        self._take(scene, bands, mask, self._index.of_scene(scene))

    def _checked(self, bands: Sequence[BandRef], mask: MaskChoice | None) -> list[BandFacts]:
        """Return facts of the bands of a scene. Raises :class:`BandwiseError` for what cannot be used."""
        products = Products({(ref.path, ref.number): ref.facts for ref in bands if ref.facts})
        facts = [describe(ref.path, ref.number) for ref in bands]
        for band in facts:
            resolve(band.path, band.declared, self._radiometry, band=band.number, products=products)
        if mask:
            rule_of(mask, mask_band(mask).declared.description)
        return facts

    def _check_grid(self, facts: Sequence[BandFacts]) -> None:
        """Raise :class:`GridError` for a scene without area in the result, as far as the scenes before make it."""
        new = {band.grid: Raster(band.path, band.grid) for band in facts}
        if not set(new) <= set(self._rasters):
            rasters = {**self._rasters, **new}
            try:
                result_grid(list(rasters.values()), self._layout, self._reference)
            except GridError as error:
                if not self._rasters:
                    raise
                text = translate(
                    "Bandwise", "it does not fit the scenes before it or the extent: {reason}"
                )
                raise GridError(text.format(reason=_about(error, facts[0].path))) from error
            self._rasters = rasters

    def _take(
        self, scene: Scene, bands: Sequence[BandRef], mask: MaskChoice | None, index: SceneFormula
    ) -> None:
        number, first = len(self.scenes) + 1, len(self.bands)
        self.bands += [ref._replace(name=f"{ref.name}_{number}") for ref in bands]
        positions = tuple(range(first, first + len(bands)))
        by_role = dict(zip((ref.name for ref in bands), positions))
        self.scenes.append(
            CompositeScene(
                name=scene.name,
                sensor=scene.sensor,
                date=scene.date,
                formula=index.formula,
                bands=tuple(by_role[role] for role in index.roles),
                roles=index.roles,
                mask=mask,
            )
        )
        self.files += files_of(scene)
        if self._clouds and mask is None:
            text = translate("Bandwise", "The scene {scene} has no mask of clouds; they stay.")
            self.notes.append(Note(text.format(scene=scene.name), warning=True))
        key = scene.sensor, scene.tile, scene.date
        self._tiles[key] += 1
        if scene.tile and scene.date and self._tiles[key] == 2:
            text = translate(
                "Bandwise",
                "Several scenes are of {sensor}, tile {tile}, of {date}: where they overlap, one "
                "overpass counts more than once.",
            )
            facts = {"sensor": scene.sensor, "tile": scene.tile, "date": scene.date}
            self.notes.append(Note(text.format(**facts), warning=True))


def _about(error: GridError, path: str) -> Text:
    """Return the reason of an error, short where it would list all files."""
    text: Text = error.args[0]
    if "files" not in text.values:
        return text
    return translate("Bandwise", "{file} has no area in common with them").format(file=path)


def _reduction(
    statistics: Sequence[Statistic], percentile: float, data_type: DataType
) -> Reduction:
    """Return the statistics, each once. Raises :class:`OptionError` for what means nothing."""
    wanted = tuple(dict.fromkeys(statistics))
    if not wanted:
        text = translate("Bandwise", "{statistics} is empty; choose at least one, such as median.")
        raise OptionError(text.format(statistics=Field.STATISTICS))
    if not 0 <= percentile <= 100:
        text = translate("Bandwise", "{percentile} is a number from 0 to 100, not {value:g}.")
        raise OptionError(text.format(percentile=Field.PERCENTILE, value=percentile))
    if data_type in _SCALED and not all(statistic.is_index for statistic in wanted):
        text = translate(
            "Bandwise",
            "{statistics}: a scaled data type holds values of an index, no counts and dates; choose "
            "Float32, or leave out count and date of maximum.",
        )
        raise OptionError(text.format(statistics=Field.STATISTICS))
    return Reduction(wanted, (), percentile)


def _result(formula: Formula, name: str, statistic: Statistic, reduction: Reduction) -> Result:
    """Return the band of a statistic: its name, tags, and the range of the index for values of it."""
    (index,) = formula.results
    suffix = statistic.name.lower()
    meaning = suffix
    if statistic is Statistic.PERCENTILE:
        suffix, meaning = f"p{reduction.percentile:g}", f"percentile {reduction.percentile:g}"
    elif statistic is Statistic.DATE_OF_MAXIMUM:
        meaning = "date_of_maximum, days since 1970-01-01"
    return index._replace(
        name=f"{name}_{suffix}",
        valid_range=index.valid_range if statistic.is_index else None,
        tags=(*index.tags, ("BANDWISE_STATISTIC", meaning)),
    )


def _scene_notes(scenes: Sequence[CompositeScene], formula: Formula) -> list[Note]:
    """Return lines on the index, and on each scene."""
    text = translate("Bandwise", "{text}, over {count} scenes")
    notes = [Note(text.format(text=formula.text, count=len(scenes)))]
    line = translate("Bandwise", "Scene {number}: {name}, {sensor} of {date}")
    undated = translate("Bandwise", "Scene {number}: {name}, {sensor}, date not known")
    for number, scene in enumerate(scenes, start=1):
        facts = {"number": number, "name": scene.name, "sensor": scene.sensor}
        notes.append(Note((line if scene.date else undated).format(**facts, date=scene.date)))
    return notes
