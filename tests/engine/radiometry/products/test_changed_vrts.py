# SPDX-License-Identifier: GPL-2.0-or-later
"""VRTs that change values, are hand-made or hostile."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import MetadataError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.radiometry.formats.vrt import vrt_bands
from bench import Bench
from vrt_metadata_cases import SIZE, STORED, facts, product, vrt

PRODUCT = "S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"


BANDS = f"sentinel2_safe_N0400_original_jp2/{PRODUCT}/GRANULE/L2A_T29UNU_A038058_20221005T115407/IMG_DATA/R60m"


LANDSAT = "LC08_L2SP_001070_20190114_20200830_02_T2"


@pytest.mark.parametrize(
    "options",
    [
        ("-of", "VRT", "-scale", "0", "10000", "0", "1", "-ot", "Float32"),
        ("-of", "VRT", "-scale", "0", "10000", "0", "100"),
        ("-of", "VRT", "-scale", "0", "10000", "0", "1", "-exponent", "0.5", "-ot", "Float32"),
        ("-of", "VRT", "-ot", "Byte"),
    ],
)
def test_a_vrt_that_changes_values(bench: Bench, options: tuple[str, ...]) -> None:
    (path,) = product(bench, "P", "B04")
    target = bench.path("changed.vrt")
    subprocess.run(["gdal_translate", "-q", *options, path, target], check=True)
    *numbers, (warning,), _ = facts(bench, target)
    assert numbers == [1, 0, None, None]
    assert (
        "belong to a product, but the VRT changes their values" in warning
        and "stored values are used" in warning
    )


def test_a_warped_vrt(bench: Bench) -> None:
    (path,) = product(bench, "P", "B04")
    target = bench.path("warped.vrt")
    subprocess.run(
        ["gdalwarp", "-q", "-of", "VRT", "-t_srs", "EPSG:3857", path, target], check=True
    )
    *numbers, (warning,), _ = facts(bench, target)
    assert numbers[:2] == [1, 0] and "the VRT changes their values" in warning


LUT = "<LUT>0:1,10000:2</LUT>"


DERIVED = "<PixelFunctionType>sqrt</PixelFunctionType>"


@pytest.mark.parametrize(
    ("band", "extra", "source"),
    [
        ("", "", LUT),
        ("", "", "<ScaleOffset>0.5</ScaleOffset><ScaleRatio>1</ScaleRatio>"),
        ("", "", "<ScaleOffset>0</ScaleOffset><ScaleRatio>2</ScaleRatio>"),
        ('subClass="VRTDerivedRasterBand"', DERIVED, ""),
    ],
)
def test_hand_made_vrts_that_change_values(
    bench: Bench, band: str, extra: str, source: str
) -> None:
    product(bench, "P", "B04")
    *numbers, (warning,), _ = facts(bench, hand_made(bench, band=band, extra=extra, source=source))
    assert numbers == [1, 0, None, None] and "changes their values" in warning


def test_a_hand_made_vrt_that_does_not(bench: Bench) -> None:
    """A neutral scale, a nodata value, a type that holds all values, an overview from elsewhere."""
    product(bench, "P", "B04")
    overview = (
        "<Overview><SourceFilename "
        "relativeToVRT='1'>nowhere.tif</SourceFilename><SourceBand>1</SourceBand></Overview>"
    )
    neutral = "<ScaleOffset>0</ScaleOffset><ScaleRatio>1</ScaleRatio><NODATA>0</NODATA>"
    *numbers, warnings, _ = facts(
        bench, hand_made(bench, dtype="Float32", extra=overview, source=neutral)
    )
    assert numbers == [1e-4, -0.1, 0, 65535] and not warnings


def hand_made(
    bench: Bench, *, dtype: str = "UInt16", band: str = "", extra: str = "", source: str = ""
) -> str:
    rect = f'xOff="0" yOff="0" xSize="{SIZE}" ySize="{SIZE}"'
    text = f"""<VRTDataset rasterXSize="{SIZE}" rasterYSize="{SIZE}">
