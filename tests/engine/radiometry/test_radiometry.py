# SPDX-License-Identifier: GPL-2.0-or-later
"""Where scale, offset, nodata and saturation come from: the user, the band's tags, the product's
metadata, in this order.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import MetadataError, OptionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.radiometry.nodata import as_stored
from bandwise.engine.radiometry.products import product_facts
from bandwise.engine.radiometry.scaling import (
    Declared,
    Radiometry,
    RadiometryChoice,
    Scaling,
    resolve,
)
from bench import Bench
from steps import steps

STORED, CUSTOM = (
    RadiometryChoice(Scaling.STORED),
    RadiometryChoice(Scaling.CUSTOM, scale=0.002, offset=0.5),
)
UINT16 = Declared("uint16")
BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")

MTL = """GROUP = LANDSAT_METADATA_FILE
  GROUP = PRODUCT_CONTENTS
    LANDSAT_PRODUCT_ID = "LC08_L2SP_001070_20190114_20200830_02_T2"
  END_GROUP = PRODUCT_CONTENTS
  GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
    REFLECTANCE_MULT_BAND_4 = 2.75e-05
    REFLECTANCE_ADD_BAND_4 = -0.2
  END_GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
  GROUP = LEVEL2_SURFACE_TEMPERATURE_PARAMETERS
    TEMPERATURE_MULT_BAND_ST_B10 = 0.00341802
    TEMPERATURE_ADD_BAND_ST_B10 = 149.0
  END_GROUP = LEVEL2_SURFACE_TEMPERATURE_PARAMETERS
  GROUP = LEVEL1_RADIOMETRIC_RESCALING
    RADIANCE_MULT_BAND_4 = 9.6e-03
    REFLECTANCE_MULT_BAND_4 = 2.0000E-05
    REFLECTANCE_ADD_BAND_4 = -0.100000
  END_GROUP = LEVEL1_RADIOMETRIC_RESCALING
END_GROUP = LANDSAT_METADATA_FILE
END
"""
LANDSAT = "LC08_L2SP_001070_20190114_20200830_02_T2"


def sentinel2(
    level: str = "L2A",
    *,
    quantification: str = "10000",
    offsets: dict[str, str] | None = None,
    uri: str = "",
    body: str = "",
) -> str:
    """A product file as ESA writes it, cut to what matters; ``offsets`` by band id."""
    name, add = (
        ("BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET")
        if level == "L2A"
        else ("QUANTIFICATION_VALUE", "RADIO_ADD_OFFSET")
    )
    listed = "".join(
        f'<{add} band_id="{band}">{value}</{add}>' for band, value in (offsets or {}).items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-{level[1:]}_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{level[1:]}.xsd">
<PRODUCT_URI>{uri}</PRODUCT_URI>
<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
<Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
<{name} unit="none">{quantification}</{name}><AOT_QUANTIFICATION_VALUE>1000.0</AOT_QUANTIFICATION_VALUE>
{listed}{body}
</n1:Level-{level[1:]}_User_Product>
"""


@pytest.fixture
def safe(bench: Bench) -> Any:
    """A function from (text or file of metadata, name of the band file, level) to the path of a
    band in a SAFE folder (not yet a raster).
    """

    def make(
        metadata: str | Path | None,
        name: str = "T33UUU_20220413T150759_B04_10m.jp2",
        *,
        level: str = "L2A",
    ) -> str:
        inner = "IMG_DATA" if level == "L1C" else f"IMG_DATA/R{name.rpartition('.')[0][-3:]}"
        target = Path(bench.path(f"PRODUCT.SAFE/MTD_MSI{level}.xml"))
        if isinstance(metadata, Path):
            shutil.copyfile(metadata, target)
        elif metadata is not None:
            target.write_text(metadata)
        return bench.path(
            f"PRODUCT.SAFE/GRANULE/{level}_T33UUU_A000001_20220413T150759/{inner}/{name}"
        )

    return make


def facts(radiometry: Radiometry) -> tuple[float, float, float | None, float | None]:
    return radiometry.scale, radiometry.offset, radiometry.nodata, radiometry.saturated


