# SPDX-License-Identifier: GPL-2.0-or-later
"""The bands that an expression uses: of rasters by letter or layer, and of what is recognised by role."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...expression.names import Raster, RasterBands, letter_of
from ...messages import shown, translate
from .named_bands import BandRoles, NamedBand

_RESULT = re.compile(r"\b(\w+)\s*:=")
_COMMENT = re.compile("#[^\n]*")


class UsedBand(NamedTuple):
    """Band ``number`` of the raster at a position of the list, or one by its role.

    Those by role come after all of the list, in the order of their use.
    """

    raster: int
    number: int
    role: NamedBand | None = None

    @property
    def name(self) -> str:
        """What it is called in the log and in tags."""
        return self.role.name if self.role else f"{letter_of(self.raster)}@{self.number}"


class ExpressionBands:
    """Finds bands by letter or layer, else by role; ``used`` collects each once.

    Parameters
    ----------
    rasters
        The list, which letters stand for.
    roles
        What is recognised.
    results
        Names that the text gives to results; none of them stands for a role.
    by_role
        Whether the dialect knows roles.
    layers_first
        As :class:`RasterBands` has it.

    Attributes
    ----------
    hidden
        By names that are roles, too: the band of the list that has it, and whether the role is of
        another band.
    results
        As given.
    """

    def __init__(
        self,
        rasters: Sequence[Raster],
        roles: BandRoles,
        results: Sequence[str],
        *,
        by_role: bool,
        layers_first: bool,
    ) -> None:
        self.used: list[UsedBand] = []
        self.hidden: dict[str, tuple[UsedBand, bool]] = {}
        self._rasters = RasterBands(rasters, layers_first=layers_first)
        self._roles, self.by_role = roles, by_role
        self.results = tuple(results)
        self._taken = {name.lower() for name in results}
        self._found: dict[tuple[str, int | str | None, bool], int] = {}

    def band(self, name: str, band: int | str | None, *, layer: bool) -> int:
        """See :meth:`References.band`."""
        key = name, band, layer
        if key not in self._found:
            used = self._find(name, band, layer=layer)
            if used not in self.used:
                self.used.append(used)
            self._found[key] = self.used.index(used)
        return self._found[key]

    def _find(self, name: str, band: int | str | None, *, layer: bool) -> UsedBand:
        try:
            index = self._rasters.band(name, band, layer=layer)
        except LookupError as error:
            found = None if layer else self._of_role(name, band)
            if found is not None:
                return found
            scene = self._roles.scene
            if scene is None or self._rasters.rasters:
                raise
            raise LookupError(self._roles.unknown(name, scene)) from error
        used = UsedBand(*self._rasters.bands[index])
        role = self._roles.known(name) if self.by_role and band is None and not layer else None
        if role is not None:
            place = self._rasters.rasters[used.raster].path, used.number
            self.hidden[name] = used, role.place != place
        return used

    def names(self) -> Sequence[str]:
        """See :meth:`References.names`."""
        layers = list(self._rasters.names())
        roles = [band.name for band in self._roles.bands()] if self.by_role else []
        return [*layers, *(name for name in roles if name.lower() not in self._taken)]

    def _of_role(self, name: str, band: int | str | None) -> UsedBand | None:
        """Return the band of a role; None for what is none.

        Raises
        ------
        LookupError
            For a role that cannot be used.
        """
        if not self.by_role:
            if self._roles.known(name) is None:
                return None
            text = translate(
                "Bandwise",
                "{name} is the role of a band, which Bandwise's own dialect alone knows: choose that "
                "dialect, and write rasters by their letters, such as A",
            )
            raise LookupError(text.format(name=shown(name)))
        if name.lower() in self._taken:
            if self._roles.known(name) is None:
                return None
            text = translate(
                "Bandwise",
                "{name} is the name of a result of this expression, so it is not the band of that "
                "role; choose another name for the result",
            )
            raise LookupError(text.format(name=shown(name)))
        found = self._roles.find(name)
        if found is None:
            return None
        if band is not None:
            text = translate("Bandwise", "{name} is one band already; write it without @")
            raise LookupError(text.format(name=shown(name)))
        for used in self.used:
            if used.role and used.role.place == found.place:
                return used
        return UsedBand(len(self._rasters.rasters) + len(self.used), 1, found)


def result_names(text: str) -> list[str]:
    """Return the names that a text gives to results."""
    return _RESULT.findall(_COMMENT.sub("", text))
