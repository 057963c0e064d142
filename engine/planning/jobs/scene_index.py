# SPDX-License-Identifier: GPL-2.0-or-later
"""One index over scenes of any sensors: of the catalogue, or typed, as a formula over roles of bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...errors import OptionError
from ...expression.dialects import DIALECTS, DialectChoice
from ...expression.formula import Formula
from ...expression.names import NamedBands
from ...expression.parser import parse
from ...indices.catalogue import Catalogue, Index, load_catalogue
from ...indices.selection import chosen_indices, with_constants
from ...job import Note
from ...messages import Field, translate
from ...radiometry.band_names import BandName, wavelength_of
from ...radiometry.roles import ROLES
from ...scenes.scene import Scene
from .spectralindices import index_tags

_LANGUAGE = DIALECTS[DialectChoice.BANDWISE]


class SceneFormula(NamedTuple):
    """An index of one scene: a formula of one result, over its bands of the ``roles``."""

    formula: Formula
    roles: tuple[str, ...]


class SceneIndex:
    """An index that a user asks for, by its name or as an expression over roles and names of bands.

    Raises
    ------
    OptionError
        For an index that does not exist, an expression that is not understood, or more than one.
    """

    def __init__(
        self, text: str, constants: str, own_indices: str, scenes: Sequence[Scene]
    ) -> None:
        if not text.strip():
            message = translate(
                "Bandwise", "{index} is empty; give a name such as NDVI, or an expression."
            )
            raise OptionError(message.format(index=Field.INDEX))
        catalogue = load_catalogue(own_indices)
        self._text, self._constants = text, constants
        self._names = _names(scenes)
        self._index = _listed(catalogue, text, self._names)
        self._typed = None if self._index else self._parsed(text)
        if self._typed and constants.strip():
            message = translate(
                "Bandwise",
                "{constants} are for an index of the list; write numbers into the expression.",
            )
            raise OptionError(message.format(constants=Field.CONSTANTS))
        self.notes = tuple(Note(warning, warning=True) for warning in catalogue.warnings)

    @property
    def name(self) -> str:
        """What results are called by."""
        if self._index:
            return self._index.name
        name = self._typed.formula.results[0].name if self._typed else ""
        return "index" if name == "result" else name

    @property
    def roles(self) -> tuple[str, ...]:
        """The bands that a scene needs, by role or by name."""
        return self._index.bands if self._index else self._typed.roles if self._typed else ()

    def of_scene(self, scene: Scene) -> SceneFormula:
        """Return the index of a scene that has all bands: constants may depend on its sensor.

        Raises
        ------
        OptionError
            For a constant that has to be given.
        """
        if self._typed:
            return self._typed
        bands = {role: scene.band(role) for role in self.roles}
        wavelengths = {
            role: wavelength_of(BandName(band.name, scene.sensor, frozenset({role})))
            for role, band in bands.items()
        }
        index = [self._index] if self._index else []
        (chosen,) = with_constants(index, self._constants, wavelengths)
        parsed = self._parsed(chosen.expression)
        (result,) = parsed.formula.results
        result = result._replace(
            name=self.name, valid_range=chosen.valid_range, tags=index_tags(chosen)
        )
        text = f"{self.name} := {chosen.expression}"
        return parsed._replace(formula=parsed.formula._replace(results=(result,), text=text))

    def _parsed(self, text: str) -> SceneFormula:
        formula = parse(text, _LANGUAGE, NamedBands(self._names))
        if len(formula.results) != 1:
            message = translate(
                "Bandwise", "{index} gives {count} results; a composite is of one index."
            )
            raise OptionError(message.format(index=Field.INDEX, count=len(formula.results)))
        used = formula.bands()
        if not used:
            message = translate(
                "Bandwise",
                "{index} uses no band; write roles such as nir and red, or names such as B08.",
            )
            raise OptionError(message.format(index=Field.INDEX))
        roles = tuple(self._names[band] for band in used)
        return SceneFormula(formula.renumbered(_order(used, len(self._names))), roles)


def _order(used: Sequence[int], count: int) -> list[int]:
    """Return the positions that are used, then the others, for :meth:`Formula.renumbered`."""
    return [*used, *(band for band in range(count) if band not in used)]


def _names(scenes: Sequence[Scene]) -> list[str]:
    """Return all roles, and the names of the scenes' bands."""
    bands = (band.name for scene in scenes for band in scene.bands)
    return list(dict.fromkeys([*ROLES, *filter(str.isidentifier, bands)]))


def _listed(catalogue: Catalogue, text: str, names: Sequence[str]) -> Index | None:
    """Return the index of a name; None for a text that is an expression."""
    name = text.strip()
    if name in names or not name.replace(".", "_").isidentifier():
        return None
    return chosen_indices(catalogue, name)[0]
