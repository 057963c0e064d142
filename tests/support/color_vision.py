# SPDX-License-Identifier: GPL-2.0-or-later
"""Colours as people see them who cannot tell red from green."""

from __future__ import annotations

import numpy as np

#: Linear RGB as it is seen without a kind of cones: Machado, Oliveira and Fernandes (2009), severity 1,
#: doi:10.1109/TVCG.2009.113.
SEEN = {
    "protanopia": [
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ],
    "deuteranopia": [
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ],
}
#: sRGB to XYZ, relative to its white D65 (IEC 61966-2-1)
XYZ = np.array(
    [(0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)]
) / np.array([[0.9505], [1.0], [1.089]])
LEAST = 8.0  #: CIELAB units; 2.3 can just be seen side by side


def lab(color: str, cones: list[tuple[float, float, float]]) -> np.ndarray:
    """CIELAB of a colour as it is seen."""
    coded = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    ratio = XYZ @ np.clip(np.array(cones) @ linear, 0, 1)
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array((116 * y - 16, 500 * (x - y), 200 * (y - z)))
