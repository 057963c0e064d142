# SPDX-License-Identifier: GPL-2.0-or-later
"""Metadata and numbers that cannot be: refused in one sentence, before they cost memory or time."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from bandwise.engine.errors import MetadataError, OptionError
from bandwise.engine.execution.pipeline import dry_run, run
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.products import product_facts
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bench import Bench

LANDSAT = "LC08_L2SP_001070_20190114_20200830_02_T2"
GROUP = "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"
OFFSETS = "".join(
    f'<BOA_ADD_OFFSET band_id="{number}">-1000</BOA_ADD_OFFSET>' for number in range(13)
)
KILOBYTES = 120_000  #: that a process with numpy may take; it takes some 50,000 by itself


def sentinel2(quantification: str = "10000", *, offset: str = "", extra: str = "") -> str:
    offsets = OFFSETS.replace('band_id="3">-1000', f'band_id="3">{offset}') if offset else OFFSETS
    return f"<x><BOA_QUANTIFICATION_VALUE>{quantification}</BOA_QUANTIFICATION_VALUE>{offsets}{extra}</x>"


def mtl(form: str, scale: str, offset: str) -> str:
    items = {"REFLECTANCE_MULT_BAND_4": scale, "REFLECTANCE_ADD_BAND_4": offset}
    if form == "json":
        return json.dumps({"LANDSAT_METADATA_FILE": {GROUP: items}}, ensure_ascii=False)
    if form == "xml":
        body = "".join(f"<{name}>{value}</{name}>" for name, value in items.items())
        return (
            f'<?xml version="1.0" '
            f'encoding="UTF-8"?><LANDSAT_METADATA_FILE><{GROUP}>{body}</{GROUP}></LANDSAT_METADATA_FILE>'
        )
    return (
        f"GROUP = {GROUP}\n"
        + "".join(f"  {name} = {value}\n" for name, value in items.items())
        + f"END_GROUP = {GROUP}\n"
    )


def sentinel2_band(bench: Bench, text: str) -> str:
    Path(bench.path("P/MTD_MSIL2A.xml")).write_text(text, "utf-8")
    return bench.save("P/T33UUU_20220413T150759_B04_10m.tif", np.full((30, 30), 3000, np.uint16))


def landsat_band(bench: Bench, form: str, text: str) -> str:
    Path(bench.path(f"{LANDSAT}_MTL.{form}")).write_text(text, "utf-8")
    return bench.save(f"{LANDSAT}_SR_B4.TIF", np.full((30, 30), 3000, np.uint16))


def sentence(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text and len(text) < 700 and text.endswith(".")
    return text


NO_NUMBERS = [
    "1_000",
    "１２",
    "٣",
    "nan",
    "inf",
    "-Infinity",
    "0x10",
    "1e",
    "1 000",
    "",
    ".",
    "1,5",
    "+-1",
    "1" * 41,
    "1e99999",
]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_python_or_others_take_for_a_number_is_none(bench: Bench, text: str) -> None:
    for metadata in (
        sentinel2(text),
        sentinel2(offset=text or " "),
        sentinel2(extra=f"<SPECIAL_VALUE_INDEX>{text}</SPECIAL_VALUE_INDEX>"),
    ):
        with pytest.raises(MetadataError, match="is not a number") as caught:
            prepare(
                bandmath_job([("a", sentinel2_band(bench, metadata))], "A", bench.path("out.tif"))
            )
        sentence(caught.value)
    for form in ("txt", "json", "xml"):
        path = landsat_band(bench, form, mtl(form, text, "-0.2"))
        with pytest.raises(MetadataError, match="is not a number") as caught:
            product_facts(path, "uint16")
        sentence(caught.value)
        Path(bench.path(f"{LANDSAT}_MTL.{form}")).unlink()


@pytest.mark.parametrize(
    ("text", "value"),
    [("10000", 1e4), ("10000.0", 1e4), ("1e4", 1e4), ("+1.E+04", 1e4), (".5e1", 5.0)],
)
def test_what_is_a_number(bench: Bench, text: str, value: float) -> None:
    found = product_facts(sentinel2_band(bench, sentinel2(text)), "uint16")
    assert found is not None and found.scale == 1 / value


@pytest.mark.parametrize("form", ['{"M": 2.75e-05, "A": -0.2}', '{"M": "2.75e-05", "A": "-0.2"}'])
def test_numbers_of_json_with_and_without_quotes(bench: Bench, form: str) -> None:
    text = form.replace("M", "REFLECTANCE_MULT_BAND_4").replace('A":', 'REFLECTANCE_ADD_BAND_4":')
    found = product_facts(
        landsat_band(bench, "json", f'{{"LANDSAT_METADATA_FILE": {{"{GROUP}": {text}}}}}'), "uint16"
    )
    assert found is not None and (found.scale, found.offset) == (2.75e-05, -0.2)


@pytest.mark.parametrize("band", ["", " ", "x", "1_0", "３", "-1", "3.0", "99999"])
def test_a_band_id_that_is_no_number(bench: Bench, band: str) -> None:
    """It followed the right one, and its offset was taken."""
    path = sentinel2_band(
        bench, sentinel2(extra=f'<BOA_ADD_OFFSET band_id="{band}">-7777</BOA_ADD_OFFSET>')
    )
    with pytest.raises(MetadataError, match="its band_id is not a number"):
        product_facts(path, "uint16")
    with pytest.raises(MetadataError, match="its band_id is not a number"):
        product_facts(
            sentinel2_band(bench, sentinel2(extra="<BOA_ADD_OFFSET>-7777</BOA_ADD_OFFSET>")),
            "uint16",
        )


def test_a_number_given_twice_and_not_alike(bench: Bench) -> None:
    for extra in (
        "<BOA_QUANTIFICATION_VALUE>1000</BOA_QUANTIFICATION_VALUE>",
        '<BOA_ADD_OFFSET band_id="3">0</BOA_ADD_OFFSET>',
    ):
        with pytest.raises(MetadataError, match="two different BOA_"):
            product_facts(sentinel2_band(bench, sentinel2(extra=extra)), "uint16")
    text = mtl("txt", "2.75e-05", "-0.2") + mtl("txt", "2e-05", "-0.1")
    with pytest.raises(MetadataError, match="two different REFLECTANCE_MULT_BAND_4"):
        product_facts(landsat_band(bench, "txt", text), "uint16")


BEYOND = ["1e-320", "1e-31", "1e31", "1e308", "1e-400"]


@pytest.mark.parametrize("text", BEYOND)
def test_scales_and_offsets_of_metadata_have_bounds(bench: Bench, text: str) -> None:
    cases = [sentinel2(text)] if text != "1e-400" else []
    if float(text) > 1:
        cases += [sentinel2("1", offset=text), sentinel2("1e-20", offset="-1e308")]
    for metadata in cases:
        path = sentinel2_band(bench, metadata)
        for expression in ("A", "A * A + 0.5"):
            with pytest.raises(MetadataError, match="1e-30 to 1e30") as caught:
                run(bandmath_job([("a", path)], expression, bench.path("out.tif")))
            sentence(caught.value)
    for form in ("txt", "json", "xml"):
        for scale, offset in (
            ((text, "-0.2"), ("2.75e-05", text)) if float(text) > 1 else ((text, "-0.2"),)
        ):
            path = landsat_band(bench, form, mtl(form, scale, offset))
            with pytest.raises(MetadataError, match=r"1e-30 to 1e30|scale is 0") as caught:
                run(bandmath_job([("a", path)], "A * A + 0.5", bench.path("out.tif")))
            sentence(caught.value)
        Path(bench.path(f"{LANDSAT}_MTL.{form}")).unlink()


@pytest.mark.parametrize(
    ("scale", "offset"),
    [
        *[(1e-320, 1.0), (1e-320, 0.0), (-1e-320, 1.0), (1e-31, 0.0), (1e31, 0.0)],
        *[(1.0, 1e31), (1.0, -1e308), (1e308, 1e308), (math.nan, 0.0), (1.0, math.inf)],
    ],
)
def test_scales_and_offsets_of_the_user_and_of_tags_have_bounds(
    bench: Bench, scale: float, offset: float
) -> None:
    plain = bench.save("plain.tif", np.full((30, 30), 3000, np.uint16))
    choice = RadiometryChoice(Scaling.CUSTOM, scale=scale, offset=offset)
    with pytest.raises(OptionError, match="1e-30 to 1e30") as caught:
        dry_run(
            bandmath_job([("a", plain)], "A * A + 0.5", bench.path("out.tif"), radiometry=choice)
        )
    sentence(caught.value)
    tagged = bench.save(
        "tagged.tif", np.full((30, 30), 3000, np.uint16), scales=[scale], offsets=[offset]
    )
    with pytest.raises(MetadataError, match="1e-30 to 1e30") as refused:
        run(bandmath_job([("a", tagged)], "A * A + 0.5", bench.path("out.tif")))
    sentence(refused.value)
    run(
        bandmath_job(
            [("a", tagged)],
            "A * A + 0.5",
            bench.path("out.tif"),
            radiometry=RadiometryChoice(Scaling.STORED),
        )
    )
    assert np.all(bench.read(bench.path("out.tif")) == np.float32(9000000.5))


@pytest.mark.parametrize(
    ("scale", "offset"), [(1e-30, 1e30), (1e30, -1e30), (-1e-30, 0.0), (1e30, 1e30)]
)
@pytest.mark.parametrize(
    "text",
    [
        "A",
        "A * A + 0.5",
        "(A - 1e300) / (A + 1e300)",
        "A * 1e300 + 1e-300",
        "A / 1e-300 + 1",
        "A + 1e308",
        "1e308 - A",
    ],
)
def test_numbers_at_the_bounds_run(bench: Bench, scale: float, offset: float, text: str) -> None:
    """float64 is the judge: what it cannot hold is nodata."""
    path = bench.save("plain.tif", np.full((30, 30), 3, np.uint16))
    choice = RadiometryChoice(Scaling.CUSTOM, scale=scale, offset=offset)
    job = bandmath_job([("a", path)], text, bench.path("out.tif"), radiometry=choice)
    run(job)
    with np.errstate(all="ignore"):
        expected = eval(text, {"A": np.float64(3 * scale + offset)})
        stored = np.float32(expected)
    found = bench.read(job.output)[0, 0]
    assert found == (-9999 if not np.isfinite(stored) else pytest.approx(stored, rel=1e-6))


def counted(tag: str, times: int) -> Callable[[], str]:
    return lambda: sentinel2(extra=tag * times)


BOMBS = {
    "millions of elements": counted("<a/>", 4_000_000),
    "millions of attributes": lambda: sentinel2(
        extra="<a " + " ".join(f'b{number}="1"' for number in range(1_200_000)) + "/>"
    ),
    "one text": lambda: sentinel2(extra="<a>" + "x" * 19_000_000 + "</a>"),
    "one number": lambda: sentinel2("1" * 19_000_000),
    "one tag": lambda: "<" + "a" * 19_000_000,
    "deep": lambda: "<a>" * 6_000_000,
    "deep and wide": lambda: "<x>" + ("<a>" * 90 + "</a>" * 90) * 5_000 + "</x>",
    "comments": counted("<!---->", 2_500_000),
    "billion laughs": lambda: (
        '<!DOCTYPE x [<!ENTITY a "' + "a" * 100_000 + '">]><x>' + "&a;" * 1_000_000 + "</x>"
    ),
    "offsets": counted('<BOA_ADD_OFFSET band_id="3">-1000</BOA_ADD_OFFSET>', 390_000),
    "over 20 MB": lambda: sentinel2(extra="\n" * 20_000_001),
    "a sparse file": lambda: "",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_cost_little(bench: Bench, bomb: str) -> None:
    metadata = Path(bench.path("MTD_MSIL2A.xml"))
    metadata.write_text(BOMBS[bomb]())
    if bomb == "a sparse file":
        with metadata.open("wb") as file:
            file.truncate(2**40)
    result = cost(bench, bench.path("T33UUU_20220413T150759_B04_10m.tif"))
    assert result["peak"] < KILOBYTES, result
    assert result["refused"]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("txt", "\n" * 19_000_000),
        ("txt", "GROUP = a\n" * 1_900_000),
        ("txt", "GROUP = " + "a" * 19_000_000),
        ("json", "[" * 19_000_000),
        ("json", '{"LANDSAT_METADATA_FILE": [' + "{}," * 6_000_000 + "{}]}"),
        (
            "json",
            '{"LANDSAT_METADATA_FILE": {"'
            + GROUP
            + '": {"REFLECTANCE_MULT_BAND_4": '
            + "9" * 19_000_000
            + "}}}",
        ),
        ("xml", f"<x><{GROUP}>" + "<REFLECTANCE_MULT_BAND_4>1</REFLECTANCE_MULT_BAND_4>" * 350_000),
    ],
    ids=[
        "empty lines",
        "groups",
        "one line",
        "nested lists",
        "a list",
        "a number of millions of digits",
        "elements",
    ],
)
def test_bombs_of_landsat(bench: Bench, form: str, text: str) -> None:
    Path(bench.path(f"{LANDSAT}_MTL.{form}")).write_text(text)
    result = cost(bench, bench.path(f"{LANDSAT}_SR_B4.TIF"))
    assert result["refused"] and result["peak"] < KILOBYTES + 80_000, result


def test_a_bomb_of_a_vrt(bench: Bench) -> None:
    """A VRT of 18 MB with 70,000 sources of one band, each a file of its own: a thousand are looked
    at, and memory stays small.
    """
    source = "<SimpleSource><SourceFilename>/none/{}.tif</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
    body = "".join(source.format(number) for number in range(70_000))
    Path(bench.path("many.vrt")).write_text(
        f'<VRTDataset><VRTRasterBand dataType="UInt16">{body}</VRTRasterBand></VRTDataset>'
    )
    result = cost(bench, bench.path("many.vrt"))
    assert not result["refused"] and result["peak"] < KILOBYTES + 100_000, result


def cost(bench: Bench, path: str) -> dict[str, Any]:
    """What looking for the metadata of a band takes, in a process of its own: peak kilobytes, and
    whether it was refused.

    The kernel ends a process that takes 20 seconds of processor time; the slowest takes one.
    """
    process = bench.python(
        f"""
import json, resource
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
from bandwise.engine.errors import MetadataError
from bandwise.engine.radiometry.products import product_facts
refused = False
try:
    product_facts({path!r}, "uint16")
except MetadataError as error:
    refused = len(str(error)) < 700
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(json.dumps(dict(peak=int(peak), refused=refused)))
"""
    )
    assert process.returncode == 0, process.stderr
    result: dict[str, Any] = json.loads(process.stdout)
    return result
