# SPDX-License-Identifier: GPL-2.0-or-later
"""Which pixels lie in an area of polygons."""

from __future__ import annotations

import math

import numpy as np

from ..arrays import NDArray
from ..backend.api import Polygon
from ..backend.choice import backend
from ..backend.crs import same_crs, transform_points
from ..errors import GridError, OptionError
from ..grids.grid import Grid, Window
from ..messages import Field, translate
from ..radiometry.masks import Area, Ring

_PIECES = 256  #: of an edge as long as the ring is wide


class PolygonMask:
    """An area on a grid. A pixel lies in it when its centre does.

    Raises :class:`OptionError` for an area without polygons, :class:`GridError` for one that cannot
    be brought into the grid's CRS.
    """

    def __init__(self, area: Area, grid: Grid) -> None:
        if not area.polygons:
            raise OptionError(
                translate(
                    "Bandwise",
                    "{area} holds no polygons; choose a polygon layer with features, or leave it empty.",
                ).format(area=Field.AREA)
            )
        if grid.georeference is not None:
            text = translate(
                "Bandwise",
                "The inputs have no geotransform, only {georeference}, so {area} cannot "
                "be laid over them; warp them first.",
            )
            raise GridError(text.format(georeference=grid.georeference.summary(), area=Field.AREA))
        if bool(area.crs) != bool(grid.crs) and area.crs:
            raise GridError(
                translate(
                    "Bandwise",
                    "The inputs have no CRS, so {area} cannot be laid over them; assign one to the inputs.",
                ).format(area=Field.AREA)
            )
        self._shapes = [
            self._shape(polygon, area.crs or grid.crs, grid) for polygon in area.polygons
        ]

    @staticmethod
    def _shape(
        polygon: tuple[Ring, ...], crs: str, grid: Grid
    ) -> tuple[tuple[float, float, float, float], Polygon]:
        """A polygon's outline, and the polygon, in columns and rows of the grid."""
        rings = []
        for ring in polygon:
            vertices = ring if same_crs(crs, grid.crs) else _with_places_between(ring)
            xs, ys = transform_points(
                [x for x, _ in vertices], [y for _, y in vertices], crs, grid.crs
            )
            if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
                text = translate(
                    "Bandwise",
                    "{area} reaches to where the CRS of the result has no places; cut or reproject it first.",
                )
                raise GridError(text.format(area=Field.AREA))
            rings.append([grid.rowcol(float(x), float(y))[::-1] for x, y in zip(xs, ys)])
        columns, rows = zip(*rings[0])
        return (min(columns), min(rows), max(columns), max(rows)), rings

    def outside(self, window: Window) -> NDArray[np.bool_]:
        """Where the pixels of a window, of shape (height, width), lie outside."""
        right, bottom = window.column + window.width, window.row + window.height
        near = [
            shape
            for (left, top, most, lowest), shape in self._shapes
            if left < right and most > window.column and top < bottom and lowest > window.row
        ]
        out = np.ones((window.height, window.width), np.uint8)
        if near:
            backend().burn(near, window, out)
        return out.view(np.bool_)


def _with_places_between(ring: Ring) -> list[tuple[float, float]]:
    """A ring with so many places on its edges that it keeps its shape in another CRS, where they
    are no straight lines.
    """
    corners = np.array(ring)
    longest = max(float(np.ptp(corners, axis=0).max()) / _PIECES, 1e-300)
    points = []
    for (x, y), (to_x, to_y) in zip(ring, ring[1:]):
        count = max(1, min(_PIECES, math.ceil(max(abs(to_x - x), abs(to_y - y)) / longest)))
        points += [
            (x + (to_x - x) * step / count, y + (to_y - y) * step / count) for step in range(count)
        ]
    return [*points, ring[-1]]
