# SPDX-License-Identifier: GPL-2.0-or-later
"""Read metadata files, XML and Landsat's MTL, with limits of size, depth and number of elements.

A file that is too large to be metadata is refused before it is parsed, so that a hostile file costs
neither memory nor time.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat  # nosec B407

from ...errors import MetadataError
from ...messages import Text, shown, translate
from ..archives import files as archives

_LARGEST_FILE = 20_000_000  #: bytes
_LONGEST_PIECE = 2**18  #: bytes between the ends of two tags, or of two lines
_MOST_TAGS = 1_000_000  #: of an XML file, opening and closing
_MOST_ITEMS = 100_000  #: of an MTL file, which has about 300
_DEEPEST_XML = 100
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
#: GDAL 3.13 copies an XML declaration from a product's metadata into the middle of a VRT
_DECLARATION = re.compile(rb"<\?xml\s[^<>]*\?>")
_LONGEST_NUMBER = 40  #: characters
SMALLEST_SCALE, LARGEST_SCALE = 1e-30, 1e30  #: of plausible scales; offsets are at most the largest


class ProductFacts(NamedTuple):
    """Reflectance = stored value * ``scale`` + ``offset``; ``nodata`` and ``saturated`` are stored values.

    Attributes
    ----------
    source, origin
        For users: the file and the numbers read from it, and the file alone.
    missing
        Whether the file's name implies metadata that do not exist; the other fields are defaults.
    mixed
        Whether they are missing because the sources of a VRT differ, or the VRT changes their values.
    tag_divides
        Whether files of the product declare as their scale what stored values are divided by.
    """

    source: Text
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    saturated: float | None = None
    missing: bool = False
    mixed: bool = False
    origin: Text = translate("Bandwise", "the product's metadata").format()
    tag_divides: bool = False


class Element(NamedTuple):
    """An XML element: the tags of its ancestors and its own, its attributes and its text."""

    tags: tuple[str, ...]
    attributes: dict[str, str]
    text: str


def xml_elements(path: str, wanted: Collection[str], *, most: int = 10_000) -> list[Element]:
    """Return the elements of an XML file whose tag is in ``wanted``, in the order of their ends.

    Raises
    ------
    MetadataError
        If the file cannot be read, is hostile or not well-formed, or has more than ``most`` of them.
    """
    content = file_content(path)
    content = content[:1] + _DECLARATION.sub(b"", content[1:])
    if content.count(b"<") > _MOST_TAGS or _has_long_piece(content, b">"):
        raise _too_large(path)
    elements = _Elements(path, wanted, most)
    try:
        elements.parser.Parse(content, True)
    except MetadataError:
        raise
    # LookupError, ValueError: an encoding that Python does not know
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise unusable(
            path, translate("Bandwise", "it is not well-formed XML ({reason})").format(reason=error)
        ) from error
    return elements.elements


class _Elements:
    """Collects elements; refuses a document type declaration, which all attacks by entities need."""

    def __init__(self, path: str, wanted: Collection[str], most: int) -> None:
        self.path, self.wanted, self.most = path, wanted, most
        self.elements: list[Element] = []
        self.open: list[tuple[str, dict[str, str], list[str] | None]] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self.refuse
        self.parser.StartElementHandler = self.start
        self.parser.CharacterDataHandler = self.text
        self.parser.EndElementHandler = self.end

    def refuse(self, *_: object) -> None:
        raise unusable(
            self.path,
            translate(
                "Bandwise", "it declares a document type, which product metadata never do"
            ).format(),
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self.open) > _DEEPEST_XML:
            raise unusable(self.path, translate("Bandwise", "it is nested too deeply").format())
        self.open.append((tag, attributes, [] if tag in self.wanted else None))

    def text(self, text: str) -> None:
        texts = self.open[-1][2]
        if texts is not None:
            texts.append(text)

    def end(self, _: str) -> None:
        texts = self.open[-1][2]
        if texts is not None:
            if len(self.elements) == self.most:
                raise _too_large(self.path)
            tags = tuple(tag for tag, _, _ in self.open)
            self.elements.append(Element(tags, self.open[-1][1], "".join(texts).strip()))
        self.open.pop()


def mtl_values(path: str, group: str, names: Collection[str]) -> dict[str, str]:
    """Return the values of ``names`` in a group of a Landsat MTL file: text, JSON or XML.

    Raises
    ------
    MetadataError
        If the file cannot be read, or has two different values for a name.
    """
    values: dict[str, str] = {}
    for owner, name, value in MTL_READERS[os.path.splitext(path)[1]](path, names):
        if owner == group and name in names and values.setdefault(name, value) != value:
            raise twice(path, name)
    return values


def _mtl_text(path: str, _: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (group, name, value) of an MTL file in Object Description Language."""
    content = file_content(path)
    if content.count(b"\n") + content.count(b"\r") > _MOST_ITEMS or _has_long_piece(content, b"\n"):
        raise _too_large(path)
    groups: list[str] = []
    for line in BytesIO(content):
        key, equals, value = (
            part.strip() for part in line.decode("utf-8", "replace").partition("=")
        )
        if not equals:
            continue
        if key == "GROUP":
            groups.append(value)
        elif key == "END_GROUP" and groups:
            groups.pop()
        elif groups:
            yield groups[-1], key, value.strip('"')


