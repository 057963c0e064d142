# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask GRASS GIS and OTB for their indices, keep the answers, and hold them against the formulas that we say they have.

    python -m scripts.indices.ask_peers [OUT.json]

Needs the system's Python with ``osgeo``, ``grass`` and ``otbcli_RadiometricIndices`` (Debian: ``grass-core``,
``otb-bin``). Exits with 1 where a tool differs from its formula.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from osgeo import gdal, osr

from .peers import GRASS, OTB, PEERS, ROLES, SIZE, SOIL_LINE, by_the_formula, reflectance

OUT = Path(__file__).resolve().parents[2] / "tests" / "corpus" / "peer_indices.json"
RELATIVE, ABSOLUTE = 3e-7, 3e-8  #: of float32


def write(path: Path) -> None:
    """Write the bands as a GeoTIFF."""
    dataset = gdal.GetDriverByName("GTiff").Create(
        str(path), SIZE, SIZE, len(ROLES), gdal.GDT_Float32
    )
    dataset.SetGeoTransform((500000, 10, 0, 4600000, 0, -10))
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32633)
    dataset.SetProjection(crs.ExportToWkt())
    for number, values in enumerate(reflectance().values(), start=1):
        dataset.GetRasterBand(number).WriteArray(values)


def by_grass(folder: Path, names: list[str]) -> tuple[str, list[NDArray[Any]]]:
    """The version of GRASS and its answers, NaN for nodata."""
    lines = ["set -e"]
    for number, role in enumerate(ROLES, start=1):
        lines.append(f"r.in.gdal --quiet input=in.tif band={number} output={role}")
    lines.append("g.region raster=red")
    inputs = "blue=blue green=green red=red nir=nir band5=swir1 band7=swir2"
    soil = " ".join(f"{name}={value}" for name, value in SOIL_LINE.items())
    for name in names:
        lines.append(f"i.vi --quiet viname={name} output=out_{name} {inputs} {soil}")
        lines.append(
            f"r.out.gdal -c -f --quiet input=out_{name} output={name}.tif format=GTiff type=Float32"
        )
    (folder / "ask.sh").write_text("\n".join(lines), "utf-8")
    command = ["grass", "--tmp-location", "in.tif", "--exec", "sh", "ask.sh"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    said = subprocess.run(["grass", "--version"], capture_output=True, text=True, check=True)
    version = (said.stdout + said.stderr).splitlines()[0]
    return version, [gdal.Open(str(folder / f"{name}.tif")).ReadAsArray() for name in names]


def by_otb(folder: Path, names: list[str]) -> tuple[str, list[NDArray[Any]]]:
    """The version of OTB and its answers."""
    channels = zip(("blue", "green", "red", "nir", "mir"), range(1, 6))
    options = [word for name, number in channels for word in (f"-channels.{name}", str(number))]
    command = ["otbcli_RadiometricIndices", "-in", "in.tif", *options, "-list", *names]
    command += ["-out", "otb.tif", "float"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    said = subprocess.run(
        ["otbcli_RadiometricIndices", "-help"], capture_output=True, text=True, check=False
    )
    found = re.search(r"version ([\d.]+\d)", said.stdout + said.stderr)
    version = f"OTB {found[1]}" if found else "OTB"
    return version, list(gdal.Open(str(folder / "otb.tif")).ReadAsArray())


def as_json(value: np.float32) -> float | str:
    """A pixel as JSON: a number with the digits of float32, a word for what is none."""
    return float(str(value)) if np.isfinite(value) else str(value)


def main() -> None:
    """Ask, compare, write."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    versions, lines, different = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "in.tif")
        for tool, ask in ((GRASS, by_grass), (OTB, by_otb)):
            peers = [peer for peer in PEERS if peer.tool == tool]
            version, answers = ask(Path(folder), [peer.name for peer in peers])
            versions.append(version)
            for peer, answer in zip(peers, answers):
                expected = by_the_formula(peer)
                defined = np.isfinite(expected) & (expected != 0)
                close = np.isclose(answer, expected, rtol=RELATIVE, atol=ABSOLUTE)
                if not close[1:].ravel()[defined[1:].ravel()].all():
                    different.append(f"{tool} {peer.name}")
                pixels = [as_json(value) for value in answer.ravel()]
                lines.append(json.dumps({"tool": tool, "name": peer.name, "pixels": pixels}))
    head = f'{{"versions": {json.dumps(versions)},\n"answers": [\n'
    out.write_text(head + ",\n".join(lines) + "\n]}\n", "utf-8")
    print(
        f"{', '.join(versions)}: {len(lines)} indices, {len(different)} not as their formula says"
    )
    for text in different:
        print(text)
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
