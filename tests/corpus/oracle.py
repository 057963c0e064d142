# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask the real tools for the answer to every case of the corpus, keep the answers, and hold the
hand-written numpy against them.

Run as ``/usr/bin/python3 tests/corpus/oracle.py [OUT.json]`` where QGIS, GDAL's utilities and
``otb-bin`` are installed; takes about a minute. Writes ``expected.json`` (one line a case: the
pixels of ``inputs.SAMPLE``, or the tool's error text) and exits with 1 where a tool and numpy
disagree and the case names no fault of the tool, or where a named fault is not there.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from expressions.case import Case, bands_of, right
from expressions.catalogue import CASES
from inputs import IMAGES, LAYERS, LETTERS, SAMPLE, arrays
from tools import Answer, GdalCalc, Otb, Qgis, Tool, evaluate, write

# QGIS and OTB write float32, gdal_calc float64; a logarithm may differ in its last bit between two libraries.
RELATIVE = {"qgis": 1.2e-7, "otb": 1.2e-7, "gdal_calc": 1e-13}
ABSOLUTE = 1e-13


def answers(folder: Path) -> dict[Case, Answer]:
    """What the tools say to all cases."""
    rasters = arrays()
    for name, bands in rasters.items():
        write(folder / f"{name}.tif", bands)
    letters: dict[bool, dict[str, Path]] = {False: {}, True: {}}
    for letter, (raster, band) in LETTERS.items():
        for integer, paths in letters.items():
            paths[letter] = folder / f"{letter}{'-int32' if integer else ''}.tif"
            write(paths[letter], rasters[raster][band - 1 : band], integer=integer)
    tools: dict[tuple[str, bool], Tool] = {
        ("qgis", False): Qgis(
            folder, {layer: folder / f"{raster}.tif" for layer, raster in LAYERS.items()}
        ),
        ("gdal_calc", False): GdalCalc(folder, letters[False]),
        ("gdal_calc", True): GdalCalc(folder, letters[True]),
        ("otb", False): Otb(folder, [folder / f"{raster}.tif" for raster in IMAGES]),
    }
    found = {}
    for (dialect, integer), tool in tools.items():
        chosen = [case for case in CASES if case.dialect == dialect and case.integer == integer]
        found.update(zip(chosen, evaluate(tool, [case.text for case in chosen])))
    return found


def disagreement(case: Case, answer: Answer, expected: np.ndarray) -> str:
    """How ``answer`` differs from ``expected``, or nothing."""
    if isinstance(answer, str):
        return answer
    values = np.ma.filled(answer, np.nan)
    values = np.where(np.isfinite(values), values, np.nan)
    wrong = ~np.isclose(
        values, expected, rtol=RELATIVE[case.dialect], atol=ABSOLUTE, equal_nan=True
    ).ravel()
    if not wrong.any():
        return ""
    place = int(np.argmax(wrong))
    return (
        f"{wrong.sum()} pixels, first at {place}: the tool has {values.ravel()[place]!r}, numpy "
        f"{expected.ravel()[place]!r}"
    )


def _written(answer: Answer, dialect: str) -> object:
    """The sampled pixels as JSON: numbers with as many digits as the tool's type holds, words for what is no number."""
    if isinstance(answer, str):
        return answer
    kind = np.float64 if dialect == "gdal_calc" else np.float32
    pixels = []
    for value, nodata in zip(
        np.ma.getdata(answer).ravel()[list(SAMPLE)],
        np.ma.getmaskarray(answer).ravel()[list(SAMPLE)],
    ):
        word = (
            "nodata"
            if nodata
            else "nan"
            if np.isnan(value)
            else ("inf" if value > 0 else "-inf")
            if np.isinf(value)
            else ""
        )
        pixels.append(
            word
            or (
                int(value)
                if value == int(value) and abs(value) < 2**53
                else float(str(kind(value)))
            )
        )
    return pixels


def main() -> None:
    """Ask, write, compare."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("expected.json")
    with tempfile.TemporaryDirectory() as folder:
        found = answers(Path(folder))
    bands = bands_of(arrays())
    complaints = []
    lines = []
    for case in CASES:
        difference = disagreement(case, found[case], right(case, bands))
        if bool(difference) != bool(case.tool_fault):
            complaints.append(
                f"{case.dialect} {case.text!r}: {difference or 'the fault is not there: ' + case.tool_fault}"
            )
        record = {
            "dialect": case.dialect,
            "text": case.text,
            "integer": case.integer,
            "answer": _written(found[case], case.dialect),
        }
        lines.append(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
    out.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    counts = ", ".join(
        f"{sum(case.dialect == dialect for case in CASES)} {dialect}" for dialect in RELATIVE
    )
    print(
        f"{len(CASES)} cases ({counts}), {sum(bool(case.tool_fault) for case in CASES)} with a "
        f"fault of the tool, {len(complaints)} complaints"
    )
    for complaint in complaints:
        print(complaint)
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
