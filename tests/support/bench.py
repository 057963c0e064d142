# SPDX-License-Identifier: GPL-2.0-or-later
"""The workbench of the engine's tests: rasters, jobs and what came of them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from register import REGISTER

#: UTM zone 33 north, 10 m pixels: where test rasters lie unless they say otherwise.
CRS = "EPSG:32633"
TRANSFORM = (10.0, 0.0, 300000.0, 0.0, -10.0, 5000040.0)


class Bench:
    """A folder to make rasters in, to run jobs in, and to look at afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)

    def save(
        self,
        name: str,
        values: Any,
        *,
        scales: Any = None,
        offsets: Any = None,
        mask: Any = None,
        alpha: int = 0,
        tags: Any = None,
        **options: Any,
    ) -> str:
        """Write ``values`` of shape (rows, columns) or (bands, rows, columns), losslessly; the path comes back.

        ``mask`` becomes the dataset's mask, inside the file unless ``GDAL_TIFF_INTERNAL_MASK`` is
        off; band ``alpha`` an alpha band.
        """
        import numpy as np
        import rasterio
        from rasterio.enums import ColorInterp
        from rasterio.transform import Affine

        values = np.asarray(values)
        planes = values.reshape((-1, *values.shape[-2:]))
        path = self.path(name)
        if path.endswith(".jp2"):
            options = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES", **options}
        transform = options.pop("transform", TRANSFORM)
        profile = {
            "driver": "GTiff",
            "count": planes.shape[0],
            "height": planes.shape[1],
            "width": planes.shape[2],
            "dtype": planes.dtype.name,
            "crs": CRS,
            "transform": Affine(*transform) if transform else None,
            **options,
        }
        with rasterio.open(path, "w", **profile) as dataset:
            if alpha:
                dataset.colorinterp = [
                    ColorInterp.alpha if n == alpha else ColorInterp.gray for n in dataset.indexes
                ]
            dataset.write(planes)
            if scales is not None:
                dataset.scales = scales
            if offsets is not None:
                dataset.offsets = offsets
            if tags:
                dataset.update_tags(**tags)
            if mask is not None:
                dataset.write_mask(np.asarray(mask, bool))
        return path

    def job(
        self, nir: Any, red: Any, *, output: str = "ndvi.tif", scaling: Any = None, **options: Any
    ) -> Any:
        """An NDVI job; a band is a path, or (path, number). ``scaling`` is a :class:`RadiometryChoice`."""
        from bandwise.engine.expression.names import named_formula
        from bandwise.engine.job import BandRef, Job
        from bandwise.engine.radiometry.scaling import RadiometryChoice

        bands = tuple(
            BandRef(name, *(band if isinstance(band, tuple) else (band,)))
            for name, band in (("nir", nir), ("red", red))
        )
        formula = named_formula(
            "NDVI := (nir - red) / (nir + red)", ("nir", "red"), valid_range=(-1.0, 1.0)
        )
        return Job(
            bands, formula, self.path(output), radiometry=scaling or RadiometryChoice(), **options
        )

    def run(self, job: Any, **callbacks: Any) -> Any:
        """Run a job: (pixels of the first result band, report)."""
        from bandwise.engine.execution.pipeline import run

        report = run(job, **callbacks)
        return self.read(job.output), report

    def ndvi(self, nir: Any, red: Any, **options: Any) -> Any:
        """The pixels of an NDVI job."""
        return self.run(self.job(nir, red, **options))[0]

    def notes(self, job: Any) -> tuple[list[str], list[str]]:
        """What a job says before it starts: (lines, warnings)."""
        from bandwise.engine.planning.plan import prepare

        notes = prepare(job).notes
        return [str(note.text) for note in notes if not note.warning], [
            str(note.text) for note in notes if note.warning
        ]

    def read(self, path: str, band: int | None = 1) -> Any:
        """Stored pixels, of one band (rows, columns) or with None of all (bands, rows, columns)."""
        import rasterio

        with rasterio.open(path) as dataset:
            return dataset.read(band)

    def listing(self) -> dict[str, str]:
        """Every file of the folder, hidden ones too, with a digest of its bytes."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def python(self, script: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run ``script`` in a Python process of its own, in the folder, with ``bandwise`` to import."""
        return subprocess.run(
            [sys.executable, "-c", REGISTER + script],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **{"timeout": 300, **options},
        )
