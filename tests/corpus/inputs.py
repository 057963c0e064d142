# SPDX-License-Identifier: GPL-2.0-or-later
"""The rasters that the corpus is evaluated on: 16 x 16 analytic arrays, the same in every tool.

===========  =====  ==========================================================================================
raster       bands  what is in it
===========  =====  ==========================================================================================
``scene``    4      blue, green, red, nir: whole numbers 0..65535 with zeros and equal bands (0/0)
``other``    2      band 1: -64 .. 63.5 in steps of a half, 70000 once; band 2: -1.5 .. 1.5 in steps of 1/32
``classes``  1      whole numbers 0..255: small classes at even places, bit patterns at odd places
===========  =====  ==========================================================================================

Every value is exact in float32, because OTB's BandMath reads its inputs as float32. Nothing is NaN, nothing is nodata.
The names in an expression, in this fixed order:

* QGIS: ``scene@1`` ... ``classes@1``, and the aliases of :data:`LAYERS`; * gdal_calc: ``A B C D`` =
bands of ``scene``, ``E F`` = bands of ``other``, ``G`` = ``classes``; the small letters are the
same files; * OTB: ``im1`` = ``scene``, ``im2`` = ``other``, ``im3`` = ``classes``.
"""

from __future__ import annotations

import numpy as np

SIZE = 16

# Layer names as a project may hold them, and the raster behind each.
LAYERS = {
    "scene": "scene",
    "other": "other",
    "classes": "classes",
    "S2A_T33.v2-1": "scene",
    "Landsat 8 (2021)": "scene",
    "Höhe": "other",
    "dem 10 m": "other",
    "land-cover": "classes",
}

LETTERS = {
    "A": ("scene", 1),
    "B": ("scene", 2),
    "C": ("scene", 3),
    "D": ("scene", 4),
    "E": ("other", 1),
    "F": ("other", 2),
    "G": ("classes", 1),
}
IMAGES = ("scene", "other", "classes")

# The pixels whose values are kept in expected.json: the first row, where the awkward values are,
# every fifth of the rest, and those around zero.
SAMPLE = (*range(16), *range(16, 256, 5), 90, 127, 128, 129)

# Columns blue, green, red, nir of the first pixels of ``scene``.
_AWKWARD = (
    (0, 0, 0, 0),
    (1000, 1000, 1000, 1000),
    (100, 200, 1800, 1200),
    (0, 0, 2000, 0),
    (0, 0, 0, 2000),
    (65535, 65535, 65535, 65535),
    (1, 2, 3000, 65535),
    (1, 1, 1, 0),
    (7, 8, 9, 10),
    (255, 256, 257, 128),
    (10000, 10000, 5000, 10000),
    (400, 600, 500, 3000),
)


def arrays() -> dict[str, np.ndarray]:
    """Raster name -> array (bands, rows, columns) of float64."""
    index = np.arange(SIZE * SIZE)
    scene = np.stack(
        [
            200 + index * 37 % 2000,
            300 + index * 53 % 2500,
            250 + index * 71 % 4000,
            500 + index * 89 % 9000,
        ]
    )
    scene[:, : len(_AWKWARD)] = np.array(_AWKWARD).T
    half = (index - 128) / 2
    half[15] = 70000
    other = np.stack([half, (index * 7 % 97 - 48) / 32])
    classes = np.where(index % 2 == 0, index // 2 % 8, index * 37 % 256)[None]
    shape = (-1, SIZE, SIZE)
    return {
        "scene": scene.reshape(shape).astype(float),
        "other": other.reshape(shape),
        "classes": classes.reshape(shape).astype(float),
    }