<GeoTransform>300000, 10, 0, 5000040, 0, -10</GeoTransform>
<VRTRasterBand dataType="{dtype}" band="1" {band}>{extra}<ComplexSource>
<SourceFilename relativeToVRT="1">P/IMG_DATA/T33UUU_20220413T150759_B04_10m.tif</SourceFilename>
<SourceBand>1</SourceBand>
<SourceProperties RasterXSize="{SIZE}" RasterYSize="{SIZE}" DataType="UInt16"/>
<SrcRect {rect}/><DstRect {rect}/>{source}
</ComplexSource></VRTRasterBand></VRTDataset>"""
    path = Path(bench.path("hand.vrt"))
    path.write_text(text)
    return str(path)


def test_a_vrts_own_tags_go_before_the_product(bench: Bench) -> None:
    product(bench, "P", "B04")
    *numbers, warnings, _ = facts(
        bench,
        hand_made(bench, extra="<Offset>7</Offset><Scale>0.5</Scale><NoDataValue>9</NoDataValue>"),
    )
    assert numbers == [0.5, 7, 9, 65535] and not warnings


def test_a_vrt_with_a_document_type_is_not_looked_through(bench: Bench) -> None:
    """GDAL reads it; we do not expand entities, and say that nothing is known. An XML declaration is no reason."""
    product(bench, "P", "B04")
    path = Path(hand_made(bench))
    text = path.read_text()
    path.write_text("<!DOCTYPE x [" + '<!ENTITY a "' + "a" * 500 + '">]>' + text)
    with pytest.raises(MetadataError, match="document type"):
        vrt_bands(str(path))
    *numbers, (warning,), _ = facts(bench, str(path))
    assert numbers == [1, 0, None, None]
    assert (
        "hand.vrt is a VRT whose sources cannot be determined: stored values are used unchanged"
        in warning
    )
    path.write_text('<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n' + text)
    *numbers, warnings, _ = facts(bench, str(path))
    assert numbers == [1e-4, -0.1, 0, 65535] and not warnings


def test_vrts_that_go_in_circles_or_repeat_a_source_end(bench: Bench) -> None:
    """Ten levels of a hundred sources, each the same VRT below, and one that names itself: looked
    through in a moment.
    """
    from bandwise.engine.radiometry.products import product_facts

    (bottom,) = product(bench, "P", "B04")
    for level in range(9):
        source = f"<SimpleSource><SourceFilename>{bottom}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
        bottom = bench.path(f"level{level}.vrt")
        Path(bottom).write_text(
            f'<VRTDataset><VRTRasterBand dataType="UInt16">{source * 100}</VRTRasterBand></VRTDataset>'
        )
    found = product_facts(bottom, "uint16")
    assert found is not None and found.offset == -0.1
    itself = bench.path("circle.vrt")
    source = (
        "<SimpleSource><SourceFilename "
        "relativeToVRT='1'>circle.vrt</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
    )
    Path(itself).write_text(
        f'<VRTDataset><VRTRasterBand dataType="UInt16">{source}</VRTRasterBand></VRTDataset>'
    )
    circle = product_facts(itself, "uint16")
    assert circle is not None and circle.mixed


def test_landsat_through_a_vrt(bench: Bench, shared: Callable[..., Path]) -> None:
    paths = [
        shared("landsat8_c2l2_stactools", LANDSAT, f"{LANDSAT}_SR_B{band}.TIF") for band in (4, 5)
    ]
    path = vrt(bench, "landsat.vrt", *map(str, paths), options=("-separate",))
    plain, _ = bench.run(bench.job(str(paths[1]), str(paths[0])))
    through, _ = bench.run(bench.job((path, 2), (path, 1), output="vrt.tif"))
    np.testing.assert_array_equal(through, plain)
    assert plain[plain != -9999].size > 1000


def test_a_vrt_of_a_subdataset(bench: Bench, shared: Callable[..., Path]) -> None:
    """gdal_translate writes the bands' names into a VRT, gdalbuildvrt before GDAL 3.13 does not:
    then nothing is known of them, which is said.
    """
    folder = next(Path(shared("sentinel2_safe_N0214_downsampled_jp2")).glob("*.SAFE"))
    subdataset = f"SENTINEL2_L2A:{folder / 'MTD_MSIL2A.xml'}:10m:EPSG_32722"
    named = bench.path("named.vrt")
    subprocess.run(["gdal_translate", "-q", "-of", "VRT", subdataset, named], check=True)
    scale, offset, *_, warnings, lines = facts(bench, named, band=4)
    assert (
        (scale, offset) == (1e-4, 0)
        and not warnings
        and "MTD_MSIL2A.xml, band B8: quantification 10000, offset 0, through the VRT" in lines
    )
    unnamed = Path(vrt(bench, "unnamed.vrt", subdataset))
    text = re.sub(r"(?s)<(Metadata|Description)>.*?</\1>", "", unnamed.read_text("utf-8"))
    unnamed.write_text(text, "utf-8")
    scale, offset, *_, warnings, _ = facts(bench, str(unnamed), band=4)
    assert (scale, offset) == (1, 0)
    assert (
        "the VRT does not name the bands of MTD_MSIL2A.xml:10m:EPSG_32722: stored values are used unchanged"
        in warnings[0]
    )


def test_a_vrt_that_holds_metadata_with_their_declaration(bench: Bench) -> None:
    """GDAL 3.13 copies a product's XML, its first line included, into the VRT, which then is no well-formed XML."""
    path = vrt(bench, "scene.vrt", *product(bench, "P", "B04", "B08"), options=("-separate",))
    inner = (
        '<Metadata domain="xml:X" format="xml"><?xml version="1.0" '
        'encoding="UTF-8"?><a><Description>x</Description></a></Metadata>'
    )
    text = Path(path).read_text()
    Path(path).write_text(text.replace("<VRTRasterBand", inner + "<VRTRasterBand", 1))
    plain = facts(
        bench,
        vrt(bench, "plain.vrt", *product(bench, "P", "B04", "B08"), options=("-separate",)),
        band=2,
    )
    got = facts(bench, path, band=2)
    assert got[:2] == plain[:2] == (1e-4, -0.1)


