# SPDX-License-Identifier: GPL-2.0-or-later
"""The interface of operations on a window: a formula, a filter or a network."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..arrays import NDArray
from ..expression.formula import Formula
from .compiler import BandValue, compile_formula
from .program import Evaluator, Program

Booleans = NDArray[np.bool_]


class Shape(NamedTuple):
    """Rows and columns that are computed at a time, from ``halo`` pixels more on each side."""

    height: int
    width: int
    halo: int = 0

    @property
    def pixels(self) -> int:
        """Number of pixels of the result."""
        return self.height * self.width

    @property
    def read(self) -> tuple[int, int]:
        """(height, width) with the halo."""
        return self.height + 2 * self.halo, self.width + 2 * self.halo


class Evaluate(Protocol):
    """An operation that is bound to memory of one thread."""

    def __call__(
        self,
        values: Mapping[int, NDArray[Any]],
        invalid: Mapping[int, Booleans] | None,
        out: NDArray[np.floating[Any]],
    ) -> Sequence[Booleans | None]:
        """Compute h rows of w pixels.

        An operation without a halo gets and fills flat arrays, since it needs no rows.

        Parameters
        ----------
        values
            For each band its stored values, of shape (h + 2 halo, w + 2 halo), or flat.
        invalid
            For each band which pixels are nodata, saturated, or outside of the raster, of the
            same shape; None if no pixel of any band is.
        out
            Filled; of shape (results, h, w), or (results, n), in the operation's ``dtype``.

        Returns
        -------
        sequence of ndarray or None
            For each result which pixels are nodata, of shape (h, w), or flat; None for no pixel.
            Results that are not finite become nodata anyway.
        """


class Operation(Protocol):
    """An operation, the same for every window; it can be pickled, and threads share it."""

    @property
    def halo(self) -> int:
        """Pixels beyond a window, on each side, that its result depends on."""

    @property
    def bands(self) -> tuple[int, ...]:
        """Positions, among the inputs, of the bands that it reads."""

    @property
    def results(self) -> int:
        """Number of bands of the result."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its results before they are stored: float32 or float64."""

    @property
    def scratch(self) -> tuple[np.dtype[Any], ...]:
        """Types of its working arrays, which have an element for each pixel of the result."""

    def bind(self, scratch: Sequence[NDArray[Any]]) -> Evaluate:
        """Return the operation on ``scratch``: arrays of shape (n,) for n pixels at a time."""


@dataclass(frozen=True)
class FormulaOperation:
    """A compiled formula; ``clean`` is a faster program for pixels without nodata, with the same values."""

    program: Program
    clean: Program | None
    bands: tuple[int, ...]
    halo: int = 0

    @property
    def results(self) -> int:
        """See :class:`Operation`."""
        return len(self.program.results)

    @property
    def dtype(self) -> np.dtype[Any]:
        """See :class:`Operation`."""
        return self.program.dtype

    @property
    def scratch(self) -> tuple[np.dtype[Any], ...]:
        """Types of registers that are enough for either program."""
        programs = [program.registers for program in (self.program, self.clean) if program]
        return tuple(
            dtype
            for dtype in dict.fromkeys(itertools.chain(*programs))
            for _ in range(max(registers.count(dtype) for registers in programs))
        )

    def bind(self, scratch: Sequence[NDArray[Any]]) -> Evaluate:
        """See :class:`Operation`."""
        program = Evaluator(self.program, scratch)
        clean = Evaluator(self.clean, scratch) if self.clean else None

        def evaluate(
            values: Mapping[int, NDArray[Any]],
            invalid: Mapping[int, Booleans] | None,
            out: NDArray[np.floating[Any]],
        ) -> Sequence[Booleans | None]:
            if invalid is not None:
                return program.evaluate(values, invalid, out)
            if clean is not None:
                return clean.evaluate(values, {}, out)
            nowhere = np.zeros(out.shape[1], np.bool_)
            return program.evaluate(values, dict.fromkeys(values, nowhere), out)

        return evaluate


def formula_operation(
    formula: Formula, bands: Sequence[BandValue], *, double: bool = False
) -> FormulaOperation:
    """Return a formula as a program, and a faster one for pixels without nodata.

    ``double`` computes in float64 even if float32 were exact.
    """
    valid = [band._replace(nodata=False) for band in bands]
    program, clean = (compile_formula(formula, each, double=double) for each in (bands, valid))
    sources = [(index, bands[index].source) for index in formula.bands()]
    read = {index if source is None else source for index, source in sources}
    is_same = clean.dtype == program.dtype
    return FormulaOperation(program, clean if is_same else None, tuple(sorted(read)))
