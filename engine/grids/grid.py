# SPDX-License-Identifier: GPL-2.0-or-later
"""A grid of pixels, a window of it, and the offset between the pixels of two grids."""

from __future__ import annotations

from typing import NamedTuple

from ..messages import Text, join, translate

#: Fraction of a pixel by which two grids may differ and still be taken as the same.
SAME_GRID_TOLERANCE = 0.01


class Window(NamedTuple):
    """A rectangle of pixels, counted from the raster's upper left pixel."""

    column: int
    row: int
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    def offset(self, columns: int, rows: int) -> Window:
        """Return the window moved by ``columns`` and ``rows``."""
        return Window(self.column + columns, self.row + rows, self.width, self.height)

    def grown(self, halo: int) -> Window:
        """Return the window enlarged by ``halo`` pixels on each side, also beyond the raster."""
        if not halo:
            return self
        return Window(
            self.column - halo, self.row - halo, self.width + 2 * halo, self.height + 2 * halo
        )

    def intersection(self, other: Window) -> Window | None:
        """Return the common part of two windows; None if there is none."""
        column, row = max(self.column, other.column), max(self.row, other.row)
        width = min(self.column + self.width, other.column + other.width) - column
        height = min(self.row + self.height, other.row + other.height) - row
        return Window(column, row, width, height) if width > 0 and height > 0 else None

    def slices_in(self, other: Window) -> tuple[slice, slice]:
        """Return the rows and columns of this window in an array of ``other``'s pixels."""
        row, column = self.row - other.row, self.column - other.column
        return slice(row, row + self.height), slice(column, column + self.width)


class Georeference(NamedTuple):
    """The position of a raster without a geotransform.

    ``points`` are ground control points, each (row, column, x, y, z) in units of ``crs`` (WKT);
    ``rpc`` are rational polynomial coefficients, by GDAL's names.
    """

    points: tuple[tuple[float, float, float, float, float], ...] = ()
    crs: str = ""
    rpc: tuple[tuple[str, str], ...] = ()

    def summary(self) -> Text:
        """Describe it for users."""
        points = translate("Bandwise", "{count} ground control points in {crs}").format(
            count=len(self.points), crs=crs_name(self.crs)
        )
        rpc = translate("Bandwise", "rational polynomial coefficients (RPC)").format()
        return join([text for text, given in ((points, self.points), (rpc, self.rpc)) if given])


class Grid(NamedTuple):
    """CRS, geotransform and size of a raster.

    ``crs`` is WKT (ISO 19162), empty if the raster has none. ``transform`` is (a, b, c, d, e, f)
    with x = a * column + b * row + c and y = d * column + e * row + f, in units of the CRS;
    ``georeference`` replaces both.
    """

    crs: str
    transform: tuple[float, float, float, float, float, float]
    width: int
    height: int
    georeference: Georeference | None = None

    @property
    def window(self) -> Window:
        """The window of all pixels."""
        return Window(0, 0, self.width, self.height)

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Length of one column and of one row, in units of the CRS."""
        a, b, _, d, e, _ = self.transform
        return float((a * a + d * d) ** 0.5), float((b * b + e * e) ** 0.5)

    def rowcol(self, x: float, y: float) -> tuple[float, float]:
        """Return row and column, with fractions, of coordinates in units of the CRS."""
        a, b, c, d, e, f = self.transform
        determinant = a * e - b * d
        column = (e * (x - c) - b * (y - f)) / determinant
        return (a * (y - f) - d * (x - c)) / determinant, column

    def xy(self, row: float, column: float) -> tuple[float, float]:
        """Return coordinates, in units of the CRS, of the upper left corner of a (fractional) pixel."""
        a, b, c, d, e, f = self.transform
        return a * column + b * row + c, d * column + e * row + f

    def crop(self, window: Window) -> Grid:
        """Return the grid of a window, which may reach beyond this one."""
        if window == self.window:
            return self
        a, b, _, d, e, _ = self.transform
        x, y = self.xy(window.row, window.column)
        return Grid(self.crs, (a, b, x, d, e, y), window.width, window.height)

    def pixel_offset(self, other: Grid) -> tuple[int, int] | None:
        """Return the column and row of this grid at which ``other``'s first pixel lies.

        Return None unless the pixels of both coincide, to :data:`SAME_GRID_TOLERANCE` of a pixel at
        all four corners. Both have the same CRS.
        """
        rows, columns = (round(number) for number in self.rowcol(*other.xy(0, 0)))
        corners = ((0, 0), (0, other.width), (other.height, 0), (other.height, other.width))
        for row, column in corners:
            own_row, own_column = self.rowcol(*other.xy(row, column))
            apart = abs(own_column - column - columns), abs(own_row - row - rows)
            if max(apart) > SAME_GRID_TOLERANCE:
                return None
        return columns, rows

    def summary(self) -> Text:
        """Describe pixel size and CRS for users."""
        (width, height), (a, b, _, d, e, _) = self.pixel_size, self.transform
        text = translate("Bandwise", "pixels of {width:.10g} x {height:.10g} in {crs}")
        if b or d:
            text = translate("Bandwise", "rotated pixels of {width:.10g} x {height:.10g} in {crs}")
        elif a < 0 or e > 0:
            text = translate(
                "Bandwise",
                "upside-down or mirrored pixels of {width:.10g} x {height:.10g} in {crs}",
            )
        return text.format(width=width, height=height, crs=crs_name(self.crs))


def crs_name(wkt: str) -> Text | str:
    """Return the name of a CRS: the first quoted text of its WKT."""
    parts = wkt.split('"', 2)
    return parts[1] if len(parts) == 3 else wkt or translate("Bandwise", "no CRS").format()