@pytest.mark.parametrize(
    ("product", "xml", "level", "scene", "offset"),
    [
        (
            "S2A_MSIL1C_20200717T221941_R029_T01LAC_20200717T234135",
            "MTD_MSIL1C.xml",
            "L1C",
            "T01LAC_20200717T221941",
            0,
        ),
        (
            "S2A_MSIL1C_20210908T042701_N0301_R133_T46RER_20210908T070248",
            "MTD_MSIL1C.xml",
            "L1C",
            "T46RER_20210908T042701",
            0,
        ),
        (
            "GDALfake_S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234",
            "MTD_MSIL1C_trimmed.xml",
            "L1C",
            "T34UCF_20230823T095559",
            -1000,
        ),
        (
            "S2A_MSIL2A_20190212T192651_N0212_R013_T07HFE_20201007T160857",
            "MTD_MSIL2A.xml",
            "L2A",
            "T07HFE_20190212T192651",
            0,
        ),
        (
            "S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126",
            "MTD_MSIL2A.xml",
            "L2A",
            "T33XWJ_20220413T150759",
            -1000,
        ),
        (
            "S2A_MSIL2A_20230821T221941_N0509_R029_T01KAB_20230822T021825",
            "MTD_MSIL2A.xml",
            "L2A",
            "T01KAB_20230821T221941",
            -1000,
        ),
    ],
)
def test_real_product_files(
    shared: Any, safe: Any, product: str, xml: str, level: str, scene: str, offset: int
) -> None:
    """Baselines 02.09 to 05.09 of both levels, found by walking up: the offset is the file's own, whatever the date."""
    metadata = shared("sentinel2_metadata_xml", f"{product}.SAFE", xml)
    for band in ("B04", "B08", "B8A", "B12", "B01"):
        name = f"{scene}_{band}.jp2" if level == "L1C" else f"{scene}_{band}_60m.jp2"
        radiometry = resolve(safe(metadata, name, level=level), UINT16, RadiometryChoice())
        assert facts(radiometry) == (1 / 10000, offset / 10000, 0, 65535)
        assert radiometry.warning is None
        assert f"MTD_MSI{level}.xml" in radiometry.scaling_source
        assert f"quantification 10000, offset {offset}" in radiometry.scaling_source


def test_every_band_has_its_own_offset(safe: Any) -> None:
    """Band ids run 0 = B1 ... 7 = B8, 8 = B8A, 9 = B9 ... 12 = B12; here offset = -(id + 1)."""
    text = sentinel2(offsets={str(number): str(-number - 1) for number in range(13)})
    for number, band in enumerate(BANDS):
        radiometry = resolve(
            safe(text, f"T33UUU_20220413T150759_{band}_20m.jp2"), UINT16, RadiometryChoice()
        )
        assert radiometry.offset == -(number + 1) / 10000, band


@pytest.mark.parametrize("depth", ["", "IMG_DATA", "GRANULE/x/IMG_DATA/R10m"])
def test_metadata_are_found_above_the_band(bench: Bench, depth: str) -> None:
    Path(bench.path("MTD_MSIL2A.xml")).write_text(
        sentinel2(offsets={str(n): "-1000" for n in range(13)})
    )
    assert (
        resolve(
            bench.path(str(Path(depth, "T33UUU_20220413T150759_B04_10m.jp2"))),
            UINT16,
            RadiometryChoice(),
        ).offset
        == -0.1
    )


@pytest.mark.parametrize(
    "name",
    [
        "B04.tif",
        "B04_10m.tif",
        "L2A_T33UUU_20220413T150759_B04_10m.jp2",
        "T33UUU_20220413T150759_B8A.jp2",
    ],
)
def test_names_that_are_sentinel_2s(bench: Bench, name: str) -> None:
    Path(bench.path("MTD_MSIL2A.xml")).write_text(sentinel2())
    assert resolve(bench.path(name), UINT16, RadiometryChoice()).scale == 1 / 10000


