# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of the files of many results, from a pattern such as ``{date}_{tile}_{index}``."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from ....errors import OptionError
from ....messages import Field, Template, shown, translate
from ....scenes.scene import Scene

FIELDS = ("date", "tile", "sensor", "level", "scene", "index")
_SUFFIX = re.compile(r"\.tiff?$", re.IGNORECASE)
_SEPARATORS = " _-."
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')  #: in names of files, of Windows most of them
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  #: by Windows
_LONGEST = 200  #: bytes, so that there is room for suffixes


@dataclass(frozen=True)
class NamePattern:
    """A pattern as (text, name of the field after it), the field empty at the end."""

    parts: tuple[tuple[str, str], ...]

    @property
    def has_index(self) -> bool:
        """Whether each index has a file of its own."""
        return any(field == "index" for _, field in self.parts)

    def file_name(self, scene: Scene, index: str = "") -> str:
        """Return the name for a scene, and the index if each has a file of its own; it ends in ``.tif``.

        A field that is not known of the scene is left out with the separator before it. What no
        name of a file can have is replaced by ``_``.
        """
        values = {field: str(getattr(scene, _ATTRIBUTES.get(field, field), "")) for field in FIELDS}
        values.update({"": "", "index": index})
        name = ""
        for text, field in self.parts:
            value = values[field]
            name += (text if value or not field else text.rstrip(_SEPARATORS)) + value
        name = _FORBIDDEN.sub("_", name).strip(_SEPARATORS) or _FORBIDDEN.sub("_", scene.name)
        if _RESERVED.match(name):
            name = f"_{name}"
        return name.encode("utf-8")[:_LONGEST].decode("utf-8", "ignore") + ".tif"


_ATTRIBUTES = {"scene": "name"}


def name_pattern(text: str) -> NamePattern:
    """Return a pattern that a user gives. Raises :class:`OptionError` for one that is not understood."""
    text = _SUFFIX.sub("", text.strip())
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        parsed = []
    fields = [field for _, field, _, _ in parsed if field is not None]
    if not fields or any(spec or conversion for _, _, spec, conversion in parsed):
        message = translate(
            "Bandwise",
            "{pattern}: {text} is not understood; write a name with fields, such as "
            "{example}; the fields are {fields}.",
        )
        raise _refused(message, text)
    if "/" in text or "\\" in text:
        message = translate(
            "Bandwise", "{pattern}: {text} has a folder in it; give the name of a file alone."
        )
        raise _refused(message, text)
    unknown = [field for field in fields if field not in FIELDS]
    if unknown:
        message = translate(
            "Bandwise", "{pattern}: there is no field {unknown}; the fields are {fields}."
        )
        raise _refused(message, text, unknown="{" + shown(unknown[0]) + "}")
    if fields == ["index"]:
        message = translate(
            "Bandwise",
            "{pattern}: {text} gives all scenes one name; add a field of the scene, such as {example}.",
        )
        raise _refused(message, text)
    return NamePattern(tuple((literal, field or "") for literal, field, _, _ in parsed))


def _refused(message: Template, text: str, **values: str) -> OptionError:
    fields = ", ".join("{" + field + "}" for field in FIELDS)
    facts = {"text": shown(text), "fields": fields, "example": "{date}_{tile}_{index}", **values}
    return OptionError(message.format(pattern=Field.NAME_PATTERN, **facts))