def _mtl_json(path: str, _: Collection[str]) -> Iterator[tuple[str, str, str]]:
    content = file_content(path)
    try:
        if sum(map(content.count, (b",", b"[", b"{"))) > _MOST_ITEMS:
            raise ValueError("more items than any MTL file has")
        groups = json.loads(content, parse_int=str, parse_float=str, parse_constant=str)[
            "LANDSAT_METADATA_FILE"
        ]
        for group, values in groups.items():
            for key, value in values.items():
                yield group, key, str(value)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise unusable(
            path, translate("Bandwise", "it is not a Landsat MTL file in JSON").format()
        ) from error


def _mtl_xml(path: str, names: Collection[str]) -> Iterator[tuple[str, str, str]]:
    for element in xml_elements(path, names):
        if len(element.tags) > 1:
            yield element.tags[-2], element.tags[-1], element.text


MTL_READERS = {".txt": _mtl_text, ".json": _mtl_json, ".xml": _mtl_xml}


def file_content(path: str) -> bytes:
    """Return the bytes of a metadata file; raise :class:`MetadataError` if it is unreadable or too large."""
    inside = archives.split(path)
    if inside:
        content = archives.content(inside, _LARGEST_FILE + 1)
        if len(content) > _LARGEST_FILE:
            raise _too_large(path)
        return content
    try:
        if os.stat(path).st_size > _LARGEST_FILE:
            raise _too_large(path)
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise unusable(
            path, translate("Bandwise", "it cannot be read ({reason})").format(reason=reason)
        ) from error
    if len(content) > _LARGEST_FILE:  # it has grown, or is no regular file
        raise _too_large(path)
    return content


def _has_long_piece(content: bytes, end: bytes) -> bool:
    """Return whether there are more than ``_LONGEST_PIECE`` bytes between two of ``end``."""
    position = 0
    while position + _LONGEST_PIECE < len(content):
        position = content.rfind(end, position, position + _LONGEST_PIECE + 1) + 1
        if not position:
            return True
    return False


def number(path: str, name: str, text: str) -> float:
    """Read a number in ASCII digits, unlike ``float``, which accepts more; raise :class:`MetadataError`."""
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise unusable(
            path,
            translate("Bandwise", "its {name} is not a number: {text}").format(
                name=name, text=shown(text[:_LONGEST_NUMBER])
            ),
        )
    return float(text)


def whole_number(path: str, name: str, text: str) -> int:
    """Read an integer of at most four digits; raise :class:`MetadataError` for other text."""
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise unusable(
            path,
            translate("Bandwise", "its {name} is not a number: {text}").format(
                name=name, text=shown(text[:_LONGEST_NUMBER])
            ),
        )
    return int(text)


def is_sound(scale: float, offset: float) -> bool:
    """Return whether values that are scaled by these numbers stay in the range of floating point."""
    return SMALLEST_SCALE <= abs(scale) <= LARGEST_SCALE and abs(offset) <= LARGEST_SCALE


def check_scaling(path: str, scale: float, offset: float) -> None:
    """Raise :class:`MetadataError` for a scale or an offset that is not plausible."""
    if not is_sound(scale, offset):
        text = translate(
            "Bandwise",
            "its scale {scale:g} and offset {offset:g} are not both plausible (a scale from 1e-30 "
            "to 1e30, an offset of at most 1e30)",
        )
        raise unusable(path, text.format(scale=scale, offset=offset))


def twice(path: str, name: str) -> MetadataError:
    """Return the error for a file with two different values for a name."""
    return unusable(path, translate("Bandwise", "it has two different {name}").format(name=name))


def _too_large(path: str) -> MetadataError:
    return unusable(path, translate("Bandwise", "it is larger than any product metadata").format())


def unusable(path: str, reason: Text) -> MetadataError:
    """Return the error for metadata that exist, but cannot be used."""
    return MetadataError(
        translate(
            "Bandwise",
            "The product metadata {file} cannot be used: {reason}; correct the file, or choose "
            "stored values or a custom scale and offset.",
        ).format(file=path, reason=reason)
    )