def test_the_tags_of_the_result_name_the_vrt_and_the_metadata(bench: Bench) -> None:
    path = vrt(bench, "scene.vrt", *product(bench, "P", "B04", "B08"), options=("-separate",))
    job = bench.job((path, 2), (path, 1))
    run(job)
    with rasterio.open(job.output) as dataset:
        tags = json.loads(dataset.tags()["BANDWISE_INPUT_NIR"])
    assert (
        tags["path"] == path
        and tags["offset"] == -0.1
        and "through the VRT" in tags["scaling_source"]
    )


def test_ndvi_of_a_vrt_of_a_real_product(bench: Bench, shared: Callable[..., Path]) -> None:
    """A window of QGIS's VRT over the product's files gives what the files themselves give, pixel
    by pixel; 0.2155 is the mean without the offset.
    """
    red, nir = (
        str(shared(BANDS, f"T29UNU_20221005T115411_{band}_60m.jp2")) for band in ("B04", "B8A")
    )
    path = vrt(bench, "scene.vrt", red, nir, options=("-separate",))
    plain, _ = bench.run(bench.job(nir, red))
    through, report = bench.run(bench.job((path, 2), (path, 1), output="vrt.tif"))
    np.testing.assert_array_equal(through, plain)
    assert report.statistics[0].mean == pytest.approx(0.3517, abs=5e-4)
    without, _ = bench.run(bench.job((path, 2), (path, 1), output="stored.tif", scaling=STORED))
    assert without[plain != -9999].astype(np.float64).mean() < 0.25


def test_ndvi_of_a_vrt_of_real_crops_in_their_product(
    bench: Bench, shared: Callable[..., Path]
) -> None:
    """The crops under the names of the files that they are cut from, beside a copy of the product's metadata."""
    folder = shared("sentinel2_safe_N0400_original_jp2")
    shutil.copyfile(folder / PRODUCT / "MTD_MSIL2A.xml", bench.path(f"{PRODUCT}/MTD_MSIL2A.xml"))
    paths = []
    for band in ("B04", "B8A"):
        target = bench.path(
            f"{PRODUCT}/GRANULE/g/IMG_DATA/R60m/T29UNU_20221005T115411_{band}_60m.tif"
        )
        shutil.copyfile(folder / "crops" / f"T29UNU_20221005T115411_{band}_60m_crop.tif", target)
        paths.append(target)
    path = vrt(bench, "crops.vrt", *paths, options=("-separate",))
    plain, _ = bench.run(bench.job(paths[1], paths[0]))
    through, _ = bench.run(bench.job((path, 2), (path, 1), output="vrt.tif"))
    np.testing.assert_array_equal(through, plain)
    with rasterio.open(folder / "crops" / "T29UNU_20221005T115411_SCL_60m_crop.tif") as dataset:
        vegetation = dataset.read(1) == 4
    assert through[vegetation & (through != -9999)].astype(np.float64).mean() == pytest.approx(
        0.825, abs=0.002
    )
