# SPDX-License-Identifier: GPL-2.0-or-later
"""Prove that two checkouts of Bandwise, or its two backends, give the same results, byte for byte.

    python -m scripts.compare_results OTHER_CHECKOUT
    python -m scripts.compare_results --backends

Every case is run by both checkouts on the same rasters, into the same name; files and sidecars are
compared by their digests, without the tag that names the backend. Sentences of errors may be worded
differently, which is listed, but a job that one refuses and the other does not is a difference.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

from .console import show_every_name

ROOT = Path(__file__).resolve().parents[1]

Case = dict[str, Any]

_TYPES = range(8)
_CODECS = ("", "COMPRESS=DEFLATE|ZLEVEL=1", "COMPRESS=ZSTD|PREDICTOR=1", "COMPRESS=LZW|PREDICTOR=2")
_FORMS = (
    "",
    "TILED=NO|BLOCKYSIZE=7",
    "BLOCKXSIZE=64|BLOCKYSIZE=128|INTERLEAVE=BAND",
    "BIGTIFF=YES",
)
_SIZES = ("one", "odd", "large")
_TWO = "a := (nir - red) / (nir + red); b := nir * 0.5 - red"


def corpus_cases() -> Iterator[Case]:
    """Every expression of the corpus, on the corpus's rasters."""
    for case in import_module("tests.corpus.expressions.catalogue").CASES:
        yield {"section": "corpus", "text": case.text, "dialect": case.dialect}


def layout_cases() -> Iterator[Case]:
    """Types, codecs and layouts of the result, with overviews and as COG, of odd sizes."""
    for number, (dtype, codec, form) in enumerate(product(_TYPES, _CODECS, _FORMS)):
        size = _SIZES[number % 3]
        options = "|".join(filter(None, (codec, form)))
        more = {"data_type": dtype, "overviews": number % 2 == 0, "cog": number % 5 == 0}
        # blocks that are compressed lie in the order in which threads finish them
        workers = {"workers": 1, "memory": (1, 8, 512)[number % 3]}
        if more["cog"]:
            options = codec
        yield {
            "section": "layouts",
            "text": _TWO if number % 4 else "x := (nir - red) / (nir + red)",
            "bands": [f"nir_{size}", f"red_{size}"],
            "options": {"creation_options": options, **more, **workers},
        }
    for form in (
        "SPARSE_OK=YES",
        "COMPRESS=DEFLATE|SPARSE_OK=YES",
        "DISCARD_LSB=4",
        "COMPRESS=NONE",
    ):
        for clamp in ([None, None], [-0.5, 0.25]):
            yield {
                "section": "layouts",
                "text": _TWO,
                "bands": ["nir_large", "red_large"],
                "options": {"creation_options": form, "clamp": clamp, "workers": 1},
            }


def grid_cases() -> Iterator[Case]:
    """Resampling, other CRS, shifted grids, masks, areas, extents, scale and offset, nodata."""
    sources = ("red_coarse", "red_fine", "red_shifted", "red_utm32", "red_geographic")
    for other, resampling in product(sources, range(6)):
        for rule, extent in ((0, 0), (1, 1), (2, 2)):
            yield {
                "section": "grids",
                "text": "x := nir - red",
                "bands": ["nir_large", other],
                "layout": [rule, extent, resampling],
                "options": {"workers": 2, "memory": 16, "creation_options": "COMPRESS=NONE"},
            }
    for mask, rule in product(("mask", "mask_coarse"), range(1, 5)):
        yield {
            "section": "masks",
            "text": "x := nir - red",
            "bands": ["nir_large", "red_large"],
            "mask": [mask, rule],
            "options": {"workers": 1},
        }
    for band in ("scaled", "alpha", "masked", "nan", "doubles", "bytes", "signed"):
        for scaling, dtype in product(range(3), (0, 1, 2)):
            yield {
                "section": "bands",
                "text": "x := nir / 2 + red",
                "bands": [band, "red_large"],
                "radiometry": [scaling, 0.0001, -0.1, None],
                "area": bool(dtype),
                "options": {"data_type": dtype, "workers": 1},
            }


def cases() -> list[Case]:
    """Return all cases."""
    return [*corpus_cases(), *layout_cases(), *grid_cases()]


def run_cases(checkout: Path, folder: Path, backend: str) -> list[list[str]]:
    """Return for each case of ``folder/cases.json`` what the checkout makes of it: a digest, or an error."""
    command = [sys.executable, str(ROOT / "scripts" / "run_cases.py"), str(checkout), str(folder)]
    environment = {**os.environ, "BANDWISE_BACKEND": backend}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    results: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    return results


def main() -> int:
    show_every_name()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sides = parser.add_mutually_exclusive_group(required=True)
    sides.add_argument("other", nargs="?", type=Path, help="the checkout to compare with")
    sides.add_argument("--backends", action="store_true", help="rasterio and osgeo instead")
    arguments = parser.parse_args()
    pair = [(ROOT, "rasterio"), (ROOT, "gdal")]
    if arguments.other:
        pair = [(arguments.other.resolve(), ""), (ROOT, "")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = cases()
        (folder / "cases.json").write_text(json.dumps(listed), "utf-8")
        arrays = import_module("tests.corpus.inputs").arrays()
        corpus = {key: values.tolist() for key, values in arrays.items()}
        (folder / "corpus.json").write_text(json.dumps(corpus), "utf-8")
        theirs, ours = (run_cases(checkout, folder, backend) for checkout, backend in pair)
    counts: Counter[tuple[str, str]] = Counter()
    refusals: Counter[str] = Counter()
    for case, left, right in zip(listed, theirs, ours):
        outcome = "same bytes" if left == right and left[0] == "file" else "refused alike"
        if left != right:
            alike = left[0] == right[0] == "error"
            outcome = "refused in other words" if alike else "DIFFERENT"
            print(f"{outcome}: {json.dumps(case)[:300]}\n  {left}\n  {right}")
        counts[case["section"], outcome] += 1
        if outcome == "refused alike":
            refusals[left[1].splitlines()[-1][:100]] += 1
    for sentence, count in refusals.most_common(10):
        print(f"{count:4} refused: {sentence}")
    for (section, outcome), count in sorted(counts.items()):
        print(f"{section:10} {outcome:24} {count:6}")
    return int(any(outcome == "DIFFERENT" for _, outcome in counts))


if __name__ == "__main__":
    sys.exit(main())
