# SPDX-License-Identifier: GPL-2.0-or-later
"""What a result is created as: creation options by name, defaults, and GDAL's judgement of them.

Names and values are those of GDAL's GTiff driver.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend.api import CreationSpec
from ..backend.captured import GdalMessages
from ..backend.choice import backend, listening
from ..backend.crs import check_crs
from ..backend.failures import reason_of
from ..errors import OptionError
from ..grids.grid import Grid
from ..messages import Field, translate
from ..radiometry.storage import Storage

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


@dataclass(frozen=True)
class ResultSpec:
    """A result to write: ``target`` is its name, ``names`` those of its bands, ``profile`` GDAL's creation options.

    ``overviews`` asks for smaller copies, and ``cog`` for the layout of a Cloud Optimized GeoTIFF.
    """

    target: str
    grid: Grid
    names: tuple[str, ...]
    storage: Storage
    profile: Mapping[str, str]
    overviews: bool = False
    cog: bool = False

    @property
    def size(self) -> int:
        """Bytes of its pixels before compression, without overviews."""
        return self.grid.width * self.grid.height * len(self.names) * self.storage.dtype.itemsize


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
                    "out, or choose another {kind} and untick {cog}.",
                ).format(option=f"{name}={value}", kind=Field.FILE_KIND, cog=Field.COG)
            )
    if profile.get("TILED", "YES").upper() in _NO:
        raise OptionError(
            translate(
                "Bandwise",
                "A Cloud Optimized GeoTIFF has tiles; leave out TILED=NO, or choose another {kind} and "
                "untick {cog}.",
            ).format(kind=Field.FILE_KIND, cog=Field.COG)
        )
    return {**profile, "BLOCKYSIZE": profile.get("BLOCKXSIZE", "512"), "INTERLEAVE": "PIXEL"}


def creation_spec(
    grid: Grid, names: Sequence[str], storage: Storage, profile: Mapping[str, str]
) -> CreationSpec:
    """Return what to create for a result with a band for each of ``names``, without its blocks.

    Raises
    ------
    GridError
        For a CRS that PROJ does not know.
    """
    check_crs(grid.crs)
    if grid.georeference is not None:
        check_crs(grid.georeference.crs)
    return CreationSpec(
        grid=grid,
        count=len(names),
        dtype=storage.dtype,
        nodata=storage.nodata,
        options={**profile, "SPARSE_OK": "YES"},
        names=tuple(names),
        scale=storage.scale_tag if storage.scaled else None,
        offset=storage.offset_tag if storage.scaled else None,
    )


def check_profile(profile: Mapping[str, str], storage: Storage) -> None:
    """Let GDAL judge creation options on a small file in memory; raise :class:`OptionError` with its words."""
    grid = Grid(crs="", transform=(2.0, 0.0, 0.0, 0.0, -2.0, 0.0), width=16, height=16)
    messages = GdalMessages()
    with listening(messages):
        try:
            backend().create(creation_spec(grid, [""], storage, profile))
        except (OSError, ValueError) as error:
            messages.add(reason_of(error))
    if messages.warnings:
        words = [re.sub(r"/vsimem/\S+: ", "", complaint) for complaint in messages.warnings]
        raise OptionError(
            translate(
                "Bandwise",
                "GDAL does not take the creation options: {reason}; see the GTiff driver's list of creation options.",
            ).format(reason="; ".join(words))
        )


def is_uncompressed(profile: Mapping[str, str]) -> bool:
    """Whether the file holds every pixel as it is, at a place known before: so any rows of a block
    can be written by themselves.
    """
    return (
        profile.get("COMPRESS", "NONE").upper() == "NONE"
        and "DISCARD_LSB" not in profile
        and not is_sparse(profile)
    )


def is_tiled(profile: Mapping[str, str]) -> bool:
    """Whether blocks are tiles, not strips."""
    return profile.get("TILED", "NO").upper() in _YES


def is_sparse(profile: Mapping[str, str]) -> bool:
    """Whether blocks that are all nodata are left out of the file."""
    return profile.get("SPARSE_OK", "NO").upper() in ("YES", "TRUE", "ON")


def result_block(
    grid: Grid, count: int, storage: Storage, profile: Mapping[str, str]
) -> tuple[int, int]:
    """The (width, height) of the blocks that a result would have; it is created in memory, without any.

    Raises :class:`OptionError`.
    """
    try:
        return backend().create(creation_spec(grid, [""] * count, storage, profile)).block
    except OSError as error:
        text = translate(
            "Bandwise", "GDAL cannot create the result with these creation options: {reason}."
        )
        raise OptionError(text.format(reason=reason_of(error))) from error
