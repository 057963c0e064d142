# SPDX-License-Identifier: GPL-2.0-or-later
"""The sources of the bands of a VRT file, by GDAL's documentation of the format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .metadata_file import Element, xml_elements

_ROOT = "VRTDataset"
_BAND = (_ROOT, "VRTRasterBand")
#: Sources that yield stored values, unless an element changes them
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
_HEADER = 1024  #: bytes that contain the root tag of a VRT
_MOST_ELEMENTS = 300_000
_TYPES = {"Byte": "uint8"}  #: names of GDAL that differ from numpy's


class VrtSource(NamedTuple):
    """Band ``number`` (0: its mask) of the raster ``path``; ``dtype`` is empty if the VRT has no type."""

    path: str
    number: int = 1
    dtype: str = ""


class VrtBand(NamedTuple):
    """A band of a VRT.

    ``plain`` is set if its pixels are stored values of its sources, which may be moved or resampled,
    but not changed.
    """

    sources: tuple[VrtSource, ...] = ()
    plain: bool = True
    name: str = ""
    description: str = ""


def is_vrt(path: str) -> bool:
    """Return whether a local file is a VRT by its first bytes, as for GDAL, whatever its suffix."""
    if path.startswith("/vsi") or not os.path.isfile(path):
        return False
    try:
        with Path(path).open("rb") as file:
            header = file.read(_HEADER).lstrip(b"\xef\xbb\xbf \t\r\n")
            return header.startswith(b"<") and b"<" + _ROOT.encode() in header
    except (OSError, ValueError):
        return False


def vrt_bands(path: str) -> tuple[VrtBand, ...]:
    """Return the bands of a VRT file; raise :class:`~engine.errors.MetadataError` if it cannot be parsed."""
    bands: list[VrtBand] = []
    pending: list[Element] = []
    shared_sources: list[VrtSource] = []  # of a warped, pansharpened or processed dataset
    for element in xml_elements(path, _WANTED, most=_MOST_ELEMENTS):
        if element.tags == _BAND:
            bands.append(_band(path, element, pending))
            pending = []
        elif element.tags == (_ROOT,):
            if element.attributes.get("subClass"):
                shared_sources += [source for band in bands for source in band.sources]
                return tuple(
                    band._replace(sources=tuple(shared_sources), plain=False) for band in bands
                )
        elif element.tags[:2] == _BAND:
            pending.append(element)
        elif element.tags[-1] in ("SourceFilename", "SourceDataset"):
            shared_sources.append(VrtSource(_located(path, element)))
    return tuple(bands)


def _band(path: str, band: Element, elements: list[Element]) -> VrtBand:
    """Return a band by its element and the elements in it."""
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
    """Return whether a type can represent all values of another."""
    try:
        return np.can_cast(source, dtype)
    except TypeError:
        return False


def _is(text: str, value: float) -> bool:
    try:
        return float(text) == value
    except ValueError:
        return False