@pytest.mark.parametrize(
    "name",
    [
        "ndvi.tif",
        "T33UUU_20220413T150759_SCL_20m.jp2",
        "T33UUU_AOT_10m.jp2",
        "B04_clip.tif",
        "B13.tif",
        "CB04.tif",
    ],
)
def test_names_that_are_not(bench: Bench, name: str) -> None:
    Path(bench.path("MTD_MSIL2A.xml")).write_text(sentinel2())
    radiometry = resolve(bench.path(name), UINT16, RadiometryChoice())
    assert facts(radiometry) == (1, 0, None, None)
    assert radiometry.warning is None


@pytest.mark.parametrize(
    ("band", "offset"), [("B4", -4), ("B8", -8), ("B8A", -9), ("B9", -10), ("B12", -13)]
)
def test_a_subdataset_of_gdals_sentinel_2_driver_goes_by_the_bands_name(
    bench: Bench, band: str, offset: int
) -> None:
    """The driver orders bands its own way; the name that it gives a band decides. Offsets are -(id + 1)."""
    path = bench.path("MTD_MSIL2A.xml")
    Path(path).write_text(
        sentinel2(offsets={str(number): str(-number - 1) for number in range(13)})
    )
    declared = Declared("uint16", name=band)
    assert (
        resolve(f"SENTINEL2_L2A:{path}:10m:EPSG_32633", declared, RadiometryChoice()).offset
        == offset / 10000
    )


def test_what_was_computed_from_a_band_is_not_scaled_again(safe: Any) -> None:
    """A Float32 file named as a band already holds reflectance."""
    assert facts(resolve(safe(sentinel2()), Declared("float32"), RadiometryChoice())) == (
        1,
        0,
        None,
        None,
    )


def test_the_users_word_goes_first(safe: Any) -> None:
    path = safe(sentinel2(offsets={str(n): "-1000" for n in range(13)}))
    tagged = Declared("uint16", scale=0.5, offset=7.0)
    for declared in (UINT16, tagged):
        custom = resolve(path, declared, CUSTOM)
        assert (custom.scale, custom.offset) == (0.002, 0.5) and "user" in custom.scaling_source
        stored = resolve(path, declared, STORED)
        assert (stored.scale, stored.offset) == (
            1,
            0,
        ) and stored.scaling_source == "stored values as they are"
        assert (stored.nodata, stored.saturated) == (0, 65535), "what is no measurement stays none"


def test_the_bands_tags_go_before_the_product(safe: Any) -> None:
    path = safe(sentinel2(offsets={str(n): "-1000" for n in range(13)}))
    radiometry = resolve(path, Declared("uint16", scale=0.5, offset=7.0), RadiometryChoice())
    assert (radiometry.scale, radiometry.offset) == (0.5, 7.0)
    assert "tags of the band" in radiometry.scaling_source
    only_offset = resolve(path, Declared("uint16", offset=7.0), RadiometryChoice())
    assert (only_offset.scale, only_offset.offset) == (1.0, 7.0)


def test_nodata_in_the_same_order(safe: Any) -> None:
    path = safe(sentinel2())
    assert resolve(path, UINT16, RadiometryChoice()).nodata == 0
    declared = resolve(path, Declared("uint16", nodata=9.0), RadiometryChoice())
    assert declared.nodata == 9 and "declared by the file" in declared.nodata_source
    given = resolve(path, Declared("uint16", nodata=9.0), RadiometryChoice(nodata=5.0))
    assert given.nodata == 5 and "user" in given.nodata_source
    assert resolve("nowhere.tif", UINT16, RadiometryChoice()).nodata is None


def test_source_nodata_is_a_stored_value(bench: Bench) -> None:
    """Nodata 1000 of the user replaces the declared 0: pixels 1000, 0, 3000 with red 1000, 1000, 1000."""
    near, visible = (
        bench.save("a.tif", np.array([[1000, 0, 3000]], np.uint16), nodata=0),
        bench.save("b.tif", np.array([[1, 1, 1]], np.uint16)),
    )
    choice = RadiometryChoice(Scaling.CUSTOM, scale=0.001, offset=0.0, nodata=1000.0)
    np.testing.assert_array_equal(
        bench.ndvi(near, visible, scaling=choice), np.array([[-9999, -1, 2999 / 3001]], np.float32)
    )


