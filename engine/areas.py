# SPDX-License-Identifier: GPL-2.0-or-later
"""Which pixels lie in an area of polygons."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio.features import rasterize
from rasterio.transform import Affine

from .crs import moved
from .errors import GridError, OptionError
from .grid import Grid, Window
from .masks import Area, Ring
from .messages import translate


class AreaMask:
    """An area on a grid. A pixel lies in it when its centre does.

    Raises :class:`OptionError` for an area without polygons, :class:`GridError` for one that cannot be brought into the grid's CRS.
    """

    def __init__(self, area: Area, grid: Grid) -> None:
        if not area.polygons:
            raise OptionError(translate("Bandwise", "AOI holds no polygons; choose a polygon layer with features, or leave it empty.").format())
        if bool(area.crs) != bool(grid.crs) and area.crs:
            raise GridError(translate("Bandwise", "The inputs have no CRS, so AOI cannot be laid over them; assign one to the inputs.").format())
        self._shapes = [self._shape(polygon, area.crs or grid.crs, grid) for polygon in area.polygons]

    @staticmethod
    def _shape(polygon: tuple[Ring, ...], crs: str, grid: Grid) -> tuple[tuple[float, float, float, float], dict[str, Any]]:
        """A polygon's outline, and the polygon, in columns and rows of the grid."""
        rings = []
        for ring in polygon:
            xs, ys = moved([x for x, _ in ring], [y for _, y in ring], crs, grid.crs)
            if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
                text = translate("Bandwise", "AOI reaches to where the CRS of the result has no places; cut or reproject it first.")
                raise GridError(text.format())
            rings.append([grid.pixel_of(float(x), float(y)) for x, y in zip(xs, ys)])
        columns, rows = zip(*rings[0])
        return (min(columns), min(rows), max(columns), max(rows)), {"type": "Polygon", "coordinates": rings}

    def outside(self, window: Window) -> npt.NDArray[np.bool_]:
        """Where the pixels of a window, of shape (height, width), lie outside."""
        right, bottom = window.column + window.width, window.row + window.height
        near = [
            shape
            for (left, top, most, lowest), shape in self._shapes
            if left < right and most > window.column and top < bottom and lowest > window.row
        ]
        out = np.ones((window.height, window.width), np.uint8)
        if near:
            rasterize(near, out=out, transform=Affine.translation(window.column, window.row), default_value=0)
        return out.view(np.bool_)
