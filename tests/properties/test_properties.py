# SPDX-License-Identifier: GPL-2.0-or-later
"""Random expression trees, printed as each dialect writes them, equal float64 numpy; random text is
refused in linear time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.dialects import DialectChoice
from bandwise.engine.planning.bandmath import bandmath_job
from expression_cases import parsed, pixels
from expression_text import Printer
from expression_trees import BANDWISE, GAPS, GDAL_CALC, NAMES, STORED, Tree, wholes
from expression_values import Truth, expected
from hypothesis import event, given
from hypothesis import strategies as st
from properties_cases import Drawn, by_dialect, steady, typed


def assert_right(tree: Tree, text: str, dialect: DialectChoice, got: Any) -> None:
    right, conditioned, exact = expected(tree, dialect)
    event(f"{conditioned.mean():.1f} of the pixels are well conditioned, exact: {exact}")
    if exact:
        np.testing.assert_array_equal(got, right, text)
    np.testing.assert_allclose(
        got[conditioned], right[conditioned], rtol=1e-5, atol=1e-6, err_msg=text
    )


@by_dialect
def test_a_random_expression_equals_numpy(dialect: DialectChoice) -> None:
    @steady(300)
    @given(typed(dialect))
    def check(case: tuple[Tree, str]) -> None:
        tree, text = case
        assert_right(tree, text, dialect, pixels(*parsed(text, dialect)))

    check()


@pytest.mark.parametrize("dialect", [BANDWISE, GDAL_CALC], ids=lambda choice: choice.name)
def test_whole_numbers_and_their_bits_are_exact(dialect: DialectChoice) -> None:
    @steady(200)
    @given(st.data())
    def check(data: Any) -> None:
        choose = Drawn(data.draw)
        tree = wholes(choose, dialect, 4)
        text = Printer(dialect, choose).text(tree)
        truth = Truth(dialect)
        values, missing = truth.of(tree)
        if truth.exact:
            got = pixels(*parsed(text, dialect))
            np.testing.assert_array_equal(
                got, np.where(missing, np.nan, values.astype(np.float32).astype(float)), text
            )

    check()


@pytest.mark.parametrize("dialect", [BANDWISE, GDAL_CALC], ids=lambda choice: choice.name)
def test_the_understood_text_read_again_gives_the_same_pixels(dialect: DialectChoice) -> None:
    @steady(200)
    @given(typed(dialect))
    def check(case: tuple[Tree, str]) -> None:
        formula, rasters = parsed(case[1], dialect)
        (again,) = formula.understood([f"{'ABCDEFGH'[raster]}@1" for raster in rasters])
        np.testing.assert_array_equal(
            pixels(*parsed(again, BANDWISE)),
            pixels(formula, rasters),
            f"{case[1]!r} was understood as {again!r}",
        )

    check()


@pytest.fixture(scope="module")
def rasters(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """(layer name, path) of the bands as files of 4 rows of 6 pixels; a gap is the file's mask."""
    import rasterio

    folder = tmp_path_factory.mktemp("bands")
    given_rasters = []
    for index, (name, stored, gaps) in enumerate(zip(NAMES, STORED, GAPS)):
        path = str(folder / f"{index}.tif")
        transform = rasterio.Affine(10, 0, 300000, 0, -10, 5000040)
        profile = {
            "driver": "GTiff",
            "count": 1,
            "height": 4,
            "width": 6,
            "dtype": stored.dtype.name,
            "crs": "EPSG:32633",
            "transform": transform,
        }
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"),
            rasterio.open(path, "w", **profile) as dataset,
        ):
            dataset.write(stored.reshape(1, 4, 6))
            dataset.write_mask(~gaps.reshape(4, 6))
        given_rasters.append((name, path))
    return given_rasters


@by_dialect
def test_a_whole_run_of_a_random_expression_equals_numpy(
    dialect: DialectChoice, rasters: list[tuple[str, str]], tmp_path: Any
) -> None:
    import rasterio

    @steady(15)
    @given(typed(dialect, depth=3))
    def check(case: tuple[Tree, str]) -> None:
        tree, text = case
        from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling

        job = bandmath_job(
            rasters,
            text,
            str(tmp_path / "out.tif"),
            dialect=dialect,
            radiometry=RadiometryChoice(scaling=Scaling.STORED),
            workers=1,
        )
        run(job)
        with rasterio.open(tmp_path / "out.tif") as dataset:
            stored = dataset.read(1).ravel().astype(float)
        assert_right(tree, text, dialect, np.where(stored == -9999, np.nan, stored))

    check()