def test_the_offset_of_a_product_reaches_the_pixels(bench: Bench, safe: Any) -> None:
    """3500/1500 with offset -1000: 2500/500 -> .667; without it .4. 0 and 65535 are no
    measurements. 1000/1000 is 0/0.
    """
    metadata = sentinel2(
        offsets={str(n): "-1000" for n in range(13)},
        uri="S2A_MSIL2A_20220413T150759_N0400_R025_T33UUU_20220414T082126.SAFE",
    )
    near = np.array([[3500, 0, 65535, 900, 1000, 1200]], np.uint16)
    visible = np.array([[1500, 1500, 1500, 1300, 1000, 800]], np.uint16)
    paths = []
    for band, values in (("B08", near), ("B04", visible)):
        target = Path(safe(metadata, f"T33UUU_20220413T150759_{band}_10m.tif"))
        bench.save(str(target.relative_to(bench.folder)), values)
        paths.append(str(target))
    pixels, report = bench.run(bench.job(*paths))
    np.testing.assert_array_equal(
        pixels, np.array([[2000 / 3000, -9999, -9999, -2, -9999, -9999]], np.float32)
    )
    statistics = report.statistics[0]
    assert (
        statistics.valid,
        statistics.nodata,
        statistics.saturated,
        statistics.not_finite,
        statistics.beyond,
    ) == (2, 1, 1, 2, 1)


def test_tags_and_notes_say_where_everything_came_from(bench: Bench, safe: Any) -> None:
    metadata = sentinel2(offsets={str(n): "-1000" for n in range(13)})
    near = Path(safe(metadata, "T33UUU_20220413T150759_B08_10m.tif"))
    bench.save(str(near.relative_to(bench.folder)), np.array([[3500]], np.uint16))
    visible = bench.save(
        "red.tif", np.array([[2]], np.int16), nodata=-1, scales=[0.5], offsets=[0.25]
    )
    job = bench.job(str(near), visible)
    lines, warnings = bench.notes(job)
    assert not warnings
    assert any(
        near.name in line
        and "scale 0.0001, offset -0.1" in line
        and "MTD_MSIL2A.xml, band B8" in line
        for line in lines
    )
    assert any(
        "red.tif" in line
        and "scale 0.5, offset 0.25" in line
        and "nodata -1 (declared by the file)" in line
        for line in lines
    )
    assert any("65535" in line and "saturated" in line for line in lines)
    run(job)
    with rasterio.open(job.output) as dataset:
        tags = dataset.tags()
    first, second = json.loads(tags["BANDWISE_INPUT_NIR"]), json.loads(tags["BANDWISE_INPUT_RED"])
    keys = ("path", "band", "scale", "offset", "nodata", "saturated")
    assert [first[key] for key in keys] == [str(near), 1, 1e-4, -0.1, 0, 65535]
    assert [second[key] for key in keys] == [visible, 1, 0.5, 0.25, -1, None]
    assert (
        "MTD_MSIL2A.xml" in first["scaling_source"]
        and "product's metadata" in first["nodata_source"]
    )
    assert (
        "tags of the band" in second["scaling_source"]
        and "declared by the file" in second["nodata_source"]
    )


def test_a_band_without_its_product_is_used_as_stored_with_a_caution(safe: Any) -> None:
    radiometry = resolve(safe(None), UINT16, RadiometryChoice())
    assert facts(radiometry) == (1, 0, None, None)
    assert "MTD_MSIL2A.xml" in str(radiometry.warning) and "as they are" in str(radiometry.warning)
    assert resolve(safe(None), UINT16, STORED).warning is None


@pytest.mark.parametrize(
    "uri",
    [
        "S2A_MSIL2A_20190212T192651_N0212_R013_T33UUU_20201007",
        "S2A_MSIL2A_20220413T150759_N0400_R025_T34UCF_20220414",
    ],
)
def test_the_metadata_of_another_product_are_not_used(safe: Any, uri: str) -> None:
    """Another date, another tile."""
    radiometry = resolve(
        safe(sentinel2(offsets={str(n): "-1000" for n in range(13)}, uri=uri)),
        UINT16,
        RadiometryChoice(),
    )
    assert (radiometry.scale, radiometry.offset) == (1, 0)
    assert uri in str(radiometry.warning)


