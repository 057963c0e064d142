# SPDX-License-Identifier: GPL-2.0-or-later
"""What the file of a result is made for: one choice, beside the creation options of scripts and models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from ndvi_cases import ndvi
from options_cases import run
from qgis.core import QgsProcessingModelAlgorithm, QgsProcessingModelChildParameterSource

BALANCED, FAST, SMALL, CLOUD_OPTIMIZED, CUSTOM = range(5)


class Outcome:
    """A result by its bytes, structure and pixels."""

    def __init__(self, path: str) -> None:
        self.data = Path(path).read_bytes()
        with rasterio.open(path) as dataset:
            structure = dataset.tags(ns="IMAGE_STRUCTURE")
            self.values = dataset.read(1)
            self.overviews = dataset.overviews(1)
            self.block = dataset.block_shapes[0]
        self.codec = structure.get("COMPRESSION", "NONE")
        self.predictor = structure.get("PREDICTOR")
        self.is_cog = structure.get("LAYOUT") == "COG"


@pytest.fixture
def made(provider, scene, tmp_path, context, log):
    """By one worker: several put blocks into the file in the order in which they are done."""
    out = str(tmp_path / "out.tif")
    fixed = {"RED": scene.red, "NIR": scene.nir, "OUTPUT": out, "WORKERS": 1}

    def outcome(**options):
        _, fine = run({**fixed, **options}, context, log)
        assert fine, log.warnings
        return Outcome(out)

    return outcome


def test_kinds_have_the_same_pixels_and_sizes_in_their_order(made):
    """Of 511 x 257 pixels there are no overviews by default, and a COG has one block for each 512."""
    results = {kind: made(FILE_KIND=kind) for kind in range(5)}
    for result in results.values():
        np.testing.assert_array_equal(result.values, results[BALANCED].values)
    assert {kind: result.codec for kind, result in results.items()} == {
        BALANCED: "DEFLATE",
        FAST: "NONE",
        SMALL: "DEFLATE",
        CLOUD_OPTIMIZED: "DEFLATE",
        CUSTOM: "DEFLATE",
    }
    assert results[SMALL].predictor == results[BALANCED].predictor
    sizes = [len(results[kind].data) for kind in (SMALL, BALANCED, FAST)]
    assert sizes == sorted(set(sizes))
    assert [kind for kind, result in results.items() if result.is_cog] == [CLOUD_OPTIMIZED]


def test_scripts_that_know_no_kind_get_what_they_got(made):
    """Balanced, custom and no kind are one, to the byte, whatever else is given; so are runs in turn."""
    for options in (
        {},
        {"COG": True},
        {"OVERVIEWS": 1},
        {"CREATION_OPTIONS": "COMPRESS=LZW|BLOCKXSIZE=256|BLOCKYSIZE=256"},
    ):
        first = made(**options)
        for kind in (CUSTOM, BALANCED):
            assert made(FILE_KIND=kind, **options).data == first.data, (kind, options)
        assert made(**options).data == first.data
    assert made(COG=True).is_cog and made(OVERVIEWS=1).overviews
    assert made(CREATION_OPTIONS="COMPRESS=LZW").codec == "LZW"


def test_small_is_what_its_creation_options_give(made):
    assert made(FILE_KIND=SMALL).data == made(CREATION_OPTIONS="COMPRESS=DEFLATE|ZLEVEL=9").data
    assert made(FILE_KIND=FAST).data == made(CREATION_OPTIONS="COMPRESS=NONE").data
    assert made(FILE_KIND=CLOUD_OPTIMIZED).data == made(COG=True).data


def test_what_is_given_beside_a_kind_takes_precedence(made):
    lzw = "compress=LZW"
    assert made(FILE_KIND=FAST, CREATION_OPTIONS=lzw).codec == "LZW"
    assert made(FILE_KIND=SMALL, CREATION_OPTIONS=lzw).data == made(CREATION_OPTIONS=lzw).data
    quick = made(FILE_KIND=SMALL, CREATION_OPTIONS="ZLEVEL=1")
    assert len(quick.data) > len(made(FILE_KIND=SMALL).data)
    tiles = made(FILE_KIND=FAST, CREATION_OPTIONS="BLOCKXSIZE=256|BLOCKYSIZE=256")
    assert (tiles.codec, tiles.block) == ("NONE", (256, 256))
    both = made(FILE_KIND=SMALL, COG=True, OVERVIEWS=1)
    assert both.is_cog and both.overviews


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"FILE_KIND": 9}, "FILE_KIND"),
        ({"FILE_KIND": -1}, "“Output: file” (FILE_KIND) must be 0 (Balanced), 1 (Fast"),
        (
            {"FILE_KIND": CLOUD_OPTIMIZED, "CREATION_OPTIONS": "TILED=NO"},
            "or choose another “Output: file” (FILE_KIND) and untick “Output: Cloud Optimized GeoTIFF”",
        ),
        (
            {"FILE_KIND": SMALL, "CREATION_OPTIONS": "tight please"},
            "“tight please” is not understood",
        ),
    ],
)
def test_wrong_choices_are_one_sentence(provider, scene, tmp_path, context, options, words):
    parameters = {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(tmp_path / "out.tif")}
    fine, message = ndvi().checkParameterValues({**parameters, **options}, context)
    assert not fine and words in message and "\n" not in message


def test_a_model_made_before_there_were_kinds(provider, scene, tmp_path, log, add_step):
    import processing

    value = QgsProcessingModelChildParameterSource.fromStaticValue
    model = QgsProcessingModelAlgorithm("model", "group")
    options = {"COG": True, "CREATION_OPTIONS": "COMPRESS=LZW"}
    given = {"RED": scene.red, "NIR": scene.nir, **options}
    add_step(
        model, "index", "bandwise:ndvi", {name: value(each) for name, each in given.items()}, "out"
    )
    out = str(tmp_path / "out.tif")
    processing.run(model, {"index:out": out}, feedback=log)
    result = Outcome(out)
    assert result.is_cog and result.codec == "LZW"
