# SPDX-License-Identifier: GPL-2.0-or-later
"""The indices of ``i.vi`` of GRASS GIS 8.2.1 and of RadiometricIndices of OTB 8.1.1 beside ours.

``tests/corpus/peer_indices.json`` holds what the tools answer; ``make peers-indices`` asks them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = 8  #: pixels a side of what the tools are asked
ROLES = ("blue", "green", "red", "nir", "swir1", "swir2")
GRASS, OTB = "i.vi", "RadiometricIndices"


@dataclass(frozen=True)
class PeerIndex:
    """What a ``tool`` computes under a ``name``: a ``formula`` over roles with the tool's constants.

    ``ours`` is the index of the table that is meant, with ``constants`` as ``CONSTANTS`` takes them;
    empty where there is none. ``why`` tells how ours differs; empty where it is the same.
    """

    tool: str
    name: str
    formula: str
    ours: str = ""
    constants: str = ""
    why: str = ""


_NDVI = "(nir - red) / (nir + red)"
_GEMI = "(2 * (nir^2 - red^2) + 1.5 * nir + 0.5 * red) / (nir + red + 0.5)"
_SAVI = "1.5 * (nir - red) / (nir + red + 0.5)"
_MSAVI2 = "(2 * nir + 1 - sqrt((2 * nir + 1)^2 - 8 * (nir - red))) / 2"
_SOIL = f"(1 - 0.8 * {_NDVI} * (nir - 0.4 * red))"

#: What ``i.vi`` is asked for ``msavi`` with: exact in float32, in which it takes them
SOIL_LINE = {
    "soil_line_slope": 1.25,
    "soil_line_intercept": 0.03125,
    "soil_noise_reduction": 0.0625,
}
_GRASS = (
    PeerIndex(GRASS, "arvi", "(nir - (2 * red - blue)) / (nir + (2 * red - blue))", "ARVI"),
    PeerIndex(GRASS, "ci", "1 - (red - blue) / (red + blue)", why="crust index; not in the list"),
    PeerIndex(GRASS, "dvi", "nir - red", "DVI"),
    PeerIndex(GRASS, "evi", "2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1)", "EVI"),
    PeerIndex(GRASS, "evi2", "2.5 * (nir - red) / (nir + 2.4 * red + 1)", "EVI2"),
    PeerIndex(
        GRASS,
        "gari",
        "(nir - (green - (blue - red))) / (nir + (green - (blue - red)))",
        "GARI",
    ),
    PeerIndex(GRASS, "gemi", f"{_GEMI} * (1 - 0.25 * {_GEMI}) - (red - 0.125) / (1 - red)", "GEMI"),
    PeerIndex(
        GRASS,
        "gvi",
        "-0.2848 * blue - 0.2435 * green - 0.5436 * red + 0.7243 * nir + 0.084 * swir1 - 0.18 * swir2",
        why="greenness of the tasselled cap of Landsat TM; not in the list",
    ),
    PeerIndex(GRASS, "ipvi", "nir / (nir + red)", "IPVI"),
    PeerIndex(
        GRASS,
        "msavi",
        "1.25 * (nir - 1.25 * red - 0.03125) / "
        "(0.03125 * nir + red - 0.03125 * 1.25 + 0.0625 * (1 + 1.25 + 1.25))",
        "ATSAVI",
        "sla=1.25; slb=0.03125",
        "the denominator has the intercept times nir, and 1 + s + s for the slope s; Baret and Guyot (1991) have "
        "the slope times nir, and 1 + s^2",
    ),
    PeerIndex(GRASS, "msavi2", _MSAVI2, "MSAVI"),
    PeerIndex(GRASS, "ndvi", _NDVI, "NDVI"),
    PeerIndex(GRASS, "ndwi", "(green - nir) / (green + nir)", "NDWI"),
    PeerIndex(
        GRASS,
        "pvi",
        "sin(1) * nir - cos(1) * red",
        why="a soil line of 1 radian, whatever is given; not in the list",
    ),
    PeerIndex(GRASS, "savi", _SAVI, "SAVI"),
    PeerIndex(GRASS, "sr", "nir / red", "SR"),
    PeerIndex(
        GRASS,
        "vari",
        "(blue - red) / (blue + red - green)",
        "VARI",
        why="green and blue are interchanged; Gitelson et al. (2002), and the manual of i.vi, have "
        "(green - red) / (green + red - blue)",
    ),
    PeerIndex(GRASS, "wdvi", "nir - red", "WDVI"),
)
_OTB = (
    PeerIndex(OTB, "Vegetation:NDVI", _NDVI, "NDVI"),
    PeerIndex(OTB, "Vegetation:TNDVI", f"sqrt({_NDVI} + 0.5)", "TVI"),
    PeerIndex(OTB, "Vegetation:RVI", "nir / red", "SR"),
    PeerIndex(OTB, "Vegetation:SAVI", _SAVI, "SAVI"),
    PeerIndex(
        OTB,
        "Vegetation:TSAVI",
        "0.7 * (nir - 0.7 * red - 0.9) / (0.7 * nir + red + 0.08 * (1 + 0.7^2))",
        "TSAVI",
        "sla=0.7; slb=0.9",
        "the slope 0.7 and the intercept 0.9 are fixed, and the denominator mixes two papers: 0.08 * (1 + s^2) of "
        "Baret and Guyot (1991) without their - s * a; ours is that of Baret et al. (1989), and ATSAVI that of 1991",
    ),
    PeerIndex(
        OTB,
        "Vegetation:MSAVI",
        f"(nir - red) * (1 + {_SOIL}) / (nir + red + {_SOIL})",
        "MSAVI",
        why="Qi et al. (1994) with L = 1 - 2 * s * NDVI * WDVI, and a slope of 0.4 that is fixed; ours is their "
        "second one, without a slope",
    ),
    PeerIndex(OTB, "Vegetation:MSAVI2", _MSAVI2, "MSAVI"),
    PeerIndex(
        OTB,
        "Vegetation:GEMI",
        f"({_GEMI} * (1 - 0.25 * {_GEMI}) - (red - 0.125)) / (1 - red)",
        "GEMI",
        why="all is divided by 1 - red; Pinty and Verstraete (1992) divide the last term alone",
    ),
    PeerIndex(OTB, "Vegetation:IPVI", "nir / (nir + red)", "IPVI"),
    PeerIndex(
        OTB,
        "Vegetation:LAIFromNDVILog",
        f"where(({_NDVI} >= 0) * ({_NDVI} < 0.89), log((0.89 - {_NDVI}) / 0.79) / -0.71, 0)",
        why="leaf area index; not in the list",
    ),
    PeerIndex(
        OTB,
        "Vegetation:LAIFromReflLinear",
        "12.26 * nir - 17.91 * red",
        why="leaf area index; not in the list",
    ),
    PeerIndex(
        OTB,
        "Vegetation:LAIFromNDVIFormo",
        f"0.1519 * (exp({_NDVI} * 3.9443) - exp(0.13 * 3.9443))",
        why="leaf area index; not in the list",
    ),
    PeerIndex(OTB, "Water:NDWI", "(nir - swir1) / (nir + swir1)", "NDMI"),
    PeerIndex(OTB, "Water:NDWI2", "(green - nir) / (green + nir)", "NDWI"),
    PeerIndex(OTB, "Water:MNDWI", "(green - swir1) / (green + swir1)", "MNDWI"),
    PeerIndex(OTB, "Water:NDTI", "(red - green) / (red + green)", "NDTI"),
    PeerIndex(
        OTB,
        "Soil:RI",
        "red^2 / green^3",
        why="ours are RI, which is OTB's CI, and RI4XS, red^2 / green^4",
    ),
    PeerIndex(OTB, "Soil:CI", "(red - green) / (red + green)", "RI"),
    PeerIndex(OTB, "Soil:BI", "sqrt((red^2 + green^2) / 2)", "BIXS"),
    PeerIndex(
        OTB,
        "Soil:BI2",
        "sqrt((red^2 + green^2 + nir^2) / 3)",
        why="not in the list; BITM has blue in place of nir",
    ),
    PeerIndex(OTB, "BuiltUp:ISU", "100 - 25 * red / nir", why="not in the list"),
)
PEERS = (*_GRASS, *_OTB)


def reflectance() -> dict[str, NDArray[Any]]:
    """What the tools are asked, by role: float32, and in the first pixels what makes denominators zero."""
    index = np.arange(SIZE * SIZE)
    steps = dict(zip(ROLES, (37, 53, 71, 89, 61, 43)))
    bands = {role: (20 + index * step % 587) / 1000 for role, step in steps.items()}
    for role, values in bands.items():
        values[0] = 0.0
        values[1] = {"red": 1.0, "nir": 0.5}.get(role, 0.1)
        values[2] = 0.25
    return {role: values.astype(np.float32).reshape(SIZE, SIZE) for role, values in bands.items()}


def by_the_formula(peer: PeerIndex) -> NDArray[Any]:
    """What the formula of a tool gives in float64; not finite where it is undefined."""
    functions = {
        "sqrt": np.sqrt,
        "exp": np.exp,
        "log": np.log,
        "sin": np.sin,
        "cos": np.cos,
        "where": np.where,
    }
    bands = {role: values.astype(np.float64) for role, values in reflectance().items()}
    with np.errstate(all="ignore"):
        values = eval(peer.formula.replace("^", "**"), {**functions, **bands})
    return np.asarray(values, np.float64)
