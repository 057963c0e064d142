# SPDX-License-Identifier: GPL-2.0-or-later
"""What is computed of a window: the seam between the pipeline and a formula, a filter or a network."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..arrays import NDArray
from .program import Evaluator, Program

Booleans = NDArray[np.bool_]


class Shape(NamedTuple):
    """Rows and columns of results that are computed at a time, which need ``halo`` more on each side."""

    height: int
    width: int
    halo: int = 0

    @property
    def pixels(self) -> int:
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

        An operation without a halo gets and fills flat arrays: for it rows do not matter.

        Parameters
        ----------
        values
            For each band its stored values, of shape (h + 2 halo, w + 2 halo), or flat.
        invalid
            Where each band is nodata or saturated, or lies beyond its raster, of the same shape;
            None where no pixel of any band is.
        out
            Of shape (results, h, w), or (results, n), to be filled, in the operation's ``dtype``.

        Returns
        -------
        sequence of ndarray or None
            For each result where it is nodata, of shape (h, w), or flat, None for nowhere. Results that are
            not finite become nodata anyway.
        """


class Operation(Protocol):
    """What is computed, the same for every window. It pickles, and threads share it."""

    @property
    def halo(self) -> int:
        """Pixels beyond a window, on each side, that its result depends on."""

    @property
    def bands(self) -> tuple[int, ...]:
        """Positions of the bands that it reads."""

    @property
    def results(self) -> int:
        """How many bands the result has."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its results before they are stored: float32 or float64."""

    @property
    def scratch(self) -> tuple[np.dtype[Any], ...]:
        """Types of the arrays that it works in, each with an element for every pixel of its result."""

    def bind(self, scratch: Sequence[NDArray[Any]]) -> Evaluate:
        """Return the operation on ``scratch``: arrays of shape (n,) for n pixels at a time."""


@dataclass(frozen=True)
class FormulaOperation:
    """A compiled formula; ``clean`` gives the same values as ``program`` where no band has nodata."""

    program: Program
    clean: Program | None
    bands: tuple[int, ...]
    halo: int = 0

    @property
    def results(self) -> int:
        return len(self.program.results)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.program.dtype

    @property
    def scratch(self) -> tuple[np.dtype[Any], ...]:
        """Types of the registers that either program finds room in."""
        programs = [program.registers for program in (self.program, self.clean) if program]
        return tuple(
            dtype
            for dtype in dict.fromkeys(itertools.chain(*programs))
            for _ in range(max(registers.count(dtype) for registers in programs))
        )

    def bind(self, scratch: Sequence[NDArray[Any]]) -> Evaluate:
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
