# SPDX-License-Identifier: GPL-2.0-or-later
"""Check whether a formula has other results for stored values than for physical ones.

Both are evaluated on a few hundred sample values. Bands that the expression scales itself, as in
``(A - 1000) / 10000``, are recognised by their form and taken as physical already.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Union

import numpy as np

from ..arrays import NDArray
from .formula import Band, Call, Formula, Node, Number
from .functions import BOOLEAN, FUNCTIONS

_SAMPLES = 256
#: So many must differ, since rounding errors may change the result of a comparison or a rounding
_DIFFERENT_SAMPLES = 3
_TOLERANCE = 1e-6
_NOTHING = 1e-9  #: times the usual magnitude of a result
_MOST_BANDS = 16  #: of a linear form; in longer sums no scaling is recognised
_MOST_CONSTANTS = 50  #: of a formula; samples are taken near these
_SMALL_SCALE = 0.01  #: a factor like a band's scale is taken for it if that is at most this
_INDEX_FACTORS = (0.1, 20.0)  #: weights of reflectance in indices (EVI 6 and 7.5)

_Values = Union[NDArray[np.float64], NDArray[np.bool_]]


class StoredBand(NamedTuple):
    """A band of stored values of type ``dtype``; by its metadata physical value = stored value *
    ``scale`` + ``offset``.
    """

    dtype: np.dtype[Any]
    scale: float = 1.0
    offset: float = 0.0

    @property
    def shift(self) -> float:
        """Physical value = (stored value + shift) * scale."""
        return self.offset / self.scale


class _Linear(NamedTuple):
    """The sum of bands times their ``factors``, plus a ``constant``."""

    factors: dict[int, float]
    constant: float = 0.0

    def times(self, factor: float) -> _Linear:
        return _Linear(
            {band: value * factor for band, value in self.factors.items()}, self.constant * factor
        )

    def plus(self, other: _Linear) -> _Linear:
        factors = {
            band: self.factors.get(band, 0.0) + other.factors.get(band, 0.0)
            for band in (*self.factors, *other.factors)
        }
        return _Linear(
            {band: value for band, value in factors.items() if value},
            self.constant + other.constant,
        )


def scaling_changes(formula: Formula, bands: Sequence[StoredBand]) -> bool:
    """Return whether the scales and offsets of ``bands`` would change a result.

    A result ``k * A + c`` of one band does not count, as it can be scaled afterwards. Unchanged are
    (B - A) / (B + A) of bands with one scale and no offset, formulas that scale their bands
    themselves, and those that read bits.
    """
    if all((band.scale, band.offset) == (1.0, 0.0) for band in bands):
        return False
    generator = np.random.default_rng(20)
    constants = [
        node.value
        for node in formula.nodes
        if isinstance(node, Number) and math.isfinite(node.value)
    ][:_MOST_CONSTANTS]
    stored = [_samples(band, constants, generator) for band in bands]
    physical = [values * band.scale + band.offset for values, band in zip(stored, bands)]
    last_user = _last_users(formula)
    used = formula.used()
    forms: dict[int, _Linear | None] = {}
    before: dict[int, _Values] = {}
    after: dict[int, _Values] = {}
    wanted = {result.node for result in formula.results}
    with np.errstate(all="ignore"):
        for index, node in enumerate(formula.nodes):
            if not used[index]:
                continue
            form = forms[index] = _linear_form(node, forms)
            if isinstance(node, Band):
                before[index], after[index] = stored[node.index], physical[node.index]
            else:
                before[index] = _evaluate(node, before)
                after[index] = _physical(node, form, before[index], after, bands, physical)
            if (
                index in wanted
                and (form is None or len(form.factors) > 1)
                and _differ(before[index], after[index])
            ):
                return True
            for argument in set(node.arguments) if isinstance(node, Call) else ():
                if last_user[argument] == index:
                    del before[argument], after[argument], forms[argument]
    return False


def _last_users(formula: Formula) -> dict[int, int]:
    """Return the last user of each node; -1 for results, which are kept."""
    users = {
        argument: index
        for index, (node, used) in enumerate(zip(formula.nodes, formula.used()))
        if used and isinstance(node, Call)
        for argument in node.arguments
    }
    return {**users, **{result.node: -1 for result in formula.results}}


def _samples(
    band: StoredBand, constants: Sequence[float], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return stored values of a band, of all magnitudes; a quarter of them are near the
    ``constants`` of the formula, read as stored or as physical values.
    """
    is_integer = band.dtype.kind in "iu"
    lowest, highest = (
        (float(np.iinfo(band.dtype).min), float(np.iinfo(band.dtype).max))
        if is_integer
        else (-1e4, 1e4)
    )
    values = np.exp(generator.uniform(0.0 if is_integer else -6.0, math.log(highest), _SAMPLES))
    if lowest < 0:
        values *= generator.choice([-1.0, 1.0], _SAMPLES, p=[0.25, 0.75])
    centres = [
        centre
        for constant in constants
        for centre in (constant, (constant - band.offset) / band.scale)
    ]
    near = [
        rounded + step
        for centre in centres
        for rounded in (math.floor(centre), math.ceil(centre))
        for step in (-1.0, 0.0, 1.0)
    ]
    near = [value for value in near if lowest <= value <= highest]
    if near:
        chosen = generator.random(_SAMPLES) < 0.25
        values[chosen] = generator.choice(near, int(chosen.sum()))
    integers: NDArray[np.float64] = np.floor(values)
    return integers if is_integer else values