def nested_entities() -> str:
    """A billion laughs: ten levels of ten entities each."""
    entities = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 '
        f'"lol">{entities}]><x><BOA_QUANTIFICATION_VALUE>&e9;</BOA_QUANTIFICATION_VALUE></x>'
    )


DAMAGED = {
    "empty": "",
    "not XML": "quantification = 10000",
    "cut off": sentinel2()[:300],
    "binary": "\x01\x02\x03" * 100,
    "entity bomb": nested_entities(),
    "quadratic entity": '<!DOCTYPE x [<!ENTITY a "'
    + "a" * 100000
    + '">]><x>'
    + "&a;" * 100000
    + "</x>",
    "external entity": "<!DOCTYPE x [<!ENTITY a SYSTEM "
    '"file:///etc/hostname">]><x><BOA_QUANTIFICATION_VALUE>&a;</BOA_QUANTIFICATION_VALUE></x>',
    "external document type": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'
    + sentinel2().partition("?>")[2],
    "parameter entity": '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x.dtd"> %a;]>'
    + sentinel2().partition("?>")[2],
    "empty document type": "<!DOCTYPE x>" + sentinel2().partition("?>")[2],
    "undeclared entity": sentinel2(quantification="&nothing;"),
    "nested": "<a>" * 100000 + "</a>" * 100000,
    "nested and never closed": "<a>" * 8_000_000,
    "unknown encoding": '<?xml version="1.0" encoding="nonsense"?><x/>',
    "encoding of several bytes": '<?xml version="1.0" encoding="cp932"?><x/>',
    "no quantification": sentinel2().replace("BOA_QUANTIFICATION_VALUE", "OTHER"),
    "quantification of zero": sentinel2(quantification="0"),
    "negative quantification": sentinel2(quantification="-10000"),
    "quantification in words": sentinel2(quantification="ten thousand"),
    "quantification NaN": sentinel2(quantification="nan"),
    "infinite quantification": sentinel2(quantification="1e999"),
    "no offset for this band": sentinel2(offsets={"0": "-1000", "7": "-1000"}),
    "offset in words": sentinel2(offsets={"3": "none"}),
    "infinite offset": sentinel2(offsets={"3": "-inf"}),
    "too large": sentinel2(body=" " * 33 * 1024 * 1024),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_and_hostile_metadata_are_refused_in_one_sentence(safe: Any, damage: str) -> None:
    path = safe(DAMAGED[damage])
    caught: list[MetadataError] = []

    def read() -> None:
        try:
            resolve(path, UINT16, RadiometryChoice())
        except MetadataError as error:
            caught.append(error)

    count = steps(read)
    assert count < 5_000
    sentence = str(caught[0])
    assert "MTD_MSIL2A.xml" in sentence and "choose stored values or a custom scale" in sentence
    assert "\n" not in sentence and len(sentence) < 700


def test_metadata_never_closed_take_little_memory(bench: Bench, safe: Any) -> None:
    """24 MB of opening tags: a list of all that is open would take gigabytes."""
    path = safe("<a>" * 8_000_000)
    result = bench.python(
        f"""
import resource
from bandwise.engine.errors import MetadataError
from bandwise.engine.radiometry.products import product_facts
try:
    product_facts({path!r}, "uint16")
except MetadataError:
    print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0])
"""
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 200_000, "kB"


@pytest.mark.parametrize("choice", [STORED, CUSTOM])
def test_damaged_metadata_are_only_a_caution_for_who_does_not_need_them(
    safe: Any, choice: RadiometryChoice
) -> None:
    radiometry = resolve(safe(nested_entities()), UINT16, choice)
    assert (radiometry.scale, radiometry.offset) == ((1, 0) if choice is STORED else (0.002, 0.5))
    assert "MTD_MSIL2A.xml" in str(radiometry.warning) and "document type" in str(
        radiometry.warning
    )


def test_nothing_is_written_when_metadata_are_refused(bench: Bench, safe: Any) -> None:
    target = Path(safe(sentinel2(quantification="0"), "T33UUU_20220413T150759_B04_10m.tif"))
    bench.save(str(target.relative_to(bench.folder)), np.ones((4, 4), np.uint16))
    before = bench.listing()
    with pytest.raises(MetadataError):
        run(bench.job(str(target), str(target)))
    assert bench.listing() == before


@pytest.mark.parametrize(
    ("scale", "offset"),
    [(0.0, 0.0), (math.nan, 0.0), (math.inf, 0.0), (1.0, math.nan), (1.0, -math.inf)],
)
def test_scalings_that_mean_nothing_are_refused(scale: float, offset: float) -> None:
    with pytest.raises(OptionError, match="scale"):
        resolve("x.tif", UINT16, RadiometryChoice(Scaling.CUSTOM, scale=scale, offset=offset))
    if (scale, offset) != (1.0, 0.0):
        with pytest.raises(MetadataError, match="cannot be right"):
            resolve("x.tif", Declared("uint16", scale=scale, offset=offset), RadiometryChoice())


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (0.0, "uint16", 0),
        (65535.0, "uint16", 65535),
        (65536.0, "uint16", None),
        (-1.0, "uint16", None),
        (-9999.0, "uint16", None),
        (0.5, "uint16", None),
        (-32768.0, "int16", -32768),
        (math.nan, "uint8", None),
        (math.inf, "int32", None),
        (1e300, "float32", None),
        (1e300, "float64", 1e300),
        (math.inf, "float32", math.inf),
        (None, "uint16", None),
    ],
)
def test_a_value_as_a_type_stores_it(
    value: float | None, dtype: str, expected: float | None
) -> None:
    stored = as_stored(value, np.dtype(dtype))
    assert stored == expected and (expected is None or stored.dtype == dtype)  # type: ignore[union-attr]


