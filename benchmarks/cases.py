# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases that are measured: each an expression over the bands of a scene, with the tools that compute it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

NDVI = "(nir - red) / (nir + red)"
EVI = "2.5 * (nir / 10000 - red / 10000) / (nir / 10000 + 6 * red / 10000 - 7.5 * blue / 10000 + 1)"
SAVI = "1.5 * (nir / 10000 - red / 10000) / (nir / 10000 + red / 10000 + 0.5)"
GREENNESS = "(green - red) / (green + red - blue)"
LONG = f"{NDVI} + {EVI} + {SAVI} + {GREENNESS}"

_MSAVI_ROOT = "((2 * nir + 1) ** 2 - 8 * (nir - red)) ** 0.5"
#: Indices of reflectance, as ``resources/indices.json`` has them.
INDICES = {
    "NDVI": NDVI,
    "EVI": "2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1)",
    "SAVI": "1.5 * (nir - red) / (nir + red + 0.5)",
    "NDWI": "(green - nir) / (green + nir)",
    "MNDWI": "(green - swir1) / (green + swir1)",
    "NBR": "(nir - swir2) / (nir + swir2)",
    "NDMI": "(nir - swir1) / (nir + swir1)",
    "GNDVI": "(nir - green) / (nir + green)",
    "MSAVI": f"0.5 * (2 * nir + 1 - {_MSAVI_ROOT})",
    "BI": "((swir1 + red) - (nir + blue)) / ((swir1 + red) + (nir + blue))",
}
#: Reflectance of a Sentinel-2 product's stored value, since processing baseline 04.00.
SCALE, OFFSET = 0.0001, -0.1

_TILES = ("TILED=YES", "BLOCKXSIZE=512", "BLOCKYSIZE=512")
#: Creation options by codec; every tool gets the same. Tools whose name ends in "threads" also get
#: GDAL's own threads to compress with.
CODECS = {
    "none": (*_TILES, "COMPRESS=NONE"),
    "deflate6": (*_TILES, "COMPRESS=DEFLATE", "ZLEVEL=6", "PREDICTOR=3"),
    "deflate1": (*_TILES, "COMPRESS=DEFLATE", "ZLEVEL=1", "PREDICTOR=3"),
    "zstd1": (*_TILES, "COMPRESS=ZSTD", "ZSTD_LEVEL=1", "PREDICTOR=3"),
}
FULL = 10980
GROWTH = (5000, 10000, 20000, 30000, 40000)

_OURS = ("bandwise", "engine")
PEERS = ("qgis", "qgis-chroot", "gdal-raster-calc", "otb", "gdal_calc", "rio", "dask", "plain")
_FLOORS = ("engine-copy", "cp")
_ALL = (*_OURS, *PEERS, *_FLOORS, "engine-sum")
_COMPRESSING = (*_OURS, "bandwise-default", *PEERS, "gdal_calc-threads", "plain-threads", *_FLOORS)
_WORKERS = ("engine-1", "engine-2", "engine-3", "engine-4")