def _linear_form(node: Node, forms: dict[int, _Linear | None]) -> _Linear | None:
    """Return a node as a sum of bands times constants; None if it is not linear, or has too many bands."""
    if isinstance(node, Band):
        return _Linear({node.index: 1.0})
    if isinstance(node, Number):
        return _Linear({}, node.value)
    arguments = [form for form in map(forms.__getitem__, node.arguments) if form is not None]
    if len(arguments) < len(node.arguments):
        return None
    form = None
    if node.function == "negative":
        form = arguments[0].times(-1.0)
    elif node.function in ("add", "subtract"):
        form = arguments[0].plus(arguments[1].times(1.0 if node.function == "add" else -1.0))
    elif node.function == "multiply" and not all(argument.factors for argument in arguments):
        first, second = sorted(arguments, key=lambda argument: len(argument.factors))
        form = second.times(first.constant)
    elif node.function == "divide" and not arguments[1].factors and arguments[1].constant:
        form = arguments[0].times(1 / arguments[1].constant)
    return form if form is not None and len(form.factors) <= _MOST_BANDS else None


def _physical(
    node: Number | Call,
    form: _Linear | None,
    unscaled: _Values,
    after: dict[int, _Values],
    bands: Sequence[StoredBand],
    physical: Sequence[NDArray[np.float64]],
) -> _Values:
    """Return a node's values for physical bands; a scale or an offset that the formula applies
    itself is not applied again.
    """
    if (
        isinstance(node, Call)
        and node.function in FUNCTIONS
        and FUNCTIONS[node.function].wants_integer
    ):
        return unscaled  # bits are those of stored values
    if form is not None and form.factors:
        zero = sum(factor * bands[band].shift for band, factor in form.factors.items())
        size = max(
            abs(factor) * max(abs(bands[band].shift), 1e-12)
            for band, factor in form.factors.items()
        )
        if math.isclose(form.constant, zero, rel_tol=1e-9, abs_tol=1e-9 * size):
            if all(_is_scale(factor, bands[band].scale) for band, factor in form.factors.items()):
                return unscaled
            if any(bands[band].offset for band in form.factors):
                total = np.zeros(_SAMPLES)
                for band, factor in form.factors.items():
                    total += factor * physical[band]
                return total
    return _evaluate(node, after)


def _is_scale(factor: float, scale: float) -> bool:
    """Return whether a factor is the scale of the metadata, perhaps times the weight of an index."""
    ratio = abs(factor / scale)
    return math.isclose(ratio, 1.0, rel_tol=1e-6) or (
        abs(scale) <= _SMALL_SCALE and _INDEX_FACTORS[0] <= ratio <= _INDEX_FACTORS[1]
    )


def _evaluate(node: Number | Call, values: dict[int, _Values]) -> _Values:
    """Return the values of a node that is no band, of shape (samples,)."""
    if isinstance(node, Number):
        return np.full(_SAMPLES, bool(node.value) if node.boolean else node.value)
    arguments = [values[argument] for argument in node.arguments]
    if node.function == "isnodata":
        return ~np.isfinite(arguments[0])
    if node.function == "coalesce":
        chosen: Any = arguments[-1]
        for argument in reversed(arguments[:-1]):
            chosen = np.where(np.isfinite(argument), argument, chosen)
        return np.asarray(chosen)
    function = FUNCTIONS[node.function]
    operands = [
        value != 0 if kind == BOOLEAN else value.astype(np.float64)
        for kind, value in zip(function.takes, arguments)
    ]
    out: Any = np.empty(_SAMPLES, np.bool_ if function.gives == BOOLEAN else np.float64)
    function.compute(*operands, out=out)
    return np.where(np.isfinite(out), out, np.nan) if node.strict else np.asarray(out)


def _differ(before: _Values, after: _Values) -> bool:
    first, second = before.astype(np.float64), after.astype(np.float64)
    sizes = np.abs(first[np.isfinite(first)])
    size = float(np.median(sizes)) if sizes.size else 0.0
    if size:  # a divisor that is zero is almost zero if a scale was rounded
        first, second = (
            np.clip(values, -size / _NOTHING, size / _NOTHING) for values in (first, second)
        )
    close = np.isclose(first, second, rtol=_TOLERANCE, atol=size * _NOTHING, equal_nan=True)
    return int(np.count_nonzero(~close)) >= _DIFFERENT_SAMPLES
