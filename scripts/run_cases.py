# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the cases of ``compare_results`` with one checkout, in a process of its own, and print what came out as JSON."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import ColorInterp
from rasterio.transform import Affine

#: Modules by the names that they have, or had.
NAMES = {
    "pipeline": ("execution.pipeline", "pipeline"),
    "bandmath": ("planning.bandmath", "bandmath"),
    "names": ("expression.names", "references"),
    "dialects": ("expression.dialects", "dialects"),
    "layout": ("grids.layout", "layout"),
    "masks": ("radiometry.masks", "masks"),
    "scaling": ("radiometry.scaling", "radiometry"),
    "storage": ("radiometry.storage", "storage"),
    "errors": ("errors",),
    "job": ("job",),
    "tags": ("planning.tags", "account"),
}


def register(checkout: Path) -> None:
    """Load the checkout as the package ``bandwise``."""
    spec = importlib.util.spec_from_file_location(
        "bandwise", checkout / "__init__.py", submodule_search_locations=[str(checkout)]
    )
    assert spec is not None
    sys.modules["bandwise"] = importlib.util.module_from_spec(spec)


def engine(name: str) -> Any:
    """A module of the engine."""
    for candidate in NAMES[name]:
        try:
            return importlib.import_module(f"bandwise.engine.{candidate}")
        except ModuleNotFoundError as error:
            if candidate == NAMES[name][-1] or not str(error.name).startswith("bandwise"):
                raise
    raise ModuleNotFoundError(name)


def save(path: Path, values: Any, transform: tuple[float, ...], crs: str, **options: Any) -> None:
    """Write an array of shape (rows, columns) or (bands, rows, columns)."""
    planes = values.reshape((-1, *values.shape[-2:]))
    scale, mask = options.pop("scale", None), options.pop("mask", None)
    profile = {
        "driver": "GTiff",
        "count": len(planes),
        "height": planes.shape[1],
        "width": planes.shape[2],
        "dtype": planes.dtype.name,
        "crs": crs,
        "transform": Affine(*transform),
        **options,
    }
    with rasterio.open(path, "w", **profile) as dataset:
        if len(planes) == 2:
            dataset.colorinterp = [ColorInterp.gray, ColorInterp.alpha]
        dataset.write(planes)
        if scale:
            dataset.scales, dataset.offsets = [scale[0]], [scale[1]]
        if mask is not None:
            dataset.write_mask(mask)


