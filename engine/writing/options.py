# SPDX-License-Identifier: GPL-2.0-or-later
"""GeoTIFF creation options: the default profile, and what a user's options change of it.

Names and values are those of GDAL's GTiff driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import OptionError
from ..messages import translate

DEFAULT_PROFILE = {
    "TILED": "YES",
    "BLOCKXSIZE": "512",
    "BLOCKYSIZE": "512",
    "COMPRESS": "DEFLATE",
    "ZLEVEL": "1",
    "PREDICTOR": "3",
    "BIGTIFF": "IF_SAFER",
}
CODECS_WITH_PREDICTOR = ("DEFLATE", "LZW", "ZSTD")
#: Options that leave a file a Cloud Optimized GeoTIFF: those that GDAL's COG driver has, by whatever name.
_OF_A_COG = {
    "TILED",
    "BLOCKXSIZE",
    "BLOCKYSIZE",
    "INTERLEAVE",
    "COMPRESS",
    "PREDICTOR",
    "ZLEVEL",
    "ZSTD_LEVEL",
}
_OF_A_COG |= {"LZMA_PRESET", "MAX_Z_ERROR", "BIGTIFF", "SPARSE_OK", "NUM_THREADS"}
_YES, _NO = ("YES", "TRUE", "ON"), ("NO", "FALSE", "OFF")
_CODECS_FOR_BYTES = ("JPEG", "WEBP", "CCITTRLE", "CCITTFAX3", "CCITTFAX4")
_NOT_OPTIONS = ("WIDTH", "HEIGHT", "COUNT", "DTYPE", "DRIVER", "NODATA", "CRS", "TRANSFORM")


def parse_creation_options(text: str) -> dict[str, str]:
    """``"NAME=VALUE|NAME=VALUE"``, as QGIS writes it, to a mapping with upper-case names.

    Raises :class:`OptionError` for a part without a name or a value, and for a name given twice.
    """
    options: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split("|"))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        name = name.upper()
        if not name or not value or name in options or name in _NOT_OPTIONS:
            raise OptionError(
                translate(
                    "Bandwise",
                    "Creation option “{option}” is not understood; give each option once as "
                    "NAME=VALUE, with | between them, "
                    "such as COMPRESS=ZSTD|ZSTD_LEVEL=1.",
                ).format(option=part)
            )
        options[name] = value
    return options


def creation_profile(text: str, dtype: np.dtype[Any]) -> dict[str, str]:
    """The options to create a result of a type with: the default profile, changed by the user's ``text``.

    A default that would contradict what the user chose (the level of another codec, tiles in a
    striped file) is left out. Raises :class:`OptionError` for text that is no list of options and
    for a codec that holds bytes alone.
    """
    chosen = parse_creation_options(text)
    profile = {**DEFAULT_PROFILE, "PREDICTOR": "3" if dtype.kind == "f" else "2"}
    codec = chosen.get("COMPRESS", profile["COMPRESS"]).upper()
    if codec in _CODECS_FOR_BYTES:
        raise OptionError(
            translate(
                "Bandwise",
                "COMPRESS={codec} cannot hold the result's values as they are; choose DEFLATE, ZSTD, LZW or NONE.",
            ).format(codec=codec)
        )
    if "NBITS" in chosen:
        raise OptionError(
            translate(
                "Bandwise", "NBITS would round the result's values and its nodata; leave it out."
            ).format()
        )
    if chosen.get("TILED", "YES").upper() not in (*_YES, *_NO):
        raise OptionError(
            translate("Bandwise", "TILED is YES or NO, not {value}.").format(value=chosen["TILED"])
        )
    if "COMPRESS" in chosen:
        del profile["ZLEVEL"]
        if codec not in CODECS_WITH_PREDICTOR:
            del profile["PREDICTOR"]
    if chosen.get("TILED", "YES").upper() in _NO:
        del profile["BLOCKXSIZE"], profile["BLOCKYSIZE"]
    if chosen.get("ENDIANNESS", "").upper() == "BIG":
        profile.pop("PREDICTOR", None)  # GDAL before 3.7 or so writes garbage with both
    return {**profile, **chosen}


def cog_profile(profile: Mapping[str, str]) -> dict[str, str]:
    """Return ``profile`` with what a Cloud Optimized GeoTIFF needs: square tiles of all bands together.

    Raises :class:`OptionError` for an option that a COG cannot have.
    """
    for name, value in profile.items():
        if name not in _OF_A_COG:
            raise OptionError(
                translate(
                    "Bandwise",
                    "A Cloud Optimized GeoTIFF cannot have the creation option {option}; leave it "
                    "out, or untick “Cloud "
                    "Optimized GeoTIFF” (COG).",
                ).format(option=f"{name}={value}")
            )
    if profile.get("TILED", "YES").upper() in _NO:
        raise OptionError(
            translate(
                "Bandwise",
                "A Cloud Optimized GeoTIFF has tiles; leave out TILED=NO, or untick “Cloud Optimized GeoTIFF” "
                "(COG).",
            ).format()
        )
    return {**profile, "BLOCKYSIZE": profile.get("BLOCKXSIZE", "512"), "INTERLEAVE": "PIXEL"}
