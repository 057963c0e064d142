# SPDX-License-Identifier: GPL-2.0-or-later
"""Metadata that are missing, of another product, damaged or hostile."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bandwise.engine.errors import MetadataError, OptionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.radiometry.nodata import as_stored
from bandwise.engine.radiometry.scaling import (
    Declared,
    RadiometryChoice,
    Scaling,
    resolve,
)
from bench import Bench
from radiometry_cases import (
    CUSTOM,
    STORED,
    UINT16,
    facts,
    nested_entities,
    safe,  # noqa: F401  fixtures
    sentinel2,
)
from steps import steps


def test_a_band_without_its_product_is_used_as_stored_with_a_caution(
    safe: Callable[..., str],
) -> None:
    radiometry = resolve(safe(None), UINT16, RadiometryChoice())
    assert facts(radiometry) == (1, 0, None, None)
    assert "MTD_MSIL2A.xml" in str(radiometry.warning) and "unchanged" in str(radiometry.warning)
    assert resolve(safe(None), UINT16, STORED).warning is None


@pytest.mark.parametrize(
    "uri",
    [
        "S2A_MSIL2A_20190212T192651_N0212_R013_T33UUU_20201007",
        "S2A_MSIL2A_20220413T150759_N0400_R025_T34UCF_20220414",
    ],
)
def test_the_metadata_of_another_product_are_not_used(safe: Callable[..., str], uri: str) -> None:
    """Another date, another tile."""
    radiometry = resolve(
        safe(sentinel2(offsets={str(n): "-1000" for n in range(13)}, uri=uri)),
        UINT16,
        RadiometryChoice(),
    )
    assert (radiometry.scale, radiometry.offset) == (1, 0)
    assert uri in str(radiometry.warning)


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
def test_damaged_and_hostile_metadata_are_refused_in_one_sentence(
    safe: Callable[..., str], damage: str
) -> None:
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


def test_metadata_never_closed_take_little_memory(bench: Bench, safe: Callable[..., str]) -> None:
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
    safe: Callable[..., str], choice: RadiometryChoice
) -> None:
    radiometry = resolve(safe(nested_entities()), UINT16, choice)
    assert (radiometry.scale, radiometry.offset) == ((1, 0) if choice is STORED else (0.002, 0.5))
    assert "MTD_MSIL2A.xml" in str(radiometry.warning) and "document type" in str(
        radiometry.warning
    )


def test_nothing_is_written_when_metadata_are_refused(
    bench: Bench, safe: Callable[..., str]
) -> None:
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
