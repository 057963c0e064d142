# SPDX-License-Identifier: GPL-2.0-or-later
"""A task for a tool, and a tool."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..cases import NDVI, Bands
from ..environments import Place


@dataclass(frozen=True)
class Task:
    """``expression`` over ``bands`` to the file ``output``, with GDAL's creation ``options``.

    ``indices`` are the names of its results, where they are spectral indices.
    """

    place: Place
    expression: str
    bands: Bands
    output: str
    options: tuple[str, ...]
    indices: tuple[str, ...] = ()

    @property
    def expressions(self) -> list[str]:
        """The expression of each band of the result."""
        return self.expression.split("; ")

    @property
    def codec_options(self) -> str:
        """The creation options of the codec, for Bandwise, which chooses tiles and threads itself."""
        return "|".join(
            option
            for option in self.options
            if re.match("COMPRESS|ZLEVEL|ZSTD_LEVEL|PREDICTOR", option)
        )

    @property
    def profile(self) -> Path:
        """The file of the engine's own measurements of its run."""
        return Path(self.output).with_suffix(".json")

    @property
    def masks_itself(self) -> bool:
        """Whether the expression is 0 / 0 if the bands are nodata: then a tool needs no masks, which
        is faster.
        """
        return NDVI in self.expression

    @property
    def numbered(self) -> dict[str, tuple[int, int]]:
        """For each band the number of its file, from 1 in the order of :attr:`files`, and its number in it."""
        return {
            name: (self.files.index(path) + 1, number)
            for name, (path, number) in self.bands.items()
        }

    @property
    def files(self) -> list[str]:
        """The files of the bands, each once."""
        return list(dict.fromkeys(path for path, _ in self.bands.values()))

    @property
    def arguments(self) -> list[str]:
        """Bands, expression and output as arguments of the programs in ``peers``."""
        bands = [f"--band={name}={path}:{number}" for name, (path, number) in self.bands.items()]
        return [*bands, f"--expression={self.expression}", f"--output={self.output}"]


Command = Callable[[Task], Sequence[str]]


@dataclass(frozen=True)
class Tool:
    """A tool that is measured.

    ``version`` raises :class:`Absent` if it is not installed, ``command`` if it cannot do the task.
    ``computes`` returns the expression that the tool computes, None if it writes no raster.
    """

    title: str
    version: Callable[[Place], str]
    command: Command
    computes: Callable[[Task], str | None] = lambda task: task.expression