def make_rasters(folder: Path) -> None:
    """Write the rasters that cases name."""
    random, here, utm = np.random.default_rng(16), (10.0, 0.0, 3e5, 0.0, -10.0, 5e6), "EPSG:32633"

    def values(rows: int, columns: int) -> Any:
        array = random.integers(1, 6000, (rows, columns)).astype(np.uint16)
        array[: rows // 5, : columns // 3] = 0
        return array

    for name, shape in (("one", (1, 1)), ("odd", (257, 511)), ("large", (700, 1000))):
        for band in ("nir", "red"):
            save(folder / f"{band}_{name}.tif", values(*shape), here, utm, nodata=0)
    tiled = {"tiled": True, "blockxsize": 128, "blockysize": 64, "compress": "deflate", "nodata": 0}
    save(folder / "red_coarse.tif", values(140, 200), (50.0, 0, 3e5, 0, -50.0, 5e6), utm, **tiled)
    save(folder / "red_fine.tif", values(900, 800), (4.0, 0, 3e5, 0, -4.0, 5e6), utm, **tiled)
    save(folder / "red_shifted.tif", values(700, 1000), (10.0, 0, 300070, 0, -10.0, 4999950), utm)
    moved = (11.0, 0.3, 768500, 0.2, -12.0, 5005800)
    save(folder / "red_utm32.tif", values(700, 1000), moved, "EPSG:32632", **tiled)
    degrees = (0.0001, 0, 12.455, 0, -0.0001, 45.13)
    save(folder / "red_geographic.tif", values(900, 1400), degrees, "EPSG:4326")
    classes = random.integers(0, 12, (700, 1000)).astype(np.uint8)
    save(folder / "mask.tif", classes, here, utm)
    coarse = random.integers(0, 2**9, (140, 200)).astype(np.uint16)
    save(folder / "mask_coarse.tif", coarse, (50.0, 0, 3e5, 0, -50.0, 5e6), utm)
    save(folder / "scaled.tif", values(700, 1000), here, utm, scale=(0.0001, -0.1))
    both = np.stack([values(700, 1000), (values(700, 1000) % 3).astype(np.uint16)])
    save(folder / "alpha.tif", both, here, utm)
    save(folder / "masked.tif", values(700, 1000), here, utm, mask=classes > 3)
    floats = random.normal(0, 3, (700, 1000)).astype(np.float32)
    floats[floats > 4] = np.nan
    save(folder / "nan.tif", floats, here, utm)
    save(folder / "doubles.tif", floats.astype(np.float64) * 1e10, here, utm, nodata=-1e300)
    save(folder / "bytes.tif", classes * 20, here, utm, nodata=255)
    save(folder / "signed.tif", values(700, 1000).astype(np.int32) - 3000, here, utm, nodata=-2000)
    corpus = json.loads((folder / "corpus.json").read_text("utf-8"))
    letters = [band for name in ("scene", "other", "classes") for band in corpus[name]]
    for name, bands in (*corpus.items(), *zip("ABCDEFG", ([band] for band in letters))):
        save_corpus = np.asarray(bands, np.float64)
        path = folder / f"{name}.tif"
        height, width = save_corpus.shape[1:]
        profile = {"driver": "GTiff", "count": len(bands), "height": height, "width": width}
        with rasterio.open(
            path, "w", dtype="float64", crs=utm, transform=Affine(*here), **profile
        ) as dataset:
            dataset.write(save_corpus)


def job_of(case: dict[str, Any], folder: Path, output: str) -> Any:
    """The job of a case."""
    job, layout, masks = engine("job"), engine("layout"), engine("masks")
    options = dict(case.get("options", {}))
    if "data_type" in options:
        options["data_type"] = engine("storage").DataType(options["data_type"])
    if "clamp" in options:
        options["clamp"] = tuple(options["clamp"])
    if "layout" in case:
        rule, extent, resampling = case["layout"]
        options["layout"] = layout.Layout(
            rule=layout.GridRule(rule),
            extent_rule=layout.ExtentRule(extent),
            resampling=layout.Resampling(resampling),
        )
    if "mask" in case:
        name, rule = case["mask"]
        options["mask"] = masks.MaskChoice(str(folder / f"{name}.tif"), rule=masks.MaskRule(rule))
    if "radiometry" in case:
        scaling, scale, offset, nodata = case["radiometry"]
        kinds = engine("scaling")
        options["radiometry"] = kinds.RadiometryChoice(
            kinds.Scaling(scaling), scale, offset, nodata
        )
    if case.get("area"):
        ring = ((300500.0, 4999500.0), (306000.0, 4998000.0), (303000.0, 4994000.0))
        options["area"] = masks.Area((((*ring, ring[0]),),))
    if "dialect" in case:
        names = {"qgis": "QGIS", "gdal_calc": "GDAL_CALC", "otb": "OTB"}
        dialect = engine("dialects").DialectChoice[names[case["dialect"]]]
        order = "ABCDEFG" if case["dialect"] == "gdal_calc" else ("scene", "other", "classes")
        rasters = [(name, str(folder / f"{name}.tif")) for name in order]
        return engine("bandmath").bandmath_job(
            rasters, case["text"], output, dialect=dialect, **options
        )
    bands = tuple(
        job.BandRef(name, str(folder / f"{raster}.tif"))
        for name, raster in zip(("nir", "red"), case["bands"])
    )
    formula = engine("names").named_formula(case["text"], ("nir", "red"))
    return job.Job(bands, formula, output, **options)


def outcome(case: dict[str, Any], folder: Path) -> list[str]:
    """What comes of a case: ``["file", digest]`` or ``["error", sentence]``."""
    results = folder / "results"
    results.mkdir(exist_ok=True)
    try:
        engine("pipeline").run(job_of(case, folder, str(results / "result.tif")))
        digest = hashlib.sha256()
        for path in sorted(results.iterdir()):
            digest.update(path.name.encode() + path.read_bytes())
        return ["file", digest.hexdigest()]
    except engine("errors").BandwiseError as error:
        return ["error", str(error)]
    finally:
        for path in results.iterdir():
            path.unlink()


def main() -> None:
    register(Path(sys.argv[1]))
    folder = Path(sys.argv[2])
    if not (folder / "scene.tif").exists():
        make_rasters(folder)
    engine("tags").library_versions = lambda: "either"  # the one difference between two backends
    listed = json.loads((folder / "cases.json").read_text("utf-8"))
    print(json.dumps([outcome(case, folder) for case in listed]))


if __name__ == "__main__":
    main()
