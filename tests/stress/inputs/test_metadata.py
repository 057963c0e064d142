# SPDX-License-Identifier: GPL-2.0-or-later
"""Metadata that are damaged or made to exhaust a reader: refused in one sentence within bounded
memory, or read as Python's own parsers read them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.dom import expatbuilder
from xml.parsers.expat import ExpatError

import numpy as np
import pytest
import rasterio
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
from children import Children, Order
from stress_case import Case, Tally

STORED = 3000
LANDSAT = "LC08_L2SP_001070_20190114_20200830_02_T2"
GROUP = "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"
#: That a run may take more than the bare process, of which 24 MB are the job's
MEMORY = 500 * 10**6
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

SENTINEL2 = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<n1:Level-2A_User_Product '
    'xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/L2A.xsd">\n'
    '<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>\n'
    + "".join(
        f'<BOA_ADD_OFFSET band_id="{number}">-1000</BOA_ADD_OFFSET>\n' for number in range(13)
    )
    + "</n1:Level-2A_User_Product>\n"
)
ITEMS = {"REFLECTANCE_MULT_BAND_4": "2.75e-05", "REFLECTANCE_ADD_BAND_4": "-0.2"}
TXT = f"GROUP = LANDSAT_METADATA_FILE\n  GROUP = {GROUP}\n" + "".join(
    f"    {name} = {value}\n" for name, value in ITEMS.items()
)
TXT += f"  END_GROUP = {GROUP}\nEND_GROUP = LANDSAT_METADATA_FILE\nEND\n"
XML = f'<?xml version="1.0" encoding="UTF-8"?>\n<LANDSAT_METADATA_FILE><{GROUP}>'
XML += (
    "".join(f"<{name}>{value}</{name}>" for name, value in ITEMS.items())
    + f"</{GROUP}></LANDSAT_METADATA_FILE>"
)
FORMS = {
    "sentinel2": SENTINEL2,
    "txt": TXT,
    "xml": XML,
    "json": json.dumps({"LANDSAT_METADATA_FILE": {GROUP: ITEMS}}),
}

_LOL = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 12}">' for a, b in zip("abcdefgh", "bcdefghi"))
    + "]>"
)

#: Name -> a function from the sound text of a form to the bytes of a hostile file.
BOMBS: dict[str, Callable[[str], bytes]] = {
    "20 MB and more of blanks": lambda text: text.encode() + b" " * 20_000_001,
    "one line of 19 MB": lambda text: (
        text.replace("2.75e-05", "2" * 19_000_000)
        .replace(">10000<", f">{'1' * 19_000_000}<")
        .encode()
    ),
    "a million elements": lambda text: _inside(text, "<a/>" * 1_000_000),
    "100000 deep": lambda text: _inside(text, "<a>" * 100_000),
    "groups 100000 deep": lambda text: b"GROUP = A\n" * 100_000 + text.encode(),
    "brackets 1000000 deep": lambda text: b'{"a":' * 1_000_000 + text.encode(),
    "a million offsets": lambda text: _inside(
        text, '<BOA_ADD_OFFSET band_id="3">-1</BOA_ADD_OFFSET>' * 400_000
    ),
    "a million items": lambda text: text.replace(
        "REFLECTANCE_ADD", "\n".join(f"A{n} = 1" for n in range(1_000_000)) + "\nREFLECTANCE_ADD"
    ).encode(),
    "entities in entities": lambda text: (
        text.replace("?>", "?>" + _LOL, 1)
        .replace(">10000<", ">&i;<")
        .replace(">2.75e-05<", ">&i;<")
        .encode()
    ),
    "a file as an entity": lambda text: (
        text.replace("?>", '?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>', 1)
        .replace(">10000<", ">&a;<")
        .encode()
    ),
    "not UTF-8": lambda text: (
        text.replace("10000", "\udcff10000")
        .replace("2.75e-05", "2.75e-05\udcff")
        .encode("utf-8", "surrogateescape")
    ),
    "UTF-16": lambda text: text.encode("utf-16"),
    "not a number": lambda text: (
        text.replace("2.75e-05", "nan").replace(">10000<", ">nan<").encode()
    ),
    "infinite": lambda text: (
        text.replace("2.75e-05", "1e999").replace(">10000<", ">1e999<").encode()
    ),
    "underscores": lambda text: (
        text.replace("2.75e-05", "1_000").replace(">10000<", ">1_000<").encode()
    ),
    "zero": lambda text: text.replace("2.75e-05", "0").replace(">10000<", ">0<").encode(),
    "tiny": lambda text: text.replace("2.75e-05", "1e-320").replace(">10000<", ">1e-320<").encode(),
    "enormous": lambda text: text.replace("-0.2", "1e308").replace(">-1000<", ">1e308<").encode(),
    "empty": lambda text: b"",
    "nulls": lambda text: bytes(10_000),
}


def _inside(text: str, what: str) -> bytes:
    """Put elements into the root of XML; text without one goes before."""
    end = text.rfind("</")
    return (text[:end] + what + text[end:] if end > 0 else what + text).encode()


def _made(folder: Path, form: str, content: bytes) -> Job:
    """A band in its product's folder, times one: so that the metadata decide of the result."""
    if form == "sentinel2":
        band, metadata = (
            folder / "P/T33UUU_20220413T150759_B04_10m.tif",
            folder / "P/MTD_MSIL2A.xml",
        )
    else:
        band, metadata = folder / f"P/{LANDSAT}_SR_B4.TIF", folder / f"P/{LANDSAT}_MTL.{form}"
    metadata.parent.mkdir()
    metadata.write_bytes(content)
    profile = {
        "driver": "GTiff",
        "count": 1,
        "height": 30,
        "width": 40,
        "dtype": "uint16",
        "crs": "EPSG:32633",
    }
    with rasterio.open(
        band, "w", transform=rasterio.Affine(10, 0, 300000, 0, -10, 5000040), **profile
    ) as dataset:
        dataset.write(np.full((30, 40), STORED, np.uint16), 1)
    (folder / "results").mkdir()
    formula = named_formula("value := a * 1", ("a",))
    return Job(
        (BandRef("a", str(band)),), formula, str(folder / "results/out.tif"), memory=24, workers=1
    )


