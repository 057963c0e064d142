# SPDX-License-Identifier: GPL-2.0-or-later
"""Where pixels lie: a grid, a window of it, and what makes two grids differ."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .messages import Text, join, translate

#: Fraction of a pixel by which two grids may be apart and still count as one.
SAME_GRID_TOLERANCE = 0.01


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels, counted from the raster's upper left pixel."""

    column: int
    row: int
    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True)
class Grid:
    """CRS, geotransform and size of a raster.

    ``crs`` is WKT (ISO 19162), empty where the raster has none. ``transform`` is (a, b, c, d, e, f)
    with x = a * column + b * row + c and y = d * column + e * row + f, in units of the CRS.
    """

    crs: str
    transform: tuple[float, float, float, float, float, float]
    width: int
    height: int

    def pixel_of(self, x: float, y: float) -> tuple[float, float]:
        """Column and row (fractional) of a place given in units of the CRS."""
        a, b, c, d, e, f = self.transform
        determinant = a * e - b * d
        return (e * (x - c) - b * (y - f)) / determinant, (a * (y - f) - d * (x - c)) / determinant

    def place_of(self, column: float, row: float) -> tuple[float, float]:
        """Place, in units of the CRS, of a (fractional) column and row."""
        a, b, c, d, e, f = self.transform
        return a * column + b * row + c, d * column + e * row + f

    def difference(self, other: Grid, *, same_crs: bool) -> Text | None:
        """What makes ``other`` another grid than this one, in one clause, or None where nothing does.

        Pixels may lie apart by :data:`SAME_GRID_TOLERANCE` of a pixel, measured at all four corners.
        ``same_crs`` says whether the two CRS are equal, which text alone cannot tell.
        """
        clauses = []
        if not same_crs:
            clauses.append(_crs_difference(self, other))
        if (self.width, self.height) != (other.width, other.height):
            clauses.append(
                translate("Bandwise", "the sizes are {width} x {height} and {other_width} x {other_height} pixels").format(
                    width=self.width, height=self.height, other_width=other.width, other_height=other.height
                )
            )
        if same_crs and not self._pixels_coincide(other):
            clauses.append(self._placement_difference(other))
        return join(clauses) if clauses else None

    def _pixels_coincide(self, other: Grid) -> bool:
        corners = ((0, 0), (self.width, 0), (0, self.height), (self.width, self.height))
        for column, row in corners:
            other_column, other_row = self.pixel_of(*other.place_of(column, row))
            if max(abs(other_column - column), abs(other_row - row)) > SAME_GRID_TOLERANCE:
                return False
        return True

    def _placement_difference(self, other: Grid) -> Text:
        """How the pixels of two grids that do not coincide lie to each other."""
        a, b, _, d, e, _ = self.transform
        other_a, other_b, _, other_d, other_e, _ = other.transform
        drift = max(abs(other_a - a), abs(other_d - d)) * self.width + max(abs(other_b - b), abs(other_e - e)) * self.height
        if drift <= SAME_GRID_TOLERANCE * max(abs(a), abs(b), abs(d), abs(e)):
            columns, rows = (round(shift, 4) + 0.0 for shift in self.pixel_of(*other.place_of(0, 0)))
            return translate("Bandwise", "the origins lie {columns:.10g} columns and {rows:.10g} rows apart").format(columns=columns, rows=rows)
        lengths, other_lengths = (_length(a, d), _length(b, e)), (_length(other_a, other_d), _length(other_b, other_e))
        if all(math.isclose(length, other_length, rel_tol=1e-9) for length, other_length in zip(lengths, other_lengths)):
            text = translate(
                "Bandwise",
                "one column and one row are ({a:.10g}, {d:.10g}) and ({b:.10g}, {e:.10g}) against ({other_a:.10g}, "
                "{other_d:.10g}) and ({other_b:.10g}, {other_e:.10g}) CRS units: one raster is turned or upside down"
            )
            return text.format(a=a, b=b, d=d, e=e, other_a=other_a, other_b=other_b, other_d=other_d, other_e=other_e)
        return translate("Bandwise", "the pixels are {width:.10g} x {height:.10g} and {other_width:.10g} x {other_height:.10g} CRS units").format(
            width=lengths[0], height=lengths[1], other_width=other_lengths[0], other_height=other_lengths[1]
        )


def _crs_difference(grid: Grid, other: Grid) -> Text:
    none = translate("Bandwise", "none").format()
    return translate("Bandwise", "the CRS are {crs} and {other}").format(crs=_crs_name(grid.crs) or none, other=_crs_name(other.crs) or none)


def _crs_name(wkt: str) -> str:
    """The name that WKT gives in its first quotes."""
    parts = wkt.split('"', 2)
    return parts[1] if len(parts) == 3 else wkt


def _length(x: float, y: float) -> float:
    return float((x * x + y * y) ** 0.5)
