# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernels beside SciPy's, and what their papers say of them."""

from __future__ import annotations

import numpy as np
import pytest
from bandwise.engine.grids.kernels import BILINEAR, CUBIC, CUBIC_SPLINE, LANCZOS, Kernel
from scipy.interpolate import BSpline

pytestmark = pytest.mark.pure
X = np.linspace(-4, 4, 4001)


@pytest.mark.parametrize(("kernel", "degree"), [(BILINEAR, 1), (CUBIC_SPLINE, 3)])
def test_splines_are_scipys(kernel: Kernel, degree: int) -> None:
    knots = np.arange(degree + 2) - (degree + 1) / 2
    expected = np.nan_to_num(BSpline.basis_element(knots, extrapolate=False)(X))
    np.testing.assert_allclose(kernel.weigh(np.abs(X)), expected, atol=1e-14)


def test_cubic_convolution_keeps_parabolas() -> None:
    """Keys (1981): with a = -0.5, and no other a, interpolation is exact up to the second degree."""
    nodes = np.arange(-3, 5)
    for place in np.linspace(0, 1, 21):
        weights = CUBIC.weigh(np.abs(nodes - place))
        for degree in range(3):
            assert weights @ nodes.astype(float) ** degree == pytest.approx(place**degree)


def test_lanczos_is_sinc_in_a_window_of_its_own_middle() -> None:
    """Three lobes: zero at whole numbers but 0, negative in the second lobe, small in the third."""
    weights = LANCZOS.weigh(np.abs(X))
    inside = (np.abs(X) < 3) & (X != 0)
    x = np.pi * X[inside]
    np.testing.assert_allclose(weights[inside], 3 * np.sin(x) * np.sin(x / 3) / x**2, atol=1e-14)
    assert not weights[np.abs(X) >= 3].any() and LANCZOS.weigh(np.zeros(1)) == 1
    np.testing.assert_allclose(LANCZOS.weigh(np.arange(1.0, 4.0)), 0, atol=1e-16)


@pytest.mark.parametrize("kernel", [BILINEAR, CUBIC, CUBIC_SPLINE, LANCZOS])
def test_nothing_beyond_the_reach(kernel: Kernel) -> None:
    beyond = np.linspace(kernel.reach, kernel.reach + 2, 50)
    np.testing.assert_allclose(kernel.weigh(beyond), 0, atol=1e-16)
    assert kernel.overshoots == bool((kernel.weigh(np.abs(X)) < -1e-9).any())
