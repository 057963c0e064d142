# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bands of a VRT file are made of: GDAL's documentation of its virtual format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .metadata_file import Element, xml_elements

_ROOT = "VRTDataset"
_BAND = (_ROOT, "VRTRasterBand")
#: That give stored values, unless they are told to change them
_PLAIN_SOURCES = ("SimpleSource", "ComplexSource", "AveragedSource")
_CHANGES = ("LUT", "Exponent", "ColorTableComponent", "SrcMin", "SrcMax", "DstMin", "DstMax")
_WANTED = frozenset(
    (
        "SourceFilename",
        "SourceDataset",
        "SourceBand",
        "SourceProperties",
        "ScaleOffset",
        "ScaleRatio",
        "Description",
        "MDI",
        *_CHANGES,
        *_BAND,
    )
)
_HEADER = 1024  #: bytes, in which a VRT's first tag opens
_MOST_ELEMENTS = 300_000
_TYPES = {"Byte": "uint8"}  #: of GDAL, that are not called as numpy's


class VrtSource(NamedTuple):
    """Band ``number`` (0: its mask) of the raster ``path``, of type ``dtype`` where the VRT tells."""

    path: str
    number: int = 1
    dtype: str = ""


class VrtBand(NamedTuple):
    """A band of a VRT.

    ``plain`` says that its pixels are the stored values of its sources, moved or resampled, but not
    changed.
    """

    sources: tuple[VrtSource, ...] = ()
    plain: bool = True
    name: str = ""
    description: str = ""


def is_vrt(path: str) -> bool:
    """Whether a local file is a VRT, whatever its name ends in: by its first bytes, as GDAL does."""
    if path.startswith("/vsi") or not os.path.isfile(path):
        return False
    try:
        with Path(path).open("rb") as file:
            header = file.read(_HEADER).lstrip(b"\xef\xbb\xbf \t\r\n")
            return header.startswith(b"<") and b"<" + _ROOT.encode() in header
    except (OSError, ValueError):
        return False


def vrt_bands(path: str) -> tuple[VrtBand, ...]:
    """The bands of a VRT file. Raises :class:`~engine.errors.MetadataError` where it cannot be parsed."""
    bands: list[VrtBand] = []
    pending: list[Element] = []
    whole: list[VrtSource] = []  # of a warped, pansharpened or processed dataset
    for element in xml_elements(path, _WANTED, most=_MOST_ELEMENTS):
        if element.tags == _BAND:
            bands.append(_band(path, element, pending))
            pending = []
        elif element.tags == (_ROOT,):
            if element.attributes.get("subClass"):
                whole += [source for band in bands for source in band.sources]
                return tuple(band._replace(sources=tuple(whole), plain=False) for band in bands)
        elif element.tags[:2] == _BAND:
            pending.append(element)
        elif element.tags[-1] in ("SourceFilename", "SourceDataset"):
            whole.append(VrtSource(_located(path, element)))
    return tuple(bands)


def _band(path: str, band: Element, elements: list[Element]) -> VrtBand:
    """A band from its element and those below it."""
    plain = not band.attributes.get("subClass")
    dtype = _dtype(band.attributes.get("dataType", "Byte"))
    sources: list[VrtSource] = []
    name = description = ""
    for element in elements:
        tag, owner = element.tags[-1], element.tags[2]
        if tag == "Description" and len(element.tags) == 3:
            description = element.text
        elif (
            tag == "MDI"
            and element.tags[2:] == ("Metadata", "MDI")
            and element.attributes.get("key") == "BANDNAME"
        ):
            name = element.text
        elif owner in ("Overview", "MaskBand"):
            continue
        elif tag in ("SourceFilename", "SourceDataset"):
            sources.append(VrtSource(_located(path, element)))
            plain = plain and owner in _PLAIN_SOURCES
        elif tag == "SourceBand" and sources:
            number = element.text
            sources[-1] = sources[-1]._replace(
                number=int(number)
                if number.isascii() and number.isdigit() and len(number) < 9
                else 0
            )
        elif tag == "SourceProperties" and sources:
            source = _dtype(element.attributes.get("DataType", ""))
            sources[-1] = sources[-1]._replace(dtype=source)
            plain = plain and (not source or _holds(dtype, source))
        elif (
            tag in _CHANGES
            or (tag == "ScaleOffset" and not _is(element.text, 0.0))
            or (tag == "ScaleRatio" and not _is(element.text, 1.0))
        ):
            plain = False
    return VrtBand(tuple(sources), plain, name, description)


def _located(path: str, element: Element) -> str:
    if element.attributes.get("relativeToVRT", element.attributes.get("relativetoVRT")) == "1":
        return os.path.normpath(os.path.join(os.path.dirname(path), element.text))
    return element.text


def _dtype(name: str) -> str:
    return _TYPES.get(name, name.lower())


def _holds(dtype: str, source: str) -> bool:
    """Whether a type holds all values of another."""
    try:
        return np.can_cast(source, dtype)
    except TypeError:
        return False


def _is(text: str, value: float) -> bool:
    try:
        return float(text) == value
    except ValueError:
        return False