@dataclass(frozen=True)
class Case:
    """A case: ``tools``, by name and in order, compute ``expression`` from the ``scene`` (a form of
    ``scenes.py``).

    ``expression`` has a ``;`` between the bands of a result, and ``indices`` are their names where
    they are spectral indices. ``codec`` is a key of ``CODECS``; ``size``, in pixels a side, is 0 for
    that of the run; ``rounds`` is an upper bound.
    """

    name: str
    title: str
    scene: str
    expression: str
    codec: str
    tools: tuple[str, ...]
    size: int = 0
    rounds: int = 1000
    indices: tuple[str, ...] = ()

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands in the expression, in order of appearance."""
        return names_in(self.expression)


def names_in(expression: str) -> tuple[str, ...]:
    """Return the names of bands in an expression, in order of appearance."""
    return tuple(dict.fromkeys(re.findall(r"\b[a-z]\w*", expression)))


def translated(expression: str, name: Callable[[str], str]) -> str:
    """Return the expression with the names that ``name`` returns for its bands."""
    return re.sub(r"\b[a-z]\w*", lambda match: name(match[0]), expression)


def _ten_indices() -> Iterator[Case]:
    """Yield a case for each form of a scene and each codec: all indices in one run, from stored values."""
    results = [
        translated(formula, lambda band: f"({band} / 10000 - 0.1)") for formula in INDICES.values()
    ]
    for number, scene, form, others in (
        ("10", "sentinel2", "JPEG 2000 of 10 and 20 m", ("decode",)),
        ("11", "six-deflate", "DEFLATE", ("gdal_calc", "decode")),
        ("12", "six", "uncompressed", ("gdal_calc", "decode", "dd")),
    ):
        for codec, letter, made in (("none", "a", "uncompressed"), ("deflate1", "b", "DEFLATE 1")):
            yield Case(
                number + letter,
                f"Ten indices, {form} in, {made} out",
                scene,
                "; ".join(results),
                codec,
                (*_OURS, "engine-one", "plain", *others),
                indices=tuple(INDICES),
            )


CASES = (
    Case(
        "1",
        "NDVI, uncompressed",
        "tiled",
        NDVI,
        "none",
        (*_ALL, "gdal_calc-double", "gdal_calc-hide"),
    ),
    Case("2a", "NDVI, DEFLATE in, DEFLATE 6 out", "deflate", NDVI, "deflate6", _COMPRESSING),
    Case("2b", "NDVI, DEFLATE in, DEFLATE 1 out", "deflate", NDVI, "deflate1", _COMPRESSING),
    Case("2c", "NDVI, DEFLATE in, ZSTD 1 out", "deflate", NDVI, "zstd1", _COMPRESSING),
    Case("3", "NDVI from JPEG 2000", "jp2", NDVI, "none", (*_ALL, "decode")),
    Case("4", "EVI from one 4-band file", "stack", EVI, "none", _ALL),
    Case(
        "5",
        "Four indices summed, 32 operations",
        "tiled",
        LONG,
        "none",
        (*_ALL, "gdal_calc-double"),
    ),
    Case("6", "NDVI from strips, uncompressed", "striped", NDVI, "none", _ALL),
    Case("6b", "NDVI from strips, DEFLATE", "striped-deflate", NDVI, "none", _ALL),
    Case("scaling", "NDVI, uncompressed, by workers", "tiled", NDVI, "none", _WORKERS),
    Case("scaling-2b", "NDVI, DEFLATE 1, by workers", "deflate", NDVI, "deflate1", _WORKERS),
    Case(
        "overviews",
        "NDVI, uncompressed, with overviews",
        "tiled",
        NDVI,
        "none",
        ("engine", "engine-overviews"),
    ),
    Case(
        "overviews-2b",
        "NDVI, DEFLATE 1, with overviews",
        "deflate",
        NDVI,
        "deflate1",
        ("engine", "engine-overviews"),
    ),
    Case(
        "startup",
        "Start-up: 16 x 16 pixels",
        "plain",
        NDVI,
        "none",
        ("bandwise", "qgis-empty", "engine", "engine-imports"),
        size=16,
    ),
    *(
        Case(
            f"growth-{size}",
            "NDVI of a growing raster",
            "repeated",
            NDVI,
            "none",
            tools,
            size=size,
            rounds=2,
        )
        for size in GROWTH
        for tools in [("engine", "gdal_calc", "dd") if size == 30000 else ("engine", "dd")]
    ),
    *_ten_indices(),
)

TEN_INDICES = tuple(case.name for case in CASES if case.indices)

#: Path and number of a band, by its name.
Bands = Mapping[str, "tuple[str, int]"]


def scene_folder(folder: Path, form: str, size: int) -> Path:
    """Return the folder of a scene."""
    return folder / "scenes" / f"{form}-{size}"


def scene_bands(scene: Path) -> dict[str, tuple[str, int]]:
    """Return the bands of a scene that ``scenes.py`` wrote."""
    listed = json.loads((scene / "bands.json").read_text(encoding="utf-8"))
    return {name: (str(scene / path), int(number)) for name, (path, number) in listed.items()}


def s_expression(expression: str, name: Callable[[str], str]) -> str:
    """Return the expression in prefix notation, as ``rio calc`` reads it."""
    operators = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}

    def text(node: ast.expr) -> str:
        if isinstance(node, ast.BinOp):
            return f"({operators[type(node.op)]} {text(node.left)} {text(node.right)})"
        return name(node.id) if isinstance(node, ast.Name) else ast.unparse(node)

    return text(ast.parse(expression, mode="eval").body)