def test_nan_is_stored_by_floating_point_types() -> None:
    assert np.isnan(as_stored(math.nan, np.dtype("float32")))  # type: ignore[arg-type]


def mtl_json(text: str) -> str:
    groups: dict[str, dict[str, str]] = {}
    name = ""
    for key, _, value in (line.strip().partition(" = ") for line in text.splitlines()):
        if key == "GROUP":
            name = value
        elif key not in ("END_GROUP", "END"):
            groups.setdefault(name, {})[key] = value.strip('"')
    return json.dumps({"LANDSAT_METADATA_FILE": groups})


def mtl_xml(text: str) -> str:
    groups = json.loads(mtl_json(text))["LANDSAT_METADATA_FILE"]
    body = "".join(
        f"<{group}>{''.join(f'<{k}>{v}</{k}>' for k, v in values.items())}</{group}>"
        for group, values in groups.items()
    )
    return f"<?xml version='1.0'?><LANDSAT_METADATA_FILE>{body}</LANDSAT_METADATA_FILE>"


WRITERS = {"txt": str, "json": mtl_json, "xml": mtl_xml}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    ("name", "scale", "offset", "group"),
    [
        (f"{LANDSAT}_SR_B4.TIF", 2.75e-05, -0.2, "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"),
        (f"{LANDSAT}_ST_B10.TIF", 0.00341802, 149.0, "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS"),
        (
            "LC08_L1TP_001070_20190114_20200830_02_T1_B4.TIF",
            2e-05,
            -0.1,
            "LEVEL1_RADIOMETRIC_RESCALING",
        ),
    ],
)
def test_landsat_takes_the_group_that_fits_the_file(
    bench: Bench, form: str, name: str, scale: float, offset: float, group: str
) -> None:
    """The same key stands in two groups: 2.75e-05 for surface reflectance, 2e-05 for level 1."""
    product = name[: name.index("_02_T") + len("_02_T2")]
    Path(bench.path(f"{product}_MTL.{form}")).write_text(WRITERS[form](MTL))  # type: ignore[operator]
    radiometry = resolve(bench.path(name), UINT16, RadiometryChoice())
    assert facts(radiometry) == (scale, offset, 0, None)
    assert (
        f"{product}_MTL.{form}" in radiometry.scaling_source and group in radiometry.scaling_source
    )


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    "product",
    [
        "LC08_L2SP_001070_20190114_20200830_02_T2",
        "LC08_L2SP_008059_20191201_20200825_02_T1",
        "LC08_L2SR_099120_20191129_20201016_02_T2",
    ],
)
def test_real_landsat_metadata_in_all_three_forms(
    shared: Any, bench: Bench, form: str, product: str
) -> None:
    shutil.copy(
        shared("landsat8_c2l2_stactools", product, f"{product}_MTL.{form}"),
        bench.path(f"{product}_MTL.{form}"),
    )
    for band in (4, 5):
        assert facts(
            resolve(bench.path(f"{product}_SR_B{band}.TIF"), UINT16, RadiometryChoice())
        ) == (2.75e-05, -0.2, 0, None)