def _refused_or_value(outcome: Any, job: Job, what: str) -> float | None:
    """None where it was refused in one sentence, else the one value of the result."""
    output = Path(job.output)
    assert not outcome.signal and outcome.expected, f"{what}: {outcome}"
    if outcome.error:
        assert outcome.text and "\n" not in outcome.text and len(outcome.text) < 800, (
            f"{what}: {outcome.text[:900]}"
        )
        assert not list(output.parent.iterdir()), what
        (metadata,) = (output.parents[1] / "P").glob("*MT[DL]*")
        assert metadata.name in outcome.text, f"{what}: {outcome.text}"
        return None
    with rasterio.open(output) as dataset:
        values = np.unique(dataset.read(1))
    assert len(values) == 1, what
    return float(values[0])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("bomb", BOMBS)
def test_metadata_made_to_exhaust(
    bomb: str, form: str, children: Children, tmp_path: Path, tally: Tally
) -> None:
    """Where the hostile part is none in this form, the metadata say what they said; a file that is
    not understood is never taken for another.
    """
    content = BOMBS[bomb](FORMS[form])
    job = _made(tmp_path, form, content)
    (outcome,) = children.run(Order(job, memory=MEMORY, after=60))
    value = _refused_or_value(outcome, job, f"{bomb} in {form}")
    right = (STORED - 1000) / 10000 if form == "sentinel2" else STORED * 2.75e-05 - 0.2
    assert value is None or value == pytest.approx(right, rel=1e-6), f"{bomb} in {form}"
    tally("refused in one sentence" if value is None else "harmless, and read")


def _python_reads(form: str, content: bytes) -> tuple[float, float] | None:
    """Scale and offset as Python's own parsers and a regular expression find them; None where they
    find none, or more than one.
    """
    try:
        if form == "txt":
            # no other group has these items, so a damaged end of theirs takes nothing away
            lines = content.decode("latin-1").splitlines()
            texts = [
                list(
                    {
                        line.partition("=")[2]
                        for line in lines
                        if line.partition("=")[0].strip() == name
                    }
                )
                for name in ITEMS
            ]
        elif form == "json":
            items = json.loads(content.decode())["LANDSAT_METADATA_FILE"][GROUP]
            texts = [[items[name]] for name in ITEMS]
        else:
            root = expatbuilder.parseString(content, namespaces=False)  # a prefix may be damaged
            bands = {"BOA_QUANTIFICATION_VALUE": "", "BOA_ADD_OFFSET": "3"}
            names = bands if form == "sentinel2" else dict.fromkeys(ITEMS, "")
            texts = [
                [
                    element.firstChild.data  # type: ignore[union-attr]
                    for element in root.getElementsByTagName(name)
                    if element.getAttribute("band_id") == band
                ]
                for name, band in names.items()
            ]
        numbers = [float(text.strip()) for (text,) in texts if _NUMBER.fullmatch(text.strip())]
        scale, offset = (
            (1 / numbers[0], numbers[1] / numbers[0]) if form == "sentinel2" else numbers
        )
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        ExpatError,
    ):
        return None
    return scale, offset


def test_damaged_metadata(case: Case, children: Children, tmp_path: Path, tally: Tally) -> None:
    """A few bytes changed, cut off or doubled: the value is that of the numbers that are there, or
    it is refused, or the file counts for nothing.
    """
    form = list(FORMS)[case.number % len(FORMS)]
    content = bytearray(FORMS[form].encode())
    for _ in range(case.random.choice((1, 1, 2, 4))):
        place = case.random.randrange(len(content) - 30)
        manner = case.random.randrange(4)
        if manner == 0:
            content[place] = case.random.randrange(256)
        elif manner == 1:
            del content[place : place + case.random.choice((1, 10, len(content)))]
            content = content if len(content) > 60 else bytearray(FORMS[form].encode())
        elif manner == 2:
            content[place:place] = content[place : place + case.random.choice((1, 20, 200))]
        else:
            content[place : place + 1] = case.random.choice(
                (b"_", b"e", b"-", b".", b"\xd9\xa3", b" ", b"nan", b"9" * 50, b"<", b'"', b"\n")
            )
    job = _made(tmp_path, form, bytes(content))
    (outcome,) = children.run(Order(job, memory=MEMORY, after=60))
    value = _refused_or_value(outcome, job, f"{form}: {bytes(content)!r}")
    found = _python_reads(form, bytes(content))
    if value is None:
        tally("refused in one sentence")
    elif value == STORED:
        assert found is None, f"{form}: stored values in spite of {bytes(content)!r}"
        tally("stored values, for the metadata name no scale")
    else:
        assert found is not None, f"{form}: {value} from {bytes(content)!r}"
        assert value == pytest.approx(STORED * found[0] + found[1], rel=1e-6, abs=1e-30), (
            f"{form}: {bytes(content)!r}"
        )
        tally("read as Python's parsers read it")
