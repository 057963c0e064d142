# SPDX-License-Identifier: GPL-2.0-or-later
"""The bands that a text names, as a run finds them; those that are not known yet are taken as they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...expression.dialects import DialectChoice
from ...expression.formula import Formula
from ...expression.names import is_letter, letter_of
from ...messages import shown
from ...radiometry.scaling import Radiometry, RadiometryChoice, Scaling
from ..jobs.expression_bands import ExpressionBands, result_names
from .described import DescribedBand, Nameable

_OTB = re.compile(r"im[0-9]{1,6}b[0-9]{1,6}", re.IGNORECASE)


class Found(NamedTuple):
    """A band that a text uses: what it is called, the band where it is known, its place among others,
    and its path where it is named by its role.
    """

    label: str
    band: DescribedBand | None
    place: tuple[int, int] = (0, 0)
    role_path: str = ""

    def radiometry(self, choice: RadiometryChoice) -> Radiometry | None:
        """Return how the band is read; by its role it is reflectance where others are stored values."""
        if self.role_path and choice.scaling is Scaling.STORED:
            choice = choice._replace(scaling=Scaling.AUTOMATIC)
        return self.band.radiometry(choice) if self.band and self.band.facts else None


class Names:
    """Finds bands by letters, layers and roles; ``found`` collects those that are used, ``bands`` those of
    them that are known.
    """

    def __init__(self, text: str, nameable: Nameable, choice: DialectChoice) -> None:
        self._nameable = nameable
        self._unknown = {
            letter_of(index): (index, raster.name)
            for index, raster in enumerate(nameable.rasters)
            if not raster.known or raster.problem
        }
        self.bands = ExpressionBands(
            [raster.raster for raster in nameable.rasters],
            nameable.roles,
            result_names(text),
            by_role=choice is DialectChoice.BANDWISE,
            layers_first=choice is DialectChoice.QGIS,
        )
        self.found: list[Found] = []
        self._positions: dict[str, int] = {}

    @property
    def labels(self) -> list[str]:
        """The bands that are used, in the order of their positions in the formula."""
        return [found.label for found in self.found]

    def band(self, name: str, band: int | str | None, *, layer: bool) -> int:
        """See :meth:`References.band`."""
        found = self._band(name, band, layer)
        if found.label not in self._positions:
            self._positions[found.label] = len(self.found)
            self.found.append(found)
        return self._positions[found.label]

    def names(self) -> Sequence[str]:
        """See :meth:`References.names`."""
        return self.bands.names()

    def in_order(self, formula: Formula) -> tuple[Formula, list[Found]]:
        """Return the formula over bands in the order of letters, as a run has them, and these bands."""
        order = sorted(range(len(self.found)), key=lambda index: self.found[index].place)
        return formula.renumbered(order), [self.found[index] for index in order]

    def _band(self, name: str, band: int | str | None, layer: bool) -> Found:
        unknown = self._unknown_raster(name, layer)
        if unknown:
            place = self._unknown[unknown][0] if unknown in self._unknown else 0
            return Found(f"{unknown}@{1 if band is None else band}", None, (place, 0))
        used = self.bands.used[self.bands.band(name, band, layer=layer)]
        if used.role:
            described = self._nameable.by_role.get(used.role.place)
            return Found(used.name, described, used[:2], used.role.path)
        described = self._nameable.rasters[used.raster].bands[used.number - 1]
        return Found(used.name, described, used[:2])

    def _unknown_raster(self, name: str, layer: bool) -> str:
        """Return what a raster is called whose bands are not known yet; empty for others."""
        if name.upper() in self._unknown and not layer:
            return name.upper()
        for letter, (_, layer_name) in self._unknown.items():
            if layer_name == name:
                return letter
        if not self._nameable.is_empty:
            return ""
        anything = layer or self._nameable.problem is not None or _OTB.fullmatch(name)
        return name.upper() if is_letter(name) else shown(name) if anything else ""
