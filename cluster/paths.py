# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths of one machine on another, such as ``Z:/data`` of Windows, which is ``/mnt/data`` on Linux."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ..engine.errors import OptionError
from ..engine.job import Job
from ..engine.messages import translate

#: (start of a path elsewhere, start of the path here)
PathMap = Sequence[tuple[str, str]]


def path_map(texts: Sequence[str]) -> PathMap:
    """Return a map of paths from texts such as ``Z:/data=/mnt/data``.

    Raises
    ------
    OptionError
        For another text.
    """
    pairs = []
    for text in texts:
        there, equals, here_ = text.partition("=")
        if not (there.strip() and equals and here_.strip()):
            sentence = translate(
                "Bandwise", "“{text}” is no map of paths; write THERE=HERE, as Z:/data=/mnt/data."
            )
            raise OptionError(sentence.format(text=text))
        pairs.append((there.strip().replace("\\", "/").rstrip("/"), here_.strip().rstrip("/\\")))
    return tuple(pairs)


def here(value: Any, paths: PathMap) -> Any:
    """Return a path as this machine has it, or a job with all its paths so.

    A path that is there is kept, so that one map serves all machines.
    """
    if not paths:
        return value
    if isinstance(value, Job):
        layout = value.layout._replace(reference=here(value.layout.reference, paths))
        mask = value.mask and value.mask._replace(path=here(value.mask.path, paths))
        return value._replace(
            bands=tuple(band._replace(path=here(band.path, paths)) for band in value.bands),
            listed=tuple(here(path, paths) for path in value.listed),
            output=here(value.output, paths),
            layout=layout,
            mask=mask,
        )
    path = str(value)
    if os.path.exists(path) or (os.path.dirname(path) and os.path.isdir(os.path.dirname(path))):
        return path
    plain = path.replace("\\", "/")
    for there, start in paths:
        position = (
            plain.lower().find(there.lower() + "/") if ":" in there else plain.find(there + "/")
        )
        if position == 0 or (position > 0 and plain.startswith("/vsi")):
            return plain[:position] + start + plain[position + len(there) :]
    return path