def test_landsat_9(shared: Any, bench: Bench) -> None:
    product = "LC09_L2SP_010065_20220129_20220131_02_T1"
    shutil.copy(
        shared("landsat8_c2l2_stactools", f"{product}_MTL.txt"), bench.path(f"{product}_MTL.txt")
    )
    assert facts(resolve(bench.path(f"{product}_SR_B5.TIF"), UINT16, RadiometryChoice())) == (
        2.75e-05,
        -0.2,
        0,
        None,
    )


@pytest.mark.parametrize(
    "name",
    [
        f"{LANDSAT}_QA_PIXEL.TIF",
        "LC08_L1TP_195025_20130707_20170503_01_T1_B4.TIF",
        "LT52240631988227CUB02_B3.TIF",
    ],
)
def test_other_landsat_files_are_left_alone(bench: Bench, name: str) -> None:
    """Quality bits; Collection 1; before the collections."""
    Path(bench.path(f"{LANDSAT}_MTL.txt")).write_text(MTL)
    assert product_facts(bench.path(name), "uint16") is None


def test_a_landsat_band_without_its_mtl_is_used_as_stored_with_a_caution(bench: Bench) -> None:
    radiometry = resolve(bench.path(f"{LANDSAT}_SR_B4.TIF"), UINT16, RadiometryChoice())
    assert facts(radiometry) == (1, 0, 0, None)
    assert f"{LANDSAT}_MTL" in str(radiometry.warning)


@pytest.mark.parametrize(
    ("form", "text", "word"),
    [
        ("txt", "", "no REFLECTANCE_MULT_BAND_4"),
        ("txt", MTL.replace("2.75e-05", '"a lot"'), "not a number"),
        ("txt", MTL.replace("2.75e-05", "0"), "scale is 0"),
        (
            "txt",
            MTL.replace("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", "OTHER"),
            "no REFLECTANCE_MULT_BAND_4",
        ),
        ("txt", "END_GROUP = X\n" * 1000 + "GROUP\n= =\n", "no REFLECTANCE_MULT_BAND_4"),
        ("json", "", "not a Landsat MTL"),
        ("json", "[]", "not a Landsat MTL"),
        ("json", '{"LANDSAT_METADATA_FILE": 3}', "not a Landsat MTL"),
        ("json", '{"LANDSAT_METADATA_FILE": {"a": [1, 2]}}', "not a Landsat MTL"),
        ("json", "[" * 200000, "not a Landsat MTL"),
        ("json", "\udcff", "not a Landsat MTL"),
        ("json", mtl_json(MTL).replace('"2.75e-05"', "NaN"), "not a number"),
        ("xml", "<a/>", "no REFLECTANCE_MULT_BAND_4"),
        ("xml", nested_entities(), "document type"),
    ],
)
def test_damaged_landsat_metadata_are_refused_in_one_sentence(
    bench: Bench, form: str, text: str, word: str
) -> None:
    Path(bench.path(f"{LANDSAT}_MTL.{form}")).write_text(text, errors="surrogateescape")
    with pytest.raises(MetadataError, match=word) as caught:
        resolve(bench.path(f"{LANDSAT}_SR_B4.TIF"), UINT16, RadiometryChoice())
    assert f"{LANDSAT}_MTL.{form}" in str(caught.value) and "\n" not in str(caught.value)
